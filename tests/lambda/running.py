"""For tests of what runs in a function: code goes in, the answer, its error and the log come out."""
import base64
import json
import os
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from clients import ENDPOINT, LambdaCase, client, wait_for


class RunningCase(LambdaCase):
    def deploy(self, files, runtime, handler, **configuration):
        self.function = self.create(files, Runtime=runtime, Handler=handler, **configuration)["FunctionName"]
        return self.function

    def configure(self, **logging):
        """UpdateFunctionConfiguration with this LoggingConfig, signed here: Debian's boto3 is older than the member."""
        request = botocore.awsrequest.AWSRequest(
            "PUT", f"{ENDPOINT}/2015-03-31/functions/{self.function}/configuration",
            data=json.dumps({"LoggingConfig": logging}).encode(), headers={"Content-Type": "application/json"})
        keys = botocore.credentials.Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
        botocore.auth.SigV4Auth(keys, "lambda", "us-east-1").add_auth(request)
        sent = urllib.request.Request(request.url, request.data, dict(request.headers.items()), method="PUT")
        with urllib.request.urlopen(sent, timeout=60) as answer:
            self.assertEqual(json.loads(answer.read())["LoggingConfig"].items() & logging.items(), logging.items())

    def call(self, event=None, **arguments):
        """(error kind or None, answer, log tail) of one invocation of the function deployed last."""
        out = self.functions.invoke(FunctionName=self.function, Payload=json.dumps({} if event is None else event),
                                    LogType="Tail", **arguments)
        self.request_id = out["ResponseMetadata"]["RequestId"]
        self.raw = out["Payload"].read()
        log = base64.b64decode(out["LogResult"]).decode()
        return out.get("FunctionError"), json.loads(self.raw), log

    def answer(self, event=None, **arguments):
        """What the function answers; fails when that is an error."""
        error, answer, log = self.call(event, **arguments)
        self.assertIsNone(error, (answer, log))
        return answer

    def fault(self, event=None):
        """(errorType, errorMessage) of a function that fails; self.log is its log."""
        error, answer, self.log = self.call(event)
        self.assertEqual(error, "Unhandled", answer)
        return answer["errorType"], answer["errorMessage"]

    def events(self, word):
        """Every log event of the function, once one of them has the word."""
        def found():
            try:
                listed = client("logs").filter_log_events(logGroupName="/aws/lambda/" + self.function)["events"]
            except client("logs").exceptions.ResourceNotFoundException:
                return []
            messages = [event["message"] for event in listed]
            return messages if any(word in message for message in messages) else []
        return wait_for(found)
