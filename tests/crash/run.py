#!/usr/bin/env python3
"""Kills the real server at random moments under a mixed load and checks every acknowledged effect; cuts the power of the
simulated disk a hundred times as often. The last line says how many effects were checked and how many were lost.

    run.py --binary build/release/wolke --kills 300 [--seed S] [--store-test PATH]   exit 1: something is lost
    run.py --self-test                                                            the judge notices seeded bugs
"""

import argparse
import collections
import concurrent.futures
import multiprocessing
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import lane
import selftest

SKIPPED = 77
CUTS_PER_KILL = 100
CUTS_PER_RUN = 3  # the simulation's own mean is a little more
KILLS_PER_LANE_MIN = 10  # fewer in one lane check little of what many kills in a row do
SHOWN_MAX = 20


def say(text):
    print(text, flush=True)


def begin_cuts(options):
    """Starts the simulated power cuts, in as many processes as lanes and below their priority; the first also proves that
    the store's own seeded bugs are noticed."""
    runs = max(1, CUTS_PER_KILL * options.kills // CUTS_PER_RUN // options.lanes + 1)
    processes = []
    for number in range(options.lanes):
        environment = dict(os.environ, WOLKE_SIM_RUNS=str(runs), WOLKE_SIM_SEED=str(options.seed + number * runs))
        tests = "StoreSimulation.*" if number else "StoreSimulation.*:*SeededBug*"
        processes.append(subprocess.Popen(
            ["nice", "-n", "5", options.store_test, f"--gtest_filter={tests}"], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace"))
    return processes


def end_cuts(processes):
    """How many power cuts lost nothing; None: something is lost."""
    cuts, batches, bugs = 0, 0, 0
    for process in processes:
        output, _ = process.communicate()
        counts = re.search(r"store simulation: .*?(\d+) power cuts.*? (\d+) batches acknowledged", output)
        if process.returncode != 0 or not counts:
            say(output + "\nthe simulation failed")
            return None
        cuts, batches = cuts + int(counts[1]), batches + int(counts[2])
        bugs += len(re.findall(r" is noticed by run ", output))
    say(f"simulated disk: {cuts} power cuts, {batches} batches acknowledged, 0 lost; {bugs} seeded bugs noticed")
    return cuts


def report_recoveries(lanes):
    recoveries = collections.defaultdict(list)
    for found in lanes:
        for how, seconds in found["recoveries"].items():
            recoveries[how] += seconds
    for how, seconds in sorted(recoveries.items()):
        seconds.sort()
        say(f"kill -9 of the {how}: {len(seconds)}; until the next successful call {seconds[len(seconds) // 2] * 1000:.0f} ms "
            f"(median), {seconds[-1] * 1000:.0f} ms (longest)")


def kill_in_lanes(options):
    """The lanes' findings."""
    lanes = min(options.lanes, max(1, options.kills // KILLS_PER_LANE_MIN))
    shares = [options.kills // lanes + (number < options.kills % lanes) for number in range(lanes)]
    chance = random.Random(options.seed)
    with concurrent.futures.ProcessPoolExecutor(lanes, multiprocessing.get_context("fork")) as processes:
        running = [processes.submit(lane.run, options, number, tempfile.mkdtemp(prefix="wolke-crash-"),
                                    chance.getrandbits(60), kills) for number, kills in enumerate(shares, 1)]
        return [one.result() for one in running]


def crash(options):
    begin = time.monotonic()
    say(f"seed {options.seed}")
    cuts = begin_cuts(options) if options.store_test else []
    try:
        lanes = kill_in_lanes(options)
        survived = end_cuts(cuts) if cuts else 0
    finally:
        for process in cuts:
            if process.poll() is None:
                process.kill()
                process.wait()
    if not cuts:
        say(f"skipped: {CUTS_PER_KILL * options.kills} simulated power cuts (no --store-test)")
    report_recoveries(lanes)
    kinds = sum((collections.Counter(found["kinds"]) for found in lanes), collections.Counter())
    say(", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    say(f"usage: {sum(found['counted'] for found in lanes)} calls counted once")
    lost = sum(len(found["wrong"]) for found in lanes)
    for found in lanes:
        if found["wrong"]:
            say("\n".join(found["wrong"][:SHOWN_MAX]))
            say(f"{len(found['wrong'])} violations; data, log and history are in {found['directory']}")
    if options.self_test and not lost:
        say(f"self-test: {sum(found['noticed'] for found in lanes)} seeded bugs in these very histories reported")
    checked = sum(found["checked"] for found in lanes)
    say(f"crash: {options.kills} kills, {survived or 0} power cuts, {lost + (survived is None)} lost, "
        f"{checked} acknowledged effects checked, {time.monotonic() - begin:.0f} s")
    return 1 if lost or survived is None else 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, help="the server")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--lanes", type=int, default=os.cpu_count() or 1, help="servers that are killed side by side")
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
