#!/usr/bin/env python3
"""Whether S3 keys and a bucket's configuration are linearizable while the server is killed, its disk fails and fills up.

    run.py --binary build/release/wolke [--seconds 60] [--clients 6] [--seed S] [--io-error LIBRARY]
    run.py --history FILE        judges a history that an earlier run kept

The last line says how many operations were checked and how many registers were wrong. Exit 1: one was, or a call failed
that should not; 77: a needed right is missing.
"""
import argparse
import collections
import dataclasses
import errno
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import load
from checker import Operation, violation
from server import Server, free_port

FILE_SYSTEM_MIB = 96
FAULT_PAUSE_SECONDS = (0.3, 1.5)  # with load and without a fault
FAULT_SECONDS = (0.05, 0.4)  # how long a disk fails or is full
SHOWN_MAX = 20
END_SECONDS_MAX = 60


def say(text):
    print(text, flush=True)


class Target:
    """The server over a small file system of its own, and what is done to both."""

    def __init__(self, options):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="wolke-check-"))
        self.directory.chmod(0o755)
        self.mount = self.directory / "disk"
        self.mount.mkdir()
        size = f"size={FILE_SYSTEM_MIB}m,mode=755"
        self.mounted = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", size, "wolke-check", self.mount], check=False).returncode == 0
        self.switch = self.directory / "switch"
        self.switch.write_bytes(b"0")
        environment = {}
        if options.io_error:
            environment = {"LD_PRELOAD": str(options.io_error), "WOLKE_IO_ERROR_SWITCH": str(self.switch)}
        self.server = Server(options.binary, data_dir=self.mount / "data", port=free_port(), environment=environment)
        self.server.start()
        self.faults = ["kill"] + ["full"] * self.mounted + ["io_error"] * bool(options.io_error)

    def set_switch(self, value):
        with open(self.switch, "r+b") as file:
            file.write(value)

    def fill(self):
        with open(self.mount / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(1 << 20))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def do(self, fault, lasts, lives):
        if fault == "full":
            self.fill()
            lasts()
            (self.mount / "filler").unlink()
            return
        if fault == "io_error":
            self.set_switch(b"1")
            lasts()
        self.server.kill()
        self.set_switch(b"0")  # the disk works again only when the server that saw it fail is gone
        self.server.stop(judge=False)
        self.server.start()
        lives.start()

    def end(self):
        self.server.stop(judge=False)
        if self.mounted:
            subprocess.run(["umount", self.mount], check=True)
        shutil.rmtree(self.directory, ignore_errors=True)


def histories_of(clients, lives):
    """{register: operations}; unanswered ones end when the next life began."""
    registers = collections.defaultdict(list)
    for client in clients:
        for operation, life in client.history:
            if not operation.known:
                end = lives.starts[life] if life < len(lives.starts) else float("inf")
                operation = dataclasses.replace(operation, returned=max(end, operation.returned))
            registers[operation.register].append(operation)
    return registers


def judge(registers):
    return [wrong for history in registers.values() if (wrong := violation(history))]


def seeded(history, chance):
    """The history of a store that loses something: of one write, and of one read that sees what nobody wrote."""
    read = {one.answer for one in history if one.kind == "read" and one.known}
    writes = [one for one in history if one.kind == "write" and one.argument[0] in read]
    if writes:
        lost = chance.choice(writes)
        yield [one for one in history if one is not lost]
    reads = [one for one in history if one.kind == "read" and one.known]
    if reads:
        wrong = chance.choice(reads)
        yield [one if one is not wrong else dataclasses.replace(one, answer="never written") for one in history]


def unnoticed(registers, chance):
    """How many seeded faults in these very histories the judge lets pass, and how many there were."""
    verdicts = [violation(broken) for history in registers.values() for broken in seeded(history, chance)]
    return verdicts.count(None), len(verdicts)


def keep(registers):
    path = pathlib.Path(tempfile.mkdtemp(prefix="wolke-check-history-")) / "history.json"
    path.write_text(json.dumps([dataclasses.astuple(one) for history in registers.values() for one in history]))
    return path


def read_history(path):
    registers = collections.defaultdict(list)
    for register, kind, argument, answer, called, returned, known in json.loads(path.read_text()):
        if kind == "write":
            argument = (argument[0], tuple(argument[1]) if argument[1] else None)
        registers[register].append(Operation(register, kind, argument, answer, called, returned, known))
    return registers


def run(options):
    say(f"seed {options.seed}")
    chance = random.Random(options.seed)
    target, lives, stop = Target(options), load.Lives(), threading.Event()
    done = collections.Counter()
    try:
        load.connect(target.server).create_bucket(Bucket=load.BUCKET)
        lives.start()
        clients = load.run_clients(target.server, lives, stop, options.clients, chance)
        deadline = time.monotonic() + options.seconds
        while time.monotonic() < deadline:
            stop.wait(chance.uniform(*FAULT_PAUSE_SECONDS))
            fault = chance.choice(target.faults)
            target.do(fault, lambda: stop.wait(chance.uniform(*FAULT_SECONDS)), lives)
            done[fault] += 1
        stop.set()
        lives.end()
        for client in clients:
            client.join(END_SECONDS_MAX)
    finally:
        target.end()
    return report(clients, histories_of(clients, lives), done, chance)


def report(clients, registers, done, chance):
    failures = [failure for client in clients for failure in client.failures]
    wrong = judge(registers)
    operations = [one for history in registers.values() for one in history]
    unknown = sum(not one.known for one in operations)
    faults = ", ".join(f"{count} x {fault}" for fault, count in sorted(done.items()))
    say(f"faults: {faults}; {unknown} calls unanswered, {sum(client.refused for client in clients)} refused for want of room")
    for sentence in (failures + wrong)[:SHOWN_MAX]:
        say(sentence)
    if wrong:
        say(f"the history is kept in {keep(registers)}")
    missed, bugs = unnoticed(registers, chance)
    say(f"self-test: {bugs - missed} of {bugs} faults seeded into these histories noticed")
    say(f"check: {len(operations)} operations on {len(registers)} registers, {len(wrong)} not linearizable, "
        f"{len(failures)} wrong answers")
    return 1 if wrong or failures or missed or not bugs else 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--io-error", type=pathlib.Path, help="the library of io_error.cc; without it no disk errors")
    parser.add_argument("--history", type=pathlib.Path)
    options = parser.parse_args()
    if not options.binary and not options.history:
        parser.error("--binary or --history")
    return options


def main():
    options = parse()
    if options.history:
        wrong = judge(read_history(options.history))
        say("\n".join(wrong) or "linearizable")
        return 1 if wrong else 0
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
