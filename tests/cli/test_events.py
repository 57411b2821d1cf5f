"""`wolke events cancel` and `replay`: what was cancelled never runs, what failed runs again with its own payload."""
import json

from aws import BINARY, client, run, unique, wait_for
from cli_case import CliCase

ECHO = "def handler(event, context):\n    print('ran', event)\n    return event\n"
FAILS = "def handler(event, context):\n    raise ValueError('as asked')\n"


class Events(CliCase):
    def setUp(self):
        super().setUp()
        self.functions = client("lambda")

    def send(self, name, event):
        answer = self.functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))
        return answer["ResponseMetadata"]["RequestId"]

    def event(self, name, event_id):
        listed = json.loads(self.wolke("events", "--function", name, "--json").stdout)["Events"]
        return next((event for event in listed if event["Id"] == event_id), None)

    def ended(self, name, event_id, state):
        return wait_for(lambda: (self.event(name, event_id) or {}).get("State") == state and self.event(name, event_id),
                        what=f"{state}: {self.event(name, event_id)}")

    def closed(self):
        """A function that takes events and runs none of them."""
        name = self.deployed(ECHO)
        self.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        return name

    def failed(self, name, count):
        self.functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
        ids = [self.send(name, {"n": n}) for n in range(count)]
        for one in ids:
            self.ended(name, one, "discarded")
        return ids

    def log(self, name):
        return run(BINARY, "logs", name, env=self.environment()).stdout

    def test_what_was_cancelled_does_not_run(self):
        name = self.closed()
        first, second = (self.send(name, {"mark": mark}) for mark in ("first", "second"))
        self.assertIn(f"{first}  cancelled", self.wolke("events", "cancel", first).stdout)
        event = self.event(name, first)
        self.assertEqual(event["State"], "cancelled")
        self.assertIn("Cancelled by arn:aws:", event["Reason"])
        self.functions.delete_function_concurrency(FunctionName=name)
        self.ended(name, second, "succeeded")
        wait_for(lambda: "'second'" in self.log(name), what="the log")
        self.assertNotIn("'first'", self.log(name))
        self.assertEqual(self.event(name, first)["State"], "cancelled")

    def test_a_cancelled_event_can_be_replayed(self):
        name = self.closed()
        cancelled = self.send(name, {"mark": "again"})
        self.wolke("events", "cancel", cancelled, "--function", name)
        self.functions.delete_function_concurrency(FunctionName=name)
        done = json.loads(self.wolke("events", "replay", cancelled, "--json").stdout)["Results"]
        self.assertEqual([one["Id"] for one in done], [cancelled])
        again = self.ended(name, done[0]["ReplayedAs"], "succeeded")
        self.assertEqual(again["Origin"], cancelled)
        self.assertEqual(self.event(name, cancelled)["ReplayedAs"], again["Id"])
        wait_for(lambda: "'again'" in self.log(name), what="the payload in the log")

    def test_all_that_failed_is_replayed_once(self):
        name = self.deployed(FAILS)
        ids = self.failed(name, 3)
        self.file(name + ".py", ECHO)
        self.wolke("deploy", self.directory / (name + ".py"), "--name", name)
        lines = self.wolke("events", "replay", "--failed", "--function", name).stdout.splitlines()
        pairs = dict(line.split("  replayed as ") for line in lines)
        self.assertEqual(set(pairs), set(ids))
        for origin, again in pairs.items():
            self.assertEqual(self.ended(name, again, "succeeded")["Origin"], origin)
        for number in range(3):
            wait_for(lambda: f"ran {{'n': {number}}}" in self.log(name), what="each payload")
        done = self.wolke("events", "replay", "--failed", "--function", name)
        self.assertEqual(done.stdout, "")
        self.assertIn("no event", done.stderr)

    def test_what_cannot_be_is_said(self):
        name = self.deployed(ECHO)
        over = self.send(name, {})
        self.ended(name, over, "succeeded")
        self.assertIn("EventHasEnded: The event has ended: succeeded.", self.wolke("events", "cancel", over, code=1).stderr)
        self.assertIn("NoPayload", self.wolke("events", "replay", over, code=1).stderr)
        for verb in ("cancel", "replay"):
            done = self.wolke("events", verb, over, unique("none"), "--json", code=3)
            codes = {one["Id"]: one["Code"] for one in json.loads(done.stdout)["Results"]}
            self.assertEqual(len(codes), 2)
            self.assertIn("NoSuchEvent", codes.values())
        waiting = self.closed()
        pending = self.send(waiting, {})
        self.assertIn("EventIsPending", self.wolke("events", "replay", pending, code=1).stderr)
        self.wolke("events", "cancel", pending, "--function", name, code=3)  # it is another function's
        self.wolke("events", "cancel", pending)

    def test_usage(self):
        for words in (("cancel",), ("replay",), ("replay", "--failed"), ("replay", "id", "--failed", "--function", "f")):
            self.wolke("events", *words, code=2)

    def test_the_rights_are_each_functions(self):
        name, other = self.closed(), self.closed()
        iam = client("iam")
        user = unique("operator")
        iam.create_user(UserName=user)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        arn = self.functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "wolke:CancelEvents", "Resource": arn}]}))
        self.addCleanup(iam.delete_user, UserName=user)
        self.addCleanup(iam.delete_access_key, UserName=user, AccessKeyId=key["AccessKeyId"])
        self.addCleanup(iam.delete_user_policy, UserName=user, PolicyName="p")
        own, strange = self.send(name, {}), self.send(other, {})
        other_arn = arn.replace(name, other)
        env = self.environment(WOLKE_ACCESS_KEY_ID=key["AccessKeyId"], WOLKE_SECRET_ACCESS_KEY=key["SecretAccessKey"])
        self.wolke("events", "cancel", own, code=3, env=env)  # all of the account's are not allowed
        self.wolke("events", "cancel", strange, "--function-arn", other_arn, code=3, env=env)
        self.wolke("events", "cancel", strange, "--function-arn", arn, code=3, env=env)
        self.wolke("events", "replay", own, "--function-arn", arn, code=3, env=env)
        self.wolke("events", "cancel", own, "--function-arn", arn, env=env)
        self.assertEqual(self.event(other, strange)["State"], "pending")
        self.wolke("events", "cancel", strange)
