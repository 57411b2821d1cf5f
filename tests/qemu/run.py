#!/usr/bin/python3
"""Runs the sandbox's tests in a virtual machine: another kernel, with the control groups that this machine may lack.

    tests/qemu/run.py --build build/release [LAYOUT ...] [-k SUITE] [--filter TESTS]

LAYOUT: v2, v1, hybrid (all three without one). Each is one boot of Debian's kernel under emulation (no KVM is asked for) on
disks that forget what was written. The guest prints a line for each suite and a last one with its result; without that line
the run failed. Everything lies under build/qemu; a machine that does not end within its time is ended.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

import image

PROJECT = pathlib.Path(__file__).resolve().parents[2]
COVERED = ("/tmp", "/run", "/dev", "/proc", "/sys")  # the guest mounts its own there
LAYOUTS = ("v2", "v1", "hybrid")
BOOT_MINUTES_MAX = 20
# Names in the build directory of what runs in the guest.
PROGRAMS = ("wolke", "src/sandbox/sandbox_test", "tests/hostile/hostile_test", "tests/hostile/hostile")
RESULT = re.compile(r"^qemu: result (\d+)\r?$")


def command(kernel, first_root, root, work, layout, build, options):
    arguments = ["console=ttyS0", "quiet", "loglevel=3", "panic=-1", "mitigations=off", f"wolke.layout={layout}",
                 f"wolke.build={build}"]
    if options.pattern:
        arguments.append(f"wolke.suite={options.pattern}")
    if options.filter:
        arguments.append(f"wolke.filter={options.filter}")
    if layout == "v2":
        arguments.append("cgroup_no_v1=all")
    program = pathlib.Path(shutil.which("qemu-system-x86_64") or sys.exit("qemu-system-x86_64 is not there: ./dev qemu"))
    share = program.parents[1] / "share"  # its firmware, also where ./dev unpacked it
    return [str(program), "-L", str(share / "qemu"), "-L", str(share / "seabios"), "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "3G",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-nic", "none", "-serial", "stdio",
            "-kernel", str(kernel), "-initrd", str(first_root), "-append", " ".join(arguments),
            "-drive", f"file={root},format=raw,if=virtio,snapshot=on",
            "-drive", f"file={work},format=raw,if=virtio,snapshot=on"]


def boot(arguments, log, scratch):
    """The guest's result, or 1 when it told none. What it prints goes to the log; its own lines also to our output."""
    scratch.mkdir(exist_ok=True)
    result = 1
    environment = dict(os.environ, TMPDIR=str(scratch))
    with open(log, "w", encoding="utf-8") as out, subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as machine:
        clock = threading.Timer(BOOT_MINUTES_MAX * 60, machine.kill)
        clock.start()
        try:
            for line in machine.stdout:
                text = line.decode(errors="replace").rstrip("\r\n")
                out.write(text + "\n")
                out.flush()
                if told := RESULT.match(text):
                    result = int(told.group(1))
                elif text.startswith("qemu: "):
                    print(text[6:], flush=True)
        finally:
            clock.cancel()
            machine.kill()
    shutil.rmtree(scratch, ignore_errors=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=pathlib.Path, help="a build directory with the programs")
    parser.add_argument("-k", dest="pattern", help="only suites whose name matches; _ is a space")
    parser.add_argument("--filter", help="of the suites in C++ only these tests, as for --gtest_filter")
    parser.add_argument("layouts", nargs="*", metavar="LAYOUT", help=f"of {', '.join(LAYOUTS)}")
    options = parser.parse_args()
    if unknown := set(options.layouts) - set(LAYOUTS):
        parser.error(f"there is no layout {', '.join(sorted(unknown))}")
    if covered := [place for place in COVERED if PROJECT.is_relative_to(place)]:
        parser.error(f"the guest has a {covered[0]} of its own, and the project at this path: clone it elsewhere")
    built = options.build.resolve()
    binaries = [built / name for name in PROGRAMS]
    if missing := [str(path) for path in binaries if not path.exists()]:
        parser.error("not built: " + ", ".join(missing))
    directory = PROJECT / "build/qemu"
    directory.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    kernel, first_root = image.make_kernel(directory, PROJECT)
    root = image.make_root(directory, PROJECT)
    work = image.make_work(directory, PROJECT, binaries)
    print(f"kernel {(kernel.parent / 'release').read_text()}, disks: {time.monotonic() - begin:.0f} s", flush=True)
    failed = []
    for layout in options.layouts or LAYOUTS:
        begin = time.monotonic()
        log = directory / f"{layout}.log"
        arguments = command(kernel, first_root, root, work, layout, built.relative_to(PROJECT), options)
        if boot(arguments, log, directory / "scratch") != 0:
            failed.append(layout)
            print("\n".join(log.read_text().splitlines()[-40:]))
        print(f"{layout}: {'FAILED' if layout in failed else 'passed'}, {time.monotonic() - begin:.0f} s,"
              f" output in {log.relative_to(PROJECT)}", flush=True)
    shutil.rmtree(work.parent, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
