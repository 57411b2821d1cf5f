"""The columns of the gate's matrix: callers whom every operation refuses, each for a reason of its own.

Each caller may do all before the one thing is done that its column is about, and `make` has seen that it could: so no column
is empty because its caller could never have been let in.
"""
import dataclasses
import datetime
import json

import botocore.auth
import botocore.credentials

import operations

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ELSEWHERE = {**EVERYTHING, "Resource": "arn:aws:iam::000000000001:role/elsewhere"}
NOTHING = {**EVERYTHING, "Action": "a:B"}
SERVICES = ("s3", "iam", "sts", "lambda", "logs", "control")

# No policy can refuse these (STS API Reference): they tell or give a caller only what it already has.
NEED_NO_PERMISSION = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken"), ("sts", "AssumeRoleWithWebIdentity")}
# Its input is its credentials; the role's trust policy decides about the token's bearer (tests/iam/test_web_identity.py).
NEED_NO_SIGNATURE = {("sts", "AssumeRoleWithWebIdentity")}


def codes(s3, query, json_protocol):
    return {"s3": s3, "iam": query, "sts": query, "lambda": json_protocol, "logs": json_protocol, "control": json_protocol}


UNKNOWN_CALLER = codes("AccessDenied", "MissingAuthenticationToken", "MissingAuthenticationTokenException")
BAD_SIGNATURE = codes("SignatureDoesNotMatch", "SignatureDoesNotMatch", "InvalidSignatureException")
OLD_SIGNATURE = codes("RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException")
OLD_LINK = codes("AccessDenied", "SignatureDoesNotMatch", "InvalidSignatureException")
UNKNOWN_KEY = codes("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException")
BAD_TOKEN = codes("InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException")
DENIED = codes("AccessDenied", "AccessDenied", "AccessDeniedException")


@dataclasses.dataclass(frozen=True)
class Column:
    name: str
    who: object  # whom to sign as; None: nobody
    codes: dict  # service -> the code of the refusal
    because: str = ""  # how the reason begins, where one is told
    exempt: frozenset = frozenset()


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Shifted:
    """The datetime module for botocore.auth with a clock that differs by some seconds."""

    def __init__(self, seconds):
        difference = datetime.timedelta(seconds=seconds)

        class Clock(datetime.datetime):
            @classmethod
            def utcnow(cls):
                return datetime.datetime.utcnow() + difference
        self.datetime = Clock


def signed_late(sign, seconds):
    """Signs as `sign` does, by a clock that is that much behind."""
    def signer(request, service):
        real = botocore.auth.datetime
        try:
            botocore.auth.datetime = Shifted(-seconds)
            sign(request, service)
        finally:
            botocore.auth.datetime = real
    return signer


class Link:
    """Signs in the query, for whoever may not send headers; the body stays where it is."""

    def __init__(self, credentials, seconds):
        self.credentials, self.seconds = credentials, seconds

    def __call__(self, request, service):
        kind = botocore.auth.S3SigV4QueryAuth if service == "s3" else botocore.auth.SigV4QueryAuth
        body, form = request.data, request.headers.get("Content-Type")
        request.data = ""
        del request.headers["Content-Type"]

        class Signer(kind):
            def _modify_request_before_signing(self, request):
                super()._modify_request_before_signing(request)
                request.data = body
        scope = operations.SIGNING_NAMES.get(service, service)
        Signer(self.credentials, scope, "us-east-1", expires=self.seconds).add_auth(request)
        if form:
            request.headers["Content-Type"] = form


class Callers:
    """Makes whom the columns ask for, by the account's root."""

    def __init__(self, judge):
        self.judge, self.call = judge, judge.things.root_call

    def user(self, name, *statements):
        self.call("iam", "CreateUser", UserName=name)
        if statements:
            self.call("iam", "PutUserPolicy", UserName=name, PolicyName="own", PolicyDocument=policy(*statements))
        key = self.call("iam", "CreateAccessKey", UserName=name).parsed["AccessKey"]
        return operations.credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def let_in(self, who, *services):
        """Somebody who may do all is not refused anywhere."""
        reads = {"s3": "ListBuckets", "iam": "ListUsers", "sts": "GetCallerIdentity", "lambda": "ListFunctions",
                 "logs": "DescribeLogGroups", "control": "ListEvents"}
        for service in services or SERVICES:
            answer = self.judge.call(service, reads[service], {}, who)
            assert answer.status == 200, f"{service} {reads[service]}: {answer}"
        return who

    def denied(self):
        who = self.let_in(self.user("denied", EVERYTHING))
        self.call("iam", "PutUserPolicy", UserName="denied", PolicyName="deny",
                  PolicyDocument=policy({**EVERYTHING, "Effect": "Deny"}))
        return who

    def elsewhere(self):
        who = self.let_in(self.user("elsewhere", EVERYTHING))
        self.call("iam", "PutUserPolicy", UserName="elsewhere", PolicyName="own", PolicyDocument=policy(ELSEWHERE))
        return who

    def bounded(self):
        who = self.let_in(self.user("bounded", EVERYTHING))
        arn = self.call("iam", "CreatePolicy", PolicyName="bound", PolicyDocument=policy(NOTHING)).parsed["Policy"]["Arn"]
        self.call("iam", "PutUserPermissionsBoundary", UserName="bounded", PermissionsBoundary=arn)
        return who

    def disabled(self):
        who = self.let_in(self.user("disabled", EVERYTHING))
        self.call("iam", "UpdateAccessKey", UserName="disabled", AccessKeyId=who.access_key, Status="Inactive")
        return who

    def deleted(self):
        who = self.let_in(self.user("deleted", EVERYTHING))
        self.call("iam", "DeleteAccessKey", UserName="deleted", AccessKeyId=who.access_key)
        return who

    def limited_session(self):
        self.let_in(self.judge.session(policy(EVERYTHING)))
        return self.judge.session(policy(NOTHING))

    def strange_token(self):
        """A session's key with the token of another session of the same role."""
        one, other = (self.let_in(self.judge.session(policy(EVERYTHING))) for _ in range(2))
        return botocore.credentials.Credentials(one.access_key, one.secret_key, other.token)


def columns(judge):
    make, root = Callers(judge), judge.root
    sign = operations.signed_by(root)
    make.let_in(signed_late(sign, 60))
    make.let_in(signed_late(Link(root, 120), 60))
    free = frozenset(NEED_NO_PERMISSION)
    return [
        Column("anonymous", None, UNKNOWN_CALLER, exempt=frozenset(NEED_NO_SIGNATURE)),
        Column("bad signature", operations.wrong_signature(root), BAD_SIGNATURE),
        Column("expired signature", signed_late(sign, 16 * 60), OLD_SIGNATURE),
        Column("expired link", signed_late(Link(root, 60), 120), OLD_LINK),
        Column("token of another session", make.strange_token(), BAD_TOKEN),
        Column("disabled key", make.disabled(), UNKNOWN_KEY),
        Column("deleted key", make.deleted(), UNKNOWN_KEY),
        Column("no policy", make.user("nobody"), DENIED, "no identity-based policy allows", free),
        Column("explicit deny", make.denied(), DENIED, "with an explicit deny in an identity-based policy", free),
        Column("wrong resource", make.elsewhere(), DENIED, "no identity-based policy allows", free),
        Column("boundary", make.bounded(), DENIED, "no permissions boundary allows", free),
        Column("session policy", make.limited_session(), DENIED, "no session policy allows", free),
    ]
