#!/usr/bin/env python3
"""Kills the real server at random moments under a mixed load and checks every acknowledged effect; cuts the power of the
simulated disk a hundred times as often. The last line says how many effects were checked and how many were lost.

    run.py --binary build/release/wolke --kills 300 [--seed S] [--store-test PATH]   exit 1: something is lost
    run.py --self-test                                                            the judge notices seeded bugs
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import history as histories
import selftest

SKIPPED = 77
CUTS_PER_KILL = 100
CUTS_PER_RUN = 3  # the simulation's own mean is a little more
LIFE_SECONDS_MAX = 0.9
LONG_LIFE_SECONDS = 2.0  # every tenth: functions start, work and end in it
DRAIN_SECONDS_MAX = 240  # an event whose function failed is tried again after one minute, then two
EVENTS_LISTED_MAX = 1000
SHOWN_MAX = 20


def say(text):
    print(text, flush=True)


def simulate(test, kills):
    """The simulated power cuts and the store's own seeded bugs. Returns whether nothing is lost."""
    cuts = CUTS_PER_KILL * kills
    if test is None:
        say(f"skipped: {cuts} simulated power cuts (no --store-test)")
        return True
    environment = dict(os.environ, WOLKE_SIM_RUNS=str(max(1, cuts // CUTS_PER_RUN)))
    result = subprocess.run([test, "--gtest_filter=StoreSimulation.*:*SeededBug*"], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", check=False)
    counts = re.search(r"store simulation: .*?(\d+) power cuts.*? (\d+) batches acknowledged", result.stdout)
    if result.returncode != 0 or not counts:
        say(result.stdout + "\nthe simulation failed")
        return False
    bugs = len(re.findall(r" is noticed by run ", result.stdout))
    say(f"simulated disk: {counts[1]} power cuts, {counts[2]} batches acknowledged, 0 lost; {bugs} seeded bugs noticed")
    return True


def choose(chance, server):
    """How the next kill is done. The launcher pauses longer after each crash in a row, so it is replaced now and then."""
    if server.in_a_row >= 2:
        return chance.choice(("tree", "launcher"))
    return chance.choices(("server", "tree", "launcher"), (80, 10, 10))[0]


def kill_often(server, clients, kills, chance):
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
        if time.monotonic() - shown > 5:
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


def drain(server, functions):
    """Waits until no event is pending."""
    deadline = time.monotonic() + DRAIN_SECONDS_MAX
    shown = begin = time.monotonic()
    while True:
        records = event_records(server, functions)
        pending = sum(record["State"] not in histories.TERMINAL for record in records)
        if not pending or time.monotonic() > deadline:
            return records, time.monotonic() - begin
        if time.monotonic() - shown > 5:
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


def report_recoveries(recoveries):
    for how, seconds in sorted(recoveries.items()):
        seconds.sort()
        say(f"kill -9 of the {how}: {len(seconds)}; until the next successful call {seconds[len(seconds) // 2] * 1000:.0f} ms "
            f"(median), {seconds[-1] * 1000:.0f} ms (longest)")


def kill_for(options, directory):
    """Everything that needs the server. Returns (case for the judge, what else is wrong)."""
    import load
    from server import Server
    chance = random.Random(options.seed)
    server = Server(options.binary, directory, options.runtimes)
    server.history = histories.History()
    try:
        server.first_start()
        functions = load.prepare(server, server.history, options.kills)
        clients = load.clients(server, server.history, chance)
        recoveries, wrong = kill_often(server, clients, options.kills, chance)
        for client in clients:
            if hasattr(client, "verify_all"):
                client.verify_all()
        records, seconds = drain(server, functions)
        effects = effects_of(server, load.RESULTS)
        report_recoveries(recoveries)
        attempts = max((record.get("Attempts", 0) for record in records), default=0)
        say(f"{len(records)} events, at most {attempts} attempts, the last ended {seconds:.1f} s after the load")
        wrong += shown_by_cli(server, records)
        wrong += server.stop()
    finally:
        if server.process and server.process.poll() is None:
            server.abandon()
    return {"entries": server.history.entries, "records": records, "effects": effects}, wrong


def crash(options):
    simulated = simulate(options.store_test, options.kills)
    directory = tempfile.mkdtemp(prefix="wolke-crash-")
    say(f"seed {options.seed}")
    try:
        case, wrong = kill_for(options, directory)
    except AssertionError as error:  # a server that does not come back has lost everything
        say(f"{error}\ncrash: the server does not serve; data and log are in {directory}")
        return 1
    verdict = histories.judge(**case)
    wrong += verdict.wrong
    say(", ".join(f"{count} {kind}" for kind, count in sorted(verdict.kinds.items())))
    if wrong:
        pathlib.Path(directory, "history.json").write_text(json.dumps(case))
        say("\n".join(wrong[:SHOWN_MAX]))
        say(f"{len(wrong)} violations; data, log and history are in {directory}")
    else:
        if options.self_test:
            noticed = selftest.prove(case, every=False)
            say(f"self-test: {noticed} seeded bugs in this very history reported")
        shutil.rmtree(directory)
    say(f"crash: {options.kills} kills, {len(wrong)} lost, {verdict.checked} acknowledged effects checked")
    return 0 if simulated and not wrong else 1


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, help="the server")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--store-test", type=pathlib.Path,
                        help="store_test with the simulated disk (default: the one beside the binary, if any)")
    parser.add_argument("--runtimes", type=pathlib.Path, help="directory of the function runtimes")
    parser.add_argument("--self-test", action="store_true", help="prove that the judge notices seeded bugs")
    options = parser.parse_args()
    if not options.binary and not options.self_test:
        parser.error("--binary or --self-test")
    if options.binary:
        options.binary = options.binary.resolve()
        beside = options.binary.parent / "src" / "store" / "store_test"
        if options.store_test is None and beside.exists():
            options.store_test = beside
    return options


def main():
    options = parse()
    if options.self_test:
        histories_tried = 30
        noticed = selftest.self_test(options.seed, histories_tried)
        say(f"self-test: {histories_tried} good histories pass, {noticed} of {noticed} seeded bugs in them are reported")
    if not options.binary:
        return 0
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # nothing of the user's own AWS is read
    os.environ.update(AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null",
                      AWS_EC2_METADATA_DISABLED="true")
    try:
        import boto3  # noqa: F401
    except ImportError:
        say("skipped: crash needs python3-boto3")
        return SKIPPED
    return crash(options)


if __name__ == "__main__":
    sys.exit(main())
