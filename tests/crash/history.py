"""What happened, as one list of plain entries, and the judge that reads it. The judge is pure: it can be fed any history.

Names are objects, uploads, parts and functions; each name has one writer, which does one thing at a time. A server's life
lasts until it is killed. Entries:

  {"do": "write", "name", "kind", "state", "outcome", "life"}   outcome: ok, unknown (nobody answered) or refused
  {"do": "read", "name", "kind", "found", "life"}               a listing reads a name's size and ETag only
  {"do": "event", "token", "outcome", "id"}                     an asynchronous invocation, or a put that causes one
  {"do": "failure", "text"}                                     a call that failed although the server was up

A state is None (absent) or a dict. What is observed at the end: event records as `wolke events` shows them, and the
effects, (token, event id) pairs that the functions wrote; and what was counted as usage (usage.py).
"""

import collections
import dataclasses
import threading

from usage import judge_usage

TERMINAL = ("succeeded", "destination", "dead_lettered", "discarded")


class History:
    """Thread-safe."""

    def __init__(self):
        self.lock = threading.Lock()
        self.entries = []

    def add(self, do, **fields):
        with self.lock:
            self.entries.append({"do": do, **fields})


@dataclasses.dataclass
class Verdict:
    checked: int  # acknowledged effects
    kinds: dict  # how many of each
    wrong: list  # sentences; empty: nothing is lost


@dataclasses.dataclass
class Possible:
    """The states that a name may have: one that is known, and those of calls that nobody answered since."""
    states: list = dataclasses.field(default_factory=lambda: [None])
    unknown_life: int = -1  # the last life in which such a call may still run


def shows(state, found):
    """Whether a read shows this state. Reads that show less (a listing) compare what they show."""
    if state is None or found is None:
        return state is None and found is None
    return all(state.get(field) == value for field, value in found.items())


def judge_names(entries):
    possible = collections.defaultdict(Possible)
    wrong = []
    for entry in entries:
        if entry["do"] == "write":
            now = possible[entry["name"]]
            if entry["outcome"] == "ok":
                now.states, now.unknown_life = [entry["state"]], -1
            elif entry["outcome"] == "unknown":
                now.states = now.states + [entry["state"]]
                now.unknown_life = entry["life"]
        elif entry["do"] == "read":
            now = possible[entry["name"]]
            matching = [state for state in now.states if shows(state, entry["found"])]
            if not matching:
                wrong.append(f"{entry['name']}: {entry['kind']} in life {entry['life']} shows {entry['found']}; "
                             f"possible is {' or '.join(map(str, now.states))}")
            elif entry["life"] > now.unknown_life:
                # Whoever may still have been at work is dead: what is seen now stays.
                now.states = matching
    return wrong


def judge_events(entries, records, effects):
    wrong = []
    rows = collections.defaultdict(list)
    for record in records:
        rows[record["Id"]].append(record)
    ids_of = collections.defaultdict(set)
    for token, event in effects:
        ids_of[token].add(event)
    for event, found in rows.items():
        states = [record["State"] for record in found]
        if len(found) != 1 or states[0] not in TERMINAL:
            wrong.append(f"event {event}: its records are {', '.join(states)}; one terminal record is promised")
        elif states[0] != "succeeded":
            wrong.append(f"event {event}: ended as {states[0]}: {found[0].get('Reason', '')}")
    handled = {event for _, event in effects}
    for event, found in rows.items():
        if any(record["State"] == "succeeded" for record in found) and event not in handled:
            wrong.append(f"event {event}: recorded as succeeded, its effect is missing")
    tokens = set()
    for entry in entries:
        if entry["do"] != "event":
            continue
        tokens.add(entry["token"])
        ids = ids_of.get(entry["token"], set())
        if entry["outcome"] == "ok" and not ids:
            wrong.append(f"{entry['token']}: acknowledged, its effect is missing")
        if entry["outcome"] == "ok" and entry["id"] and ids - {entry["id"]}:
            wrong.append(f"{entry['token']}: acknowledged as event {entry['id']}, handled as {', '.join(ids)}")
        if entry["outcome"] == "ok" and entry["id"] and entry["id"] not in rows:
            wrong.append(f"event {entry['id']}: acknowledged, it has no record")
        if entry["outcome"] == "refused" and ids:
            wrong.append(f"{entry['token']}: refused, but handled")
        if len(ids) > 1:
            wrong.append(f"{entry['token']}: one call, several events: {', '.join(sorted(ids))}")
    for token, event in effects:
        if token not in tokens:
            wrong.append(f"{token}: handled, but nobody asked for it")
        if event not in rows:
            wrong.append(f"event {event}: handled, it has no record")
    return wrong


def judge(entries, records, effects, usage=None):
    kinds = collections.Counter()
    for entry in entries:
        if entry.get("outcome") == "ok":
            kinds[entry.get("kind", "event")] += 1
    failures = [entry["text"] for entry in entries if entry["do"] == "failure"]
    wrong = failures + judge_names(entries) + judge_events(entries, records, effects)
    if usage:
        wrong += judge_usage(usage, records)
    return Verdict(checked=sum(kinds.values()), kinds=dict(kinds), wrong=wrong)
