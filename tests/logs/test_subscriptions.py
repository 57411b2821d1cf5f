"""Subscription filters: what a group gets reaches a function, as AWS packs it."""
import base64
import gzip
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

import boto3  # noqa: E402
import botocore.exceptions  # noqa: E402

ENDPOINT = os.environ.get("WOLKE_ENDPOINT", "")
CODE = "def handler(event, context):\n    print('GOT ' + event['awslogs']['data'])\n"


def zipped(text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", text)
    return buffer.getvalue()


@unittest.skipUnless(ENDPOINT, "WOLKE_ENDPOINT is not set")
class Subscriptions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.logs = boto3.client("logs", endpoint_url=ENDPOINT)
        cls.functions = boto3.client("lambda", endpoint_url=ENDPOINT)

    def setUp(self):
        self.name = "subscriber-" + uuid.uuid4().hex[:8]
        self.group = "/source/" + self.name
        self.logs.create_log_group(logGroupName=self.group)
        self.addCleanup(self.logs.delete_log_group, logGroupName=self.group)
        self.logs.create_log_stream(logGroupName=self.group, logStreamName="s")
        self.arn = self.functions.create_function(
            FunctionName=self.name, Runtime="python3.11", Handler="index.handler", Code={"ZipFile": zipped(CODE)},
            Role=self.role())["FunctionArn"]
        self.addCleanup(self.functions.delete_function, FunctionName=self.name)
        self.functions.get_waiter("function_active_v2").wait(FunctionName=self.name)

    def role(self):
        """A role that may write logs; with dev one that does not exist would do."""
        iam = boto3.client("iam", endpoint_url=ENDPOINT)
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        arn = iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        self.addCleanup(iam.delete_role, RoleName=self.name)
        policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        iam.attach_role_policy(RoleName=self.name, PolicyArn=policy)
        self.addCleanup(iam.detach_role_policy, RoleName=self.name, PolicyArn=policy)
        return arn

    def subscribe(self, pattern, **arguments):
        self.logs.put_subscription_filter(logGroupName=self.group, filterName="f", filterPattern=pattern,
                                          destinationArn=self.arn, **arguments)

    def permit(self):
        self.functions.add_permission(FunctionName=self.name, StatementId="logs", Action="lambda:InvokeFunction",
                                      Principal="logs.amazonaws.com", SourceArn=self.arn_of_group())

    def arn_of_group(self):
        groups = self.logs.describe_log_groups(logGroupNamePrefix=self.group)["logGroups"]
        return groups[0]["arn"]

    def put(self, *messages):
        now = int(time.time() * 1000)
        self.logs.put_log_events(logGroupName=self.group, logStreamName="s",
                                 logEvents=[{"timestamp": now, "message": message} for message in messages])

    def received(self):
        """What the function has printed, once it has."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                events = self.logs.filter_log_events(logGroupName="/aws/lambda/" + self.name, filterPattern="GOT")["events"]
            except self.logs.exceptions.ResourceNotFoundException:
                events = []
            if events:
                data = base64.b64decode(events[0]["message"].split()[1])
                return json.loads(gzip.decompress(data))
            time.sleep(0.05)
        self.fail("nothing arrived")

    def test_matching_events_arrive_as_aws_packs_them(self):
        self.permit()
        self.subscribe("{ $.level = \"error\" }")
        self.put('{"level":"info"}', '{"level":"error","n":1}', '{"level":"error","n":2}')
        document = self.received()
        found = document.pop("logEvents")
        self.assertEqual(document, {"messageType": "DATA_MESSAGE", "owner": self.arn.split(":")[4], "logGroup": self.group,
                                    "logStream": "s", "subscriptionFilters": ["f"]})
        self.assertEqual([json.loads(event["message"])["n"] for event in found], [1, 2])
        listed = self.logs.filter_log_events(logGroupName=self.group, filterPattern="error")["events"]
        self.assertEqual([event["id"] for event in found], [event["eventId"] for event in listed])

    def test_a_function_that_does_not_admit_logs_is_refused(self):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.subscribe("")
        self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidParameterException")
        self.assertIn("given CloudWatch Logs permission", str(caught.exception))
        self.assertEqual(self.logs.describe_subscription_filters(logGroupName=self.group)["subscriptionFilters"], [])


if __name__ == "__main__":
    unittest.main()
