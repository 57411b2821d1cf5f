"""Extensions that tests put into layers, written in Python, shell and C against the documented API."""
import pathlib
import subprocess
import tempfile

PYTHON = """#!/usr/bin/python3
import http.client, http.server, json, os, socket, sys, threading, time
ADDRESS, NAME = os.environ["AWS_LAMBDA_RUNTIME_API"], os.path.basename(sys.argv[0])
def ask(method, path, body=None, **headers):
    api = http.client.HTTPConnection(ADDRESS)
    api.request(method, path, body, {"Lambda-Extension-" + k.replace("_", "-"): v for k, v in headers.items()})
    got = api.getresponse()
    return got.status, got.headers, got.read().decode()
def register(*events):
    status, headers, body = ask("POST", "/2020-01-01/extension/register", json.dumps({"events": events}), Name=NAME, Accept_Feature="accountId")
    return headers["Lambda-Extension-Identifier"], body
def next_event(ident): return json.loads(ask("GET", "/2020-01-01/extension/event/next", Identifier=ident)[2])
def say(*words): print(NAME, *words, flush=True)
"""
OBEDIENT = PYTHON + """
ident, told = register("INVOKE", "SHUTDOWN")
say("told", told)
while True:
    event = next_event(ident)
    say(event["eventType"], json.dumps(event))
    if event["eventType"] == "SHUTDOWN": break
"""
# A custom runtime with an extension inside, which is told of the end by a signal.
INTERNAL = PYTHON + """
import signal
def end(*_):
    print("terminated", flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
NAME = "inner"
ident, _ = register("INVOKE")
def watch():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # Python's handlers run in the main thread, which must wake for it
    while True: say(next_event(ident)["eventType"])
threading.Thread(target=watch, daemon=True).start()
while True:
    status, headers, event = ask("GET", "/2018-06-01/runtime/invocation/next")
    ask("POST", f"/2018-06-01/runtime/invocation/{headers['Lambda-Runtime-Aws-Request-Id']}/response", event)
"""
# Agents inside our own runtimes.
INSIDE_PYTHON = {"app.py": PYTHON.replace("NAME = os.environ[\"AWS_LAMBDA_RUNTIME_API\"], os.path.basename(sys.argv[0])",
                                          "NAME = os.environ[\"AWS_LAMBDA_RUNTIME_API\"], 'agent'") + """
import signal
def end(*_):
    say("terminated")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
ident, _ = register("INVOKE")
def watch():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # Python's handlers run in the main thread, which must wake for it
    while True: say(next_event(ident)["eventType"])
threading.Thread(target=watch, daemon=True).start()
def handler(event, context): return event
"""}
INSIDE_NODE = {"index.mjs": """
const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2020-01-01/extension/`;
const registered = await fetch(api + "register", { method: "POST", body: '{"events":["INVOKE"]}',
                                                   headers: { "Lambda-Extension-Name": "agent" } });
const headers = { "Lambda-Extension-Identifier": registered.headers.get("lambda-extension-identifier") };
process.on("SIGTERM", () => { process.stdout.write("terminated\\n"); process.exit(0); });
(async () => {
  for (;;) {
    const event = await (await fetch(api + "event/next", { headers })).json();
    process.stdout.write(`agent ${event.eventType}\\n`);
  }
})();
export const handler = async (event) => event;
"""}
SHELL = """#!/bin/bash
set -eu
api=http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension
headers=/tmp/headers
curl -sS -D $headers -o /dev/null -H "Lambda-Extension-Name: ${0##*/}" -d '{"events":["INVOKE","SHUTDOWN"]}' $api/register
id=$(sed -n 's/\\r$//; s/^[Ll]ambda-[Ee]xtension-[Ii]dentifier: //p' $headers)
while true; do
  event=$(curl -sS -H "Lambda-Extension-Identifier: $id" $api/event/next)
  echo "shell got $event"
  case $event in *SHUTDOWN*) exit 0;; esac
done
"""
C = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static char answer[8192];
static void ask(const char* request) {
  char address[64]; strcpy(address, getenv("AWS_LAMBDA_RUNTIME_API"));
  char* colon = strchr(address, ':'); *colon = 0;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(colon + 1))};
  inet_pton(AF_INET, address, &to.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr*)&to, sizeof to) || write(fd, request, strlen(request)) < 0) exit(1);
  size_t got = 0;
  for (ssize_t n; (n = read(fd, answer + got, sizeof answer - 1 - got)) > 0;) got += n;
  answer[got] = 0;
  close(fd);
}
int main(void) {
  ask("POST /2020-01-01/extension/register HTTP/1.1\r\nHost: x\r\nConnection: close\r\nLambda-Extension-Name: native\r\n"
      "Content-Length: 32\r\n\r\n{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}");
  char id[64], request[256];
  char* at = strcasestr(answer, "lambda-extension-identifier: ");
  if (!at || sscanf(at + 29, "%63s", id) != 1) return 2;
  snprintf(request, sizeof request, "GET /2020-01-01/extension/event/next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
           "Lambda-Extension-Identifier: %s\r\n\r\n", id);
  for (;;) {
    ask(request);
    printf("native got %s\n", strstr(answer, "\r\n\r\n") + 4);
    fflush(stdout);
    if (strstr(answer, "SHUTDOWN")) return 0;
  }
}
"""


def compiled():
    """The C program as a static executable; None without a compiler."""
    with tempfile.TemporaryDirectory() as directory:
        source, program = pathlib.Path(directory, "native.c"), pathlib.Path(directory, "native")
        source.write_text(C)
        for compiler in ("clang-19", "cc"):
            try:
                done = subprocess.run([compiler, "-static", "-D_GNU_SOURCE", "-O1", "-w", "-o", program, source], capture_output=True)
            except FileNotFoundError:
                continue
            if done.returncode == 0:
                return program.read_bytes()
    return None
