"""Attacks that are about invocations, from inside real functions, judged by what the server answers afterwards. Each has a
control: the same judge, shown what it must notice."""
import concurrent.futures
import io
import json
import threading
import time
import zipfile

from aws import Case, client, needs_python_inside, unique

# A function that names its version (`MARK`) and its instance; both stay what they were when its code was loaded.
MARKED = """import json, os, socket, struct, tempfile, urllib.request, uuid
MARK, INSTANCE = "@MARK@", uuid.uuid4().hex
PLACES = [tempfile.gettempdir() + "/residue", "/dev/shm/residue"]

def whoami(event):
    return {"mark": MARK, "instance": INSTANCE, "version": os.environ["AWS_LAMBDA_FUNCTION_VERSION"]}

def leave(event):
    for place in PLACES:
        with open(place, "w") as file:
            file.write(event["canary"])
    return whoami(event)

def find(event):
    found = []
    for place in PLACES:
        if os.path.exists(place):
            with open(place) as file:
                found.append(file.read())
    return dict(whoami(event), found=found)

def again(event):
    # What a proxy inside the sandbox would take for new code, at every port that listens, and at the server's own socket.
    code = "def main(args): return {'mark': 'replaced'}"
    body = json.dumps({"value": {"name": "f", "main": "main", "code": code, "binary": False}}).encode()
    taken = []
    for port in [*range(1, 1024), 8080, 8000, 9000, 9001, 3000, 5000]:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                continue
        for path in ("/init", "/run", "/2018-06-01/runtime/init", "/2015-03-31/functions/f/code"):
            try:
                with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", body), timeout=2) as answer:
                    taken.append([port, path, answer.status])
            except OSError:
                pass
    return dict(whoami(event), taken=taken)

def ready_again(event):
    version = b'{"version":"again"}'
    os.write(3, struct.pack("<III", len(version), 16, 0) + version)
    return whoami(event)

def itself(event):
    global MARK
    MARK = "replaced"
    return whoami(event)

def handler(event, context):
    return globals()[event.get("do", "whoami")](event)
"""


def archive(files):
    """A zip; each file can be executed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o100755 << 16
            made.writestr(info, content)
    return out.getvalue()


def marked(mark):
    return {"app.py": MARKED.replace("@MARK@", mark)}


# A custom runtime that asks for its next invocation twice at once, and tells how the second was answered.
TWICE = """#!/usr/bin/python3
import json, os, threading, urllib.error, urllib.request, uuid
API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
INSTANCE, seen = uuid.uuid4().hex, []

def ask(path, body=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(API + path, body)) as answer:
            return answer.status, answer.headers.get("Lambda-Runtime-Aws-Request-Id"), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, None, error.read()

def init_again():
    codes = []
    for path in ("init", "../../init", "init/code", "invocation/init"):
        codes.append(ask(path, b'{"code":"x"}')[0])
    return codes

while True:
    answers, both = [], threading.Barrier(2)
    def take():
        both.wait()
        answers.append(ask("invocation/next"))
    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    taken = [answer for answer in answers if answer[0] == 200]
    if not taken: os._exit(1)
    result = {"codes": sorted(answer[0] for answer in answers), "instance": INSTANCE, "event": json.loads(taken[0][2]), "init": init_again()}
    ask("invocation/" + taken[0][1] + "/response", json.dumps(result).encode())
"""


class Functions(Case):
    @classmethod
    def setUpClass(cls):
        cls.functions, cls.iam = client("lambda"), client("iam")

    def made(self, code, **configuration):
        configuration = {"Runtime": "python3.11", "Handler": "app.handler", "Timeout": 30, "MemorySize": 256, **configuration}
        name = unique("hostile")
        self.functions.create_function(FunctionName=name, Role=self.make_role(self.iam), Code={"ZipFile": archive(code)}, **configuration)
        self.addCleanup(self.functions.delete_function, FunctionName=name)
        self.functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
        return name

    def call(self, name, do="whoami", functions=None, qualifier=None, **event):
        more = {"Qualifier": qualifier} if qualifier else {}
        answer = (functions or self.functions).invoke(FunctionName=name, Payload=json.dumps({"do": do, **event}), **more)
        return answer.get("FunctionError"), json.loads(answer["Payload"].read())

    def update(self, name, mark):
        """The new code is there, for every call that begins from now on."""
        self.functions.update_function_code(FunctionName=name, ZipFile=archive(marked(mark)))
        self.functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600})

    def test_D2_residue_stays_within_one_instance(self):
        name = self.made(marked("one"))
        _, left = self.call(name, "leave", canary="canary-d2")
        _, found = self.call(name, "find")
        self.assertEqual(found["instance"], left["instance"])
        # The control: the same search finds what an invocation of the same instance left, as on Lambda.
        self.assertEqual(found["found"], ["canary-d2", "canary-d2"])
        _, other = self.call(self.made(marked("other")), "find")
        self.assertEqual(other["found"], [], "another function")
        version = self.functions.publish_version(FunctionName=name)["Version"]
        _, other = self.call(name, "find", qualifier=version)
        self.assertEqual((other["found"], other["version"]), ([], version), "another version")
        self.update(name, "two")
        _, other = self.call(name, "find")
        self.assertEqual((other["found"], other["mark"]), ([], "two"), "new code")

    def test_D6_a_sandbox_takes_no_other_code(self):
        name = self.made(marked("first"))
        error, tried = self.call(name, "again")
        self.assertEqual((error, tried["taken"]), (None, []))
        error, after = self.call(name)
        self.assertEqual((error, after["mark"]), (None, "first"))
        # The control: an instance that changes itself is the same instance with another mark, and that is noticed.
        _, changed = self.call(name, "itself")
        _, noticed = self.call(name)
        self.assertEqual((noticed["instance"], noticed["mark"]), (changed["instance"], "replaced"))

    def test_D6_a_second_ready_ends_the_instance(self):
        name = self.made(marked("first"))
        _, before = self.call(name)
        _, kept = self.call(name)
        self.assertEqual(kept["instance"], before["instance"], "the control: without it the instance is used again")
        self.call(name, "ready_again")
        error, after = self.call(name)
        self.assertEqual((error, after["mark"]), (None, "first"))
        self.assertNotEqual(after["instance"], before["instance"])

    @needs_python_inside
    def test_D5_D6_a_runtime_gets_one_event_and_no_code(self):
        name = self.made({"bootstrap": TWICE}, Runtime="provided.al2023", Handler="x")
        for number in (1, 2):
            error, answer = self.call(name, number=number)
            self.assertIsNone(error, answer)
            # One of the two was refused; that the other got the event is the control.
            self.assertEqual((answer["codes"], answer["event"]["number"]), ([200, 403], number))
            self.assertTrue(all(400 <= code < 500 for code in answer["init"]), answer["init"])

    def test_D7_an_instance_serves_the_version_that_it_was_made_for(self):
        name = self.made(marked("0"))
        version = self.functions.publish_version(FunctionName=name)["Version"]
        alias = self.functions.create_alias(FunctionName=name, Name="live", FunctionVersion=version)["Name"]
        published, latest, stop, seen = {version: "0"}, ["0"], threading.Event(), []

        def load():
            functions = client("lambda")
            while not stop.is_set():
                for qualifier in (None, alias):
                    # Marks that are right: of all versions that were current at any time of the call.
                    first = int(latest[0])
                    error, answer = self.call(name, functions=functions, qualifier=qualifier)
                    seen.append((qualifier, error, answer, first, int(latest[0]) + 1))

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            loads = [pool.submit(load) for _ in range(3)]
            try:
                for mark in range(1, 7):
                    self.update(name, str(mark))
                    latest[0] = str(mark)
                    version = self.functions.publish_version(FunctionName=name)["Version"]
                    published[version] = str(mark)
                    self.functions.update_alias(FunctionName=name, Name=alias, FunctionVersion=version)
                    self.wait_until(lambda: sum(answer.get("version") == version for _, _, answer, _, _ in list(seen)) >= 2)
            finally:
                stop.set()
            for future in loads:
                future.result()
        self.judge(seen, published)
        # The control: a judge that is shown an instance with two marks, or a call answered by old code, says so.
        qualifier, error, answer, first, last = seen[0]
        for wrong in ({**answer, "mark": "99"}, {**answer, "version": "98"}):
            with self.assertRaises(AssertionError):
                self.judge([*seen, (qualifier, error, wrong, first, last)], published)

    def wait_until(self, holds):
        deadline = time.monotonic() + 60
        while not holds():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def judge(self, seen, published):
        marks = {}
        for qualifier, error, answer, first, last in seen:
            self.assertIsNone(error, answer)
            mark, version = answer["mark"], answer["version"]
            self.assertEqual(marks.setdefault(answer["instance"], (mark, version)), (mark, version), "an instance changed")
            if version == "$LATEST":
                self.assertTrue(first <= int(mark) <= last, f"{mark} answered between {first} and {last}")
            else:
                self.assertEqual(published.get(version), mark, "a version with other code")
            self.assertEqual(version == "$LATEST", qualifier is None)
        self.assertGreater(len(seen), len(marks), "no instance was used twice")
        self.assertEqual({mark for mark, _ in marks.values()} | {"0"}, set(published.values()), "an update was not seen")
