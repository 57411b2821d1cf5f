"""Destinations: another function is told how an asynchronous event ended, in the name of the role."""
import json
import os
import unittest

from aws import run, wait_for
from clients import client
from running import RunningCase

BINARY = os.environ.get("WOLKE_BINARY", "")
TELLER = {"app.py": "import json\ndef handler(event, context):\n    print('told', json.dumps(event))\n"}
WORKER = {"app.py": "def handler(event, context):\n    if event.get('fail'):\n        raise ValueError('as asked')\n    return {'n': event['n']}\n"}


class Destinations(RunningCase):
    def setUp(self):
        self.teller = self.create(TELLER)["FunctionName"]
        self.worker = self.create(WORKER)["FunctionName"]
        self.function = self.teller
        self.allow(self.arn(self.teller))

    def allow(self, *arns):
        self.iam.put_role_policy(RoleName=self.role, PolicyName="destinations", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": list(arns)}]}))
        self.addCleanup(self.forbid)

    def forbid(self):
        try:
            self.iam.delete_role_policy(RoleName=self.role, PolicyName="destinations")
        except self.iam.exceptions.NoSuchEntityException:
            pass

    def configure(self, destination_config, **more):
        return self.functions.put_function_event_invoke_config(FunctionName=self.worker, DestinationConfig=destination_config, **more)

    def send(self, event):
        """The request id of an event that was accepted."""
        answer = self.functions.invoke(FunctionName=self.worker, InvocationType="Event", Payload=json.dumps(event))
        self.assertEqual(answer["StatusCode"], 202)
        return answer["ResponseMetadata"]["RequestId"]

    def told(self, request_id):
        """The record of that event, as the destination got it."""
        line = next(line for line in self.events(request_id) if line.startswith("told") and request_id in line)
        record = json.loads(line.removeprefix("told"))
        self.assertRegex(record.pop("timestamp"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        return record

    def test_success(self):
        self.configure({"OnSuccess": {"Destination": self.arn(self.teller)}})
        request_id = self.send({"n": 7})
        self.assertEqual(self.told(request_id), {
            "version": "1.0",
            "requestContext": {"requestId": request_id, "functionArn": self.arn(self.worker) + ":$LATEST", "condition": "Success",
                               "approximateInvokeCount": 1},
            "requestPayload": {"n": 7},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
            "responsePayload": {"n": 7}})

    def test_failure(self):
        self.configure({"OnFailure": {"Destination": self.arn(self.teller)}}, MaximumRetryAttempts=0)
        request_id = self.send({"fail": True})
        record = self.told(request_id)
        answer = record.pop("responsePayload")
        self.assertEqual((answer["errorType"], answer["errorMessage"]), ("ValueError", "as asked"))
        self.assertEqual(record, {
            "version": "1.0",
            "requestContext": {"requestId": request_id, "functionArn": self.arn(self.worker) + ":$LATEST",
                               "condition": "RetriesExhausted", "approximateInvokeCount": 1},
            "requestPayload": {"fail": True},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}})

    def test_the_role_must_be_allowed_when_it_is_configured(self):
        self.forbid()
        arn = self.arn(self.teller)
        message = self.refused("InvalidParameterValueException", self.configure, destination_config={"OnSuccess": {"Destination": arn}})
        self.assertEqual(message, f"The function's execution role does not have permissions to call InvokeFunction on {arn}")

    @unittest.skipUnless(BINARY, "needs the program")
    def test_the_role_must_be_allowed_when_it_tells(self):
        self.configure({"OnSuccess": {"Destination": self.arn(self.teller)}})
        self.forbid()
        self.send({"n": 1})

        def discarded():
            out = run(BINARY, "events", "--json", "--failed", "--function", self.teller, "--endpoint", os.environ["WOLKE_ENDPOINT"],
                      env=dict(os.environ))
            self.assertEqual(out.returncode, 0, out.stderr)
            return [event for event in json.loads(out.stdout)["Events"] if "AccessDenied" in event["Reason"]]
        event = wait_for(discarded)[0]
        self.assertIn("may not invoke " + self.arn(self.teller), event["Reason"])
        self.assertEqual(event["State"], "discarded")

    def test_what_is_no_destination(self):
        def message(arn, which="OnFailure"):
            return self.refused("InvalidParameterValueException", self.configure, destination_config={which: {"Destination": arn}})
        account = self.account
        for service, name in (("sqs", "queue"), ("sns", "topic"), ("events", "event-bus/default")):
            arn = f"arn:aws:{service}:us-east-1:{account}:{name}"
            self.assertEqual(message(arn), f"The destination {arn} is not served by this server.")
        self.assertEqual(message(self.arn("nobody")), f"The destination ARN {self.arn('nobody')} is invalid.")
        self.assertEqual(message(self.arn(self.worker)), "You can't specify the function as a destination for itself.")
        arn = f"arn:aws:iam::{account}:role/r"
        self.assertEqual(message(arn, "OnSuccess"), "The provided destination config DestinationConfig("
                         f"onSuccess=OnSuccess(destination={arn}), onFailure=null) is invalid.")
        queue = f"arn:aws:sqs:us-east-1:{account}:queue"
        refusal = self.refused("InvalidParameterValueException", self.functions.update_function_configuration,
                               FunctionName=self.worker, DeadLetterConfig={"TargetArn": queue})
        self.assertEqual(refusal, f"DeadLetterConfig with {queue} is not served by this server.")
        self.functions.update_function_configuration(FunctionName=self.worker, DeadLetterConfig={"TargetArn": ""})


if __name__ == "__main__":
    unittest.main()
