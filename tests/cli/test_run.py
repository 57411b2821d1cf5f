"""run: a function that calls AWS, with a server and without one."""
import json

from aws import BINARY, client_of
from cli_case import CliCase
from server import Server, clean_environment

PYTHON = """import boto3, os
def handler(event, context):
    s3 = boto3.client('s3')
    s3.put_object(Bucket=event['bucket'], Key='from-run', Body=b'x' * 100_000)
    head = s3.head_object(Bucket=event['bucket'], Key='from-run')
    who = boto3.client('sts').get_caller_identity()
    return {'length': head['ContentLength'], 'account': who['Account'], 'key': os.environ['AWS_ACCESS_KEY_ID'],
            'arn': context.invoked_function_arn}
"""
NODE = """import { S3Client, ListBucketsCommand } from '@aws-sdk/client-s3';
export const handler = async () => (await new S3Client({}).send(new ListBucketsCommand({}))).Buckets.map((b) => b.Name);
"""
BY_NAME = """import ssl, urllib.request, urllib.error
def handler(event, context):
    try:
        urllib.request.urlopen('https://s3.us-east-1.amazonaws.com/')
    except urllib.error.HTTPError as refused:
        return [refused.code, refused.read().decode()]
"""


class WithoutServer(CliCase):
    def environment(self, **more):
        return clean_environment(HOME=str(self.directory), WOLKE_DATA_DIR=str(self.directory / "nothing"), **more)

    def test_a_call_fails_at_once_with_a_sentence(self):
        path = self.file("f.py", PYTHON)
        done = self.wolke("run", path, '{"bucket":"b"}', "--timeout", "60", code=10)
        answer = json.loads(done.stdout)
        self.assertEqual(answer["errorType"], "ClientError")
        self.assertIn("no server runs for this function's AWS calls: start one with wolke dev", answer["errorMessage"])
        self.assertEqual(done.stderr.count("wolke: no server runs"), 1)
        # One attempt, not the SDK's five with pauses: its own start is the most of it.
        self.assertNotIn("reached max retries", answer["errorMessage"])

    def test_node_is_told_the_same(self):
        path = self.file("f.mjs", NODE)
        answer = json.loads(self.wolke("run", path, "--timeout", "60", code=10).stdout)
        self.assertEqual(answer["errorType"], "NoServer")
        self.assertIn("no server runs", answer["errorMessage"])

    def test_amazons_own_names_lead_there_too(self):
        status, body = json.loads(self.wolke("run", self.file("f.py", BY_NAME), "--timeout", "60").stdout)
        self.assertEqual(status, 400)
        self.assertIn("<Code>NoServer</Code>", body)

    def test_a_server_that_was_named_must_be_there(self):
        path = self.file("f.py", "def handler(event, context): return 1\n")
        done = self.wolke("run", path, "--data-dir", self.directory / "typo", code=4)
        self.assertIn(f"there is no directory {self.directory / 'typo'}", done.stderr)
        self.assertEqual(self.wolke("run", path).stdout, "1\n")

    def test_a_server_that_was_killed_is_none(self):
        (self.directory / "nothing").mkdir()
        self.file("nothing/endpoint", "http://127.0.0.1:1\ndev\n")
        self.assertEqual(self.wolke("run", self.file("f.py", "def handler(e, c): return 1\n")).stdout, "1\n")


class WithServer(CliCase):
    def test_calls_reach_the_server_of_the_data_directory_as_the_caller(self):
        for serve in (False, True):
            with self.subTest(serve=serve), Server(BINARY, serve=serve) as server:
                s3 = client_of(server, "s3")
                s3.create_bucket(Bucket="from-run")
                environment = clean_environment(HOME=str(self.directory), WOLKE_DATA_DIR=str(server.data_dir))
                done = self.wolke("run", self.file("f.py", PYTHON), '{"bucket":"from-run"}', "--timeout", "60",
                                  env=environment)
                answer = json.loads(done.stdout)
                account = client_of(server, "sts").get_caller_identity()["Account"]
                self.assertEqual((answer["length"], answer["account"]), (100_000, account))
                self.assertIn(f":{account}:function:f", answer["arn"])
                self.assertIn(f"wolke: the function's AWS calls go to {server.endpoint} as arn:aws:iam::", done.stderr)
                self.assertEqual(s3.get_object(Bucket="from-run", Key="from-run")["Body"].read(), b"x" * 100_000)
                # The function has a session of its own, not the caller's key.
                self.assertNotEqual(answer["key"], server.access_key)
                self.assertEqual(client_of(server, "lambda").list_functions()["Functions"], [])
                answer = self.wolke("run", self.file("f.mjs", NODE), "--timeout", "60", "--data-dir", server.data_dir,
                                    env=clean_environment(HOME=str(self.directory)))
                self.assertEqual(json.loads(answer.stdout), ["from-run"])

    def test_a_function_that_calls_nothing_says_nothing_of_servers(self):
        with Server(BINARY) as server:
            done = self.wolke("run", self.file("f.py", "def handler(e, c): return 1\n"), "--data-dir", server.data_dir)
            self.assertNotIn("wolke:", done.stderr)
