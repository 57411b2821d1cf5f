"""The server under test: one fixed port, killed in several ways, started again on the same data."""

import glob
import http.client
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import threading
import time

import boto3
import botocore.config

from usage import Calls

READY_SECONDS_MAX = 30
GONE_SECONDS_MAX = 10
STOP_SECONDS_MAX = 40
LOG_LINES_SHOWN = 10
REGION = "us-east-1"


def free_port():
    """A port that no outgoing connection is given by the kernel, so that it is still free after each kill."""
    lowest = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    chance = random.SystemRandom()
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", chance.randrange(10_000, lowest) if lowest > 11_000 else 0))
            except OSError:
                continue
            return probe.getsockname()[1]


def stat_of(pid):
    """(name, parent, start time) of a process; None when it is gone or a zombie. One whose main thread alone has ended is
    neither: a thread that waits for the disk keeps its files, port and locks."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
        threads = len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return None
    name = text[text.index("(") + 1:text.rindex(")")]
    fields = text[text.rindex(")") + 2:].split()
    return None if fields[0] in "ZX" and threads <= 1 else (name, int(fields[1]), int(fields[19]))


def processes():
    return {int(entry): found for entry in os.listdir("/proc")
            if entry.isdigit() and (found := stat_of(entry))}


def descendants(root):
    """{pid: start time} of a process and all below it, parents first."""
    every, out, level = processes(), {}, [root]
    while level:
        out |= {pid: every[pid][2] for pid in level if pid in every}
        level = [pid for pid, (_, parent, _) in every.items() if parent in level]
    return out


def alive(pid, started):
    found = stat_of(pid)
    return found is not None and found[2] == started


class Server:
    """`life` counts the servers killed so far; `up` is set while one answers."""

    def __init__(self, binary, directory, runtimes=None):
        self.binary = str(binary)
        self.data = pathlib.Path(directory) / "data"
        self.log_path = pathlib.Path(directory) / "server.log"
        self.runtimes = ["--runtimes", str(runtimes)] if runtimes else []
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.up = threading.Event()
        self.life = 0
        self.process = None
        self.in_a_row = 0  # crashes that one launcher has seen
        self.launchers = set()
        self.seen = {}  # every process that was ours: {pid: start time}
        # A development server's users; its command line sees the same account.
        self.credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self.probe = None
        self.calls = Calls()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "dev", "--data-dir", str(self.data), "--listen", f"127.0.0.1:{self.port}",
                 *self.runtimes], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.in_a_row = 0
        self.launchers.add(self.process.pid)

    def first_start(self):
        self.start()
        url = self.client("s3").generate_presigned_url("list_buckets", ExpiresIn=7 * 24 * 3600)
        self.probe = url[len(self.endpoint):]
        self.wait_until_ready()

    def expect_launcher(self, deadline):
        if self.process.poll() is not None:
            last = "".join(self.log_path.read_text(errors="replace").splitlines(keepends=True)[-LOG_LINES_SHOWN:])
            raise AssertionError(f"the server ended with {self.process.returncode}; {self.log_path} ends with\n{last}")
        if time.monotonic() > deadline:
            raise AssertionError(f"the server is not ready after {READY_SECONDS_MAX} s; see {self.log_path}")

    def wait_until_ready(self):
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.answers():
            self.expect_launcher(deadline)
            time.sleep(0.002)
        self.up.set()

    def answers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", self.probe)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def server_pid(self):
        """The launcher's child that is not the spawner."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline:
            found = [pid for pid, (name, parent, _) in processes().items()
                     if parent == self.process.pid and "spawner" not in name]
            if found:
                return found[0]
            time.sleep(0.002)
        raise AssertionError("the launcher has no server")

    def kill(self, how):
        """SIGKILL of the server alone (its launcher restarts it), of the launcher alone, or of the whole tree. Returns the
        seconds from the kill to the next successful call, and what outlived it wrongly."""
        self.up.clear()
        server = self.server_pid()
        family = descendants(self.process.pid)
        self.seen |= family
        victims = {"server": [server], "launcher": [self.process.pid], "tree": list(family)}[how]
        killed = time.monotonic()
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wrong = []
        if not self.wait_gone({server: family[server]} if server in family else {}):
            wrong.append(f"the server outlives kill -9 of the {how}")
        self.life += 1
        if how == "server":
            self.in_a_row += 1
        else:
            self.process.wait()
            if not self.wait_gone(family):
                names = [stat_of(pid)[0] for pid, began in family.items() if alive(pid, began)]
                wrong.append(f"{', '.join(names)} outlive kill -9 of the {how} for {GONE_SECONDS_MAX} s")
            self.start()
        self.wait_until_ready()
        return time.monotonic() - killed, wrong

    @staticmethod
    def wait_gone(pids):
        deadline = time.monotonic() + GONE_SECONDS_MAX
        while any(alive(pid, began) for pid, began in pids.items()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    def stop(self):
        """SIGTERM; returns what is wrong: a bad exit, anything left behind."""
        self.seen |= descendants(self.process.pid)
        self.up.clear()
        self.process.terminate()
        try:
            code = self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.abandon()
            return [f"the server does not stop within {STOP_SECONDS_MAX} s"]
        wrong = [f"the server's exit code is {code}"] if code else []
        return wrong + self.leftovers()

    def leftovers(self):
        time.sleep(0.1)
        wrong = [f"process {pid} ({stat_of(pid)[0]}) is left" for pid, began in self.seen.items() if alive(pid, began)]
        mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
        wrong += [f"a mount is left: {line}" for line in mounts if str(self.data.parent) in line]
        for group in glob.glob("/sys/fs/cgroup/**/wolke-*", recursive=True):
            if {int(number) for number in re.findall(r"\d+", os.path.basename(group))} & self.launchers:
                wrong.append(f"a control group is left: {group}")
        return wrong

    def abandon(self):
        """After a failure: ends everything that was started here."""
        for pid, began in (self.seen | descendants(self.process.pid)).items():
            if alive(pid, began):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def client(self, service):
        config = botocore.config.Config(
            retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=20, signature_version="s3v4",
            s3={"addressing_style": "path"}) if service == "s3" else botocore.config.Config(
            retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=20)
        return self.calls.watch(boto3.session.Session().client(
            service, endpoint_url=self.endpoint, region_name=REGION, config=config, **self.credentials))
