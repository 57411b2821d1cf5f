"""What Lambda's Node runtimes promise to a function, its caller and its log."""
import base64
import json
import re
import unittest

from running import RunningCase


class Node(RunningCase):
    def node(self, source, handler="index.handler", runtime="nodejs22.x", file="index.js", more=None, **configuration):
        return self.deploy({file: source, **(more or {})}, runtime, handler, **configuration)

    # ---- how the handler is found

    def test_handlers_in_folders_and_members_of_members(self):
        self.node("exports.a = { b: { handler: async () => 'deep' } }", "src/app.a.b.handler", file="src/app.js")
        self.assertEqual(self.answer(), "deep")

    def test_each_kind_of_module(self):
        plain, module = "exports.handler = async () => typeof require", "export const handler = async () => typeof require"
        waits = "const value = await Promise.resolve('awaited'); export const handler = async () => value"
        for file, source, more, expected in (("index.js", plain, {}, "function"), ("index.cjs", plain, {}, "function"),
                                             ("index", plain, {}, "function"), ("index.mjs", module, {}, "undefined"),
                                             ("index.mjs", waits, {}, "awaited"),
                                             ("index.js", module, {"package.json": '{"type":"module"}'}, "undefined"),
                                             ("src/index.js", module, {"package.json": '{"type":"module"}'}, "undefined")):
            with self.subTest(file=file, more=more):
                self.node(source, file.rpartition("/")[0] + "/index.handler" if "/" in file else "index.handler", file=file,
                          more=more)
                self.assertEqual(self.answer(), expected)

    def test_handlers_that_cannot_be_found(self):
        for handler, source, expected in (
                ("index.nope", "exports.handler = 1", ("Runtime.HandlerNotFound", "index.nope is undefined or not exported")),
                ("index.handler", "exports.handler = 1", ("Runtime.HandlerNotFound", "index.handler is not a function")),
                ("index", "exports.handler = 1", ("Runtime.MalformedHandlerName", "Bad handler")),
                ("../index.handler", "", ("Runtime.MalformedHandlerName",
                 "'../index.handler' is not a valid handler name. Use absolute paths when specifying root directories in handler names."))):
            with self.subTest(handler):
                self.node(source, handler)
                self.assertEqual(self.fault(), expected)

    def test_modules_that_cannot_be_loaded(self):
        self.node("", "nope.handler")
        kind, message = self.fault()
        self.assertEqual(kind, "Runtime.ImportModuleError")
        self.assertTrue(message.startswith("Error: Cannot find module 'nope'\nRequire stack:\n- "), message)
        self.node("require('left-out'); exports.handler = async () => 1")
        kind, message = self.fault()
        self.assertEqual(kind, "Runtime.ImportModuleError")
        self.assertTrue(message.startswith("Error: Cannot find module 'left-out'\nRequire stack:\n- /var/task/index.js"), message)
        self.node("import 'left-out'; export const handler = async () => 1", file="index.mjs")
        self.assertEqual(self.fault(), ("Error", "Cannot find package 'left-out' imported from /var/task/index.mjs"))
        self.assertIn('"code":"ERR_MODULE_NOT_FOUND"', self.log)
        self.node("exports.handler = async (", file="index.js")
        kind, message = self.fault()
        self.assertEqual(kind, "Runtime.UserCodeSyntaxError")
        self.assertRegex(message, "^SyntaxError: ")
        self.node("throw new RangeError('while loading')")
        self.assertEqual(self.fault(), ("RangeError", "while loading"))
        self.node("Promise.reject(new Error('while loading')); await new Promise((done) => setTimeout(done, 1000))",
                  file="index.mjs")
        self.assertEqual(self.fault(), ("Runtime.UnhandledPromiseRejection", "Error: while loading"))

    def test_a_failed_init_is_said_in_the_log(self):
        self.node("throw new RangeError('while loading')")
        _, answer, log = self.call()
        self.assertEqual(answer["trace"][0], "RangeError: while loading")
        self.assertRegex(log, r"\d+Z\tundefined\tERROR\tUncaught Exception \t\{\"errorType\":\"RangeError\"")
        self.assertRegex(log, r"INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: error\tError Type: RangeError\n")
        self.assertRegex(log, r"INIT_REPORT Init Duration: [\d.]+ ms\tPhase: invoke\tStatus: error\tError Type: RangeError\n"
                              r"START RequestId")
        self.assertRegex(log, r"REPORT RequestId: .*\tStatus: error\tError Type: RangeError\n$")

    def test_modules_are_found_from_the_root_and_in_the_runtime(self):
        self.node("exports.handler = async () => [require('lib/word'), typeof require('@aws-sdk/client-s3').S3Client]",
                  "src/app.handler", file="src/app.js", more={"lib/word.js": "module.exports = 'from the root'"}, MemorySize=256)
        self.assertEqual(self.answer(), ["from the root", "function"])

    # ---- how it answers

    def test_callbacks(self):
        for body, expected in (
                ("done(null, { a: 1 })", {"a": 1}), ("done()", None), ("done(null, 'first'); done(null, 'second')", "first"),
                ("setTimeout(() => done(null, 'later'), 20)", "later"),
                ("context.succeed('succeed')", "succeed"), ("context.done(null, 'done')", "done"),
                ("context.succeed('first'); context.fail('second')", "first"),
                ("", None), ("return 'ignored'", None), ("return Promise.resolve('promised')", "promised")):
            with self.subTest(body):
                self.node(f"exports.handler = (event, context, done) => {{ {body} }}")
                self.assertEqual(self.answer(), expected)

    def test_callbacks_that_fail(self):
        for body, expected in (
                ("done(new TypeError('no'))", ("TypeError", "no")), ("done('text')", ("string", "text")),
                ("done({ name: 'N', message: 'm', stack: 's' })", ("N", "m")),
                ("context.fail(new Error('fail'))", ("Error", "fail")), ("context.fail()", ("string", "handled")),
                ("context.done('done')", ("string", "done")), ("throw new Error('thrown')", ("Error", "thrown"))):
            with self.subTest(body):
                self.node(f"exports.handler = (event, context, done) => {{ {body} }}")
                self.assertEqual(self.fault(), expected)
                self.assertNotIn("Status:", self.log)

    def test_a_callback_waits_for_the_empty_event_loop_unless_told_not_to(self):
        self.node("exports.handler = (event, context, done) => { if (event.now) context.callbackWaitsForEmptyEventLoop = false;\n"
                  "  setTimeout(() => console.log('after'), 300); done(null, 1) }")
        self.assertIn("after", self.call()[2])
        self.assertNotIn("after", self.call({"now": 1})[2])

    def test_from_node_24_on_there_are_no_callbacks(self):
        self.node("exports.handler = (event, context, done) => done(null, 1)", runtime="nodejs24.x")
        self.assertEqual(self.fault(), ("Runtime.CallbackHandlerDeprecated", (
            "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify "
            "this function to use a supported handler signature to use Node.js 24 or later. For more information see "
            "https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.")))
        self.assertIn("\tERROR\tInit Error \t", self.log)
        self.node("exports.handler = (event, context) => ['succeed', 'fail', 'done', 'callbackWaitsForEmptyEventLoop']\n"
                  "  .filter((name) => name in context)", runtime="nodejs24.x")
        self.assertEqual(self.answer(), [])

    def test_a_promise_that_never_settles(self):
        self.node("exports.handler = async () => { await new Promise(() => {}) }")
        kind, message = self.fault()
        self.assertEqual(kind, "Runtime.NodeJsExit")
        self.assertIn("a Promise that was never settled", message)
        self.node("exports.handler = (event, context) => new Promise(() => {})", runtime="nodejs24.x")
        self.assertEqual(self.fault()[0], "Runtime.NodeJsExit")
        self.node("exports.handler = (event, context) => new Promise(() => {})")
        self.assertIsNone(self.answer())

    def test_what_is_thrown_need_not_be_an_error(self):
        for thrown, expected in (("'text'", ("string", "text")), ("42", ("number", "42")), ("undefined", ("undefined", "undefined")),
                                 ("{ a: 1 }", ("object", "[object Object]"))):
            with self.subTest(thrown):
                self.node(f"exports.handler = async () => {{ throw {thrown} }}")
                error, answer, _ = self.call()
                if thrown == "undefined":
                    # There is no text of it: Lambda's own words for that.
                    self.assertEqual((error, answer["errorType"]), ("Unhandled", "undefined"))
                else:
                    self.assertEqual((answer["errorType"], answer["errorMessage"]), expected)

    def test_answers_that_are_no_json(self):
        for value, expected in (("undefined", None), ("() => 1", None), ("NaN", None), ("new Date(0)", "1970-01-01T00:00:00.000Z"),
                                ("new Map([[1, 2]])", {}), ("'ü\\u2028'", "ü\u2028")):
            with self.subTest(value):
                self.node(f"exports.handler = async () => ({value})")
                self.assertEqual(self.answer(), expected)
        for value in ("10n", "(() => { const a = {}; a.a = a; return a })()"):
            with self.subTest(value):
                self.node(f"exports.handler = async () => ({value})")
                self.assertEqual(self.fault(), ("Error", "Unable to stringify response body"))

    def test_an_exit(self):
        self.node("exports.handler = async (event) => { if ('code' in event) process.exit(event.code); return 'lives' }")
        for code, words in ((3, "Runtime exited with error: exit status 3"), (0, "Runtime exited without providing a reason")):
            kind, message = self.fault({"code": code})
            self.assertEqual((kind, message), ("Runtime.ExitError", f"RequestId: {self.request_id} Error: {words}"))
            self.assertIn(f"RequestId: {self.request_id} Error: {words}\nRuntime.ExitError\nEND RequestId: ", self.log)
            self.assertRegex(self.log, r"\tStatus: error\tError Type: Runtime\.ExitError\n$")
        self.assertEqual(self.answer(), "lives")

    def test_rejections_and_exceptions_that_nobody_handles(self):
        waits = "await new Promise((done) => setTimeout(done, 2000))"
        for source, expected, words in (
                (f"Promise.reject(new TypeError('lost')); {waits}", ("Runtime.UnhandledPromiseRejection", "TypeError: lost"),
                 "Unhandled Promise Rejection"),
                (f"setTimeout(() => {{ throw new TypeError('late') }}); {waits}", ("TypeError", "late"), "Uncaught Exception")):
            with self.subTest(source):
                self.node(f"exports.handler = async () => {{ {source} }}")
                self.assertEqual(self.fault(), expected)
                self.assertIn(f"\t{self.request_id}\tERROR\t{words} \t{{", self.log)
                self.assertRegex(self.log, rf"\tStatus: error\tError Type: {re.escape(expected[0])}\n$")

    # ---- what it is given

    def test_the_context(self):
        custom = base64.b64encode(json.dumps({"client": {"app_title": "t"}, "custom": {"k": "v"}, "env": {"e": 1}}).encode()).decode()
        self.node("exports.handler = async (event, context) => ({ ...context, remaining: context.getRemainingTimeInMillis(),\n"
                  "  kinds: Object.entries(context).filter(([, v]) => typeof v === 'function').map(([k]) => k).sort() })", Timeout=9)
        context = self.answer(ClientContext=custom)
        self.assertGreater(context.pop("remaining"), 1000)
        self.assertRegex(context.pop("logStreamName"), r"^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$")
        self.assertEqual(context, {
            "callbackWaitsForEmptyEventLoop": True, "functionVersion": "$LATEST", "functionName": self.function,
            "memoryLimitInMB": "128", "logGroupName": "/aws/lambda/" + self.function, "awsRequestId": self.request_id,
            "clientContext": {"client": {"app_title": "t"}, "custom": {"k": "v"}, "env": {"e": 1}},
            "invokedFunctionArn": self.arn(self.function), "kinds": ["done", "fail", "getRemainingTimeInMillis", "succeed"]})

    def test_the_environment(self):
        self.node("exports.handler = async () => ({ ...process.env, cwd: process.cwd() })", Environment={"Variables": {"AB": "1"}},
                  MemorySize=256)
        found = self.answer()
        expected = {
            "AB": "1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1", "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_NAME": self.function,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/" + self.function, "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "LAMBDA_RUNTIME_DIR": "/var/runtime", "LAMBDA_TASK_ROOT": "/var/task", "LANG": "en_US.UTF-8", "PWD": "/var/task",
            "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin", "TZ": ":UTC", "_HANDLER": "index.handler", "cwd": "/var/task",
            "NODE_PATH": "/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"}
        self.assertEqual({name: found.get(name) for name in expected}, expected)
        self.assertRegex(found["_X_AMZN_TRACE_ID"], r"^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Lineage=[0-9a-f]{8}:1;Parent=[0-9a-f]{16};Sampled=0$")
        self.assertTrue({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_LOG_STREAM_NAME"} <= set(found))
        self.assertFalse({"HOME", "USER", "SHELL", "WOLKE_ENDPOINT"} & set(found))

    def test_an_older_name_runs_on_the_pinned_node_and_says_so(self):
        self.node("exports.handler = async () => process.version", runtime="nodejs18.x")
        version = self.answer().removeprefix("v")
        events = self.events("REPORT")
        self.assertRegex(events[0], rf"^INIT_START Runtime Version: nodejs:{re.escape(version)}\tRuntime Version ARN: "
                                    r"arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}\n$")
        self.assertIn(f"runtime nodejs18.x runs on Node.js {version} here", events[1])

    # ---- the log

    def test_each_console_call_is_one_event(self):
        self.node("exports.handler = async () => { console.log('one\\ntwo', { a: 1 }); console.info('i'); console.warn('w');\n"
                  "  console.error(new Error('e').message); console.debug('%s-%d', 'd', 5); console.trace('t'); }")
        self.answer()
        events = [event.split("\t", 2) for event in self.events("REPORT") if f"\t{self.request_id}\t" in event]
        self.assertTrue(all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", when) for when, _, _ in events), events)
        lines = [rest for _, _, rest in events]
        self.assertEqual(lines[:5], ["INFO\tone\ntwo { a: 1 }\n", "INFO\ti\n", "WARN\tw\n", "ERROR\te\n", "DEBUG\td-5\n"])
        self.assertRegex(lines[5], r"^TRACE\tTrace: t\n    at ")


if __name__ == "__main__":
    unittest.main()
