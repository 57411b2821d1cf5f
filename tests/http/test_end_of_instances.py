"""When instances end: at once when their function is updated or deleted, and soon when the server stops, whatever runs."""
import json
import signal
import time
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from aws import BINARY, Case, client_of, unique, wait_for, zipped
from server import Server

CODE = """
import threading
def handler(event, context):
    threading.Event().wait(event.get("seconds", 0))
    return event
"""
STOP_SECONDS_MAX = 20  # the grace of calls and of deliveries, and far less than what runs


class EndOfInstances(Case):
    def setUp(self):
        self.server = Server(BINARY).start()
        self.addCleanup(lambda: self.server.stop(judge=False))
        self.functions = client_of(self.server, "lambda")
        self.role = "arn:aws:iam::000000000000:role/any"

    def create(self):
        name = unique("f")
        self.functions.create_function(FunctionName=name, Role=self.role, Code={"ZipFile": zipped({"app.py": CODE})},
                                       Runtime="python3.12", Handler="app.handler", Timeout=120)
        self.functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
        return name

    def call(self, name, **event):
        return json.load(self.functions.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"])

    def control(self, path):
        request = botocore.awsrequest.AWSRequest("GET", self.server.endpoint + path)
        credentials = botocore.credentials.Credentials(self.server.access_key, self.server.secret_key)
        botocore.auth.SigV4Auth(credentials, "wolke", "us-east-1").add_auth(request)
        with urllib.request.urlopen(urllib.request.Request(request.url, headers=dict(request.headers)), timeout=30) as answer:
            return json.load(answer)

    def instances(self, name):
        return [entry for entry in self.control("/_wolke/instances")["Instances"] if entry["FunctionArn"].endswith(":" + name)]

    def test_a_deleted_functions_instances_end_at_once(self):
        kept, deleted = self.create(), self.create()
        self.call(kept)
        self.call(deleted)
        self.assertEqual((len(self.instances(kept)), len(self.instances(deleted))), (1, 1))
        self.functions.delete_function(FunctionName=deleted)
        wait_for(lambda: not self.instances(deleted), what="the end of the deleted function's instance")
        self.assertEqual(len(self.instances(kept)), 1)

    def test_an_updated_functions_instances_end_at_once(self):
        name = self.create()
        self.call(name)
        before = self.instances(name)[0]["SandboxId"]
        self.functions.update_function_configuration(FunctionName=name, MemorySize=256)
        wait_for(lambda: before not in [entry["SandboxId"] for entry in self.instances(name)],
                 what="the end of the old configuration's instance")
        self.assertEqual(self.call(name, seconds=0, a=1)["a"], 1)

    def test_a_server_stops_although_a_delivery_runs_and_delivers_it_after_the_next_start(self):
        name = self.create()
        event = self.functions.invoke(FunctionName=name, InvocationType="Event",
                                      Payload=json.dumps({"seconds": 60}))["ResponseMetadata"]["RequestId"]
        wait_for(lambda: [entry for entry in self.instances(name) if entry["State"] == "busy"], what="the delivery")
        process = self.server.process
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        self.assertEqual(process.wait(60), 0)
        self.assertLess(time.monotonic() - began, STOP_SECONDS_MAX)
        self.server.process.stdout.close()
        self.server.process = None
        self.server.start()
        self.functions = client_of(self.server, "lambda")
        found = [entry for entry in self.control("/_wolke/events")["Events"] if entry["Id"] == event]
        self.assertEqual([entry["State"] for entry in found], ["pending"])
        wait_for(lambda: self.instances(name), what="the next attempt")
