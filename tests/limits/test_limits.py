"""What a function may use, on whatever control groups this host has: memory and its report, processes, the timeout, and that
nothing of it stays. Slow machines (./dev qemu) have time for it."""
import base64
import json
import re

from aws import BINARY, Case, client_of, needs_memory_limits, wait_for
from server import Server, descendants

MEMORY_USED = re.compile(r"Memory Size: (\d+) MB\tMax Memory Used: (\d+) MB")
CODE = """
import os, signal
def handler(event, context):
    if event['do'] == 'hold':
        return len(bytearray(event['mib'] << 20))
    if event['do'] == 'fork':
        count = 0
        try:
            while count < 2000:
                if os.fork() == 0:
                    signal.pause()
                count += 1
        except OSError:
            pass
        return count
    if event['do'] == 'hang':
        for _ in range(4):
            if os.fork() == 0:
                break
        signal.pause()
"""


@needs_memory_limits
class Limits(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY).start()
        cls.addClassCleanup(cls.server.stop)
        cls.functions, cls.iam = client_of(cls.server, "lambda"), client_of(cls.server, "iam")

    def make(self, **configuration):
        return self.make_function(self.functions, self.make_role(self.iam), {"app.py": CODE}, Runtime="python3.11",
                                  Handler="app.handler", **{"Timeout": 120, "MemorySize": 128, **configuration})

    def call(self, name, **event):
        """(error, answer, memory size, memory used) of one call."""
        out = self.functions.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        log = base64.b64decode(out["LogResult"]).decode()
        size, used = (int(number) for number in MEMORY_USED.search(log).groups())
        return out.get("FunctionError"), json.loads(out["Payload"].read()), size, used

    def test_what_was_used_is_reported(self):
        name = self.make()
        error, answer, size, used = self.call(name, do="hold", mib=50)
        self.assertEqual((error, answer, size), (None, 50 << 20, 128))
        self.assertTrue(50 <= used < 128, used)

    def test_more_memory_than_configured_is_the_end_of_the_process(self):
        name = self.make()
        error, answer, size, used = self.call(name, do="hold", mib=400)
        self.assertEqual(error, "Unhandled")
        self.assertIn(answer["errorType"], ("Runtime.ExitError", "Runtime.OutOfMemory"), answer)
        self.assertEqual((size, used), (128, 128))
        self.assertIsNone(self.call(name, do="hold", mib=1)[0])

    def test_processes_are_counted(self):
        error, answer, _, _ = self.call(self.make(MemorySize=1024), do="fork")
        self.assertTrue(error is not None or 0 < answer < 2000, answer)

    def test_a_timeout_ends_every_process(self):
        name = self.make(Timeout=20)
        self.idle = self.processes()
        error, answer, _, _ = self.call(name, do="hang")
        self.assertEqual((error, answer["errorType"]), ("Unhandled", "Sandbox.Timedout"))
        wait_for(lambda: self.processes() == self.idle, 10, "the end of its processes")

    def processes(self):
        """How many processes of functions the server has."""
        return sum("/var/rapid" in command for command in descendants(self.server.process.pid).values())
