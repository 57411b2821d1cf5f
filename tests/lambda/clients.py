"""Clients and small things that the Lambda tests share. The server's address is WOLKE_ENDPOINT; credentials come from the
environment; no configuration of the user is read."""
import io
import json
import os
import time
import unittest
import uuid
import zipfile

os.environ.setdefault("AWS_CONFIG_FILE", "/dev/null")
os.environ.setdefault("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")

import boto3  # noqa: E402
import botocore.config  # noqa: E402
import botocore.exceptions  # noqa: E402

ENDPOINT = os.environ.get("WOLKE_ENDPOINT", "")
ClientError = botocore.exceptions.ClientError
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})

BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def client(service):
    config = botocore.config.Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, read_timeout=120)
    return boto3.client(service, endpoint_url=ENDPOINT, config=config)


def zipped(files):
    """{name: text} or {name: (text, mode)} as the bytes of a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            text, mode = content if isinstance(content, tuple) else (content, 0o100644)
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = mode << 16
            archive.writestr(info, text)
    return out.getvalue()


NODE = {"index.mjs": "export const handler = async (event) => ({ echo: event });\n"}
PYTHON = {"app.py": "def handler(event, context):\n    print('hello from', context.function_name)\n    return {'echo': event}\n"}


def wait_for(condition, seconds=20):
    """The condition's first true value; polls, because what it asks for happens elsewhere."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.05)


@unittest.skipUnless(ENDPOINT, "WOLKE_ENDPOINT is not set")
class LambdaCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.functions = client("lambda")
        cls.iam = client("iam")
        cls.role = "lambda-test-" + uuid.uuid4().hex[:8]
        made = cls.iam.create_role(RoleName=cls.role, AssumeRolePolicyDocument=TRUST)
        cls.iam.attach_role_policy(RoleName=cls.role, PolicyArn=BASIC)
        cls.role_arn = made["Role"]["Arn"]
        cls.account = cls.role_arn.split(":")[4]

    @classmethod
    def tearDownClass(cls):
        cls.iam.detach_role_policy(RoleName=cls.role, PolicyArn=BASIC)
        cls.iam.delete_role(RoleName=cls.role)

    def name(self):
        return "t-" + uuid.uuid4().hex[:12]

    def arn(self, name):
        return f"arn:aws:lambda:us-east-1:{self.account}:function:{name}"

    def create(self, files=None, **changes):
        files = files or PYTHON
        request = dict(FunctionName=self.name(), Runtime="python3.11", Handler="app.handler", Role=self.role_arn,
                       Code={"ZipFile": zipped(files)})
        request.update(changes)
        made = self.functions.create_function(**request)
        self.addCleanup(self.forget, made["FunctionName"])
        return made

    def forget(self, name):
        try:
            self.functions.delete_function(FunctionName=name)
        except ClientError:
            pass

    def refused(self, code, call, **arguments):
        """The error's message; fails unless the call is refused with this code."""
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], code, error)
        return error["Message"]
