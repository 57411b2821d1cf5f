"""Zips that attack and functions that misbehave: exact codes and shapes, and a server that goes on."""
import base64
import io
import json
import re
import struct
import zipfile

from aws import Case, client, needs_memory_limits, unique

UNZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."
OK = "def handler(event, context): return 1\n"


def archive(*entries):
    """A zip of (name, bytes, mode)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(info, content)
    return out.getvalue()


def bomb():
    """300 MiB of zeros, more than the 250 MiB that a package may have."""
    return archive(("app.py", OK, 0o100644), *((f"zeros{n}", bytes(100 << 20), 0o100644) for n in range(3)))


def encrypted():
    data = bytearray(archive(("app.py", OK, 0o100644)))
    struct.pack_into("<H", data, 6, struct.unpack_from("<H", data, 6)[0] | 1)
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 8, struct.unpack_from("<H", data, at + 8)[0] | 1)
    return bytes(data)


def lying():
    """The local header and the central one disagree on the name."""
    return archive(("app.py", OK, 0o100644)).replace(b"app.py", b"evil.p", 1)


class Zips(Case):
    @classmethod
    def setUpClass(cls):
        cls.functions, cls.iam = client("lambda"), client("iam")

    def refuse(self, data):
        """The message with which a package is refused; there is no function then."""
        name = unique("zip")
        message = self.refused("InvalidParameterValueException", self.functions.create_function, FunctionName=name,
                               Role="arn:aws:iam::000000000000:role/any", Runtime="python3.11", Handler="app.handler",
                               Code={"ZipFile": data})
        self.refused("ResourceNotFoundException", self.functions.get_function, FunctionName=name)
        return message

    def test_what_is_no_zip(self):
        for data in (b"no zip", b"PK\x03\x04" + bytes(100), b"PK\x05\x06" + bytes(18)[:10]):
            self.assertTrue(self.refuse(data).startswith(UNZIP), data)

    def test_truncated(self):
        whole = archive(("app.py", OK * 50, 0o100644), ("b", b"b" * 5000, 0o100644))
        for keep in (30, len(whole) // 2, len(whole) - 1):
            self.refuse(whole[:keep])

    def test_slips(self):
        for name in ("../slip", "a/../../slip", "/etc/slip", "..\\slip", "a/./../../b"):
            with self.subTest(name):
                self.refuse(archive(("app.py", OK, 0o100644), (name, b"x", 0o100644)))

    def test_symlinks_that_leave(self):
        for target in ("/etc/passwd", "../../etc/passwd"):
            with self.subTest(target):
                self.refuse(archive(("app.py", OK, 0o100644), ("link", target, 0o120777)))

    def test_devices(self):
        self.refuse(archive(("app.py", OK, 0o100644), ("null", b"", 0o020666)))

    def test_bombs(self):
        self.assertIn("262144000", self.refuse(bomb()))

    def test_encrypted(self):
        self.refuse(encrypted())

    def test_headers_that_disagree(self):
        self.refuse(lying())

    def test_a_file_twice(self):
        data = archive(("app.py", OK, 0o100644), ("bpp.py", OK, 0o100644)).replace(b"bpp.py", b"app.py")
        self.refuse(data)

    def test_no_zip_at_all_in_base64(self):
        self.refused("InvalidParameterValueException", self.functions.create_function, FunctionName=unique("zip"),
                     Role="arn:aws:iam::000000000000:role/any", Runtime="python3.11", Handler="app.handler", Code={"ZipFile": b""})


class Misbehaviour(Case):
    @classmethod
    def setUpClass(cls):
        cls.functions, cls.iam = client("lambda"), client("iam")

    def call(self, code, payload=b"{}", handler="app.handler", runtime="python3.11", **configuration):
        """(FunctionError, answer, log) of one call."""
        role = self.make_role(self.iam)
        files = code if isinstance(code, dict) else {"app.py": code}
        self.name = self.make_function(self.functions, role, files, Runtime=runtime, Handler=handler, **configuration)
        return self.again(payload)

    def again(self, payload=b"{}"):
        answer = self.functions.invoke(FunctionName=self.name, Payload=payload, LogType="Tail")
        log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
        return answer.get("FunctionError"), json.loads(answer["Payload"].read()), log

    def test_a_handler_that_is_not_there(self):
        error, answer, _ = self.call(OK, handler="app.nothing")
        self.assertEqual((error, answer["errorType"]), ("Unhandled", "Runtime.HandlerNotFound"))
        self.assertIn("nothing", answer["errorMessage"])
        error, answer, _ = self.call(OK, handler="missing.handler")
        self.assertEqual((error, answer["errorType"]), ("Unhandled", "Runtime.ImportModuleError"))
        self.assertIn("missing", answer["errorMessage"])
        error, answer, _ = self.call({"index.mjs": "export const other = 1;"}, handler="index.handler", runtime="nodejs22.x")
        self.assertEqual((error, answer["errorType"]), ("Unhandled", "Runtime.HandlerNotFound"))

    def test_code_that_does_not_parse(self):
        error, answer, _ = self.call("def handler(:\n")
        self.assertEqual((error, answer["errorType"]), ("Unhandled", "Runtime.UserCodeSyntaxError"))
        error, answer, _ = self.call({"index.mjs": "export const handler = async ( => 1;"}, handler="index.handler", runtime="nodejs22.x")
        self.assertEqual((error, answer["errorType"]), ("Unhandled", "Runtime.UserCodeSyntaxError"))

    def test_an_exception(self):
        error, answer, _ = self.call("def handler(event, context):\n    raise ValueError('bad ü')\n")
        self.assertEqual((error, answer["errorType"], answer["errorMessage"]), ("Unhandled", "ValueError", "bad ü"))
        self.assertTrue(answer["stackTrace"])

    def test_a_rejection_that_nobody_handles(self):
        error, answer, _ = self.call({"index.mjs": "export const handler = async () => { Promise.reject(new Error('lost'));\n"
                                      "  await new Promise((done) => setTimeout(done, 1000)); };"},
                                     handler="index.handler", runtime="nodejs22.x")
        self.assertEqual((error, answer["errorType"]), ("Unhandled", "Runtime.UnhandledPromiseRejection"))

    def test_an_exit(self):
        error, answer, log = self.call("import os\ndef handler(event, context):\n    if event.get('ok'): return 1\n    os._exit(3)\n")
        self.assertEqual((error, answer["errorType"]), ("Unhandled", "Runtime.ExitError"))
        self.assertRegex(answer["errorMessage"], r"RequestId: [0-9a-f-]{36} Error: Runtime exited with error: exit status 3")
        self.assertEqual(self.again(b'{"ok":1}')[:2], (None, 1))

    def test_a_hang_ends_at_the_timeout(self):
        error, answer, log = self.call("import time\ndef handler(event, context):\n    if event.get('ok'): return 1\n    time.sleep(60)\n", Timeout=1)
        self.assertEqual(error, "Unhandled")
        self.assertRegex(answer["errorMessage"], r"Task timed out after 1\.00 seconds$")
        self.assertEqual(answer["errorType"], "Sandbox.Timedout")
        self.assertIn("Status: timeout", log)
        self.assertEqual(self.again(b'{"ok":1}')[:2], (None, 1))

    def test_a_loop_ends_at_the_timeout(self):
        error, answer, _ = self.call("def handler(event, context):\n    while True: pass\n", Timeout=1)
        self.assertRegex(answer["errorMessage"], r"Task timed out after 1\.00 seconds$")

    def test_forks_end_with_the_sandbox(self):
        error, answer, _ = self.call("import os, time\ndef handler(event, context):\n    n = 0\n    try:\n        while n < 5000:\n"
                                     "            if os.fork() == 0: time.sleep(60)\n            n += 1\n    except OSError: pass\n"
                                     "    return n\n", Timeout=10)
        self.assertTrue(error is not None or answer < 5000, answer)
        self.assertEqual(self.functions.get_function(FunctionName=self.name)["Configuration"]["State"], "Active")

    def test_a_flood_of_log_lines(self):
        error, answer, log = self.call("def handler(event, context):\n    for n in range(200000): print('x' * 100)\n    return 'done'\n",
                                       Timeout=30)
        self.assertEqual((error, answer), (None, "done"))
        self.assertLessEqual(len(log), 4096)
        self.assertIn("REPORT", log)

    @needs_memory_limits
    def test_memory(self):
        error, answer, _ = self.call("def handler(event, context):\n    return len(bytearray(800 << 20))\n", MemorySize=128)
        self.assertEqual(error, "Unhandled")
        self.assertIn(answer["errorType"], ("Runtime.ExitError", "Runtime.OutOfMemory", "MemoryError"))

    def test_what_is_no_json(self):
        error, answer, _ = self.call("def handler(event, context):\n    return {1, 2}\n")
        self.assertEqual((error, answer["errorType"]), ("Unhandled", "Runtime.MarshalError"))

    def test_garbage_on_every_descriptor(self):
        error, answer, _ = self.call("import os\ndef handler(event, context):\n    if event.get('ok'): return 1\n"
                                     "    for fd in range(1, 64):\n        try: os.write(fd, b'\\xff\\x00garbage' * 100)\n"
                                     "        except OSError: pass\n    return 2\n", Timeout=3)
        self.assertTrue(error == "Unhandled" or answer == 2, (error, answer))
        self.assertEqual(self.again(b'{"ok":1}')[:2], (None, 1))

    def test_answers_up_to_6_mb(self):
        size = "def handler(event, context):\n    return 'x' * (event['n'] - 2)\n"
        error, answer, _ = self.call(size, b'{"n": 6291556}')
        self.assertEqual((error, len(answer)), (None, 6291554))
        error, answer, _ = self.again(b'{"n": 6291557}')
        self.assertEqual((error, answer["errorType"]), ("Unhandled", "Function.ResponseSizeTooLarge"))
        self.assertTrue(re.search(r"Response payload size exceeded maximum allowed payload size \(6291556 bytes\)\.",
                                  answer["errorMessage"]), answer)

    def test_requests_up_to_6_mb(self):
        self.call("def handler(event, context): return len(event)\n", b'"' + b"x" * (6291456 - 2) + b'"')
        self.refused("RequestTooLargeException", self.functions.invoke, FunctionName=self.name,
                     Payload=b'"' + b"x" * 6291456 + b'"')
        self.refused("InvalidRequestContentException", self.functions.invoke, FunctionName=self.name, Payload=b"{no json")
