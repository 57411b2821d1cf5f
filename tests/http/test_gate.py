"""Who may come in: wrong signatures, expired links, clocks that are wrong, missing rights. Against `wolke serve`."""
import datetime
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from aws import BINARY, TRUST, Case, client, client_of, unique
from columns import Shifted
from server import Server


class Gate(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, serve=True).start()
        cls.addClassCleanup(cls.server.stop)
        cls.s3, cls.iam, cls.sts = (client_of(cls.server, name) for name in ("s3", "iam", "sts"))
        cls.bucket = unique("gate")
        cls.s3.create_bucket(Bucket=cls.bucket)
        cls.s3.put_object(Bucket=cls.bucket, Key="k", Body=b"body")

    def other(self, service, key=None, secret=None, token=None):
        return client(service, self.server.endpoint, key or self.server.access_key, secret or self.server.secret_key, token)

    def signed(self, path, skew_seconds=0, method="GET", change=lambda request: None):
        """(status, code) of a request signed with our clock that much ahead, changed after it was signed."""
        request = botocore.awsrequest.AWSRequest(method, self.server.endpoint + path, headers={
            "x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
        signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(self.server.access_key, self.server.secret_key), "s3",
                                         "us-east-1")
        at = datetime.datetime.utcnow() + datetime.timedelta(seconds=skew_seconds)
        request.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
        request.headers["X-Amz-Date"] = request.context["timestamp"]
        request.headers["Host"] = urllib.parse.urlsplit(self.server.endpoint).netloc
        canonical = signer.canonical_request(request)
        signature = signer.signature(signer.string_to_sign(request, canonical), request)
        request.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, "
            f"SignedHeaders={signer.signed_headers(signer.headers_to_sign(request))}, Signature={signature}")
        change(request)
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(request.url).netloc, timeout=10)
        parts = urllib.parse.urlsplit(request.url)
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), headers=dict(request.headers))
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text.partition("<Code>")[2].partition("</Code>")[0]

    def test_the_control_is_let_in(self):
        self.assertEqual(self.signed(f"/{self.bucket}/k"), (200, ""))

    def test_a_wrong_secret_and_an_unknown_key(self):
        self.refused("SignatureDoesNotMatch", self.other("s3", secret="x" * 40).list_buckets)
        self.refused("InvalidAccessKeyId", self.other("s3", key="AKIAIOSFODNN7EXAMPLE").list_buckets)
        self.refused("InvalidClientTokenId", self.other("sts", key="AKIAIOSFODNN7EXAMPLE").get_caller_identity)
        self.refused("SignatureDoesNotMatch", self.other("sts", secret="x" * 40).get_caller_identity)
        self.refused("UnrecognizedClientException", self.other("lambda", key="AKIAIOSFODNN7EXAMPLE").list_functions)
        self.refused("InvalidSignatureException", self.other("lambda", secret="x" * 40).list_functions)
        self.refused("UnrecognizedClientException", self.other("logs", key="AKIAIOSFODNN7EXAMPLE").describe_log_groups)
        self.refused("InvalidSignatureException", self.other("logs", secret="x" * 40).describe_log_groups)

    def test_no_signature(self):
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{self.server.endpoint}/{self.bucket}/k")
        self.assertEqual(caught.exception.code, 403)
        self.assertIn(b"<Code>AccessDenied</Code>", caught.exception.read())

    def test_what_was_signed_may_not_be_changed(self):
        def path(request):
            request.url = request.url.replace("/k", "/k2")

        def query(request):
            request.url += "?acl"

        def header(request):
            del request.headers["x-amz-content-sha256"]
            request.headers["x-amz-content-sha256"] = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

        def signature(request):
            value = request.headers["Authorization"]
            del request.headers["Authorization"]
            request.headers["Authorization"] = value[:-1] + ("0" if value[-1] != "0" else "1")
        for change in (path, query, header, signature):
            with self.subTest(change.__name__):
                self.assertEqual(self.signed(f"/{self.bucket}/k", change=change), (403, "SignatureDoesNotMatch"))

    def test_clocks_may_differ_by_15_minutes(self):
        for seconds in (-14 * 60, 14 * 60):
            self.assertEqual(self.signed(f"/{self.bucket}/k", seconds), (200, ""))
        for seconds in (-16 * 60, 16 * 60, -86400 * 2):
            self.assertEqual(self.signed(f"/{self.bucket}/k", seconds), (403, "RequestTimeTooSkewed"))

    def opened(self, link):
        try:
            with urllib.request.urlopen(link) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def presigned(self, seconds, ago=0):
        """A link that was made some seconds ago."""
        request = botocore.awsrequest.AWSRequest("GET", f"{self.server.endpoint}/{self.bucket}/k")
        signer = botocore.auth.S3SigV4QueryAuth(
            botocore.credentials.Credentials(self.server.access_key, self.server.secret_key), "s3", "us-east-1", expires=seconds)
        real = botocore.auth.datetime
        try:
            botocore.auth.datetime = Shifted(-ago)
            signer.add_auth(request)
        finally:
            botocore.auth.datetime = real
        return request.url

    def test_links(self):
        self.assertEqual(self.opened(self.presigned(60)), (200, "body"))
        self.assertEqual(self.opened(self.presigned(60, ago=50)), (200, "body"))
        status, text = self.opened(self.presigned(60, ago=70))
        self.assertEqual(status, 403)
        self.assertIn("<Code>AccessDenied</Code>", text)
        self.assertIn("Request has expired", text)
        status, text = self.opened(self.presigned(604801))
        self.assertEqual((status, "AuthorizationQueryParametersError" in text), (400, True))
        status, text = self.opened(self.presigned(60).replace("X-Amz-Expires=60", "X-Amz-Expires=600"))
        self.assertEqual((status, "SignatureDoesNotMatch" in text), (403, True))

    def test_a_user_may_do_what_a_policy_allows_and_nothing_else(self):
        name = unique("user")
        self.iam.create_user(UserName=name)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        s3 = self.other("s3", key["AccessKeyId"], key["SecretAccessKey"])
        self.refused("AccessDenied", s3.get_object, Bucket=self.bucket, Key="k")
        self.iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "s3:Get*", "Resource": f"arn:aws:s3:::{self.bucket}/*"},
                {"Effect": "Deny", "Action": "s3:*", "Resource": f"arn:aws:s3:::{self.bucket}/secret/*"}]}))
        self.s3.put_object(Bucket=self.bucket, Key="secret/k", Body=b"no")
        self.assertEqual(s3.get_object(Bucket=self.bucket, Key="k")["Body"].read(), b"body")
        self.refused("AccessDenied", s3.put_object, Bucket=self.bucket, Key="k", Body=b"")
        self.refused("AccessDenied", s3.get_object, Bucket=self.bucket, Key="secret/k")
        self.refused("AccessDeniedException", self.other("lambda", key["AccessKeyId"], key["SecretAccessKey"]).list_functions)
        self.refused("AccessDenied", self.other("iam", key["AccessKeyId"], key["SecretAccessKey"]).list_users)
        self.iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
        self.refused("InvalidAccessKeyId", s3.get_object, Bucket=self.bucket, Key="k")

    def test_session_tokens(self):
        account = self.sts.get_caller_identity()["Account"]
        name = unique("role")
        trust = json.loads(TRUST)
        trust["Statement"][0]["Principal"] = {"AWS": f"arn:aws:iam::{account}:root"}
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        user = unique("user")
        self.iam.create_user(UserName=user)
        self.iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": arn}]}))
        key = self.iam.create_access_key(UserName=user)["AccessKey"]
        sts = self.other("sts", key["AccessKeyId"], key["SecretAccessKey"])
        session = sts.assume_role(RoleArn=arn, RoleSessionName="se")["Credentials"]
        words = (session["AccessKeyId"], session["SecretAccessKey"])
        who = self.other("sts", *words, session["SessionToken"]).get_caller_identity()["Arn"]
        self.assertEqual(who, f"arn:aws:sts::{account}:assumed-role/{name}/se")
        self.refused("AccessDenied", self.other("s3", *words, session["SessionToken"]).list_buckets)
        token = session["SessionToken"]
        for bad in (token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"), token[: len(token) // 2]):
            self.refused("InvalidClientTokenId", self.other("sts", *words, bad).get_caller_identity)
        self.refused("InvalidClientTokenId", self.other("sts", *words).get_caller_identity)
