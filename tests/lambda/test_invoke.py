import base64
import json
import unittest

from clients import LambdaCase, client, wait_for, zipped, NODE

COUNTING = {"app.py": "import os\ndef handler(event, context):\n    if event.get('fail'):\n        raise ValueError('as asked')\n"
                      "    return {'echo': event, 'version': context.function_version, 'arn': context.invoked_function_arn,\n"
                      "            'env': os.environ.get('AB'), 'client': bool(context.client_context)}\n"}


class Invoke(LambdaCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = "t-shared-" + cls.role[-8:]
        cls.functions.create_function(FunctionName=cls.shared, Runtime="python3.11", Handler="app.handler",
                                      Role=cls.role_arn, Code={"ZipFile": zipped(COUNTING)},
                                      Environment={"Variables": {"AB": "1"}}, Publish=True)

    @classmethod
    def tearDownClass(cls):
        cls.functions.delete_function(FunctionName=cls.shared)
        super().tearDownClass()

    def invoke(self, payload=None, **arguments):
        arguments.setdefault("FunctionName", self.shared)
        return self.functions.invoke(Payload=json.dumps(payload or {}), **arguments)

    def test_a_request_is_answered(self):
        out = self.invoke({"n": 1})
        self.assertEqual((out["StatusCode"], out["ExecutedVersion"]), (200, "$LATEST"))
        self.assertNotIn("FunctionError", out)
        answer = json.loads(out["Payload"].read())
        self.assertEqual((answer["echo"], answer["env"], answer["arn"]), ({"n": 1}, "1", self.arn(self.shared)))

    def test_an_alias_shares_its_calls_out_by_weight(self):
        self.functions.update_function_configuration(FunctionName=self.shared, Description="second")
        second = self.functions.publish_version(FunctionName=self.shared)["Version"]
        self.functions.create_alias(FunctionName=self.shared, Name="split", FunctionVersion="1",
                                    RoutingConfig={"AdditionalVersionWeights": {second: 0.5}})
        versions = []
        for _ in range(200):
            out = self.invoke(Qualifier="split")
            self.assertEqual(json.loads(out["Payload"].read())["version"], out["ExecutedVersion"])
            versions.append(out["ExecutedVersion"])
        self.assertEqual(set(versions), {"1", second})
        # Nine standard deviations around the half.
        self.assertTrue(36 < versions.count(second) < 164, versions.count(second))

    def test_a_version_is_run_by_its_number(self):
        out = self.invoke(Qualifier="1")
        self.assertEqual(out["ExecutedVersion"], "1")
        self.assertEqual(json.loads(out["Payload"].read())["version"], "1")

    def test_the_log_tail_has_the_report(self):
        out = self.invoke(LogType="Tail")
        tail = base64.b64decode(out["LogResult"]).decode()
        self.assertIn("START RequestId: " + out["ResponseMetadata"]["RequestId"], tail)
        self.assertRegex(tail, r"REPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\t")

    def test_a_functions_error_is_an_answer(self):
        out = self.invoke({"fail": True})
        self.assertEqual((out["StatusCode"], out["FunctionError"]), (200, "Unhandled"))
        error = json.loads(out["Payload"].read())
        self.assertEqual((error["errorType"], error["errorMessage"]), ("ValueError", "as asked"))

    def test_a_dry_run_runs_nothing(self):
        self.assertEqual(self.invoke(InvocationType="DryRun")["StatusCode"], 204)

    def test_client_context_reaches_the_function(self):
        context = base64.b64encode(b'{"custom":{"k":"v"}}').decode()
        self.assertTrue(json.loads(self.invoke(ClientContext=context)["Payload"].read())["client"])
        self.refused("InvalidRequestContentException", self.invoke, ClientContext="!")

    def test_bad_payloads_are_refused(self):
        message = self.refused("InvalidRequestContentException", self.functions.invoke, FunctionName=self.shared,
                               Payload=b"{nope")
        self.assertTrue(message.startswith("Could not parse request body into json"), message)
        self.refused("RequestTooLargeException", self.functions.invoke, FunctionName=self.shared,
                     Payload=b'"' + b"x" * (6 * 1024 * 1024) + b'"')
        self.refused("RequestTooLargeException", self.functions.invoke, FunctionName=self.shared,
                     InvocationType="Event", Payload=b'"' + b"x" * (1024 * 1024) + b'"')

    def test_new_code_runs_at_once(self):
        name = self.create({"app.py": "def handler(event, context): return 1\n"})["FunctionName"]
        self.assertEqual(self.invoke(FunctionName=name)["Payload"].read(), b"1")
        for number in range(2, 6):
            code = zipped({"app.py": f"def handler(event, context): return {number}\n"})
            self.functions.update_function_code(FunctionName=name, ZipFile=code)
            self.assertEqual(self.invoke(FunctionName=name)["Payload"].read(), str(number).encode())

    def test_node(self):
        name = self.create(NODE, Runtime="nodejs22.x", Handler="index.handler")["FunctionName"]
        self.assertEqual(json.loads(self.invoke({"a": [1]}, FunctionName=name)["Payload"].read()), {"echo": {"a": [1]}})

    def test_reserved_concurrency_of_zero_stops_the_function(self):
        name = self.create()["FunctionName"]
        self.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        with self.assertRaises(self.functions.exceptions.TooManyRequestsException) as caught:
            self.invoke(FunctionName=name)
        self.assertEqual(caught.exception.response["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded")


class Events(LambdaCase):
    def test_an_event_is_accepted_and_run(self):
        logs = client("logs")
        name = self.create({"app.py": "def handler(event, context): print('ran with', event['mark'])\n"})["FunctionName"]
        out = self.functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"mark": name}))
        self.assertEqual(out["StatusCode"], 202)

        def lines():
            try:
                found = logs.filter_log_events(logGroupName="/aws/lambda/" + name, filterPattern=f'"ran with {name}"')
            except logs.exceptions.ResourceNotFoundException:
                return []
            return found["events"]
        self.assertEqual(len(wait_for(lines)), 1)

    def test_an_s3_event_needs_the_permission(self):
        s3 = client("s3")
        bucket, name = self.name(), self.create()["FunctionName"]
        s3.create_bucket(Bucket=bucket)
        self.addCleanup(s3.delete_bucket, Bucket=bucket)
        configuration = {"LambdaFunctionConfigurations": [
            {"LambdaFunctionArn": self.arn(name), "Events": ["s3:ObjectCreated:*"]}]}
        self.refused("InvalidArgument", s3.put_bucket_notification_configuration, Bucket=bucket,
                     NotificationConfiguration=configuration)
        self.functions.add_permission(FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction",
                                      Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::" + bucket)
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        self.addCleanup(s3.delete_object, Bucket=bucket, Key="k")
        logs = client("logs")

        def report():
            try:
                return logs.filter_log_events(logGroupName="/aws/lambda/" + name, filterPattern="REPORT")["events"]
            except logs.exceptions.ResourceNotFoundException:
                return []
        self.assertEqual(len(wait_for(report)), 1)


if __name__ == "__main__":
    unittest.main()
