"""One server that is killed again and again, with its clients: a lane. Lanes run side by side, each in a process, with a
data directory and a port of its own."""

import ctypes
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import history as histories
import selftest
import usage

LIFE_SECONDS_MAX = 0.9
RESTARTS_AT_ONCE = 10  # the launcher's own (src/sandbox/launcher.cc)
LONG_LIFE_SECONDS = 2.0  # every tenth: functions start, work and end in it
DRAIN_SECONDS_MAX = 240  # an event whose function failed is tried again after one minute, then two
EVENTS_LISTED_MAX = 1000
SHOWN_SECONDS = 10
PR_SET_PDEATHSIG = 1


def choose(chance, server):
    """How the next kill is done. A launcher that has seen many crashes in a row pauses before it starts the next server."""
    if server.in_a_row >= RESTARTS_AT_ONCE:
        return chance.choice(("tree", "launcher"))
    return chance.choices(("server", "tree", "launcher"), (80, 10, 10))[0]


def kill_often(server, clients, kills, chance, say):
    """The lives and deaths. Returns ({how: [seconds to the next successful call]}, what is wrong)."""
    recoveries, wrong, shown = {}, [], time.monotonic()
    for client in clients:
        client.start()
    for number in range(1, kills + 1):
        time.sleep(LONG_LIFE_SECONDS if number % 10 == 0 else chance.uniform(0, LIFE_SECONDS_MAX))
        how = choose(chance, server)
        seconds, bad = server.kill(how)
        recoveries.setdefault(how, []).append(seconds)
        wrong += [f"kill {number}: {text}" for text in bad]
        if time.monotonic() - shown > SHOWN_SECONDS:
            shown = time.monotonic()
            say(f"{number} of {kills} kills, {len(server.history.entries)} calls and observations")
    time.sleep(LIFE_SECONDS_MAX)
    for client in clients:
        client.ending.set()
    for client in clients:
        client.join(60)
        if client.is_alive():
            wrong.append(f"{type(client).__name__} hangs")
    return recoveries, wrong


def signed_get(server, path, query):
    """A call of wolke's own control service."""
    import botocore.auth
    import botocore.awsrequest
    import botocore.credentials
    url = f"{server.endpoint}{path}?{urllib.parse.urlencode(query)}"
    request = botocore.awsrequest.AWSRequest("GET", url)
    credentials = botocore.credentials.Credentials(
        server.credentials["aws_access_key_id"], server.credentials["aws_secret_access_key"])
    botocore.auth.SigV4Auth(credentials, "wolke", "us-east-1").add_auth(request)
    with urllib.request.urlopen(urllib.request.Request(url, headers=dict(request.headers)), timeout=60) as answer:
        return json.load(answer)


def event_records(server, functions):
    """Every record of the functions' events."""
    out = []
    for name in functions:
        found = signed_get(server, "/_wolke/events", {"FunctionArn": name, "MaxItems": EVENTS_LISTED_MAX})["Events"]
        if len(found) >= EVENTS_LISTED_MAX:
            raise AssertionError(f"{name} has more events than one listing shows")
        out += found
    return out


def drain(server, functions, say):
    """Waits until no event is pending."""
    deadline = time.monotonic() + DRAIN_SECONDS_MAX
    shown = begin = time.monotonic()
    while True:
        records = event_records(server, functions)
        pending = sum(record["State"] not in histories.TERMINAL for record in records)
        if not pending or time.monotonic() > deadline:
            return records, time.monotonic() - begin
        if time.monotonic() - shown > SHOWN_SECONDS:
            shown = time.monotonic()
            say(f"{len(records)} events, {pending} still pending")
        time.sleep(0.3)


def shown_by_cli(server, records):
    """`wolke events` shows the same records; returns what differs."""
    result = subprocess.run(
        [server.binary, "events", "--json", "--data-dir", str(server.data), "--endpoint", server.endpoint],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        return [f"wolke events: exit code {result.returncode}: {result.stderr.strip()}"]
    known = {record["Id"]: record["State"] for record in records}
    found = {record["Id"]: record["State"] for record in json.loads(result.stdout)["Events"]}
    if records and not found:
        return ["wolke events shows nothing"]
    return [f"wolke events shows {event} as {state}, the control service as {known.get(event)}"
            for event, state in found.items() if known.get(event) != state]


def effects_of(server, bucket):
    """(token, event id) of each object that a function left."""
    pages = server.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [tuple(entry["Key"].rsplit("/", 1)) for page in pages for entry in page.get("Contents", [])]


def live_and_die(options, directory, seed, kills, say):
    """Everything that needs the server. Returns (case for the judge, how fast it came back, what else is wrong)."""
    import load
    from server import Server
    chance = random.Random(seed)
    server = Server(options.binary, directory, options.runtimes)
    server.history = histories.History()
    try:
        server.first_start()
        functions = load.prepare(server, server.history, kills)
        clients = load.clients(server, server.history, chance)
        recoveries, wrong = kill_often(server, clients, kills, chance, say)
        for client in clients:
            client.verify_all()
        records, seconds = drain(server, functions, say)
        effects = effects_of(server, load.RESULTS)
        attempts = max((record.get("Attempts", 0) for record in records), default=0)
        say(f"{len(records)} events, at most {attempts} attempts, the last ended {seconds:.1f} s after the load")
        wrong += shown_by_cli(server, records)
        wrong += server.stop()
        case = {"entries": server.history.entries, "records": records, "effects": effects,
                "usage": usage.observed(server)}
    finally:
        if server.process and server.process.poll() is None:
            server.abandon()
    return case, recoveries, wrong


def run(options, number, directory, seed, kills):
    """One lane, in a process of its own, to its verdict."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is ended, too

    def say(text):
        print(f"lane {number}: {text}", flush=True)

    begin = time.monotonic()
    try:
        case, recoveries, wrong = live_and_die(options, directory, seed, kills, say)
    except AssertionError as error:  # a server that does not come back has lost everything
        return {"checked": 0, "kinds": {}, "recoveries": {}, "noticed": 0, "directory": directory, "counted": 0,
                "wrong": [f"the server does not serve: {error}"]}
    verdict = histories.judge(**case)
    wrong += verdict.wrong
    noticed = 0
    if wrong:
        pathlib.Path(directory, "history.json").write_text(json.dumps(case))
    else:
        noticed = selftest.prove(case, every=False) if options.self_test else 0
        shutil.rmtree(directory)
    say(f"{kills} kills, {len(wrong)} lost, {verdict.checked} acknowledged effects checked, "
        f"{time.monotonic() - begin:.0f} s")
    return {"checked": verdict.checked, "kinds": verdict.kinds, "recoveries": recoveries, "noticed": noticed,
            "directory": directory, "counted": usage.counted_calls(case["usage"]), "wrong": wrong}
