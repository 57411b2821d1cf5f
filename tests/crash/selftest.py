"""Proves that the judge notices what it is there for: a good history passes, each seeded bug in it is reported."""

import random

from history import judge


def last_writes(entries):
    """name -> its last write, where nothing is unknown."""
    out = {}
    for entry in entries:
        if entry["do"] == "write" and entry["outcome"] != "refused":
            out[entry["name"]] = entry
    return {name: entry for name, entry in out.items() if entry["outcome"] == "ok"}


def final_reads(case, kind):
    """The last read of each name that ended known, with its last write."""
    writes, reads = last_writes(case["entries"]), {}
    for entry in case["entries"]:
        if entry["do"] == "read" and entry["kind"] == kind:
            reads[entry["name"]] = entry
        elif entry["do"] == "write":
            reads.pop(entry["name"], None)
    return [(entry, writes[name]) for name, entry in sorted(reads.items()) if name in writes]


def some(candidates):
    """The first; None: this history has nothing to break in this way."""
    return next(iter(candidates), None)


def break_read(kind, wanted, change):
    """A mutation: the first wanted final read shows something else."""

    def mutate(case):
        found = some((read, write) for read, write in final_reads(case, kind) if wanted(case, read, write))
        if found:
            found[0]["found"] = change(case, *found)
        return found is not None

    return mutate


def present(_, read, __):
    return read["found"] is not None


def previous(case, write):
    """The acknowledged state before the last one, when it differs."""
    states = [entry["state"] for entry in case["entries"]
              if entry["do"] == "write" and entry["name"] == write["name"] and entry["outcome"] == "ok"]
    return some(state for state in reversed(states[:-1]) if state is not None and state != write["state"])




def acknowledged_events(case):
    return [entry for entry in case["entries"] if entry["do"] == "event" and entry["outcome"] == "ok"]


def double_terminal(case):
    case["records"] += case["records"][:1]
    return bool(case["records"])


def never_terminal(case):
    if case["records"]:
        case["records"][0]["State"] = "pending"
    return bool(case["records"])


def record_gone(case):
    event = some(entry["id"] for entry in acknowledged_events(case) if entry["id"])
    case["records"] = [record for record in case["records"] if record["Id"] != event]
    return event is not None


def effect_gone(case):
    token = some(entry["token"] for entry in acknowledged_events(case) if entry["id"])
    case["effects"] = [effect for effect in case["effects"] if effect[0] != token]
    return token is not None


def put_without_event(case):
    """The event was not in the commit of its put: no record, no effect."""
    token = some(entry["token"] for entry in acknowledged_events(case) if not entry["id"])
    gone = {event for effect, event in case["effects"] if effect == token}
    case["effects"] = [effect for effect in case["effects"] if effect[0] != token]
    case["records"] = [record for record in case["records"] if record["Id"] not in gone]
    return token is not None


def event_twice(case):
    effect = some(case["effects"])
    if effect:
        case["effects"].append((effect[0], "another"))
        case["records"].append({"Id": "another", "State": "succeeded"})
    return effect is not None


def flicker(case):
    """What was seen after a crash is gone after the next."""
    found = some((read, write) for read, write in final_reads(case, "get") if read["found"] is not None)
    if found:
        case["entries"].append({**found[0], "life": found[0]["life"] + 1, "found": None})
    return found is not None


def event_nobody_sent(case):
    case["effects"].append(("work/0/never-sent", "never-sent"))
    case["records"].append({"Id": "never-sent", "State": "succeeded"})
    return True


def discarded(case):
    if case["records"]:
        case["records"][0].update(State="discarded", Reason="a seeded bug")
    return bool(case["records"])


def most_called(case):
    return max((name for name in case["usage"]["attempted"] if name != "s3:PutObject"),
               key=case["usage"]["attempted"].get, default=None)


def usage_twice(case):
    """A drain that committed its totals without its watermark is drained again."""
    name = most_called(case)
    if name:
        case["usage"]["counted"][name] = case["usage"]["attempted"][name] + 1
    return name is not None


def usage_lost(case):
    name, kills = most_called(case), case["usage"]["kills"]
    if name is None or case["usage"]["answered"].get(name, 0) <= kills:
        return False
    case["usage"]["counted"][name] = case["usage"]["answered"][name] - kills - 1
    return True


def invocation_not_counted(case):
    succeeded = sum(record["State"] == "succeeded" for record in case["records"])
    case["usage"]["invocations"] = succeeded - 1
    return succeeded > 0


SEEDED_BUGS = {
    "a put is lost": break_read("get", present, lambda *_: None),
    "bytes are swapped": break_read("get", present, lambda _, read, __: {
        **read["found"], "sha256": read["found"]["sha256"][::-1]}),
    "an object is torn": break_read("get", present, lambda _, read, __: {
        **read["found"], "size": read["found"]["size"] - 1}),
    "an ETag is of other bytes": break_read("get", present, lambda _, read, __: {
        **read["found"], "etag": read["found"]["etag"][::-1]}),
    "an older version comes back": break_read(
        "get", lambda case, _, write: write["state"] and previous(case, write),
        lambda case, _, write: previous(case, write)),
    "a deleted object comes back": break_read(
        "get", lambda case, read, write: read["found"] is None and previous(case, write),
        lambda case, _, write: previous(case, write)),
    "the listing forgets a key": break_read("list", present, lambda *_: None),
    "the listing keeps a deleted key": break_read(
        "list", lambda case, read, write: read["found"] is None and previous(case, write),
        lambda case, _, write: {key: previous(case, write)[key] for key in ("size", "etag")}),
    "a part is lost": break_read("list parts", present, lambda *_: None),
    "an aborted upload stays": break_read(
        "list uploads", lambda _, read, __: read["found"] is None, lambda *_: {"open": True}),
    "a function's update is lost": break_read(
        "get function", lambda case, _, write: previous(case, write), lambda case, _, write: previous(case, write)),
    "an update is applied in half": break_read(
        "get function", lambda case, _, write: (
            previous(case, write) and previous(case, write)["memory"] != write["state"]["memory"]),
        lambda case, read, write: {**read["found"], "memory": previous(case, write)["memory"]}),
    "what a crash left is undone by the next": flicker,
    "two terminal records of one event": double_terminal,
    "an event never ends": never_terminal,
    "an event's record is lost": record_gone,
    "an event succeeds without its effect": effect_gone,
    "a put commits without its event": put_without_event,
    "one call becomes two events": event_twice,
    "an event that nobody sent": event_nobody_sent,
    "an acknowledged event is discarded": discarded,
    "usage is counted twice": usage_twice,
    "usage is lost": usage_lost,
    "an invocation is not counted": invocation_not_counted,
}


def synthetic(seed):
    """A history as a correct server would make it: lives that end at random, unknown calls that happen or not."""
    chance = random.Random(seed)
    entries, records, effects, truth = [], [], [], {}

    def state(name, number):
        if name.startswith("function "):
            return {"number": number, "memory": 128 + number, "description": f"number {number}"}
        if name.startswith("upload "):
            return {"open": True}
        return {"size": number % 5000 + 100, "sha256": f"{number:064x}", "etag": f"{number:032x}"}

    def read(name, life):
        kinds = {"function": ["get function"], "upload": ["list uploads"], "part": ["list parts"]}
        for kind in kinds.get(name.split()[0], ["get", "list"]):
            found = truth.get(name)
            if kind == "list" and found:
                found = {key: found[key] for key in ("size", "etag")}
            entries.append({"do": "read", "name": name, "kind": kind, "found": found, "life": life})

    names = [f"object {n}" for n in range(6)] + ["function a", "upload b", "upload c", "part d"]
    for life in range(20):
        for number in range(chance.randrange(1, 40)):
            name, value = chance.choice(names), state("", 0)
            value = state(name, chance.randrange(1 << 60))
            if not name.startswith("function") and chance.random() < 0.3:
                value = None
            outcome = chance.choices(["ok", "unknown", "refused"], [90, 6, 4])[0]
            entries.append({"do": "write", "name": name, "kind": "put", "state": value, "outcome": outcome, "life": life})
            if outcome == "ok" or (outcome == "unknown" and chance.random() < 0.5):
                truth[name] = value
            token, event = f"work/{life}/{number}", f"{chance.getrandbits(64):016x}"
            entries.append({"do": "event", "token": token, "outcome": outcome,
                            "id": event if outcome == "ok" and number % 2 else None})
            if outcome == "ok" or (outcome == "unknown" and chance.random() < 0.5):
                records.append({"Id": event, "State": "succeeded"})
                effects += [(token, event)] * chance.choice((1, 1, 1, 2))
        for name in chance.sample(names, 4):
            read(name, life + 1)
    # The last word on each name, so that each bug has something to break.
    for name in names:
        for value in (state(name, chance.randrange(1 << 60)), state(name, chance.randrange(1 << 60)), None):
            if value is None and (name.startswith(("function", "part")) or name[-1] in "024"):
                continue
            truth[name] = value
            entries.append({"do": "write", "name": name, "kind": "put", "state": value, "outcome": "ok", "life": 20})
        read(name, 20)
    calls = {"s3:GetObject": 500 + seed % 100, "lambda:Invoke": 300}
    usage = {"attempted": {name: count + 5 for name, count in calls.items()}, "answered": calls,
             "counted": {name: count + chance.randrange(6) for name, count in calls.items()},
             "invocations": sum(record["State"] == "succeeded" for record in records) + 3, "kills": 20}
    return {"entries": entries, "records": records, "effects": effects, "usage": usage}


def copied(case):
    """Deep enough: mutations replace fields and list elements."""
    return {"entries": [dict(entry) for entry in case["entries"]],
            "records": [dict(record) for record in case["records"]], "effects": list(case["effects"]),
            "usage": {**case["usage"], "counted": dict(case["usage"]["counted"])}}


def prove(case, every=True):
    """Feeds the judge each seeded bug; returns how many it reported. Raises when one goes unnoticed."""
    clean = judge(**case).wrong
    if clean:
        raise AssertionError(f"a good history is reported as bad: {clean[0]}")
    noticed = 0
    for name, mutate in SEEDED_BUGS.items():
        broken = copied(case)
        if not mutate(broken):
            if every:
                raise AssertionError(f"the history has nothing to break for: {name}")
            continue
        if not judge(**broken).wrong:
            raise AssertionError(f"the judge does not notice: {name}")
        noticed += 1
    return noticed


def self_test(seed, histories=30):
    return sum(prove(synthetic(seed + number)) for number in range(histories))
