"""What Lambda's Python runtimes promise to a function, its caller and its log."""
import base64
import errno
import json
import unittest

from running import RunningCase

HARD = "\u00a0"


class Python(RunningCase):
    def python(self, source, handler="app.handler", runtime="python3.11", file="app.py", more=None, **configuration):
        return self.deploy({file: source, **(more or {})}, runtime, handler, **configuration)

    # ---- how the handler is found

    def test_handlers_in_folders(self):
        for handler in ("src/app.handler", "src.app.handler"):
            with self.subTest(handler):
                self.python("def handler(event, context): return __name__", handler, file="src/app.py")
                self.assertEqual(self.answer(), "src.app")

    def test_handlers_that_cannot_be_found(self):
        for handler, source, expected in (
                ("app.nope", "", ("Runtime.HandlerNotFound", "Handler 'nope' missing on module 'app'")),
                ("app", "", ("Runtime.MalformedHandlerName", "Bad handler 'app': not enough values to unpack (expected 2, got 1)")),
                ("nope.handler", "", ("Runtime.ImportModuleError", "Unable to import module 'nope': No module named 'nope'")),
                ("app.handler", "import left_out", ("Runtime.ImportModuleError", "Unable to import module 'app': No module named 'left_out'")),
                ("sys.exit", "", ("Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module")),
                ("app.handler", "def handler(:", ("Runtime.UserCodeSyntaxError", "Syntax error in module 'app': invalid syntax (app.py, line 1)")),
                ("app.handler", "raise KeyError('while loading')", ("KeyError", "'while loading'"))):
            with self.subTest(handler=handler, source=source):
                self.python(source, handler)
                self.assertEqual(self.fault(), expected)
                self.assertIn(f"[ERROR] {expected[0]}: {expected[1]}\nTraceback (most recent call last):\n", self.log)
                self.assertRegex(self.log, rf"INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: error\tError Type: {expected[0]}\n")
                self.assertRegex(self.log, rf"INIT_REPORT Init Duration: [\d.]+ ms\tPhase: invoke\tStatus: error\tError Type: "
                                           rf"{expected[0]}\nSTART RequestId")
                self.assertRegex(self.log, rf"\tStatus: error\tError Type: {expected[0]}\n$")

    # ---- how it answers

    def test_what_is_written_as_json(self):
        for value, expected in (("None", b"null"), ("(1, 2)", b"[1, 2]"), ("{1: 'a'}", b'{"1": "a"}'), ("'\\u00fc'", b'"\\u00fc"'),
                                ("b'raw bytes'", b"raw bytes"),
                                ("[D('1.10'), {'n': D('0.12345678901234567890')}, D('1E+2'), D('-7')]",
                                 b'[1.10, {"n": 0.12345678901234567890}, 1E+2, -7]')):
            with self.subTest(value):
                self.python(f"from decimal import Decimal as D\ndef handler(event, context): return {value}")
                out = self.functions.invoke(FunctionName=self.function)
                self.assertEqual((out.get("FunctionError"), out["Payload"].read()), (None, expected))
        self.python("def handler(event, context): return '\\u00fc'", runtime="python3.12")
        self.assertEqual(self.functions.invoke(FunctionName=self.function)["Payload"].read(), '"ü"'.encode())

    def test_what_cannot_be_written_as_json(self):
        for value, kind in (("datetime.datetime.now()", "datetime"), ("{1, 2}", "set"), ("object()", "object"), ("{'a': b''}", "bytes")):
            with self.subTest(value):
                self.python(f"import datetime\ndef handler(event, context): return {value}")
                error, answer, log = self.call()
                text = f"Unable to marshal response: Object of type {kind} is not JSON serializable"
                self.assertEqual(answer, {"errorType": "Runtime.MarshalError", "errorMessage": text, "requestId": self.request_id,
                                          "stackTrace": []})
                self.assertIn(f"[ERROR] Runtime.MarshalError: {text}\nTraceback (most recent call last):\nEND ", log)

    def test_an_exception(self):
        self.python("class Odd(Exception): pass\ndef inner(): raise Odd('why')\ndef handler(event, context):\n    inner()\n")
        error, answer, log = self.call()
        self.assertEqual((error, answer["errorType"], answer["errorMessage"], answer["requestId"]),
                         ("Unhandled", "Odd", "why", self.request_id))
        self.assertEqual([line.split(",")[0] for line in answer["stackTrace"]], ['  File "/var/task/app.py"'] * 2)
        self.assertIn(f'[ERROR] Odd: why\nTraceback (most recent call last):\n{HARD * 2}File "/var/task/app.py", line 4, in handler\n'
                      f"{HARD * 4}inner()\n", log)
        self.assertNotIn("Status:", log)

    def test_an_exit(self):
        self.python("import os, sys\ndef handler(event, context):\n    if event.get('how') == 'sys': sys.exit(event['code'])\n"
                    "    if event.get('how') == 'os': os._exit(event['code'])\n    return 'lives'\n")
        for how, code, words in (("sys", 5, "Runtime exited with error: exit status 5"),
                                 ("os", 6, "Runtime exited with error: exit status 6"),
                                 ("sys", 0, "Runtime exited without providing a reason")):
            with self.subTest(how=how, code=code):
                self.assertEqual(self.fault({"how": how, "code": code}),
                                 ("Runtime.ExitError", f"RequestId: {self.request_id} Error: {words}"))
                self.assertIn(f"RequestId: {self.request_id} Error: {words}\nRuntime.ExitError\n", self.log)
        self.assertEqual(self.answer(), "lives")

    def test_a_timeout(self):
        self.python("import time\nprint('loaded')\ndef handler(event, context):\n    print('begun')\n    time.sleep(event['s'])\n", Timeout=1)
        self.assertEqual(self.fault({"s": 60}), ("Sandbox.Timedout", f"RequestId: {self.request_id} Error: Task timed out after 1.00 seconds"))
        self.assertRegex(self.log, rf"begun\n\d{{4}}-\d\d-\d\dT\S+Z {self.request_id} Task timed out after 1\.00 seconds\n\nEND RequestId: ")
        self.assertRegex(self.log, r"REPORT RequestId: \S+\tDuration: 1000\.00 ms\tBilled Duration: \d{4} ms\tMemory Size: 128 MB\t"
                                   r"Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\tStatus: timeout\n$")
        _, _, log = self.call({"s": 0})
        self.assertIn("loaded", log)  # in a new instance

    # ---- what it is given

    def test_the_context(self):
        custom = base64.b64encode(json.dumps({"client": {"app_title": "t"}, "custom": {"k": "v"}, "env": {"e": 1}}).encode()).decode()
        self.python("def handler(event, context):\n    c = context.client_context\n    context.log('logged by the context\\n')\n"
                    "    return {**{k: v for k, v in vars(context).items() if isinstance(v, str)}, 'left': context.get_remaining_time_in_millis(),\n"
                    "            'identity': [context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id],\n"
                    "            'client': [c.client.app_title, c.client.installation_id, c.custom, c.env] if c else None}\n", Timeout=9)
        context = self.answer(ClientContext=custom)
        self.assertTrue(1000 < context.pop("left") <= 9000)
        self.assertRegex(context.pop("log_stream_name"), r"^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$")
        self.assertEqual(context, {
            "aws_request_id": self.request_id, "function_name": self.function, "function_version": "$LATEST",
            "memory_limit_in_mb": "128", "log_group_name": "/aws/lambda/" + self.function,
            "invoked_function_arn": self.arn(self.function), "identity": [None, None], "client": ["t", None, {"k": "v"}, {"e": 1}]})
        _, answer, log = self.call()
        self.assertIsNone(answer["client"])
        self.assertIn("\nlogged by the context\n", log)

    def test_the_environment(self):
        self.python("import os, sys\ndef handler(event, context): return {**os.environ, 'cwd': os.getcwd(), 'path': sys.path}",
                    Environment={"Variables": {"AB": "1", "TZ": "Europe/Berlin"}})
        found = self.answer()
        expected = {"AB": "1", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "cwd": "/var/task",
                    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "LAMBDA_TASK_ROOT": "/var/task", "LANG": "en_US.UTF-8",
                    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin", "TZ": "Europe/Berlin", "_HANDLER": "app.handler"}
        self.assertEqual({name: found.get(name) for name in expected}, expected)
        self.assertEqual(found["path"][0], "/var/task")
        self.assertIn("/opt/python", found["path"])
        self.assertRegex(found["_X_AMZN_TRACE_ID"], "^Root=1-")

    def test_another_version_than_the_hosts_is_said(self):
        self.python("import sys\ndef handler(event, context): return '%d.%d' % sys.version_info[:2]", runtime="python3.9")
        version = self.answer()
        events = self.events("REPORT")
        self.assertTrue(events[0].startswith(f"INIT_START Runtime Version: python:{version}\tRuntime Version ARN: "), events[0])
        self.assertIn(f"runtime python3.9 runs on Python {version} here", events[1])

    def test_code_for_another_processor_is_said(self):
        self.python("def handler(event, context): return 1", Architectures=["arm64"])
        self.assertEqual(self.answer(), 1)
        self.assertIn("code for arm64 is on", self.events("REPORT")[1])

    # ---- the log

    def test_logging_has_lambdas_format(self):
        self.python("import logging\nlog = logging.getLogger('named')\nlogging.getLogger().setLevel('INFO')\n"
                    "def handler(event, context):\n    log.info('info\\nof two lines')\n    log.debug('not shown')\n    logging.warning('w %d', 1)\n"
                    "    try: 1 / 0\n    except ZeroDivisionError: log.exception('caught')\n    return len(logging.getLogger().handlers)\n")
        self.assertEqual(self.answer(), 1)
        events = [event for event in self.events("REPORT") if event.startswith("[")]
        stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
        self.assertRegex(events[0], rf"^\[INFO\]\t{stamp}\t{self.request_id}\tinfo\nof two lines\n$")
        self.assertRegex(events[1], rf"^\[WARNING\]\t{stamp}\t{self.request_id}\tw 1\n$")
        self.assertRegex(events[2], rf"^\[ERROR\]\t{stamp}\t{self.request_id}\tcaught\nTraceback \(most recent call last\):\n"
                                    r"  File \"/var/task/app\.py\", line 8, in handler\n(.*\n)+ZeroDivisionError: division by zero\n$")
        self.assertEqual(len(events), 3, events)

    def test_each_line_that_is_printed_is_an_event(self):
        self.python("import sys\ndef handler(event, context):\n    print('one\\ntwo')\n    print('err', file=sys.stderr)\n"
                    "    sys.stdout.write('no line feed')\n")
        self.answer()
        events = self.events("REPORT")
        self.assertEqual(sorted(event for event in events if not event.startswith(("INIT", "START", "END", "REPORT", "WARN"))),
                         sorted(["one\n", "two\n", "no line feed\n", "err\n"]))
        self.assertLess(events.index("one\n"), events.index("two\n"))

    def test_what_it_keeps_in_tmp_is_bounded_by_its_ephemeral_storage(self):
        self.python("def handler(event, context):\n    written = 0\n    try:\n        with open('/tmp/fill', 'wb', buffering=0) as file:\n"
                    "            while written < 600: written += file.write(bytes(1 << 20)) / (1 << 20)\n"
                    "    except OSError as error: return [written, error.errno]\n    return [written, 0]\n",
                    MemorySize=1024, Timeout=60)
        written, problem = self.answer()
        self.assertEqual(problem, errno.ENOSPC)
        self.assertTrue(500 < written <= 512, written)

    def test_what_was_printed_while_loading_is_there(self):
        self.python("print('while loading')\ndef handler(event, context): print('later')")
        log = self.call()[2]
        self.assertEqual([line for line in log.split("\n") if line in ("while loading", "later")], ["while loading", "later"])


if __name__ == "__main__":
    unittest.main()
