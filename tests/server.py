"""A real server for a black-box test: on a port of its own, over a fresh data directory, stopped and counted out.

    with Server(binary) as server:            # wolke dev
    with Server(binary, serve=True) as server:  # wolke serve, identity enforced

The directory is made when the server starts and removed when it has stopped. `stop` fails when the server does not exit
cleanly or leaves a process behind: this process adopts orphans (a subreaper), so none can hide.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import select
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans():
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def children(pid=None):
    """The children of a process, ours by default, as {pid: command}."""
    found = {}
    pid = os.getpid() if pid is None else pid
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(after_name[1]) == pid:
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (OSError, IndexError):
            continue
    return found


def descendants(pid):
    """Every process below pid, as {pid: command}."""
    found = {}
    for child, command in children(pid).items():
        found[child] = command
        found.update(descendants(child))
    return found


def clean_environment(**more):
    """The environment without anything of the user's own AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WOLKE_"))}
    kept.update(AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null", AWS_EC2_METADATA_DISABLED="true")
    kept.update(more)
    return kept


def free_port():
    """A port that nobody had a moment ago, for a server that must come back at the same address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def measured_memory():
    """Servers started meanwhile: a sanitizer keeps freed memory for a while, which is not their growth."""
    before = os.environ.get("ASAN_OPTIONS")
    os.environ["ASAN_OPTIONS"] = f"{before}:quarantine_size_mb=8" if before else "quarantine_size_mb=8"
    try:
        yield
    finally:
        if before is None:
            del os.environ["ASAN_OPTIONS"]
        else:
            os.environ["ASAN_OPTIONS"] = before


class Server:
    def __init__(self, binary, serve=False, data_dir=None, port=0, environment=None, options=()):
        """data_dir: keep the data there instead, and after the stop. port: 0 takes any that is free. environment: more
        variables of the server's. options: more of its command line."""
        self.binary = str(binary)
        self.verb = "serve" if serve else "dev"
        self.kept = data_dir is not None
        self.directory = None
        self.data_dir = pathlib.Path(data_dir) if data_dir else None
        self.port = port
        self.more_environment = environment or {}
        self.options = list(options)
        self.process = None
        self.endpoint = None
        self.access_key = self.secret_key = "test"
        self.last_log = ""

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        self.stop(judge=kind is None)

    def start(self):
        adopt_orphans()
        if self.directory is None:
            self.directory = pathlib.Path(tempfile.mkdtemp(prefix="wolke-test-"))
            self.directory.chmod(0o755)  # Started by root, the server has a uid of its own and must get through.
            self.data_dir = self.data_dir or self.directory / "data"
        log = open(self.directory / "server.log", "ab")
        self.process = subprocess.Popen(
            [self.binary, self.verb, "--data-dir", str(self.data_dir), "--listen", f"127.0.0.1:{self.port}",
             *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            env=clean_environment(**self.more_environment), preexec_fn=end_with_parent)
        log.close()
        self.endpoint = self.wait_ready()
        if self.verb == "serve":
            self.read_root_credentials()
        return self

    def wait_ready(self):
        """The address that the server prints when it takes calls."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0, deadline - time.monotonic())):
                    break
                byte = os.read(self.process.stdout.fileno(), 1)
                if not byte:
                    break
                line += byte
        if not line.startswith(b"ready http"):
            self.stop(judge=False)
            raise AssertionError(f"the server said {line!r}, not `ready`; its log:\n{self.last_log}")
        return line.decode().split()[1]

    def read_root_credentials(self):
        text = (self.data_dir / "root-credentials").read_text()
        words = dict(line.replace("export ", "").split("=", 1) for line in text.splitlines()
                     if "=" in line and not line.startswith("#"))
        words = {name.strip().lower(): value.strip().strip('"') for name, value in words.items()}
        self.access_key, self.secret_key = words["aws_access_key_id"], words["aws_secret_access_key"]

    def log(self):
        path = self.directory / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def environment(self):
        """What a client of this server needs, and nothing of the user's own AWS."""
        return {"WOLKE_ENDPOINT": self.endpoint, "WOLKE_ACCESS_KEY_ID": self.access_key,
                "WOLKE_SECRET_ACCESS_KEY": self.secret_key, "WOLKE_DATA_DIR": str(self.data_dir),
                "AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key,
                "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": "/dev/null",
                "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true"}

    def stop(self, judge=True):
        """SIGTERM, and what is wrong with how it ended as an AssertionError when judge is true."""
        if self.process is None:
            return
        below = descendants(self.process.pid)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        faults = []
        try:
            code = self.process.wait(STOP_SECONDS_MAX)
            if code != 0:
                faults.append(f"the server ended with {code}")
        except subprocess.TimeoutExpired:
            faults.append(f"the server did not stop within {STOP_SECONDS_MAX} s of SIGTERM")
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process = None
        left = self.count_out(below)
        if left:
            faults.append("left behind: " + json.dumps(left))
        self.last_log = self.log()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory = None
        if not self.kept:
            self.data_dir = None
        if faults and judge:
            raise AssertionError("; ".join(faults) + "\n" + self.last_log[-4000:])

    def kill(self):
        """kill -9 of all its processes; returns when they have ended, and the port and the data are free."""
        with contextlib.ExitStack() as held:
            ends = {}
            for pid in (self.process.pid, *descendants(self.process.pid)):
                with contextlib.suppress(ProcessLookupError):
                    ends[pid] = os.pidfd_open(pid)
                    held.callback(os.close, ends[pid])
            for end in ends.values():
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(end, signal.SIGKILL)
            for end in ends.values():
                select.select([end], [], [])  # readable once the process has ended
            self.process.wait()
            reap(ends)

    def count_out(self, below):
        """The processes that were the server's and still run a second later, as {pid: command}; they are killed."""
        deadline = time.monotonic() + 1
        while True:
            left = {pid: command for pid, command in below.items() if alive(pid, command)}
            if not left or time.monotonic() > deadline:
                break
            reap(below)
            time.sleep(0.02)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        reap(below)
        return left


def alive(pid, command):
    try:
        if pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace") == command
    except (OSError, IndexError):
        return False


def reap(pids):
    """Collects adopted orphans among these; other children belong to their own subprocess objects."""
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
