#!/usr/bin/env python3
"""Kills the real server at random moments under a mixed load, and cuts the power of the simulated disk a hundred times
as often; checks every acknowledged effect. The last line says how many and that none was lost.

    run.py --binary build/release/wolke --kills 300 [--seed S] [--power-cuts N]

The power cuts (and the proof that seeded bugs are noticed) are store_test's simulation, beside the binary.
"""

import argparse
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import load
import model as models
from server import Server

WRITERS = 4
LIFE_SECONDS_MAX = 0.8
EVENT_SECONDS_MAX = 180  # a function error is tried again after one minute, and two minutes after that
POWER_CUTS_PER_RUN = 3  # the simulation's own mean is a little more


def simulate(binary, power_cuts):
    """The simulated power cuts, then the seeded bugs; returns what the simulation counted."""
    test = binary.parent / "src" / "store" / "store_test"
    environment = dict(os.environ, WOLKE_SIM_RUNS=str(max(1, power_cuts // POWER_CUTS_PER_RUN)))
    result = subprocess.run([test, "--gtest_filter=StoreSimulation.*:*SeededBug*"], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", check=False)
    if result.returncode != 0:
        sys.exit(result.stdout + "\nthe simulation failed")
    counts = re.search(r"store simulation: .*? (\d+) power cuts.* (\d+) batches acknowledged", result.stdout)
    bugs = len(re.findall(r" is noticed by run ", result.stdout))
    return int(counts[1]), int(counts[2]), bugs


def live_and_die(server, model, chance):
    """One life: load for a random time, then SIGKILL in the middle of it."""
    writers = [load.Writer(server, model, number, chance.getrandbits(60)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    time.sleep(chance.uniform(0, LIFE_SECONDS_MAX))
    server.kill()
    for writer in writers:
        writer.join(timeout=30)
        if writer.error:
            raise AssertionError(f"a call failed while the server was up: {writer.error}")


def wait_for_events(server, model):
    deadline = time.monotonic() + EVENT_SECONDS_MAX
    missing = load.missing_events(server, model)
    while missing and time.monotonic() < deadline:
        time.sleep(0.5)
        missing = load.missing_events(server, model)
    return [f"{name}: acknowledged, never handled" for name in missing]


def kill_for(binary, kills, seed, directory):
    chance = random.Random(seed)
    model = models.Model()
    server = Server(str(binary), directory)
    starts = [server.start()]
    try:
        load.prepare(server, model, WRITERS)
        for number in range(kills):
            live_and_die(server, model, chance)
            starts.append(server.start())
            wrong = load.check(server, model)
            if wrong:
                return model, starts, [f"after kill {number + 1} (seed {seed}): {message}" for message in wrong]
        return model, starts, wait_for_events(server, model)
    finally:
        if server.process.poll() is None:
            server.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--power-cuts", type=int, help="default: 100 for each kill")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    options = parser.parse_args()
    models.prove_model()
    binary = options.binary.resolve()
    cuts, batches, bugs = simulate(binary, options.power_cuts or 100 * options.kills)
    print(f"{bugs} seeded bugs noticed; {cuts} simulated power cuts, {batches} batches acknowledged, 0 lost", flush=True)
    directory = tempfile.mkdtemp(prefix="wolke-crash-")
    model, starts, wrong = kill_for(binary, options.kills, options.seed, directory)
    if wrong:
        print("\n".join(wrong), f"the data is in {directory}", sep="\n")
        sys.exit(1)
    shutil.rmtree(directory)
    starts.sort()
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(model.acknowledgements.items()))
    print(f"ready again after {starts[len(starts) // 2]:.0f} ms (median), {starts[-1]:.0f} ms (longest); {kinds}")
    print(f"crash: {options.kills} kills, {model.total()} acknowledged effects, {cuts} power cuts; 0 lost")


if __name__ == "__main__":
    main()
