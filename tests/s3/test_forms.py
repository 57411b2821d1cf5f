"""Forms that a browser posts to a bucket (POST Object), signed by boto3 and by hand."""
import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import unittest
import urllib.parse
import uuid
import xml.etree.ElementTree

import aws
import wire

ENFORCED = os.environ.get("AWS_ACCESS_KEY_ID", "test") != "test"


def form(fields, file=b"bytes", name="a.txt", more=b""):
    """(content type, body): the fields in their order, then the file."""
    boundary = uuid.uuid4().hex
    parts = []
    for field, value in fields.items():
        value = value if isinstance(value, bytes) else value.encode()
        parts.append(b'Content-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (field.encode(), value))
    if file is not None:
        named = f'; filename="{name}"' if name is not None else ""
        parts.append(f'Content-Disposition: form-data; name="file"{named}\r\nContent-Type: text/html\r\n\r\n'.encode()
                     + file + b"\r\n")
    line = f"--{boundary}\r\n".encode()
    body = b"".join(line + part for part in parts) + (line + more if more else b"") + f"--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body


def send(path, content_type, body, host=None):
    """(status, headers, body) of a POST that no library signs or follows."""
    address = urllib.parse.urlsplit(wire.ENDPOINT)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname, address.port, timeout=60)
    try:
        connection.request("POST", path, body, {"Content-Type": content_type, **({"Host": host} if host else {})})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


class Forms(wire.S3Case, aws.Case):
    def post(self, fields, *args, path=None, host=None, **more):
        content_type, body = form(fields, *args, **more)
        return send(path or f"/{self.bucket}", content_type, body, host)

    def presigned(self, key="in/${filename}", fields=None, conditions=(), client=None, **more):
        client = client or wire.client(signature_version="s3v4")
        made = client.generate_presigned_post(self.bucket, key, Fields=fields, Conditions=[
            *({name: value} for name, value in (fields or {}).items()), *conditions], **more)
        return made["fields"]

    def refused_form(self, code, status, answer, text=""):
        root = xml.etree.ElementTree.fromstring(answer[2])
        self.assertEqual((root.findtext("Code"), answer[0]), (code, status), answer[2])
        self.assertIn(text, root.findtext("Message"))
        return root

    def signed_document(self, conditions, fields, ends=600, document=None):
        """A form over any policy document, signed by hand as Version 2 has it."""
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=ends)
        document = document or {"expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
                                "conditions": [{"bucket": self.bucket}, *conditions]}
        policy = base64.b64encode(json.dumps(document).encode()).decode()
        secret = os.environ.get("AWS_SECRET_ACCESS_KEY", "test")
        signature = base64.b64encode(hmac.new(secret.encode(), policy.encode(), hashlib.sha1).digest()).decode()
        return {**fields, "AWSAccessKeyId": os.environ.get("AWS_ACCESS_KEY_ID", "test"), "policy": policy,
                "signature": signature}

    def test_a_form_of_either_version_is_an_object(self):
        for version in ("s3v4", "s3"):
            fields = self.presigned(fields={"Content-Type": "image/png", "x-amz-meta-Camera": "Leica",
                                            "Cache-Control": "no-cache"},
                                    client=wire.client(signature_version=version))
            status, headers, body = self.post(fields, version.encode(), name="C:\\a\\ü.png")
            self.assertEqual((status, body), (204, ""), version)
            self.assertEqual(headers["location"], f"{wire.ENDPOINT}/{self.bucket}/in%2F%C3%BC.png")
            got = self.get("in/ü.png")
            self.assertEqual((got["Body"].read(), got["ContentType"], got["CacheControl"], got["Metadata"]),
                             (version.encode(), "image/png", "no-cache", {"camera": "Leica"}))
            self.assertEqual(headers["etag"], got["ETag"])

    def test_a_bucket_may_be_in_the_host(self):
        port = urllib.parse.urlsplit(wire.ENDPOINT).port
        status, _, _ = self.post(self.presigned("k"), path="/", host=f"{self.bucket}.localhost:{port}")
        self.assertEqual((status, self.get("k")["Body"].read()), (204, b"bytes"))

    def test_files_of_any_size(self):
        for size in (0, 1, 65536, 65537, 262144, 3_000_001, 20_000_000):
            file = os.urandom(size)
            self.assertEqual(self.post(self.presigned("k"), file)[0], 204, size)
            self.assertEqual(hashlib.md5(self.get("k")["Body"].read()).digest(), hashlib.md5(file).digest(), size)

    def test_answers(self):
        status, headers, body = self.post(self.presigned("a b", {"success_action_status": "201"}))
        self.assertEqual((status, headers["content-type"]), (201, "application/xml"))
        root = xml.etree.ElementTree.fromstring(body)
        self.assertEqual([(one.tag, one.text) for one in root],
                         [("Location", f"{wire.ENDPOINT}/{self.bucket}/a%20b"), ("Bucket", self.bucket),
                          ("Key", "a b"), ("ETag", headers["etag"])])
        self.assertEqual(self.post(self.presigned("k", {"success_action_status": "200"}))[::2], (200, ""))
        self.assertEqual(self.post(self.presigned("k", {"success_action_status": "404"}))[::2], (204, ""))
        page = "http://example.com/done?a=b"
        status, headers, _ = self.post(self.presigned("a b", {"success_action_redirect": page}))
        etag = urllib.parse.quote(headers["etag"])
        self.assertEqual((status, headers["location"]), (303, f"{page}&bucket={self.bucket}&key=a%20b&etag={etag}"))

    def test_tags_checksums_and_encryption(self):
        tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>1 = +2</Value></Tag></TagSet></Tagging>"
        right = base64.b64encode(hashlib.sha256(b"bytes").digest()).decode()
        fields = {"tagging": tags, "x-amz-checksum-sha256": right, "x-amz-server-side-encryption": "AES256"}
        status, headers, answer = self.post(self.presigned("k", fields))
        self.assertEqual((status, headers.get("x-amz-checksum-sha256")), (204, right), answer)
        self.assertEqual(self.s3.get_object_tagging(Bucket=self.bucket, Key="k")["TagSet"],
                         [{"Key": "a", "Value": "1 = +2"}])
        wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
        self.refused_form("BadDigest", 400, self.post(self.presigned("k", {"x-amz-checksum-sha256": wrong})))
        self.refused_form("MalformedXML", 400, self.post(self.presigned("k", {"tagging": "text"})))
        self.refused_form("InvalidStorageClass", 400, self.post(self.presigned("k", {"x-amz-storage-class": "Best"})))

    def test_a_key_of_the_clients_own(self):
        key = base64.b64encode(b"k" * 32).decode()
        text = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
        prefix = "x-amz-server-side-encryption-customer-"
        fields = {prefix + "algorithm": "AES256", prefix + "key": key,
                  prefix + "key-md5": base64.b64encode(hashlib.md5(b"k" * 32).digest()).decode()}
        self.assertEqual(self.post(self.presigned("k", fields))[0], 204)
        self.assert_refused("InvalidRequest", 400, self.s3.get_object, Bucket=self.bucket, Key="k")
        self.assertEqual(self.s3.get_object(Bucket=self.bucket, Key="k", **text)["Body"].read(), b"bytes")
        fields[prefix + "key-md5"] = "AAAA"
        self.refused_form("InvalidArgument", 400, self.post(self.presigned("k", fields)), "MD5")

    def test_conditions(self):
        prefix = 'Invalid according to Policy: '
        self.refused_form("AccessDenied", 403, self.post({**self.presigned("k"), "key": "other"}),
                          prefix + 'Policy Condition failed: ["eq", "$key", "k"]')
        self.refused_form("AccessDenied", 403, self.post({**self.presigned("k"), "x-amz-meta-a": "b"}),
                          prefix + "Extra input fields: x-amz-meta-a")
        self.assertEqual(self.post({**self.presigned("k"), "x-ignore-a": "b"})[0], 204)
        outside = {**self.presigned("in/${filename}"), "key": "out/${filename}"}
        self.refused_form("AccessDenied", 403, self.post(outside),
                          prefix + 'Policy Condition failed: ["starts-with", "$key", "in/"]')
        self.refused_form("AccessDenied", 403, self.post(self.signed_document([{"key": "k"}], {"key": "k"}, ends=-600)),
                          prefix + "Policy expired.")
        self.refused_form("InvalidPolicyDocument", 400, self.post(self.signed_document([{}], {"key": "k"})))
        self.refused_form("InvalidPolicyDocument", 400,
                          self.post(self.signed_document([], {"key": "k"}, document={"conditions": []})))
        other = "test-" + uuid.uuid4().hex
        self.s3.create_bucket(Bucket=other)
        self.addCleanup(self.empty_and_delete, other)
        self.refused_form("AccessDenied", 403, self.post(self.presigned("k"), path=f"/{other}"), '"$bucket"')

    def test_sizes(self):
        fields = self.presigned("k", conditions=[["content-length-range", 5, 10]])
        for size, code in ((4, "EntityTooSmall"), (5, None), (10, None), (11, "EntityTooLarge")):
            answer = self.post(fields, b"x" * size)
            if code:
                self.assertEqual(self.refused_form(code, 400, answer).findtext("ProposedSize"), str(size))
            else:
                self.assertEqual(answer[0], 204, size)
        self.refused_form("EntityTooLarge", 400, self.post(fields, b"x" * 200_000))

    def test_what_is_no_form(self):
        path = f"/{self.bucket}"
        self.refused_form("PreconditionFailed", 412, send(path, "text/plain", b"x"))
        self.refused_form("PreconditionFailed", 412, send(path, "multipart/form-data", b"x"))
        self.refused_form("MalformedPOSTRequest", 400, send(path, "multipart/form-data; boundary=X", b"x"))
        content_type, body = form(self.presigned("k"))
        self.refused_form("MalformedPOSTRequest", 400, send(path, content_type, body[:-10]))
        self.refused_form("InvalidArgument", 400, self.post(self.presigned("k"), None), "exactly one file")
        second = b'Content-Disposition: form-data; name="file"\r\n\r\nx\r\n'
        self.refused_form("InvalidArgument", 400, self.post(self.presigned("k"), more=second), "exactly one file")
        self.refused_form("MaxPostPreDataLengthExceeded", 400,
                          self.post({**self.presigned("k"), "x-ignore-a": "x" * 20_480}))
        self.assertNotIn("Contents", self.s3.list_objects_v2(Bucket=self.bucket))

    def test_what_a_form_must_have(self):
        fields = self.presigned("k")
        self.refused_form("InvalidArgument", 400, self.post({"acl": "private"}), "'key'")
        for name, told in (("x-amz-signature", "X-Amz-Signature"), ("x-amz-algorithm", "X-Amz-Algorithm"),
                           ("policy", "policy")):
            answer = self.post({field: value for field, value in fields.items() if field != name})
            self.refused_form("InvalidArgument", 400, answer, f"named '{told}'")

    def test_a_form_is_an_event_of_its_own(self):
        functions, logs = aws.client("lambda"), aws.client("logs")
        code = "def handler(event, context):\n    for one in event['Records']: print('saw', one['eventName'])\n"
        name = self.make_function(functions, self.make_role(aws.client("iam")), {"app.py": code}, Runtime="python3.11",
                                  Handler="app.handler")
        arn = functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
        functions.add_permission(FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction",
                                 Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::" + self.bucket)
        self.s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:Post"]}]})
        self.put("put")
        self.assertEqual(self.post(self.presigned("k"))[0], 204)

        def seen():
            try:
                found = logs.filter_log_events(logGroupName="/aws/lambda/" + name, filterPattern="saw")["events"]
            except logs.exceptions.ResourceNotFoundException:
                return []
            return [one["message"].strip() for one in found]
        self.assertEqual(aws.wait_for(seen, what="the event"), ["saw ObjectCreated:Post"])

    @unittest.skipUnless(ENFORCED, "`wolke dev` knows no secret to hold a signature against")
    def test_a_form_is_asked_who_signed_it(self):
        fields = self.presigned("k")
        policy = base64.b64decode(fields["policy"]).replace(b'"k"', b'"j"')
        for change in ({"x-amz-signature": "0" * 64}, {"policy": base64.b64encode(policy).decode(), "key": "j"},
                       {"x-amz-credential": fields["x-amz-credential"].replace("us-east-1", "eu-west-1")}):
            self.refused_form("SignatureDoesNotMatch", 403, self.post({**fields, **change}))
        unknown = {"x-amz-credential": "AKIAUNKNOWN00000000/" + fields["x-amz-credential"].split("/", 1)[1]}
        self.refused_form("InvalidAccessKeyId", 403, self.post({**fields, **unknown}))
        other = {"x-amz-credential": fields["x-amz-credential"].replace("/s3/", "/iam/")}
        self.refused_form("AuthorizationQueryParametersError", 400, self.post({**fields, **other}))
        self.refused_form("AccessDenied", 403, self.post({"key": "k"}))
        self.assertNotIn("Contents", self.s3.list_objects_v2(Bucket=self.bucket))

    @unittest.skipUnless(ENFORCED, "in `wolke dev` who does not sign is root")
    def test_anyone_may_post_where_the_bucket_says_so(self):
        self.s3.delete_public_access_block(Bucket=self.bucket)
        self.s3.delete_public_access_block(Bucket=self.bucket)
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject",
             "Resource": f"arn:aws:s3:::{self.bucket}/in/*"}]}))
        self.assertEqual(self.post({"key": "in/k"})[0], 204)
        self.refused_form("AccessDenied", 403, self.post({"key": "out/k"}))
        # A policy document that nobody signed says nothing.
        self.assertEqual(self.post({"key": "in/k", "policy": "e30="})[0], 204)


if __name__ == "__main__":
    unittest.main()
