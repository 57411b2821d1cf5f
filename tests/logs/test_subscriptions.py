"""Subscription filters: what a group gets reaches a function, as AWS packs it."""
import base64
import gzip
import json
import os
import time
import unittest
import uuid

from aws import BINARY, Case, ClientError, client, run, wait_for, zipped

ENDPOINT = os.environ.get("WOLKE_ENDPOINT", "")
SPEAKER = "def handler(event, context):\n    print('SPOKE')\n"
CODE = "def handler(event, context):\n    print('GOT ' + event['awslogs']['data'])\n"


@unittest.skipUnless(ENDPOINT, "WOLKE_ENDPOINT is not set")
class Subscriptions(Case):
    @classmethod
    def setUpClass(cls):
        cls.logs = client("logs")
        cls.functions = client("lambda")

    def setUp(self):
        self.name = "subscriber-" + uuid.uuid4().hex[:8]
        self.group = "/source/" + self.name
        self.logs.create_log_group(logGroupName=self.group)
        self.addCleanup(self.logs.delete_log_group, logGroupName=self.group)
        self.logs.create_log_stream(logGroupName=self.group, logStreamName="s")
        self.arn = self.functions.create_function(
            FunctionName=self.name, Runtime="python3.11", Handler="index.handler", Code={"ZipFile": zipped({"index.py": CODE})},
            Role=self.make_role(client("iam")))["FunctionArn"]
        self.addCleanup(self.functions.delete_function, FunctionName=self.name)
        self.functions.get_waiter("function_active_v2").wait(FunctionName=self.name)

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
        def arrived():
            try:
                return self.logs.filter_log_events(logGroupName="/aws/lambda/" + self.name, filterPattern="GOT")["events"]
            except self.logs.exceptions.ResourceNotFoundException:
                return []
        events = wait_for(arrived, what="the subscriber's log")
        return json.loads(gzip.decompress(base64.b64decode(events[0]["message"].split()[1])))

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

    def test_functions_that_invoke_each_other_by_their_logs_are_stopped(self):
        names = [self.name, self.make_function(self.functions, self.make_role(client("iam")), {"index.py": SPEAKER},
                                               Runtime="python3.11", Handler="index.handler")]
        self.functions.update_function_code(FunctionName=self.name, ZipFile=zipped({"index.py": SPEAKER}))
        groups = ["/aws/lambda/" + name for name in names]
        for group, name in zip(groups, reversed(names)):
            self.logs.create_log_group(logGroupName=group)
            self.addCleanup(self.logs.delete_log_group, logGroupName=group)
            arn = self.functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
            self.functions.add_permission(FunctionName=name, StatementId="l", Action="lambda:InvokeFunction",
                                          Principal="logs.amazonaws.com")
            self.logs.put_subscription_filter(logGroupName=group, filterName="f", filterPattern="SPOKE", destinationArn=arn)
        self.functions.invoke(FunctionName=names[0], Payload=b"{}")

        def stopped():
            out = run(BINARY, "events", "--json", "--failed", "--endpoint", ENDPOINT, env=dict(os.environ))
            return [one for one in json.loads(out.stdout or '{"Events":[]}')["Events"] if "RecursiveInvocation" in one["Reason"]
                    and any(one["Target"].endswith(":" + name) for name in names)]
        record, = wait_for(stopped, what="the end of the loop")
        self.assertEqual(record["State"], "discarded")
        spoken = sum(len(self.logs.filter_log_events(logGroupName=group, filterPattern="SPOKE")["events"]) for group in groups)
        self.assertEqual(spoken, 16)

    def test_a_function_that_does_not_admit_logs_is_refused(self):
        with self.assertRaises(ClientError) as caught:
            self.subscribe("")
        self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidParameterException")
        self.assertIn("given CloudWatch Logs permission", str(caught.exception))
        self.assertEqual(self.logs.describe_subscription_filters(logGroupName=self.group)["subscriptionFilters"], [])


if __name__ == "__main__":
    unittest.main()
