"""What the server counted against what the clients asked for: usage is counted once, whatever was killed in between.

Clients count their calls (`Calls`); the totals are read from the store's own file when the server has stopped, because the
clients have no operation for them. PutObject is left out: the functions call it, too.
"""

import collections
import pathlib
import sqlite3
import struct
import threading

TABLE = b"usage"
END_OF_TEXT = b"\x00\x01"
INVOCATION, OPERATION = 1, 2
COUNT = 1  # the field of a line that says how often
UNCOMPARED = ("s3:PutObject",)
CUT_SHORT_PER_KILL = 16  # invocations that had ended, but were not yet settled, when the server died


class Calls:
    """Thread-safe: how often each operation was asked for, and how often an answer came."""

    def __init__(self):
        self.lock = threading.Lock()
        self.attempted = collections.Counter()
        self.answered = collections.Counter()

    def watch(self, client):
        client.meta.events.register("before-call", lambda model, **_: self.add(self.attempted, model))
        client.meta.events.register("after-call", lambda model, **_: self.add(self.answered, model))
        return client

    def add(self, counter, model):
        with self.lock:
            counter[f"{model.service_model.signing_name}:{model.name}"] += 1


def text(key):
    """The first text of a key and the rest."""
    out, at = b"", 0
    while True:
        zero = key.index(b"\0", at)
        out += key[at:zero]
        at = zero + 2
        if key[zero:at] == END_OF_TEXT:
            return out, key[at:]
        out += b"\0"


def number(key):
    return struct.unpack(">Q", key[:8])[0], key[8:]


def totals(data):
    """({operation: count}, invocations) of a server that has stopped."""
    operations, invocations = collections.Counter(), 0
    prefix = TABLE + END_OF_TEXT
    with sqlite3.connect(f"file:{pathlib.Path(data).resolve()}/store/records.db?mode=ro", uri=True) as database:
        rows = database.execute("SELECT key, value FROM records WHERE substr(key, 1, ?) = ?",
                                (len(prefix), prefix)).fetchall()
    for key, value in rows:
        _, rest = text(key)
        _, rest = text(rest)  # the account: all clients are of one
        _, rest = number(rest)  # the day
        kind, rest = number(rest)
        resource, rest = text(rest)
        field, _ = number(rest)
        if field != COUNT:
            continue
        count = struct.unpack("<q", value)[0]
        if kind == INVOCATION:
            invocations += count
        elif kind == OPERATION:
            operations[resource.decode()] += count
    return dict(operations), invocations


def observed(server):
    operations, invocations = totals(server.data)
    return {"attempted": dict(server.calls.attempted), "answered": dict(server.calls.answered),
            "counted": operations, "invocations": invocations, "kills": server.life}


def judge_usage(usage, records):
    """What is counted twice or not at all. An operation is counted after its answer is sent, so a kill may come between."""
    wrong, missing = [], 0
    for operation, attempted in sorted(usage["attempted"].items()):
        counted = usage["counted"].get(operation, 0)
        if operation in UNCOMPARED:
            continue
        if counted > attempted:
            wrong.append(f"usage: {operation} was called {attempted} times and counted {counted} times")
        missing += max(0, usage["answered"].get(operation, 0) - counted)
    if missing > usage["kills"]:
        wrong.append(f"usage: {missing} answered calls are not counted, more than the {usage['kills']} kills explain")
    succeeded = sum(record["State"] == "succeeded" for record in records)
    possible = sum(record.get("Attempts", 1) for record in records) + CUT_SHORT_PER_KILL * usage["kills"]
    if not succeeded <= usage["invocations"] <= possible:
        wrong.append(f"usage: {usage['invocations']} invocations are counted, {succeeded} events succeeded and at most "
                     f"{possible} invocations ended")
    return wrong


def counted_calls(usage):
    return sum(count for operation, count in usage["counted"].items()
               if operation in usage["attempted"] and operation not in UNCOMPARED)
