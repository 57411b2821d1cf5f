"""Calls any served operation of any service, from the tables alone: an input that the model finds valid, naming things that
exist, serialized by botocore, signed or not. What an input cannot say by itself is in `places`: which member names what.
"""
import base64
import hashlib
import http.client
import json
import pathlib
import random
import re
import subprocess
import sys
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import botocore.model
import botocore.parsers
import botocore.serialize

from aws import TRUST, zipped

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "wire")]

import values  # noqa: E402
import wire_test  # noqa: E402

SIGNING_NAMES = {"control": "wolke"}
LINK = re.compile(r"'Location': '[^']*[?][^']*'")  # a signed link has its own time in it
LAST_USE = re.compile(r"'RoleLastUsed': \{[^}]*\}")  # a refused call is a use, too
NEEDED = {"Body", "S3Bucket", "S3Key", "logGroupName"}  # optional for the model, not for the operation
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "a:B", "Resource": "*"}]})


def served(binary):
    """[(service, operation)] as the server says it."""
    text = subprocess.run([binary, "version", "--operations"], check=True, capture_output=True, text=True).stdout
    return [tuple(line.split()) for line in text.splitlines()]


def signed_by(credentials):
    """Signs in headers."""
    def sign(request, service):
        signer = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
        signer(credentials, SIGNING_NAMES.get(service, service), "us-east-1").add_auth(request)
    return sign


class Answer:
    def __init__(self, status, parsed, text):
        self.status, self.parsed, self.text = status, parsed, text
        self.code = parsed.get("Error", {}).get("Code", "") if isinstance(parsed, dict) else ""
        self.message = parsed.get("Error", {}).get("Message", "") if isinstance(parsed, dict) else ""

    def __repr__(self):
        return f"{self.status} {self.code} {self.message}"


class Caller:
    """One server, any credentials."""

    def __init__(self, endpoint):
        self.host = urllib.parse.urlsplit(endpoint).netloc
        self.connection = http.client.HTTPConnection(self.host, timeout=120)
        self.models = {}

    def model(self, service):
        if service not in self.models:
            model = botocore.model.ServiceModel(wire_test.own_model(service), service)
            protocol = model.metadata["protocol"]
            self.models[service] = (model, botocore.serialize.create_serializer(protocol, include_validation=False),
                                    botocore.parsers.create_parser(protocol))
        return self.models[service]

    def operation(self, service, name):
        return self.model(service)[0].operation_model(name)

    def call(self, service, name, params, credentials=None):
        """credentials: a botocore Credentials, what signs a request itself, or None for an anonymous call."""
        _, serializer, parser = self.model(service)
        operation = self.operation(service, name)
        request = self.prepared(service, serializer.serialize_to_request(params, operation), credentials)
        parts = urllib.parse.urlsplit(request.url)
        target = parts.path + ("?" + parts.query if parts.query else "")
        headers = {key: value if isinstance(value, bytes) else str(value) for key, value in request.headers.items()}
        body = request.body
        try:
            self.connection.request(operation.http["method"], target, body=body, headers=headers)
            answer = self.connection.getresponse()
            live = operation.has_event_stream_output and answer.status < 300
            text = answer.read1() if live else answer.read()  # a live tail has no end
            if live:
                self.connection.close()
                return Answer(answer.status, {}, text.decode(errors="replace"))
        except (http.client.HTTPException, ConnectionError):
            self.connection.close()
            raise
        fields = botocore.awsrequest.HeadersDict(answer.getheaders())
        try:
            parsed = parser.parse({"status_code": answer.status, "headers": fields, "body": text,
                                   "context": {"operation_name": name}}, operation.output_shape)
        except botocore.parsers.ResponseParserError:
            parsed = {"unparsed": text}
        if answer.status < 300:
            parsed.pop("Error", None)
        return Answer(answer.status, parsed, text.decode(errors="replace"))

    def prepared(self, service, request, credentials):
        body = request["body"]
        if isinstance(body, dict):
            body = urllib.parse.urlencode(body, doseq=True).encode()
        elif isinstance(body, str):
            body = body.encode()
        elif body and not isinstance(body, bytes):
            body = body.read()
        path, _, literal = request["url_path"].partition("?")
        pairs = urllib.parse.parse_qsl(literal, keep_blank_values=True)
        query = request["query_string"]
        for key, value in query.items() if isinstance(query, dict) else []:
            pairs += [(key, one) for one in (value if isinstance(value, list) else [value])]
        url = f"http://{self.host}{path or '/'}"
        if pairs:
            url += "?" + urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote)
        out = botocore.awsrequest.AWSRequest(request["method"], url, headers=dict(request["headers"]), data=body or b"")
        if service == "s3" and path.count("/") == 1 and ("delete", "") in pairs:  # S3 wants to know the batch unharmed
            out.headers["Content-MD5"] = base64.b64encode(hashlib.md5(body).digest()).decode()
        if credentials:
            sign = credentials if callable(credentials) else signed_by(credentials)
            sign(out, service)
        return out.prepare()


class Things:
    """What the operations are about, made by the account's root; `make` makes again what is missing."""

    def __init__(self, caller, root, account, fresh):
        self.caller, self.root, self.account = caller, root, account
        self.fresh = fresh  # a suffix for what does not exist yet
        self.bucket = f"every-{account}"
        self.function = f"arn:aws:lambda:us-east-1:{account}:function:every"
        self.role = f"arn:aws:iam::{account}:role/every"
        self.policy = f"arn:aws:iam::{account}:policy/every"
        self.group_arn = f"arn:aws:logs:us-east-1:{account}:log-group:/every"
        self.upload = self.key = self.signing = None
        self.layer = 1
        self.code = zipped({"index.py": "def handler(event, context):\n    return event\n"})

    def root_call(self, service, name, **params):
        return self.caller.call(service, name, params, self.root)

    def trust(self, arn):
        """The trust policy of the role: Lambda may assume it, and so may this principal."""
        trust = json.loads(TRUST)
        actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
        trust["Statement"].append({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": actions})
        return json.dumps(trust)

    def trust_guest(self, arn):
        """The policies of bucket, function and role allow this principal all they can; None: nobody."""
        call, bucket = self.root_call, f"arn:aws:s3:::{self.bucket}"
        call("lambda", "RemovePermission", FunctionName=self.function, StatementId="guest")
        call("s3", "DeleteBucketPolicy", Bucket=self.bucket)
        trust = self.trust(arn or f"arn:aws:iam::{self.account}:root")
        call("iam", "UpdateAssumeRolePolicy", RoleName="every", PolicyDocument=trust)
        if arn is None:
            return
        call("lambda", "AddPermission", FunctionName=self.function, StatementId="guest", Principal=arn, Action="lambda:*")
        call("s3", "PutBucketPolicy", Bucket=self.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "s3:*", "Resource": [bucket, bucket + "/*"]}]}))

    def make(self):
        call = self.root_call
        trust = self.trust(f"arn:aws:iam::{self.account}:root")
        call("iam", "CreateRole", RoleName="every", AssumeRolePolicyDocument=trust)
        call("iam", "UpdateAssumeRolePolicy", RoleName="every", PolicyDocument=trust)
        call("iam", "CreateUser", UserName="every")
        call("iam", "CreateGroup", GroupName="every")
        call("iam", "CreateInstanceProfile", InstanceProfileName="every")
        call("iam", "CreatePolicy", PolicyName="every", PolicyDocument=POLICY)
        call("iam", "CreateOpenIDConnectProvider", Url="https://every.example", ThumbprintList=[])
        self.job = call("iam", "GenerateServiceLastAccessedDetails", Arn=self.role).parsed["JobId"]
        keys = call("iam", "ListAccessKeys", UserName="every").parsed.get("AccessKeyMetadata")
        if not keys:
            keys = [call("iam", "CreateAccessKey", UserName="every").parsed["AccessKey"]]
        self.key = keys[0]["AccessKeyId"]
        call("s3", "CreateBucket", Bucket=self.bucket)
        call("s3", "DeleteBucketPolicy", Bucket=self.bucket)
        call("s3", "PutObject", Bucket=self.bucket, Key="k", Body=b"text")
        call("s3", "PutObject", Bucket=self.bucket, Key="code.zip", Body=self.code)
        uploads = call("s3", "ListMultipartUploads", Bucket=self.bucket).parsed.get("Uploads")
        if not uploads:
            uploads = [call("s3", "CreateMultipartUpload", Bucket=self.bucket, Key="k").parsed]
        self.upload = uploads[0]["UploadId"]
        call("lambda", "CreateFunction", FunctionName=self.function, Role=self.role, Runtime="python3.11",
             Handler="index.handler", Code={"ZipFile": self.code})
        if not call("lambda", "ListLayerVersions", LayerName="every").parsed.get("LayerVersions"):
            self.layer = call("lambda", "PublishLayerVersion", LayerName="every", Content={"ZipFile": self.code}).parsed["Version"]
        signing = call("lambda", "ListCodeSigningConfigs").parsed.get("CodeSigningConfigs")
        if not signing:
            publishers = {"SigningProfileVersionArns": [f"arn:aws:signer:us-east-1:{self.account}:/signing-profiles/p/1234567890"]}
            signing = [call("lambda", "CreateCodeSigningConfig", AllowedPublishers=publishers).parsed["CodeSigningConfig"]]
        self.signing = signing[0]["CodeSigningConfigArn"]
        call("logs", "CreateLogGroup", logGroupName="/every")
        call("logs", "CreateLogStream", logGroupName="/every", logStreamName="every")

    def places(self, service):
        """What a member of that name is given; None: it is left out."""
        return {
            "s3": {"Bucket": self.bucket, "Key": "k", "UploadId": self.upload, "CopySource": f"{self.bucket}/k",
                   "PartNumber": 1, "ContentLength": None, "ContentMD5": None, "Tagging": "a=b", "Policy": POLICY,
                   "ExpectedBucketOwner": self.account, "ExpectedSourceBucketOwner": self.account, "MFA": None, "Body": b"x"},
            "lambda": {"FunctionName": self.function, "Role": self.role, "Resource": self.function, "Qualifier": "$LATEST",
                       "FunctionVersion": "$LATEST", "Code": {"ZipFile": self.code}, "S3Bucket": self.bucket, "S3Key": "code.zip",
                       "S3ObjectVersion": None, "ZipFile": None, "ImageUri": None, "Handler": "index.handler",
                       "Runtime": "python3.11", "MasterRegion": "us-east-1", "ClientContext": "e30=", "LayerName": "every",
                       "VersionNumber": self.layer, "Layers": None, "Content": {"ZipFile": self.code}, "CompatibleRuntimes": None,
                       "Arn": f"arn:aws:lambda:us-east-1:{self.account}:layer:every:{self.layer}",
                       "CodeSigningConfigArn": self.signing},
            "iam": {"UserName": "every", "RoleName": "every", "GroupName": "every", "InstanceProfileName": "every",
                    "PolicyName": "every", "PolicyArn": self.policy, "AccessKeyId": self.key, "VersionId": "v1",
                    "PolicyDocument": POLICY, "AssumeRolePolicyDocument": TRUST, "PermissionsBoundary": self.policy,
                    "OpenIDConnectProviderArn": f"arn:aws:iam::{self.account}:oidc-provider/every.example",
                    "Url": f"https://new{self.fresh}.example", "ThumbprintList": [40 * "a"],
                    "PolicySourceArn": self.role, "Arn": self.role, "JobId": self.job,
                    "ServiceNamespace": "s3", "ServiceNamespaces": ["s3"], "NewUserName": None, "NewGroupName": None},
            "sts": {"RoleArn": self.role, "AccessKeyId": self.key, "Policy": POLICY, "PolicyArns": None},
            "logs": {"logGroupName": "/every", "logGroupNames": None, "logGroupIdentifiers": ["/every"], "logStreamNamePrefixes": None,
                     "logEventFilterPattern": None, "queryLanguage": None, "logGroupIdentifier": None, "logStreamName": "every",
                     "logRecordPointer": base64.b64encode(b"1:1:/every:every").decode(),
                     "resourceArn": self.group_arn, "resourceIdentifier": None, "logGroupNamePrefix": "/every"},
            "control": {"FunctionArn": self.function},
        }.get(service, {})

    def input(self, service, name, full):
        """A valid input; full: with what is optional, too."""
        operation = self.caller.operation(service, name)
        if operation.input_shape is None:
            return {}
        maker = values.Maker(random.Random(f"{service} {name} {full}"))
        places, out = self.places(service), {}
        for member, shape in operation.input_shape.members.items():
            required = member in operation.input_shape.required_members
            if not (required or full or member in NEEDED):
                continue
            value = places.get(member)
            if member not in places or isinstance(value, str) and (shape.type_name != "string" or shape.enum):
                value = self.random_value(maker, shape)
            if value is not None:
                out[member] = value
        self.rename(name, out)
        return out

    @staticmethod
    def random_value(maker, shape):
        value = maker.value(shape, shape.serialization.get("location", "body"))
        if isinstance(value, str) and shape.serialization.get("jsonvalue"):
            return None
        return value

    def rename(self, name, out):
        """What an operation creates is not there yet, and what excludes something else goes."""
        if name in ("StartQuery", "DescribeLogGroups"):
            out.pop("logGroupIdentifiers", None)
        if name == "StartLiveTail":
            out.pop("logStreamNames", None)
        if name.endswith("FunctionUrlConfig") and "Qualifier" in out:
            out["Qualifier"] = "live"  # versions have no URL
        if not name.startswith("Create"):
            return
        made = name.removeprefix("Create").lower()
        for member in out:
            if isinstance(out[member], str) and member.lower() in (made, made + "name", "name", "alias", made.removeprefix("log")):
                if member == "FunctionName" and made != "function":
                    continue
                arn, _, _ = out[member].rpartition(":") if made == "function" else ("", "", "")
                out[member] = f"{arn}:new{self.fresh}" if arn else f"new{self.fresh}"

    def picture(self, operations):
        """All that can be read here, as text; what tells only the time of reading is left out."""
        out = {}
        for service, name in operations:
            if re.match("(Get|List|Head|Describe)", name) and (service, name) not in UNSTEADY:
                answer = self.root_call(service, name, **self.input(service, name, full=False))
                parsed = dict(answer.parsed)
                parsed.pop("ResponseMetadata", None)
                out[f"{service} {name}"] = LAST_USE.sub("", LINK.sub("", repr(sorted(parsed.items(), key=str))))
        return out


# Reading these gives something new each time (in `dev` an account's root is as old as the moment).
UNSTEADY = {("iam", "GetUser"), ("sts", "GetSessionToken"), ("sts", "GetFederationToken"), ("sts", "GetCallerIdentity"), ("iam", "GetAccessKeyLastUsed"),
            ("iam", "GetCredentialReport"), ("iam", "GetServiceLastAccessedDetails"), ("iam", "GetServiceLastAccessedDetailsWithEntities"),
            ("control", "ListInstances"), ("control", "ListEvents"), ("s3", "GetObject")}


def credentials(answer_or_key, secret=None):
    if secret is not None:
        return botocore.credentials.Credentials(answer_or_key, secret)
    words = answer_or_key.parsed["Credentials"]
    return botocore.credentials.Credentials(words["AccessKeyId"], words["SecretAccessKey"], words["SessionToken"])


def wrong_signature(root):
    return botocore.credentials.Credentials(root.access_key, base64.b64encode(b"not the secret of this key").decode())
