"""Custom runtimes over the Runtime API, well-behaved and not: whatever one sends is its own function's result, and the next
invocation is served."""
import json
import unittest

from aws import needs_python_inside
from running import RunningCase

BOOTSTRAP = """#!/usr/bin/python3
import http.client, json, os, socket, sys, threading, time
ADDRESS = os.environ["AWS_LAMBDA_RUNTIME_API"]
def connect(): return http.client.HTTPConnection(ADDRESS)
api = connect()
def ask(method, path, body=None, headers={}, over=None):
    over = over or api
    over.request(method, "/2018-06-01/runtime/" + path, body, headers)
    got = over.getresponse()
    return got.status, {name.lower(): value for name, value in got.getheaders()}, got.read()
def next_event():
    status, headers, event = ask("GET", "invocation/next")
    return headers["lambda-runtime-aws-request-id"], json.loads(event), headers
def respond(ident, value): return ask("POST", f"invocation/{ident}/response", json.dumps(value))[0]
def raw(data):
    with socket.create_connection(tuple(ADDRESS.split(":"))) as s:
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            return s.makefile("rb").readline().decode(errors="replace").strip()
        except OSError:
            return "reset"
"""


@needs_python_inside
class CustomRuntime(RunningCase):
    def custom(self, source, **configuration):
        configuration.setdefault("Timeout", 10)
        return self.deploy({"bootstrap": (BOOTSTRAP + source, 0o100755)}, "provided.al2023", "any.handler", MemorySize=256, **configuration)

    def test_what_an_invocation_brings(self):
        self.custom("while True:\n    ident, event, headers = next_event()\n"
                    "    respond(ident, [event, {k: v for k, v in headers.items() if k.startswith('lambda-')}, dict(os.environ)])\n")
        event, headers, environment = self.answer({"a": 1})
        self.assertEqual(event, {"a": 1})
        self.assertEqual((headers["lambda-runtime-aws-request-id"], headers["lambda-runtime-invoked-function-arn"]),
                         (self.request_id, self.arn(self.function)))
        self.assertRegex(headers["lambda-runtime-deadline-ms"], r"^\d{13}$")
        self.assertRegex(headers["lambda-runtime-trace-id"], r"^Root=1-")
        self.assertEqual((environment["_HANDLER"], environment["AWS_LAMBDA_RUNTIME_API"]), ("any.handler", "127.0.0.1:9001"))
        self.assertNotIn("AWS_EXECUTION_ENV", environment)

    def test_answers_in_every_form(self):
        self.custom("while True:\n    ident, event, _ = next_event()\n"
                    "    body, headers = event['body'].encode(), event.get('headers', {})\n"
                    "    if event.get('pieces'): body = (piece.encode() for piece in event['pieces'])\n"
                    "    ask('POST', f'invocation/{ident}/response', body, headers)\n")
        for event, expected in (({"body": "no JSON"}, b"no JSON"), ({"body": ""}, b""),
                                ({"body": "", "pieces": ["in ", "chunks"]}, b"in chunks"),
                                ({"body": "", "pieces": ["a", "b"], "headers": {"Lambda-Runtime-Function-Response-Mode": "streaming"}}, b"ab")):
            with self.subTest(event):
                out = self.functions.invoke(FunctionName=self.function, Payload=json.dumps(event))
                self.assertEqual((out.get("FunctionError"), out["Payload"].read()), (None, expected))

    def test_errors_in_every_form(self):
        self.custom("while True:\n    ident, event, _ = next_event()\n"
                    "    ask('POST', f'invocation/{ident}/error', event['body'], {'Lambda-Runtime-Function-Error-Type': 'Custom.Kind'})\n")
        self.assertEqual(self.fault({"body": '{"errorType":"Own","errorMessage":"words"}'}), ("Own", "words"))
        for body in ("{no JSON", "", "\x00\x01"):
            with self.subTest(body):
                self.assertEqual(self.fault({"body": body})[0], "Custom.Kind")

    def test_an_init_error_that_is_no_json(self):
        self.custom("ask('POST', 'init/error', '<xml/>', {'Lambda-Runtime-Function-Error-Type': 'Custom.Init'})\nsys.exit(1)\n")
        self.assertEqual(self.fault()[0], "Custom.Init")
        self.assertIn("Phase: init\tStatus: error\tError Type: Custom.Init\n", self.log)

    def test_wrong_ids_and_second_answers_are_refused(self):
        self.custom("last = 'none'\nwhile True:\n    ident, event, _ = next_event()\n"
                    "    seen = [respond(last, 0), respond('..%2f..', 0), respond(ident.upper() + 'x', 0), ask('POST', f'invocation/{last}/error', '{}')[0],\n"
                    "            ask('GET', f'invocation/{ident}/response')[0], ask('POST', 'invocation/next')[0], ask('GET', '../../etc/passwd')[0]]\n"
                    "    respond(ident, seen)\n    print('again:', respond(ident, 'forged'), flush=True)\n    last = ident\n")
        for _ in range(2):
            self.assertEqual(self.answer(), [400, 400, 400, 400, 404, 404, 404])
        self.assertTrue(any(event == "again: 400\n" for event in self.events("again: ")))

    def test_a_second_poll_at_the_same_time_is_refused(self):
        self.custom("seen = []\ndef poll():\n    over = connect()\n    seen.append(ask('GET', 'invocation/next', over=over))\n"
                    "ident, event, _ = next_event()\nthreads = [threading.Thread(target=poll) for _ in range(3)]\nrespond(ident, 'first')\n"
                    "for t in threads: t.start()\n"
                    "while len(seen) < 3: time.sleep(0.01)\n"
                    "ident = next(h['lambda-runtime-aws-request-id'] for s, h, _ in seen if s == 200)\n"
                    "respond(ident, sorted(s for s, _, _ in seen))\nnext_event()\n")
        self.assertEqual(self.answer(), "first")
        self.assertEqual(self.answer(), [200, 403, 403])

    def test_requests_that_are_no_http_or_too_large(self):
        self.custom("ident, event, _ = next_event()\n"
                    "head = b'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n'\n"
                    "seen = [raw(b'\\xff\\x00' * 500), raw(head + b'X: ' + b'a' * 200000 + b'\\r\\n\\r\\n'), raw(head + b'X: y\\r\\n' * 5000 + b'\\r\\n'),\n"
                    "        raw(b'GET /' + b'a' * 100000 + b' HTTP/1.1\\r\\n\\r\\n'), raw(head + b'Content-Length: -1\\r\\n\\r\\n'),\n"
                    "        raw(head + b'Content-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n')]\n"
                    "respond(ident, seen)\nnext_event()\n")
        for status in self.answer():
            self.assertRegex(status, r"^(HTTP/1\.1 4\d\d .*|reset|)$")

    def test_an_answer_that_never_ends_times_out(self):
        self.custom("while True:\n    ident, event, _ = next_event()\n    if event.get('ok'): respond(ident, 'ok'); continue\n"
                    "    s = socket.create_connection(tuple(ADDRESS.split(':')))\n"
                    "    s.sendall(f'POST /2018-06-01/runtime/invocation/{ident}/response HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 99\\r\\n\\r\\nabc'.encode())\n"
                    "    threading.Event().wait()\n", Timeout=1)
        self.assertEqual(self.fault()[0], "Sandbox.Timedout")
        self.assertEqual(self.answer({"ok": 1}), "ok")

    def test_a_runtime_that_stops_polling_costs_one_invocation(self):
        self.custom("ident, event, _ = next_event()\nrespond(ident, 'answered')\nthreading.Event().wait()\n", Timeout=1)
        self.assertEqual(self.answer(), "answered")
        self.assertEqual(self.fault()[0], "Sandbox.Timedout")
        self.assertEqual(self.answer(), "answered")

    def test_a_runtime_that_ends(self):
        self.custom("while True:\n    ident, event, _ = next_event()\n    if event.get('before') is not None: sys.exit(event['before'])\n"
                    "    respond(ident, 'answered')\n    if event.get('after') is not None: os._exit(event['after'])\n")
        kind, message = self.fault({"before": 9})
        self.assertEqual(kind, "Runtime.ExitError")
        self.assertTrue(message.endswith("Runtime exited with error: exit status 9"), message)
        self.assertEqual(self.answer({"after": 1}), "answered")
        self.assertEqual(self.answer(), "answered")

    def test_many_connections_and_a_flood_of_requests(self):
        self.custom("ident, event, _ = next_event()\nheld = []\n"
                    "try:\n    while len(held) < 900: held.append(socket.create_connection(tuple(ADDRESS.split(':'))))\nexcept OSError: pass\n"
                    "seen = {ask('GET', 'invocation/next')[0] for _ in range(500)}\n"
                    "respond(ident, [len(held) > 100, sorted(seen)])\nnext_event()\n", Timeout=30)
        self.assertEqual(self.answer(), [True, [403]])

    def test_no_bootstrap(self):
        self.deploy({"other": "x"}, "provided.al2023", "any")
        self.assertEqual(self.fault(), ("Runtime.InvalidEntrypoint",
                                        "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"))


if __name__ == "__main__":
    unittest.main()
