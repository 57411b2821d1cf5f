"""LoggingConfig: the format, the levels and the group of a function's log, by their effect."""
import json
import uuid

from clients import client, wait_for
from running import RunningCase

CODE = {"app.py": "import logging\nlog = logging.getLogger()\ndef handler(event, context):\n"
                  "    log.warning('a warning')\n    log.info('for information')\n    log.debug('for detail')\n    print('printed')\n"}


class Logging(RunningCase):
    def deploy_logging(self, code, **logging):
        self.deploy(code, "python3.11", "app.handler")
        self.configure(**logging)

    def logged(self, group, last):
        """The group's events, once one of them has the word."""
        def found():
            try:
                messages = [event["message"] for event in client("logs").filter_log_events(logGroupName=group)["events"]]
            except client("logs").exceptions.ResourceNotFoundException:
                return []
            return messages if any(last in message for message in messages) else []
        return wait_for(found)

    def test_a_group_of_choice(self):
        group = "/mine/" + uuid.uuid4().hex
        logs = client("logs")
        self.deploy_logging({"app.py": "import os\ndef handler(event, context): return [os.environ['AWS_LAMBDA_LOG_GROUP_NAME'], "
                                       "context.log_group_name]"}, LogGroup=group)
        self.assertEqual(self.answer(), [group, group])
        self.assertIn("REPORT RequestId: " + self.request_id, "".join(self.logged(group, "REPORT")))
        self.addCleanup(logs.delete_log_group, logGroupName=group)
        self.assertEqual(logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/" + self.function)["logGroups"], [])

    def test_json(self):
        self.deploy_logging(CODE, LogFormat="JSON")
        self.answer()
        messages = self.logged("/aws/lambda/" + self.function, "platform.report")
        self.assertEqual([m for m in messages if not m.startswith("{")], ["printed\n"])
        lines = [json.loads(m) for m in messages if m.startswith("{")]
        self.assertEqual([line["type"] for line in lines if "type" in line], ["platform.initStart", "platform.start", "platform.report"])
        self.assertEqual([(line["level"], line["message"], line["requestId"]) for line in lines if "level" in line and "type" not in line],
                         [("WARNING", "a warning", self.request_id), ("INFO", "for information", self.request_id)])
        report = next(line for line in lines if line.get("type") == "platform.report")
        self.assertEqual((report["record"]["requestId"], report["record"]["status"]), (self.request_id, "success"))
        self.assertEqual(report["record"]["metrics"]["memorySizeMB"], 128)

    def test_levels(self):
        self.deploy_logging(CODE, LogFormat="JSON", ApplicationLogLevel="WARN", SystemLogLevel="WARN")
        self.answer()
        lines = [json.loads(m) for m in self.logged("/aws/lambda/" + self.function, "a warning")]
        self.assertEqual([line["message"] for line in lines if line.get("level") != "WARN"], ["a warning"])
        self.configure(LogFormat="JSON", ApplicationLogLevel="DEBUG", SystemLogLevel="DEBUG")
        self.answer()
        messages = self.logged("/aws/lambda/" + self.function, "platform.runtimeDone")
        self.assertTrue(any("for detail" in message for message in messages), messages)

    def test_back_to_text(self):
        self.deploy_logging(CODE, LogFormat="JSON")
        self.answer()
        self.configure(LogFormat="Text")
        log = self.call()[2]
        self.assertRegex(log, r"\[WARNING\]\t[\d-]+T[\d:.]+Z\t" + self.request_id + r"\ta warning\n")
