"""Extensions in layers, as on Lambda: external ones in Python, shell and C, what they are told and when, and what becomes of a
function whose extensions misbehave."""
import json
import os
import shutil
import unittest

from aws import needs_python_inside, unique
from clients import zipped
from extensions import INSIDE_NODE, INSIDE_PYTHON, INTERNAL, OBEDIENT, PYTHON, SHELL, compiled
from running import RunningCase
from test_layers import OTHER, other

HANDLER = {"app.py": "def handler(event, context):\n    print('handled')\n    return event\n"}


class ExtensionCase(RunningCase):
    def layer_of(self, functions=None, **extensions):
        """The ARN of a layer with these executables in its folder `extensions`."""
        functions = functions or self.functions
        name = unique("layer")
        files = {"extensions/" + file: (text, 0o100755) for file, text in extensions.items()}
        made = functions.publish_layer_version(LayerName=name, Content={"ZipFile": zipped(files)})
        self.addCleanup(functions.delete_layer_version, LayerName=name, VersionNumber=made["Version"])
        return made["LayerVersionArn"]

    def deploy_with(self, code=None, runtime="python3.11", handler="app.handler", configuration=None, **extensions):
        return self.deploy(code or HANDLER, runtime, handler, Timeout=10, MemorySize=256, Layers=[self.layer_of(**extensions)],
                           **(configuration or {}))

    def end(self, *words):
        """The idle instance retires, as its function has another configuration; all that is logged when the words are."""
        self.functions.update_function_configuration(FunctionName=self.function, Description="another")
        for word in words or ('"SHUTDOWN"',):
            log = "".join(self.events(word))
        return log


@needs_python_inside
class Extensions(ExtensionCase):

    def told(self, log, name, kind):
        lines = [line for line in log.splitlines() if line.startswith(f"{name} {kind} ")]
        return [json.loads(line.split(" ", 2)[2]) for line in lines]

    def test_what_an_external_extension_is_told(self):
        self.deploy_with(watcher=OBEDIENT)
        self.assertEqual(self.answer({"a": 1}), {"a": 1})
        first = self.request_id
        self.assertEqual(self.answer({"a": 2}), {"a": 2})
        log = self.end()
        registered = json.loads(next(line for line in log.splitlines() if line.startswith("watcher told")).split(" ", 2)[2])
        self.assertEqual(registered, {"functionName": self.function, "functionVersion": "$LATEST", "handler": "app.handler",
                                      "accountId": self.account})
        invoked = self.told(log, "watcher", "INVOKE")
        self.assertEqual([one["requestId"] for one in invoked], [first, self.request_id])
        self.assertEqual(invoked[0]["invokedFunctionArn"], self.arn(self.function))
        self.assertEqual(invoked[0]["tracing"]["type"], "X-Amzn-Trace-Id")
        self.assertRegex(invoked[0]["tracing"]["value"], "^Root=1-")
        self.assertGreater(invoked[1]["deadlineMs"], invoked[0]["deadlineMs"])
        [ended] = self.told(log, "watcher", "SHUTDOWN")
        self.assertEqual((ended["eventType"], ended["shutdownReason"]), ("SHUTDOWN", "spindown"))
        self.assertIn("EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n", log)

    def test_one_in_shell_and_one_in_c_with_node(self):
        native = compiled()
        if not native or not shutil.which("curl"):
            self.skipTest("no static C compiler or no curl")
        self.deploy_with({"index.mjs": "export const handler = async (event) => event.n + 1;"}, "nodejs22.x", "index.handler",
                         native=native, shell=SHELL)
        self.assertEqual([self.answer({"n": n}) for n in (1, 2)], [2, 3])
        log = self.end()
        for name in ("native", "shell"):
            self.assertIn(f"EXTENSION\tName: {name}\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n", log)
            self.assertEqual(log.count(f'{name} got {{"eventType":"INVOKE"'), 2, log)
            self.assertIn(f'{name} got {{"eventType":"SHUTDOWN","shutdownReason":"spindown"', log)

    def test_with_a_custom_runtime(self):
        bootstrap = ("#!/bin/bash\nwhile true; do\n  curl -sS -D /tmp/h -o /tmp/e http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next\n"
                     "  id=$(sed -n 's/\\r$//; s/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p' /tmp/h)\n"
                     "  curl -sS -d @/tmp/e http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response\ndone\n")
        self.deploy_with({"bootstrap": (bootstrap, 0o100755)}, "provided.al2023", "x", watcher=OBEDIENT)
        self.assertEqual(self.answer({"a": 1}), {"a": 1})
        self.assertEqual(len(self.told(self.end(), "watcher", "INVOKE")), 1)

    def test_a_runtime_with_an_internal_one_alone_is_told_of_the_end_by_a_signal(self):
        self.deploy({"bootstrap": (INTERNAL, 0o100755)}, "provided.al2023", "x", Timeout=10)
        self.assertEqual(self.answer({"a": 1}), {"a": 1})
        log = self.end("terminated")
        self.assertIn("EXTENSION\tName: inner\tState: Ready\tEvents: [INVOKE]\n", log)
        self.assertIn("inner INVOKE\n", log)

    def test_internal_ones_of_managed_runtimes(self):
        for name, files, runtime, handler in (("python", INSIDE_PYTHON, "python3.11", "app.handler"),
                                              ("node", INSIDE_NODE, "nodejs22.x", "index.handler")):
            with self.subTest(name):
                self.deploy(files, runtime, handler, Timeout=10, MemorySize=256)
                self.assertEqual([self.answer({"n": n}) for n in (1, 2)], [{"n": 1}, {"n": 2}])
                log = self.end("terminated")
                self.assertIn("EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE]\n", log)
                self.assertEqual(log.count("agent INVOKE"), 2, log)

    def test_failures_are_said_as_lambda_says_them(self):
        for source, kind, words in ((PYTHON + "sys.exit(3)\n", "Extension.Crash", "exit status 3"),
                                    (PYTHON + "sys.exit(0)\n", "Extension.Crash", "exit code 0"),
                                    (PYTHON + "os.kill(os.getpid(), 9)\n", "Extension.Crash", "signal: killed"),
                                    ("no program", "Extension.LaunchError", "fork/exec /opt/extensions/bad: exec format error"),
                                    (PYTHON + "i, _ = register('INVOKE')\nask('POST', '/2020-01-01/extension/init/error', '{}', Identifier=i, "
                                     "Function_Error_Type='Own.Kind')\n", "Extension.InitError", "Own.Kind"),
                                    (PYTHON + "i, _ = register('INVOKE')\nnext_event(i)\nask('POST', '/2020-01-01/extension/exit/error', '{}', "
                                     "Identifier=i, Function_Error_Type='Own.End')\n", "Extension.ExitError", "Own.End")):
            with self.subTest(words):
                self.deploy_with({"app.py": "import time\ndef handler(event, context):\n    time.sleep(5)\n"}, bad=source)
                self.assertEqual(self.fault(), (kind, f"RequestId: {self.request_id} Error: {words}"))
                self.assertIn(f"Status: error\tError Type: {kind}", self.log)

    def test_eleven_are_too_many(self):
        self.deploy_with(**{f"e{i}": OBEDIENT for i in range(11)})
        self.assertEqual(self.fault()[0], "Extension.TooManyExtensions")

    def test_one_that_never_registers_costs_its_own_function_the_init_phase(self):
        self.deploy({"app.py": HANDLER["app.py"]}, "python3.11", "app.handler", Timeout=1, MemorySize=256,
                    Layers=[self.layer_of(mute=PYTHON + "time.sleep(1000)\n")])
        self.assertEqual(self.fault()[0], "Sandbox.Timedout")
        self.assertIn("EXTENSION\tName: mute\tState: Started\tEvents: []\n", "".join(self.events("EXTENSION")))

    def test_one_that_forks_and_floods_does_not_outlive_the_instance(self):
        wild = PYTHON + ("ident, _ = register('INVOKE', 'SHUTDOWN')\n"
                         "for _ in range(20):\n    if os.fork() == 0:\n        while True: time.sleep(1000)\n"
                         "def noise():\n    while True: print('noise' * 100, flush=True)\n"
                         "threading.Thread(target=noise, daemon=True).start()\n"
                         "while next_event(ident)['eventType'] != 'SHUTDOWN': pass\nsay('SHUTDOWN seen')\nos._exit(0)\n")
        self.deploy_with(wild=wild)
        self.assertEqual(self.answer({"a": 1}), {"a": 1})
        self.functions.update_function_configuration(FunctionName=self.function, Description="another")
        self.functions.update_function_configuration(FunctionName=self.function, Layers=[])
        self.assertEqual(self.answer({"a": 2}), {"a": 2})

    @unittest.skipUnless(os.environ["AWS_ACCESS_KEY_ID"] == "test", "needs a second account")
    def test_an_account_sees_nothing_of_another(self):
        self.deploy_with(watcher=PYTHON + "ident, _ = register('INVOKE')\nsay('ident', ident)\nwhile True: next_event(ident)\n")
        log = self.call()[2]
        ident = log.split("watcher ident ")[1].split()[0] if "watcher ident " in log else \
            "".join(self.events("watcher ident")).split("watcher ident ")[1].split()[0]
        role = self.iam_of_other()
        theirs = other("lambda")
        layer = self.layer_of(theirs, thief=PYTHON + f"register('INVOKE')\nsay('got', ask('GET', '/2020-01-01/extension/event/next', Identifier='{ident}')[::2],"
                              " open('/proc/net/tcp').read().count('\\n'))\nsys.exit(1)\n")
        name = unique("f")
        theirs.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=role, Layers=[layer],
                               Code={"ZipFile": zipped(HANDLER)})
        self.addCleanup(theirs.delete_function, FunctionName=name)
        out = theirs.invoke(FunctionName=name, LogType="Tail")
        self.assertEqual(json.loads(out["Payload"].read())["errorType"], "Extension.Crash")
        found = "".join(one["message"] for one in self.wait_for_log(other("logs"), name))
        self.assertIn("thief got (403, ", found)
        self.assertIn("Extension.UnknownExtensionIdentifier", found)

    def iam_of_other(self):
        from aws import TRUST, BASIC
        iam, name = other("iam"), unique("role")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
        return arn

    def wait_for_log(self, logs, name):
        from aws import wait_for
        def found():
            try:
                events = logs.filter_log_events(logGroupName="/aws/lambda/" + name)["events"]
            except logs.exceptions.ResourceNotFoundException:
                return []
            return events if any("thief got" in event["message"] for event in events) else []
        return wait_for(found)


if __name__ == "__main__":
    unittest.main()
