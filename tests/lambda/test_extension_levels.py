"""Extensions where the server runs otherwise than in the other tests: as an ordinary user (level `rootless`) and with identity
enforced (`wolke serve`). Each time the server itself is told to end: extensions hear of it, and nothing stays."""
import json
import os
import pathlib
import shutil
import tempfile
import unittest

from aws import BASIC, BINARY, TRUST, client_of, needs_python_inside, wait_for
from clients import zipped
from extensions import INSIDE_PYTHON
from server import Server
from telemetry import TELLER

ORDINARY = 65534


@needs_python_inside
@unittest.skipUnless(BINARY, "WOLKE_BINARY is not set")
class Levels(unittest.TestCase):
    def ordinary(self):
        """(program, data directory) of a server that is an ordinary user's."""
        if os.geteuid() != 0:
            return BINARY, None
        if not shutil.which("setpriv"):
            self.skipTest("no setpriv")
        directory = pathlib.Path(tempfile.mkdtemp(prefix="wolke-ordinary-"))
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        directory.chmod(0o755)
        program = directory / "wolke"
        program.write_text(f"#!/bin/sh\nHOME={directory}/home XDG_RUNTIME_DIR= exec setpriv --reuid {ORDINARY} --regid {ORDINARY} --clear-groups "
                           f"'{BINARY}' \"$@\"\n")
        program.chmod(0o755)
        for name in ("home", "data"):
            (directory / name).mkdir()
            os.chown(directory / name, ORDINARY, ORDINARY)
        return str(program), directory / "data"

    def deploy(self, server, code, **extensions):
        if server.verb == "dev" and '"isolation":"rootless"' not in server.log():
            self.skipTest("an ordinary user has no namespaces here")
        functions, iam = client_of(server, "lambda"), client_of(server, "iam")
        role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        iam.attach_role_policy(RoleName="r", PolicyArn=BASIC)
        layers = []
        if extensions:
            files = {"extensions/" + name: (text, 0o100755) for name, text in extensions.items()}
            layers = [functions.publish_layer_version(LayerName="l", Content={"ZipFile": zipped(files)})["LayerVersionArn"]]
        functions.create_function(FunctionName="f", Role=role, Runtime="python3.11", Handler="app.handler", Timeout=10, MemorySize=256,
                                  Layers=layers, Code={"ZipFile": zipped(code)})
        functions.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
        for n in (1, 2):
            out = functions.invoke(FunctionName="f", Payload=json.dumps({"n": n}))
            self.assertEqual(json.loads(out["Payload"].read()), {"n": n})

    def logged(self, server, word):
        def found():
            events = client_of(server, "logs").filter_log_events(logGroupName="/aws/lambda/f")["events"]
            text = "".join(event["message"] for event in events)
            return text if word in text else ""
        return wait_for(found, what=word)

    def ends_well(self, program, data, serve):
        """The server stops (which counts its processes out) while an instance is idle; another reads what was logged."""
        if data is None:
            data = pathlib.Path(tempfile.mkdtemp(prefix="wolke-data-"))
            self.addCleanup(shutil.rmtree, data, ignore_errors=True)
            data.chmod(0o755)
        watcher = TELLER % "subscription('platform', 'function', buffering=QUICK)"
        watcher = watcher.replace("\nwait_until_told(", "\nsay('SHUTDOWN seen')\nwait_until_told(")
        with Server(program, serve=serve, data_dir=data) as server:
            self.deploy(server, {"app.py": "def handler(event, context):\n    print('handled')\n    return event\n"}, watcher=watcher)
        with Server(program, serve=serve, data_dir=data) as server:
            log = self.logged(server, "watcher got")
        self.assertIn("watcher subscribed (200, '\"OK\"')\n", log)
        self.assertIn("watcher SHUTDOWN seen\n", log)
        told = [event for line in log.splitlines() if line.startswith("watcher got ") for event in json.loads(line.split(" ", 3)[3])]
        kinds = [event["type"] for event in told]
        self.assertEqual([kinds.count(kind) for kind in ("platform.initStart", "function", "platform.report")], [1, 2, 2], kinds)

    def test_an_ordinary_users_server(self):
        program, data = self.ordinary()
        self.ends_well(program, data, serve=False)

    def test_with_identity_enforced(self):
        self.ends_well(BINARY, None, serve=True)

    def test_internal_ones_at_an_ordinary_users_server(self):
        program, data = self.ordinary()
        data = data or pathlib.Path(tempfile.mkdtemp(prefix="wolke-data-"))
        with Server(program, data_dir=data) as server:
            self.deploy(server, INSIDE_PYTHON)
        with Server(program, data_dir=data) as server:
            log = self.logged(server, "terminated")
        self.assertIn("EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE]\n", log)


if __name__ == "__main__":
    unittest.main()
