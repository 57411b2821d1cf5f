#!/usr/bin/python3
"""The first process of the guest: mounts what a system has, lays the control groups out as asked, runs the suites, says the
result and switches the machine off. It runs from the work disk, as root, in the guest only.
"""
import ctypes
import fcntl
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
GROUPS = pathlib.Path("/sys/fs/cgroup")
LEGACY = ("memory", "cpu", "cpuacct", "pids", "devices", "freezer")
SUITE_SECONDS_MAX = 600
# Timed promises are not for an emulated machine.
TESTS = "-LauncherTest.a_killed_server_runs_again_within_200_ms"
USER = 1000
POWER_OFF = 0x4321FEDC  # reboot(2)
libc = ctypes.CDLL(None, use_errno=True)


def say(text):
    print(f"qemu: {text}", flush=True)


def mount(kind, target, options=""):
    target = pathlib.Path(target)
    target.mkdir(parents=True, exist_ok=True)
    if libc.mount(kind.encode(), str(target).encode(), kind.encode(), 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"mount {kind} at {target}")


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING


def base_system():
    mount("proc", "/proc")
    mount("sysfs", "/sys")
    mount("devpts", "/dev/pts")
    for place in ("/dev/shm", "/run", "/tmp"):
        mount("tmpfs", place, "mode=1777")
    os.symlink("/proc/self/fd", "/dev/fd")
    loopback_up()
    socket.sethostname("guest")
    os.environ.update(PATH="/usr/sbin:/usr/bin", HOME="/root", LANG="C.UTF-8")


def lay_out(layout):
    if layout == "v2":
        mount("cgroup2", GROUPS)
        return
    mount("tmpfs", GROUPS, "mode=755")
    for controller in LEGACY:
        mount("cgroup", GROUPS / controller, controller)
    if layout == "hybrid":
        mount("cgroup2", GROUPS / "unified")


def hierarchies(layout):
    if layout == "v2":
        return [GROUPS]
    return [GROUPS / name for name in (*LEGACY, *(["unified"] if layout == "hybrid" else []))]


def groups_of_ours(layout):
    """Control groups that a launcher or a test made and left."""
    return [str(path) for top in hierarchies(layout) for path in top.rglob("wolke-*") if path.is_dir()]


def own_group(layout, name, owner=0):
    """A group of the suite's own in each hierarchy, as a service or a user's session has; returns them."""
    made = []
    for top in hierarchies(layout):
        if layout == "v2":
            # What systemd does at the top; wolke must cope with both.
            (top / "cgroup.subtree_control").write_text("+memory +pids +cpu")
        group = top / name
        group.mkdir()
        if owner:
            for file in (group, group / "cgroup.procs", group / "cgroup.subtree_control", group / "cgroup.threads"):
                if file.exists():
                    os.chown(file, owner, owner)
        made.append(group)
    return made


def suites(layout, build):
    """(name, uid, in a group of its own, command)."""
    sandbox, hostile = build / "src/sandbox/sandbox_test", build / "tests/hostile/hostile_test"
    areas = ["/usr/bin/python3", "-u", str(PROJECT / "tests/run.py"), "--binary", str(build / "wolke")]
    yield "sandbox", 0, False, [sandbox]
    yield "sandbox as a service", 0, True, [sandbox]
    if layout == "v2":
        yield "sandbox in a container", 0, True, ["unshare", "--cgroup", "--mount", "--", "sh", "-c",
                                                  f"umount {GROUPS} && mount -t cgroup2 none {GROUPS} && exec {sandbox}"]
        yield "sandbox of a user, delegated", USER, True, [sandbox]
    yield "sandbox of a user", USER, False, [sandbox]
    yield "hostile", 0, False, [hostile]
    yield "doctor", 0, True, [build / "wolke", "doctor"]
    yield "functions", 0, True, [*areas, "limits"]


def run_suite(number, layout, suite, tests):
    """True when it passed and left no control group."""
    name, uid, grouped, command = suite
    groups = own_group(layout, f"suite{number}", uid) if grouped else []

    def enter():
        for group in groups:
            (group / "cgroup.procs").write_text("0")
        if uid:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
    say(f"{layout}: {name} …")
    begin = time.monotonic()
    environment = dict(os.environ, HOME="/home/user" if uid else "/root", GTEST_COLOR="no", GTEST_FILTER=tests)
    try:
        code = subprocess.run([str(word) for word in command], preexec_fn=enter, env=environment, cwd="/tmp",
                              stdin=subprocess.DEVNULL, timeout=SUITE_SECONDS_MAX).returncode
    except subprocess.TimeoutExpired:
        code = "timeout"
    left = groups_of_ours(layout)
    passed = code in (0, 77) and not left
    say(f"{layout}: {name}: {'passed' if passed else f'FAILED ({code})'}, {time.monotonic() - begin:.0f} s"
        + (f", left behind: {left}" if left else ""))
    return passed


def run_all():
    options = dict(word.partition("=")[::2] for word in pathlib.Path("/proc/cmdline").read_text().split())
    layout, pattern = options["wolke.layout"], options.get("wolke.suite", "").replace("_", " ")
    lay_out(layout)
    say(f"{layout}: Linux {os.uname().release}, {os.cpu_count()} processors")
    chosen = [s for s in suites(layout, PROJECT / options["wolke.build"]) if re.search(pattern, s[0])]
    passed = [run_suite(number, layout, suite, options.get("wolke.filter", TESTS)) for number, suite in enumerate(chosen)]
    return 0 if passed and all(passed) else 1


def main():
    result = 1
    try:
        base_system()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = run_all()
            finally:
                os._exit(code)
        while (ended := os.wait())[0] != child:
            pass  # an orphan; the first process reaps them all
        result = os.waitstatus_to_exitcode(ended[1])
    finally:
        sys.stdout.flush()
        say(f"result {1 if result else 0}")
        os.sync()
        libc.reboot(POWER_OFF)


if __name__ == "__main__":
    main()
