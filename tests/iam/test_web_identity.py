"""Tokens of an OpenID Connect issuer for a role's credentials: with the SDK's own chain, and with everything that must not
work. Each test has a server of its own, so what it remembers of issuers is known."""
import concurrent.futures
import json
import subprocess
import tempfile
import threading
import time

import boto3
import botocore
import botocore.config
import botocore.exceptions

from aws import BINARY, Case, client
from issuer import Issuer, base64_url
from server import Server, clean_environment

CLIENT = "sts.amazonaws.com"
UNSIGNED = botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"max_attempts": 0})


class WebIdentity(Case):
    def setUp(self):
        self.server = Server(BINARY).start()
        self.addCleanup(self.server.stop)
        self.issuer = Issuer().__enter__()
        self.addCleanup(self.issuer.__exit__)
        self.iam = client("iam", self.server.endpoint)
        self.sts = boto3.client("sts", endpoint_url=self.server.endpoint, region_name="us-east-1", config=UNSIGNED)
        self.provider = self.make_provider(self.issuer)
        self.role = self.make_role("ci", {"StringEquals": {f"{self.issuer.name}:aud": CLIENT},
                                          "StringLike": {f"{self.issuer.name}:sub": "repo:*"}})

    def make_provider(self, issuer, **more):
        return self.iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=[CLIENT], **{"ThumbprintList": [], **more})[
            "OpenIDConnectProviderArn"]

    def make_role(self, name, condition, actions=(), provider=None):
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Federated": provider or self.provider}, "Condition": condition,
            "Action": ["sts:AssumeRoleWithWebIdentity", *actions]}]}
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        self.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
                {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*", "Condition": {
                    "StringEquals": {"aws:PrincipalTag/team": "red", f"{self.issuer.name}:sub": "repo:a",
                                     "aws:FederatedProvider": self.provider}}}]}))
        return arn

    def assume(self, token, role=None, **more):
        return self.sts.assume_role_with_web_identity(RoleArn=role or self.role, RoleSessionName="job",
                                                      WebIdentityToken=token, **more)

    def refused(self, token, code, text="", status=400, **more):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.assume(token, **more)
        error, answer = caught.exception.response["Error"], caught.exception.response["ResponseMetadata"]
        self.assertEqual((error["Code"], answer["HTTPStatusCode"]), (code, status), error["Message"])
        self.assertIn(text, error["Message"])

    def as_session(self, service, answer):
        words = answer["Credentials"]
        return client(service, self.server.endpoint, words["AccessKeyId"], words["SecretAccessKey"], words["SessionToken"])

    def test_many_tokens_at_once_take_turns(self):
        token = self.issuer.token()
        with concurrent.futures.ThreadPoolExecutor(30) as pool:
            answers = list(pool.map(lambda _: self.assume(token), range(30)))
        self.assertEqual({answer["Provider"] for answer in answers}, {self.provider})

    def test_a_silent_issuer_holds_up_its_own_account_only(self):
        """In `dev` an account number is a key of that account."""
        silent, release = Issuer().__enter__(), threading.Event()
        self.addCleanup(silent.__exit__)
        self.addCleanup(release.set)
        asked = threading.Event()
        silent.answer = lambda path: (asked.set(), release.wait(30), (200, {}, b""))[2]
        iam = client("iam", self.server.endpoint, "222222222222", "test")
        provider = iam.create_open_id_connect_provider(Url=silent.url, ClientIDList=[CLIENT], ThumbprintList=[])["OpenIDConnectProviderArn"]
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{silent.name}:aud": CLIENT}}}]}
        role = iam.create_role(RoleName="silent", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            waiting = [pool.submit(self.assume, silent.token(), role) for _ in range(20)]
            self.assertTrue(asked.wait(30))
            self.assume(self.issuer.token())
            self.assertFalse(any(one.done() for one in waiting))
            release.set()
            for one in waiting:
                self.assertIsInstance(one.exception(), botocore.exceptions.ClientError)

    def test_a_token_gives_the_roles_rights(self):
        for kid in ("r1", "e1"):
            answer = self.assume(self.issuer.token(kid), DurationSeconds=900)
            self.assertEqual(answer["SubjectFromWebIdentityToken"], "repo:a")
            self.assertEqual(answer["Audience"], CLIENT)
            self.assertEqual(answer["Provider"], self.provider)
            self.assertTrue(answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/ci/job"))
            self.as_session("s3", answer).list_buckets()
            with self.assertRaises(botocore.exceptions.ClientError):
                self.as_session("iam", answer).list_users()
        self.assertEqual(len(self.issuer.requests), 2, "the keys are remembered")

    def test_the_sdks_own_chain_works(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.issuer.token())
            file.flush()
            environment = clean_environment(
                AWS_WEB_IDENTITY_TOKEN_FILE=file.name, AWS_ROLE_ARN=self.role, AWS_ROLE_SESSION_NAME="chain",
                AWS_ENDPOINT_URL=self.server.endpoint, AWS_DEFAULT_REGION="us-east-1")
            # Debian's botocore knows no AWS_ENDPOINT_URL: the session is told where STS is.
            code = ("import os, boto3, botocore.session\n"
                    "core = botocore.session.get_session()\n"
                    "make = core.create_client\n"
                    "core.create_client = lambda name, *a, **k: make(name, *a, **{**k, 'endpoint_url': os.environ['AWS_ENDPOINT_URL']})\n"
                    "print(boto3.Session(botocore_session=core).client('sts').get_caller_identity()['Arn'])\n")
            done = subprocess.run(["/usr/bin/python3", "-c", code], env=environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.strip().endswith(":assumed-role/ci/chain"), done.stdout)

    def test_tags_and_source_identity_come_from_the_token(self):
        claims = {"https://aws.amazon.com/tags": {"principal_tags": {"team": ["red"]}, "transitive_tag_keys": ["team"]},
                  "https://aws.amazon.com/source_identity": "diego"}
        self.refused(self.issuer.token(**claims), "AccessDenied", status=403)  # the trust policy allows neither
        role = self.make_role("tagged", {"StringEquals": {"aws:RequestTag/team": "red"}}, ["sts:TagSession", "sts:SetSourceIdentity"])
        answer = self.assume(self.issuer.token(**claims), role)
        self.assertEqual(answer["SourceIdentity"], "diego")
        self.as_session("iam", answer).list_users()
        self.refused(self.issuer.token(), "AccessDenied", status=403, role=role)

    def test_the_trust_policy_decides(self):
        self.refused(self.issuer.token(sub="branch:a"), "AccessDenied",
                     "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)
        amr = self.make_role("amr", {"ForAnyValue:StringEquals": {f"{self.issuer.name}:amr": "mfa"}})
        self.refused(self.issuer.token(), "AccessDenied", status=403, role=amr)
        self.assume(self.issuer.token(amr=["authenticated", "mfa"]), amr)
        self.refused(self.issuer.token(), "AccessDenied", status=403, role=self.role.replace("/ci", "/none"))
        plain = json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})
        self.iam.update_assume_role_policy(RoleName="amr", PolicyDocument=plain)
        self.refused(self.issuer.token(amr=["mfa"]), "AccessDenied", status=403, role=amr)

    def test_another_provider_is_not_the_trusted_one(self):
        with Issuer() as other:
            self.refused(other.token(), "InvalidIdentityToken", "No OpenIDConnect provider found in your account for")
            self.make_provider(other)
            self.refused(other.token(), "AccessDenied", status=403)
            # Its own key under the trusted issuer's name.
            self.refused(other.token(iss=self.issuer.url), "InvalidIdentityToken", "signature")

    def test_claims_are_checked(self):
        now = int(time.time())
        self.refused(self.issuer.token(exp=now - 1), "ExpiredTokenException", "Token expired")
        self.refused(self.issuer.token(aud="other"), "InvalidIdentityToken", "Incorrect token audience")
        self.refused(self.issuer.token(azp="other"), "InvalidIdentityToken", "Incorrect token audience")
        self.refused(self.issuer.token(nbf=now + 3600), "IDPRejectedClaim", status=403)
        self.refused(self.issuer.token(sub=""), "InvalidIdentityToken", "sub")
        self.assume(self.issuer.token(aud=["x", CLIENT]))
        self.iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=self.provider, ClientID=CLIENT)
        self.refused(self.issuer.token(), "InvalidIdentityToken", "Incorrect token audience")

    def test_forged_tokens_are_refused(self):
        token = self.issuer.token()
        header, payload, signature = token.split(".")
        for algorithm in ("none", "HS256", "RS257"):
            head = base64_url(json.dumps({"alg": algorithm, "kid": "r1"}).encode())
            self.refused(f"{head}.{payload}.{signature}", "InvalidIdentityToken", "not a valid JWT")
        self.refused(f"{header}.{payload}.", "InvalidIdentityToken", "not a valid JWT")
        changed = base64_url(json.dumps({"iss": self.issuer.url, "sub": "repo:b", "aud": CLIENT, "iat": 1, "exp": 9e9}).encode())
        self.refused(f"{header}.{changed}.{signature}", "InvalidIdentityToken", "signature")
        self.refused("not a token", "InvalidIdentityToken")

    def test_turned_over_keys_are_fetched_but_not_for_everyone(self):
        self.assume(self.issuer.token())
        self.issuer.new_key("r2", "RS256")
        before = len(self.issuer.requests)
        for _ in range(5):
            self.refused(self.issuer.token("r2"), "InvalidIdentityToken", "Couldn't retrieve verification key")
        self.assertEqual(len(self.issuer.requests), before, "unknown keys do not make the server ask each time")

    def test_an_issuer_that_cannot_be_asked(self):
        configuration = "/.well-known/openid-configuration"
        for answer, code in (((500, {}, b""), "IDPCommunicationError"), ((404, {}, b""), "InvalidIdentityToken"),
                             ((302, {"Location": "http://169.254.169.254/"}, b""), "InvalidIdentityToken"),
                             ((200, {}, b"x" * 300_000), "IDPCommunicationError"),
                             ((200, {}, b'{"issuer": "https://other.example", "jwks_uri": "https://other.example/k"}'), "InvalidIdentityToken"),
                             ((200, {}, json.dumps({"issuer": "URL", "jwks_uri": "http://10.0.0.1/k"}).encode()), "InvalidIdentityToken"),
                             ((200, {}, json.dumps({"issuer": "URL", "jwks_uri": "file:///etc/passwd"}).encode()), "InvalidIdentityToken")):
            with self.subTest(answer=answer[:2], size=len(answer[2])), Issuer() as issuer:
                status, headers, body = answer
                issuer.answers[configuration] = status, headers, body.replace(b"URL", issuer.url.encode())
                provider = self.make_provider(issuer)
                self.refused(issuer.token(), code)
                self.assertEqual(issuer.requests, [configuration])
                self.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)

    def test_certificates_count_by_authority_or_thumbprint(self):
        with Issuer(tls=True, path="/tenant") as issuer:
            provider = self.make_provider(issuer, ThumbprintList=["0" * 40])
            role = self.make_role("tls", {}, provider=provider)
            self.refused(issuer.token(), "IDPCommunicationError", role=role)
            self.iam.update_open_id_connect_provider_thumbprint(
                OpenIDConnectProviderArn=provider, ThumbprintList=[issuer.thumbprint.upper()])
            self.assertEqual(self.assume(issuer.token(), role)["Provider"], provider)


class Enforced(Case):
    """`wolke serve`: an issuer on this machine or in a private network is no issuer, unless the operator says so."""

    def provider_and_role(self, server, issuer):
        iam = client("iam", server.endpoint, server.access_key, server.secret_key)
        provider = iam.create_open_id_connect_provider(
            Url=issuer.url, ClientIDList=[CLIENT], ThumbprintList=[issuer.thumbprint])["OpenIDConnectProviderArn"]
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"}]}
        return iam.create_role(RoleName="ci", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]

    def assume(self, server, role, issuer):
        sts = boto3.client("sts", endpoint_url=server.endpoint, region_name="us-east-1", config=UNSIGNED)
        return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="job", WebIdentityToken=issuer.token())

    def test_this_machine_is_not_spoken_to(self):
        with Server(BINARY, serve=True) as server, Issuer(tls=True) as issuer:
            role = self.provider_and_role(server, issuer)
            with self.assertRaises(botocore.exceptions.ClientError) as caught:
                self.assume(server, role, issuer)
            self.assertEqual(caught.exception.response["Error"]["Code"], "IDPCommunicationError")
            self.assertEqual(issuer.requests, [])
            iam = client("iam", server.endpoint, server.access_key, server.secret_key)
            with self.assertRaises(iam.exceptions.ClientError):
                iam.create_open_id_connect_provider(Url="http://127.0.0.1:1", ThumbprintList=[])

    def test_unless_the_operator_says_so(self):
        with Server(BINARY, serve=True, options=["--private-issuers"]) as server, Issuer(tls=True) as issuer:
            role = self.provider_and_role(server, issuer)
            self.assertIn("Credentials", self.assume(server, role, issuer))
