#!/usr/bin/env python3
"""The crash test's mixed load without kills, for minutes or hours: what the server holds must be flat at the end.

    run.py --binary build/release/wolke --minutes 10 [--seed S]     exit 1: something grew, a call failed, something is left
    run.py --self-test                                              the judge notices seeded growth

Each second the memory (anonymous, resident), the descriptors and the threads of the launcher, spawner and server are read,
and how many processes there are. The first third warms up; the medians of the second and the last third are compared.
Shorter than `JUDGED_MINUTES_MIN` the load runs, and growth is shown but not judged.
"""

import argparse
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "crash"))

SKIPPED = 77
JUDGED_MINUTES_MIN = 3
SAMPLE_SECONDS = 1.0
SHOWN_SECONDS = 30
REMEMBERED_ENTRIES_MAX = 20_000
SHOWN_MAX = 20
# What may be added between the middle and the end: a share, and an amount below which nothing is growth.
MAY_GROW = {"memory KiB": (0.10, 4096), "descriptors": (0.10, 8), "threads": (0.0, 2), "processes": (0.25, 4)}


def say(text):
    print(text, flush=True)


def growth(samples):
    """[(measure, median of the middle third, median of the last third, whether that is growth)]."""
    third = len(samples) // 3
    out = []
    for name in samples[0]:
        middle = statistics.median(sample[name] for sample in samples[third:2 * third])
        last = statistics.median(sample[name] for sample in samples[2 * third:])
        share, amount = MAY_GROW[name.split(": ")[-1]]
        out.append((name, middle, last, last > middle + max(share * middle, amount)))
    return out


def self_test():
    """Flat and noisy series pass; the same with a leak are noticed."""
    chance = random.Random(1)
    leaks = {"memory KiB": 40, "descriptors": 0.1, "threads": 0.05, "processes": 0.1}
    for name, each in leaks.items():
        base = 50_000 if "memory" in name else 40
        flat = [{name: base + chance.uniform(-0.01, 0.01) * base} for _ in range(600)]
        leaking = [{name: sample[name] + each * second} for second, sample in enumerate(flat)]
        warming = [{name: sample[name] * min(1, 0.2 + second / 150)} for second, sample in enumerate(flat)]
        assert not any(grew for *_, grew in growth(flat)), f"{name}: flat is called growth"
        assert not any(grew for *_, grew in growth(warming)), f"{name}: warming up is called growth"
        assert any(grew for *_, grew in growth(leaking)), f"{name}: a leak is not noticed"
    say(f"self-test: {len(leaks)} seeded leaks are noticed, {2 * len(leaks)} flat series pass")


def status_of(pid):
    """{field: number} of /proc/PID/status."""
    lines = (line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: int(value.split()[0]) for name, value in lines if value.split() and value.split()[0].isdigit()}


def role_of(name):
    return "spawner" if "spawner" in name else "server"


def sample(server, crash):
    """What the launcher and its children hold now, and how many processes there are below it."""
    every = crash.processes()
    launcher = server.process.pid
    roles = {launcher: "launcher"}
    roles |= {pid: role_of(name) for pid, (name, parent, _) in every.items() if parent == launcher}
    out = {}
    for pid, role in sorted(roles.items(), key=lambda item: item[1]):
        status = status_of(pid)
        out[f"{role}: memory KiB"] = status["RssAnon"]
        out[f"{role}: threads"] = status["Threads"]
        try:
            out[f"{role}: descriptors"] = len(os.listdir(f"/proc/{pid}/fd"))
        except PermissionError:
            pass  # a process that gave its rights up shows them to root only
    out["processes"] = len(crash.descendants(launcher))
    return out


def recent_history(histories):
    class Recent(histories.History):
        """Failures, and of the rest what the clients themselves look back to."""

        def __init__(self):
            super().__init__()
            self.failures, self.calls = [], 0

        def add(self, do, **fields):
            super().add(do, **fields)
            with self.lock:
                self.calls += 1
                if do == "failure":
                    self.failures.append(fields["text"])
                if len(self.entries) > REMEMBERED_ENTRIES_MAX:
                    del self.entries[:REMEMBERED_ENTRIES_MAX // 2]

    return Recent()


def work(server, clients, minutes, crash):
    """The samples, one a second."""
    begin = shown = time.monotonic()
    samples = []
    for client in clients:
        client.start()
    while time.monotonic() - begin < minutes * 60:
        try:
            server.process.wait(SAMPLE_SECONDS)
            break  # a server that ends by itself
        except subprocess.TimeoutExpired:
            pass
        samples.append(sample(server, crash))
        if time.monotonic() - shown > SHOWN_SECONDS:
            shown = time.monotonic()
            now = samples[-1]
            say(f"{(shown - begin) / 60:.1f} of {minutes:g} minutes, {server.history.calls} calls and observations, server "
                f"{now['server: memory KiB'] // 1024} MiB, {now['processes']} processes")
    for client in clients:
        client.ending.set()
    for client in clients:
        client.join(60)
    return samples


def judge(samples, minutes):
    """What grew, as sentences; shows every measure."""
    wrong = []
    whole = [one for one in samples if one.keys() == samples[-1].keys()]
    for name, middle, last, grew in growth(whole):
        say(f"{name:24} {middle:10.0f} → {last:10.0f}{'   grew' if grew else ''}")
        if grew:
            wrong.append(f"{name} grew from {middle:.0f} to {last:.0f}")
    if minutes < JUDGED_MINUTES_MIN:
        say(f"growth is judged from {JUDGED_MINUTES_MIN} minutes")
        return []
    return wrong


def soak(options):
    import history as histories
    import load
    import server as crash
    directory = tempfile.mkdtemp(prefix="wolke-soak-")
    say(f"seed {options.seed}")
    server = crash.Server(options.binary, directory)
    server.history = recent_history(histories)
    wrong = []
    try:
        server.first_start()
        load.prepare(server, server.history, 0)
        clients = load.clients(server, server.history, random.Random(options.seed))
        samples = work(server, clients, options.minutes, crash)
        wrong += [f"{type(client).__name__} hangs" for client in clients if client.is_alive()]
        wrong += judge(samples, options.minutes)
        wrong += server.history.failures
    finally:
        stopped = server.stop() if server.process.poll() is None else [f"the server ended with {server.process.returncode}"]
    wrong += stopped
    if wrong:
        say("\n".join(wrong[:SHOWN_MAX]))
        say(f"data and log are in {directory}")
    else:
        shutil.rmtree(directory)
    say(f"soak: {options.minutes:g} minutes, {server.history.calls} calls and observations, {len(wrong)} wrong")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, help="the server")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--self-test", action="store_true", help="prove that the judge notices seeded growth")
    options = parser.parse_args()
    if not options.binary and not options.self_test:
        parser.error("--binary or --self-test")
    if options.self_test:
        self_test()
    if not options.binary:
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is ended, too
    options.binary = options.binary.resolve()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # nothing of the user's own AWS is read
    os.environ.update(AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null", AWS_EC2_METADATA_DISABLED="true")
    try:
        import boto3  # noqa: F401
    except ImportError:
        say("skipped: soak needs python3-boto3")
        return SKIPPED
    return soak(options)


if __name__ == "__main__":
    sys.exit(main())
