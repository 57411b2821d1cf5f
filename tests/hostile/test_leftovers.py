"""What is left of a server that was stopped, or of which one process was killed: no process, mount, namespace or control group.
The host counts what belongs to this server while it runs (which shows that it would notice), and again afterwards."""
import json
import os
import pathlib
import signal
import threading
import time
import unittest

import aws
from server import Server, children, descendants, libc

# Daemons of a daemon, in sessions of their own, deaf to SIGTERM; the invocation is still running when the kill comes.
CLINGING = """import os, signal
def handler(event, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(4):
        if os.fork() == 0:
            os.setsid()
            if os.fork() != 0: os._exit(0)
            while True: signal.pause()
    while True: signal.pause()
"""
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
KINDS = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")


def links(directory):
    """Where the links of a directory lead; nothing when its process is gone."""
    found = set()
    try:
        for entry in os.listdir(directory):
            try:
                found.add(os.readlink(f"{directory}/{entry}"))
            except OSError:
                pass
    except OSError:
        pass
    return found


def namespaces(pid):
    return {link for link in links(f"/proc/{pid}/ns") if link.split(":")[0] in KINDS}


def start_time(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def mounts():
    return {line.partition(" ")[2] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()}


def groups(spawners):
    """Directories of control groups that carry the number of one of these spawners, in every hierarchy."""
    def is_theirs(name):
        parts = name.split("-")
        return len(parts) == 4 and parts[0] == "wolke" and parts[2] in {str(pid) for pid in spawners}
    # os.walk() passes over what others remove meanwhile.
    return {f"{top}/{name}" for top, below, _ in os.walk("/sys/fs/cgroup") for name in below if is_theirs(name)}


class Inventory:
    """What there is of one server beside what the host had before."""

    def __init__(self, launcher):
        # Who starts later has namespaces of its own, which may be given the numbers of those that went.
        self.taken = int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))
        below = {pid: start_time(pid) for pid in descendants(launcher)}
        self.processes = {pid: start for pid, start in below.items() if start}
        host = namespaces(os.getpid())
        self.namespaces = {name for pid in self.processes for name in namespaces(pid)} - host
        self.spawners = {pid for pid, command in named(launcher) if command == "wolke-spawner"}
        self.groups = groups(self.spawners)

    def left(self):
        """What of it is still there, by kind."""
        left = {"processes": {pid for pid, start in self.processes.items() if start_time(pid) == start and state(pid) != "Z"},
                "groups": {path for path in self.groups if os.path.exists(path)}}
        held = set()
        for entry in os.listdir("/proc"):
            start = start_time(entry) if entry.isdigit() else None
            if start and int(start) <= self.taken:
                held |= links(f"/proc/{entry}/ns") | links(f"/proc/{entry}/fd")
        left["namespaces"] = self.namespaces & held
        return {kind: sorted(map(str, found)) for kind, found in left.items() if found}


def state(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return "Z"


def named(launcher):
    """(pid, name) of each child of the launcher."""
    found = []
    for pid in children(launcher):
        try:
            found.append((pid, pathlib.Path(f"/proc/{pid}/comm").read_text().strip()))
        except OSError:
            pass
    return found


@unittest.skipUnless(os.geteuid() == 0, "needs root: the level full")
class Leftovers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Mounts of our own from here on, so that whatever else runs on this machine is not counted.
        if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
            raise unittest.SkipTest("needs a mount namespace")

    def setUp(self):
        self.mounts = mounts()
        self.server = Server(os.environ["WOLKE_BINARY"]).start()
        self.addCleanup(self.server.stop, judge=False)
        self.addCleanup(self.reap)
        self.functions = aws.client_of(self.server, "lambda")
        self.functions.create_function(FunctionName="clinging", Role="arn:aws:iam::000000000000:role/any", Runtime="python3.11",
                                       Handler="app.handler", Timeout=600, Code={"ZipFile": aws.zipped({"app.py": CLINGING})})
        self.functions.get_waiter("function_active_v2").wait(FunctionName="clinging", WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})

    def reap(self):
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass

    def cling(self):
        """An inventory while the function runs; what it names is there, so that its absence later means something."""
        def invoke():
            try:
                self.functions.invoke(FunctionName="clinging", Payload=json.dumps({}))
            except Exception:  # The server is killed under it.
                pass
        threading.Thread(target=invoke, daemon=True).start()
        launcher = self.server.process.pid

        def running():
            daemons = [pid for pid in descendants(launcher) if state(pid) == "S" and len(namespaces(pid) - namespaces(launcher)) == 7]
            return len(daemons) >= 6 and Inventory(launcher)
        inventory = aws.wait_for(running, what="daemons")
        there = inventory.left()
        self.assertGreaterEqual(len(there["processes"]), 8, there)
        self.assertGreaterEqual(len(there["namespaces"]), 7, there)
        self.assertGreaterEqual(len(there["groups"]), 1, there)
        return inventory

    def gone(self, inventory):
        def empty():
            self.reap()
            return not inventory.left()
        try:
            aws.wait_for(empty)
        except AssertionError:
            pass
        self.assertEqual(inventory.left(), {})
        self.assertEqual(mounts() - self.mounts, set())

    def child(self, spawner):
        """The launcher's child that is, or is not, the spawner."""
        return next(pid for pid, name in named(self.server.process.pid) if (name == "wolke-spawner") == spawner)

    def kill_one(self, spawner):
        """The others go on; nothing of what the dead one had is there any more, and later nothing at all."""
        before = self.cling()
        killed = self.child(spawner)
        kept = {self.server.process.pid} | ({self.child(False)} if spawner else set())
        before.processes = {pid: start for pid, start in before.processes.items() if pid not in kept}
        before.namespaces -= {name for pid in kept for name in namespaces(pid)}
        os.kill(killed, signal.SIGKILL)
        self.gone(before)
        self.assertIsNone(self.server.process.poll(), "the launcher goes on")
        again = aws.wait_for(lambda: len(named(self.server.process.pid)) >= 2 and self.cling(), what="the next generation")
        self.server.process.terminate()
        self.assertEqual(self.server.process.wait(30), 0)
        self.gone(again)

    def test_a_stop(self):
        inventory = self.cling()
        self.server.process.terminate()
        self.server.process.wait(60)
        self.gone(inventory)

    def test_kill_9_of_the_launcher(self):
        inventory = self.cling()
        self.server.process.kill()
        self.server.process.wait(30)
        self.gone(inventory)

    def test_kill_9_of_the_server(self):
        self.kill_one(spawner=False)

    def test_kill_9_of_the_spawner(self):
        self.kill_one(spawner=True)


@unittest.skipUnless(os.geteuid() == 0, "needs root: other users' environments are read")
class Timeout(aws.Case):
    def processes_of(self, name):
        """Processes anywhere on the host with the environment of this function."""
        wanted, found = f"AWS_LAMBDA_FUNCTION_NAME={name}".encode(), set()
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and wanted in pathlib.Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                    found.add(entry)
            except OSError:
                pass
        return found

    def test_D4_a_timeout_ends_daemons_too(self):
        functions = aws.client("lambda")
        name = self.make_function(functions, self.make_role(aws.client("iam")), {"app.py": CLINGING}, Runtime="python3.11",
                                  Handler="app.handler", Timeout=3)
        answers = []
        call = threading.Thread(target=lambda: answers.append(functions.invoke(FunctionName=name, Payload=b"{}")))
        call.start()
        # The control: while it runs, the same count finds the handler and its four daemons.
        aws.wait_for(lambda: len(self.processes_of(name)) >= 5, what="daemons")
        call.join()
        self.assertEqual(json.loads(answers[0]["Payload"].read())["errorType"], "Sandbox.Timedout")
        aws.wait_for(lambda: not self.processes_of(name), what="their end")
