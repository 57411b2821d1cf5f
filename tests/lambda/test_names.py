"""AWS's host names inside a sandbox, as programs look them up that nobody has prepared: libc in a custom runtime and in a
child process, an SDK without any setting, raw queries."""
import json
import os
import shutil
import struct
import unittest
import uuid

from aws import needs_python_inside
from clients import LambdaCase, client

# A custom runtime of a few lines; `answer(event)` is the function.
BOOTSTRAP = """#!/usr/bin/python3
import http.client, json, os, socket, ssl, struct, subprocess, sys
def serve():
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        api.request("GET", "/2018-06-01/runtime/invocation/next")
        got = api.getresponse()
        event, ident = json.loads(got.read()), got.getheader("Lambda-Runtime-Aws-Request-Id")
        api.request("POST", f"/2018-06-01/runtime/invocation/{ident}/response", json.dumps(answer(event)))
        api.getresponse().read()
"""

NETWORK = """
def answer(event): return os.readlink("/proc/self/ns/net")
serve()
"""

LOOKUPS = """
def answer(names):
    out = {}
    for name in names:
        try:
            out[name] = sorted({found[4][0] for found in socket.getaddrinfo(name, 443)})
        except socket.gaierror as error:
            out[name] = error.errno == socket.EAI_NONAME
    return out
serve()
"""

CHILDREN = """
def answer(names):
    return [subprocess.run(["/usr/bin/getent", "ahosts", name], capture_output=True, text=True).stdout.split()[:1]
            for name in names]
serve()
"""

# Queries by hand: (transport, bytes in hex) -> answer in hex, "" when there is none.
RAW = """
def ask(transport, message):
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as s:
        s.connect(("127.0.0.1", 53))
        if transport == "udp":
            s.send(message)
            s.send(bytes.fromhex("77770100000100000000000003617773036f6e6c0000010001"))  # always answered
            got = s.recv(600)
            return "" if got[:2] == b"ww" else got.hex()
        s.sendall(struct.pack(">H", len(message)) + message)
        length = s.recv(2, socket.MSG_WAITALL)
        return s.recv(struct.unpack(">H", length)[0], socket.MSG_WAITALL).hex() if length else ""
def answer(asked):
    return [ask(transport, bytes.fromhex(message)) for transport, message in asked]
serve()
"""

TLS = """
def answer(name):
    with socket.create_connection((name, 443)) as plain:
        with ssl.create_default_context().wrap_socket(plain, server_hostname=name) as s:
            s.sendall(f"GET /_wolke/health HTTP/1.1\\r\\nHost: {name}\\r\\nConnection: close\\r\\n\\r\\n".encode())
            return s.makefile("rb").readline().decode().strip()
serve()
"""

# The SDK in a process of its own: no endpoint, no address style, nothing of ours in it.
SUBPROCESS = """
import json, os, subprocess, sys
PROGRAM = '''
import boto3, json, sys
s3 = boto3.client("s3")
hosts = []
s3.meta.events.register("before-send.s3", lambda request, **_: hosts.append(request.url.split("/")[2]))
bucket, key = sys.argv[1:]
s3.put_object(Bucket=bucket, Key=key, Body=b"by name")
body = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
print(json.dumps([sorted(set(hosts)), body, boto3.client("sts").get_caller_identity()["Account"]]))
'''
def handler(event, context):
    environment = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
    done = subprocess.run([sys.executable, "-c", PROGRAM, event["bucket"], "k"], env=environment, capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr
"""


def question(name, kind=1, flags=0x0100):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    return (struct.pack(">HHHHHH", 0x1234, flags, 1, 0, 0, 0) + labels + struct.pack(">HH", kind, 1)).hex()


def code(answer):
    """(response code, number of addresses) of an answer in hex."""
    flags, _, answers = struct.unpack_from(">HHH", bytes.fromhex(answer), 2)
    return flags & 0xf, answers


@needs_python_inside
class Names(LambdaCase):
    def setUp(self):
        if self.answer(self.custom(NETWORK), {}) == os.readlink("/proc/self/ns/net"):
            self.skipTest("sandboxes share the host's network at this level of isolation")

    def answer(self, name, event):
        out = self.functions.invoke(FunctionName=name, Payload=json.dumps(event))
        payload = out["Payload"].read().decode()
        self.assertNotIn("FunctionError", out, payload)
        return json.loads(payload)

    def custom(self, source):
        return self.create({"bootstrap": (BOOTSTRAP + source, 0o100755)}, Runtime="provided.al2023", Handler="any",
                           Timeout=30, MemorySize=256)["FunctionName"]

    def test_a_custom_runtime_finds_every_aws_name_and_no_other(self):
        here = ["mybucket.s3.us-east-1.amazonaws.com", "my.dotted.bucket.s3.amazonaws.com", "S3.EU-Central-1.amazonaws.com",
                "bedrock-runtime.ap-southeast-2.amazonaws.com", "s3.cn-north-1.amazonaws.com.cn", "lambda.us-east-1.api.aws",
                "abc.lambda-url.eu-west-1.on.aws"]
        elsewhere = ["example.com", "amazonaws.com.example.com", "notamazonaws.com", "metadata.google.internal"]
        found = self.answer(self.custom(LOOKUPS), here + elsewhere)
        self.assertEqual(found, {**{name: ["127.0.0.1"] for name in here}, **{name: True for name in elsewhere}})

    @unittest.skipUnless(shutil.which("getent"), "getent is not installed")
    def test_a_child_process_finds_them_too(self):
        found = self.answer(self.custom(CHILDREN), ["b.s3.us-west-2.amazonaws.com", "example.com"])
        self.assertEqual(found, [["127.0.0.1"], []])

    def test_raw_queries_over_both_transports(self):
        name = "b.s3.us-east-1.amazonaws.com"
        asked = [question(name), question(name, 28), question(name, 255), question("example.com"),
                 question(name, flags=0x2900), question(name, 252), question(name) + "00"]
        expected = [(0, 1), (0, 0), (0, 1), (3, 0), (4, 0), (5, 0), (1, 0)]
        function = self.custom(RAW)
        for transport in ("udp", "tcp"):
            with self.subTest(transport):
                answers = self.answer(function, [(transport, message) for message in asked])
                self.assertEqual([code(answer) for answer in answers], expected)
                self.assertEqual(answers[0][-8:], "7f000001")
                silent = [question(name, flags=0x8180), "1234", ""]
                self.assertEqual(self.answer(function, [(transport, message) for message in silent]), [""] * 3)

    def test_every_such_name_has_a_certificate(self):
        function = self.custom(TLS)
        for name in ("b.s3.us-east-1.amazonaws.com", "s3.cn-north-1.amazonaws.com.cn", "lambda.us-east-1.api.aws",
                     "abc.lambda-url.eu-west-1.on.aws"):
            self.assertEqual(self.answer(function, name), "HTTP/1.1 200 OK", name)

    def test_an_sdk_without_a_setting_reaches_the_bucket_by_its_name(self):
        s3 = client("s3")
        bucket = "names-" + uuid.uuid4().hex[:12]
        s3.create_bucket(Bucket=bucket)
        self.addCleanup(s3.delete_bucket, Bucket=bucket)
        self.addCleanup(s3.delete_object, Bucket=bucket, Key="k")
        statement = {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*"}
        self.iam.put_role_policy(RoleName=self.role, PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [statement]}))
        self.addCleanup(self.iam.delete_role_policy, RoleName=self.role, PolicyName="p")
        function = self.create({"app.py": SUBPROCESS}, Timeout=60, MemorySize=512)["FunctionName"]
        hosts, body, account = self.answer(function, {"bucket": bucket})
        self.assertEqual((body, account), ("by name", self.account))
        self.assertTrue(hosts and all(host.startswith(bucket + ".s3.") and host.endswith("amazonaws.com")
                                      for host in hosts), hosts)


if __name__ == "__main__":
    unittest.main()
