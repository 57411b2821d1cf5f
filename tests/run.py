#!/usr/bin/python3
"""Runs the black-box tests of one area against the real server.

    tests/run.py --binary PATH AREA [--serve] [-k PATTERN]

Starts the server on a port and a data directory of its own, runs tests/AREA/test_*.py (unittest), stops the server, and
fails when a test failed, when the server did not end cleanly or when it left a process behind. A test finds the server by
WOLKE_ENDPOINT and the credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; WOLKE_BINARY names the program, and
tests/server.py starts more of them. Skips are named and counted; an area of which all is skipped ends with 77.
"""
import argparse
import os
import pathlib
import signal
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77


def load(area, pattern):
    directory = HERE / area
    sys.path[:0] = [str(directory)]
    sys.path.append(str(HERE))
    loader = unittest.TestLoader()
    if pattern:
        loader.testNamePatterns = [pattern if "*" in pattern else f"*{pattern}*"]
    return loader.discover(str(directory), pattern="test_*.py", top_level_dir=str(directory))


def run(area, pattern):
    suite = load(area, pattern)
    begin = time.monotonic()
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
    for test, reason in result.skipped:
        print(f"skipped: {test.id()}: {reason}")
    bad = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    # A class that is skipped whole counts as one skip, and none of its tests as run.
    passed = result.testsRun - bad - sum(isinstance(test, unittest.TestCase) for test, _ in result.skipped)
    print(f"{area}: {passed} passed, {bad} failed, {len(result.skipped)} skipped, {time.monotonic() - begin:.1f} s")
    if bad:
        return 1
    if result.testsRun == 0 and not result.skipped:
        print(f"{area}: there is no such test")
        return 1
    return SKIPPED if passed <= 0 else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--serve", action="store_true", help="`wolke serve` with its root's key, not `wolke dev`")
    parser.add_argument("-k", dest="pattern", help="only tests whose name matches")
    parser.add_argument("area")
    options = parser.parse_args()
    if not (HERE / options.area).is_dir():
        parser.error(f"there is no area {options.area}")
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is stopped, too
    sys.path.append(str(HERE))
    from server import Server, clean_environment
    environment = clean_environment(WOLKE_BINARY=str(options.binary.resolve()), PYTHONDONTWRITEBYTECODE="1")
    os.environ.clear()
    os.environ.update(environment)
    server = Server(options.binary.resolve(), serve=options.serve).start()
    os.environ.update(server.environment())
    code = 1
    try:
        code = run(options.area, options.pattern)
    finally:
        log = server.log()
        try:
            server.stop()
        except AssertionError as fault:
            print(f"{options.area}: {fault}")
            code = 1
        else:
            if code == 1:
                print("the server's log ends:\n" + log[-4000:])
    return code


if __name__ == "__main__":
    sys.exit(main())
