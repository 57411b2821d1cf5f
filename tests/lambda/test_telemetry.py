"""Lambda's Telemetry API and Logs API: what subscribers in layers are told, what is refused, and what becomes of those that do
not take what they asked for."""
import json
import socket
import unittest

from aws import needs_python_inside, unique
from clients import client, wait_for
from extensions import OBEDIENT
from telemetry import LISTENER, SHIPPER, TELLER
from test_extensions import HANDLER, ExtensionCase

TALKS = {"app.py": "def handler(event, context):\n"
                   "    for i in range(event.get('lines', 1)): print('said', i, 'x' * event.get('wide', 0))\n    return event\n"}


@needs_python_inside
class Telemetry(ExtensionCase):
    def setUp(self):
        self.deploy_with(probe=LISTENER + "ident, _ = register('INVOKE')\nsay('can', subscribe(ident, subscription('platform')))\n"
                         "while True: next_event(ident)\n")
        self.call()
        if "NotSupported" in "".join(self.events("probe can")):
            self.skipTest("sandboxes have no network of their own at this level of isolation")

    def told(self, log, name="teller"):
        """Every event that a TELLER said it was sent."""
        lines = [line for line in log.splitlines() if line.startswith(name + " got ")]
        self.paths = {line.split(" ", 3)[2] for line in lines}
        return [event for line in lines for event in json.loads(line.split(" ", 3)[3])]

    def test_what_a_subscriber_is_told(self):
        self.deploy_with(TALKS, teller=TELLER % "subscription('platform', 'function', buffering=QUICK)", other=OBEDIENT)
        self.assertEqual([self.answer({"a": n}) for n in (1, 2)], [{"a": 1}, {"a": 2}])
        log = self.end("teller got")
        self.assertIn("teller subscribed (200, '\"OK\"')\n", log)
        self.assertIn("TELEMETRY\tName: teller\tState: Subscribed\tTypes: [Platform, Function]\n", log)
        events = self.told(log)
        self.assertEqual(self.paths, {"/told"})
        self.assertEqual({frozenset(event) for event in events}, {frozenset(("time", "type", "record"))})
        self.assertEqual(sorted(event["time"] for event in events), [event["time"] for event in events])
        once = ["platform.start", "function", "platform.runtimeDone", "platform.report"]
        kinds = [event["type"] for event in events]
        self.assertEqual(kinds[:3], ["platform.initStart", "platform.telemetrySubscription", "platform.initRuntimeDone"])
        self.assertCountEqual(kinds[3:6], ["platform.extension", "platform.extension", "platform.initReport"])
        self.assertEqual(kinds[6:], once + once)
        records = {event["type"]: event["record"] for event in events}
        start = records["platform.initStart"]
        self.assertEqual((start["initializationType"], start["phase"], start["functionName"], start["functionVersion"]),
                         ("on-demand", "init", self.function, "$LATEST"))
        self.assertEqual(records["platform.telemetrySubscription"],
                         {"name": "teller", "state": "Subscribed", "types": ["platform", "function"]})
        self.assertEqual(records["platform.initRuntimeDone"],
                         {"initializationType": "on-demand", "phase": "init", "status": "success"})
        self.assertGreater(records["platform.initReport"]["metrics"]["durationMs"], 0)
        self.assertEqual(records["platform.start"], {"requestId": self.request_id, "version": "$LATEST"})
        self.assertEqual(records["function"], "said 0 ")
        done = records["platform.runtimeDone"]
        self.assertEqual((done["requestId"], done["status"], done["metrics"]["producedBytes"]), (self.request_id, "success", 8))
        report = records["platform.report"]
        self.assertEqual((report["requestId"], report["status"], report["metrics"]["memorySizeMB"]),
                         (self.request_id, "success", 256))
        self.assertGreaterEqual(report["metrics"]["durationMs"], done["metrics"]["durationMs"])
        self.assertEqual([span["name"] for span in report["spans"]], ["extensionOverhead"])

    def test_the_logs_api_tells_what_it_told(self):
        body = "subscription('platform', 'function', 'extension', schema='2021-03-18', buffering=QUICK), '2020-08-15/logs'"
        self.deploy_with(TALKS, teller=TELLER % body, noisy=OBEDIENT)
        self.answer({"a": 1})
        log = self.end("teller got")
        self.assertIn("LOGS\tName: teller\tState: Subscribed\tTypes: [Platform, Function, Extension]\n", log)
        events = self.told(log)
        kinds = [event["type"] for event in events]
        self.assertIn("platform.logsSubscription", kinds)
        ours = [kind for kind in kinds if kind not in ("extension", "platform.extension", "platform.logsSubscription")]
        self.assertEqual(ours, ["platform.start", "function", "platform.runtimeDone", "platform.end", "platform.report"])
        self.assertTrue(any(event["record"].startswith("noisy INVOKE ") for event in events if event["type"] == "extension"))

    def test_what_is_refused(self):
        asks = {"nothing": "{}",
                "server": "subscription('platform', uri='http://sandbox.localdomain:9001')",
                "elsewhere": "subscription('platform', uri='http://127.0.0.1:8080')",
                "small": "subscription('platform', buffering={'maxItems': 999, 'maxBytes': 262143, 'timeoutMs': 24})",
                "large": "subscription('platform', buffering={'maxItems': 10001, 'maxBytes': 1048577, 'timeoutMs': 30001})",
                "schema": "subscription('platform', schema='2000-01-01')",
                "kind": "subscription('everything')"}
        source = LISTENER + "ident, _ = register('INVOKE')\n" + "".join(
            f"say('{name}', subscribe(ident, {ask}))\n" for name, ask in asks.items()) + (
            "say('stranger', subscribe('nobody', subscription('platform')))\n"
            "say('first', subscribe(ident, subscription('platform')))\nsay('again', subscribe(ident, subscription('function')))\n"
            "say('both', subscribe(ident, subscription('platform', schema='2021-03-18'), '2020-08-15/logs'))\n"
            "next_event(ident)\nsay('late', subscribe(ident, subscription('platform')))\n"
            "say('late logs', subscribe(ident, subscription('platform', schema='2021-03-18'), '2020-08-15/logs'))\n"
            "while True: next_event(ident)\n")
        self.deploy_with(asker=source)
        self.call()
        log = "".join(self.events("asker late logs"))
        said = {name: log.split(f"asker {name} ")[1].split("\n")[0] for name in (*asks, "stranger", "first", "again", "both", "late", "late logs")}
        for name in asks:
            self.assertTrue(said[name].startswith("(400, ") and '"errorType":"ValidationError"' in said[name], (name, said[name]))
        self.assertIn("types should not be empty", said["nothing"])
        self.assertIn("port 9001 is reserved", said["server"])
        self.assertIn("maxItems should be between 1000 and 10000", said["small"])
        self.assertIn("timeoutMs should be between 25 and 30000", said["large"])
        self.assertTrue(said["stranger"].startswith("(403, ") and "UnknownExtensionIdentifier" in said["stranger"], said)
        self.assertEqual([said["first"], said["again"]], ["(200, '\"OK\"')"] * 2)
        self.assertIn("TELEMETRY\tName: asker\tState: Already subscribed\tTypes: [Platform]\n", log)
        self.assertTrue(said["both"].startswith("(400, "), said["both"])
        self.assertTrue(said["late"].startswith("(403, ") and "Telemetry.SubscriptionClosed" in said["late"], said["late"])
        self.assertTrue(said["late logs"].startswith("(403, ") and "Logs.SubscriptionClosed" in said["late logs"], said)

    def test_what_a_slow_subscriber_loses_is_counted(self):
        """It refuses everything during the first invocation and takes what is left in the second."""
        relents = TELLER % "subscription('platform', 'function', buffering=QUICK)"
        relents = relents.replace("listen()\n", "answer = 500\nlisten()\n").replace(
            'while next_event(ident)["eventType"] != "SHUTDOWN": invocations += 1',
            'next_event(ident); next_event(ident); answer = 200\nnext_event(ident); invocations = 2')
        self.deploy_with(TALKS, teller=relents)
        self.answer({"lines": 3500, "wide": 100})
        self.answer({"lines": 1})
        log = self.end("teller got")
        events = self.told(log)
        dropped = [event["record"] for event in events if event["type"] == "platform.logsDropped"]
        self.assertTrue(dropped)
        kept = sum(event["type"] == "function" for event in events)
        self.assertGreater(dropped[0]["droppedRecords"], 1000)
        self.assertGreater(dropped[0]["droppedBytes"], 100_000)
        self.assertIn("fallen behind", dropped[0]["reason"])
        self.assertGreaterEqual(kept + sum(one["droppedRecords"] for one in dropped), 3501)

    def test_those_that_do_not_behave_harm_nobody(self):
        raw = ("def listen(): \n    s = socket.create_server(('127.0.0.1', 8080), backlog=1)\n    def serve():\n        kept = []\n"
               "        while True:\n            c = s.accept()[0]\n            kept.append(c)\n%s"
               "    threading.Thread(target=serve, daemon=True).start()\n")
        bodies = {"deaf": raw % "            time.sleep(1000)\n",
                  "closes": raw % "            c.close(); kept.clear()\n",
                  "floods": raw % ("            try:\n                c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 999999999\\r\\n\\r\\n')\n"
                                   "                while True: c.sendall(b'x' * 65536)\n            except OSError: pass\n"),
                  "garbage": raw % "            c.sendall(b'\\0\\r\\n' * 1000)\n",
                  "absent": "def listen(): pass\n"}
        for name, listen in bodies.items():
            with self.subTest(name):
                source = (TELLER % "subscription('platform', 'function', buffering=QUICK)").replace("listen()\nident", listen + "listen()\nident")
                self.deploy_with(TALKS, teller=source)
                self.assertEqual([self.answer({"lines": 500}) for _ in range(3)], [{"lines": 500}] * 3)
                self.assertIn("teller subscribed (200", self.end("teller subscribed"))

    def test_the_init_phase_lasts_until_the_extensions_are_ready(self):
        """The runtime is, and its extension hears of that, before the extension is."""
        source = (TELLER % "subscription('platform', buffering=QUICK)").replace("invocations = 0\n", (
            "while not any(event['type'] == 'platform.initRuntimeDone' for _, batch in batches for event in batch): time.sleep(0.01)\n"
            "say('then', subscribe(ident, subscription('function')))\ninvocations = 0\n"))
        self.deploy_with(teller=source)
        self.assertEqual(self.answer({"a": 1}), {"a": 1})
        self.assertIn("teller then (200, '\"OK\"')\n", self.end("teller got"))

    def test_the_way_in_leads_into_the_sandbox_only(self):
        """The same port outside hears nothing, whether or not somebody listens inside."""
        with socket.create_server(("127.0.0.1", 0)) as outside:
            outside.setblocking(False)
            port = outside.getsockname()[1]
            for listen in (f"listen({port})\n", ""):
                body = f"subscription('function', uri='http://sandbox.localdomain:{port}', buffering=QUICK)"
                self.deploy_with(TALKS, teller=(TELLER % body).replace("listen()\n", listen))
                self.answer()
                self.end("teller got" if listen else "teller subscribed (200")
                self.assertRaises(BlockingIOError, outside.accept)

    def test_two_subscribers_are_told_the_same(self):
        second = (TELLER % "subscription('function', uri='http://sandbox:8081', buffering=QUICK)").replace("listen()\n", "listen(8081)\n")
        self.deploy_with(TALKS, first=TELLER % "subscription('function', buffering=QUICK)", second=second)
        self.answer({"lines": 3})
        log = self.end("second got", "first got")
        for name in ("first", "second"):
            self.assertEqual([event["record"] for event in self.told(log, name)], ["said 0 ", "said 1 ", "said 2 "])

    def test_lines_of_a_log_in_json_are_objects(self):
        self.deploy_with({"app.py": "import json\ndef handler(event, context):\n    print(json.dumps({'level': 'WARN', 'a': 1}))\n    print('plain')\n"},
                         teller=TELLER % "subscription('function', buffering=QUICK)")
        self.configure(LogFormat="JSON", ApplicationLogLevel="INFO", SystemLogLevel="INFO")
        self.call()
        self.assertEqual([event["record"] for event in self.told(self.end("teller got"))], [{"level": "WARN", "a": 1}, "plain"])

    def test_an_agent_ships_it_to_a_bucket(self):
        s3, bucket = client("s3"), unique("telemetry")
        s3.create_bucket(Bucket=bucket)
        policy = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/telemetry/*"}]}
        self.iam.put_role_policy(RoleName=self.role, PolicyName="ship", PolicyDocument=json.dumps(policy))
        self.addCleanup(self.iam.delete_role_policy, RoleName=self.role, PolicyName="ship")
        self.deploy_with(TALKS, agent=SHIPPER.replace("BUCKET", bucket))
        for n in range(3):
            self.answer({"n": n})
        self.functions.update_function_configuration(FunctionName=self.function, Description="another")

        def shipped():
            listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
            events = [event for one in listed for event in json.loads(s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read())]
            return events if sum(event["type"] == "platform.report" for event in events) == 3 else None
        events = wait_for(shipped)
        self.assertTrue(events, "three reports did not arrive")
        self.assertEqual([event["record"] for event in events if event["type"] == "function"], ["said 0 "] * 3)
        for one in s3.list_objects_v2(Bucket=bucket)["Contents"]:
            s3.delete_object(Bucket=bucket, Key=one["Key"])
        s3.delete_bucket(Bucket=bucket)


if __name__ == "__main__":
    unittest.main()
