"""Clients of the server under test, and small things that black-box tests share."""
import io
import json
import os
import pathlib
import subprocess
import time
import unittest
import uuid
import zipfile

import boto3
import botocore.config
import botocore.exceptions

import server as server_module

ROOT = server_module.ROOT
DEPS = ROOT / ".deps"
# Debian's, installed or unpacked by ./dev; another one of the user's may lie before it in PATH.
AWS_CLI = next((path for path in ("/usr/bin/aws", str(DEPS / "root/usr/bin/aws")) if os.path.exists(path)), "")
BINARY = os.environ.get("WOLKE_BINARY", "")
# What runs inside as `provided` finds only the machine's own Python, not what ./dev has unpacked.
needs_python_inside = unittest.skipUnless(os.path.exists("/usr/bin/python3"),
                                          "its bootstrap is written in Python, and there is no /usr/bin/python3")
needs_memory_limits = unittest.skipUnless(os.geteuid() == 0, "needs root: control groups")
ClientError = botocore.exceptions.ClientError
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def client(service, endpoint=None, key=None, secret=None, token=None, **config):
    """A boto3 client of the server in the environment, or of another; it never retries."""
    config = {"retries": {"max_attempts": 0}, "s3": {"addressing_style": "path"}, "read_timeout": 120, **config}
    return boto3.session.Session().client(
        service, endpoint_url=endpoint or os.environ["WOLKE_ENDPOINT"], region_name="us-east-1",
        aws_access_key_id=key or os.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=secret or os.environ["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=token, config=botocore.config.Config(**config))


def client_of(server, service, **more):
    return client(service, server.endpoint, server.access_key, server.secret_key, **more)


def zipped(files):
    """{name: text or bytes} as the bytes of a zip; a directory's path gives its files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        if isinstance(files, pathlib.Path):
            files = {str(path.relative_to(files)): path.read_bytes() for path in sorted(files.rglob("*"))
                     if path.is_file() and path.name != ".stamp"}
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def unique(prefix="t"):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def wait_for(condition, seconds=30, what="it"):
    """The condition's first true value. Polls: what it asks for happens in another process."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}, in vain")
        time.sleep(0.05)


def run(*command, env=None, data=b"", seconds=120, cwd=None):
    """A program's outcome: .returncode, .stdout, .stderr (text)."""
    done = subprocess.run([str(word) for word in command], input=data, capture_output=True, timeout=seconds, env=env,
                          cwd=cwd)
    done.stdout, done.stderr = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    return done


class Case(unittest.TestCase):
    def refused(self, code, call, **arguments):
        """The message of the error of that code which the call gives."""
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code, caught.exception)
        return caught.exception.response["Error"]["Message"]

    def make_role(self, iam, policy=None):
        """A role that Lambda may take on and that may write logs, with this inline policy; gone when the test is over."""
        name = unique("role")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        self.addCleanup(iam.delete_role, RoleName=name)
        iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
        self.addCleanup(iam.detach_role_policy, RoleName=name, PolicyArn=BASIC)
        if policy:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
            self.addCleanup(iam.delete_role_policy, RoleName=name, PolicyName="p")
        return arn

    def make_function(self, functions, role, code, **configuration):
        name = unique("f")
        functions.create_function(FunctionName=name, Role=role, Code={"ZipFile": zipped(code)}, **configuration)
        self.addCleanup(functions.delete_function, FunctionName=name)
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
        return name
