"""The first story, by hand: role, function, permission, notification, photograph; thumbnails. In Node and in Python, in
`dev` and, with a least-privilege role, in `serve`; with each SDK that such functions have, told of our endpoint or not."""
import io
import json
import pathlib
import re
import shutil
import unittest

from PIL import Image

from aws import BINARY, DEPS, ROOT, Case, client_of, run, unique, wait_for
from server import Server, clean_environment

NODE = DEPS / "thumbnail-node"
PYTHON = ROOT / "examples" / "thumbnail-python"
PHOTO = DEPS / "photo" / "photo.jpg"
REPORT = re.compile(r"REPORT RequestId: [0-9a-f-]{36}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\t"
                    r"Memory Size: 512 MB\tMax Memory Used: \d+ MB")


def policy(source, target):
    """What deploy guides give such a function: logs, reading the source, writing the target."""
    statements = [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
                  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{source}/*"}]
    if target:
        statements.append({"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{target}/*"})
    return {"Version": "2012-10-17", "Statement": statements}


def portrait():
    """What a phone held upright writes: a landscape whose EXIF says "turn me clockwise"; red is the top."""
    picture = Image.new("RGB", (1200, 900), "blue")
    picture.paste("red", (0, 0, 600, 900))
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


def plain(width, height, kind="JPEG"):
    out = io.BytesIO()
    Image.new("RGB", (width, height), "green").save(out, kind)
    return out.getvalue()


class Photograph:
    """What every thumbnail function can do; the classes below say on which server and with which code."""
    serve = False
    variables = {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, serve=cls.serve).start()
        cls.addClassCleanup(cls.server.stop)
        cls.s3, cls.iam, cls.functions, cls.logs = (
            client_of(cls.server, name) for name in ("s3", "iam", "lambda", "logs"))

    def stage(self, writes=True):
        """Buckets, role, function, permission and notification, as the tutorial makes them."""
        self.source = unique("photos")
        self.target = self.source + "-resized"
        for bucket in (self.source, self.target):
            self.s3.create_bucket(Bucket=bucket)
        role = self.make_role(self.iam, policy(self.source, self.target if writes else None))
        self.function = self.make_function(self.functions, role, self.code, Runtime=self.runtime,
                                           Handler=self.handler, Timeout=30, MemorySize=512,
                                           Environment={"Variables": self.variables})
        # One failure ends an event here; the pauses between attempts are tested with a clock of their own.
        self.functions.put_function_event_invoke_config(FunctionName=self.function, MaximumRetryAttempts=0)
        arn = self.functions.get_function(FunctionName=self.function)["Configuration"]["FunctionArn"]
        self.functions.add_permission(
            FunctionName=self.function, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
            SourceArn=f"arn:aws:s3:::{self.source}", SourceAccount=arn.split(":")[4])
        self.s3.put_bucket_notification_configuration(Bucket=self.source, NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
        self.arn = arn

    def put(self, key, body):
        self.s3.put_object(Bucket=self.source, Key=key, Body=body)

    def listed(self):
        return {entry["Key"] for entry in self.s3.list_objects_v2(Bucket=self.target).get("Contents", [])}

    def thumbnails(self, *keys):
        """The pictures at these keys, once they are all there."""
        wait_for(lambda: set(keys) <= self.listed(), 60, f"{keys}; there are {self.listed()}; log: {self.lines()}")
        return [Image.open(io.BytesIO(self.s3.get_object(Bucket=self.target, Key=key)["Body"].read())) for key in keys]

    def lines(self):
        try:
            found = self.logs.filter_log_events(logGroupName="/aws/lambda/" + self.function)["events"]
        except self.logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in found]

    def events(self):
        environment = clean_environment(**self.server.environment())
        shown = run(BINARY, "events", "--json", "--function-arn", self.arn, env=environment)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        return json.loads(shown.stdout)["Events"]

    def ended(self, state):
        """This function's events in that state, once there is one."""
        return wait_for(lambda: [e for e in self.events() if e["State"] == state], 30, f"{state}: {self.events()}")

    def test_a_photograph_becomes_two_thumbnails(self):
        self.stage()
        self.put("summer/my photo+1.jpg", PHOTO.read_bytes())
        small, large = self.thumbnails("summer/my photo+1-200.jpg", "summer/my photo+1-800.jpg")
        self.assertEqual((small.width, large.size, small.format), (200, (800, 450), "JPEG"))
        self.assertIn(small.height, (112, 113))  # 112.5: libraries round differently
        wait_for(lambda: any(REPORT.match(line) for line in self.lines()), what=f"REPORT in {self.lines()}")
        self.assertEqual([e["State"] for e in self.ended("succeeded")], ["succeeded"])

    def test_a_role_that_may_not_write_is_refused(self):
        self.stage(writes=False)
        self.put("photo.jpg", plain(400, 300))
        self.ended("discarded")
        wait_for(lambda: any("AccessDenied" in line for line in self.lines()), what=f"AccessDenied in {self.lines()}")
        self.assertEqual(self.listed(), set())


class Story(Photograph):
    """And what our examples can do besides."""

    def test_a_phones_portrait_comes_out_upright(self):
        self.stage()
        self.put("portrait.jpg", portrait())
        small, = self.thumbnails("portrait-200.jpg")
        self.assertLess(abs(small.height - 267), 2)
        self.assertEqual(small.width, 200)
        top, bottom = small.convert("RGB").getpixel((100, 20)), small.convert("RGB").getpixel((100, 240))
        self.assertGreater(top[0], 200)
        self.assertGreater(bottom[2], 200)

    def test_a_small_png_stays_a_png_and_is_not_enlarged(self):
        self.stage()
        self.put("dot.png", plain(50, 40, "PNG"))
        small, = self.thumbnails("dot-200.png")
        self.assertEqual((small.size, small.format), ((50, 40), "PNG"))

    def test_what_is_no_picture_ends_discarded_and_the_log_says_why(self):
        self.stage()
        for key, body, sentence in (("empty.jpg", b"", "is empty"), ("text.jpg", b"no picture" * 50, "is not a picture"),
                                    ("cut.jpg", plain(2000, 2000)[:6000], "is damaged")):
            with self.subTest(key):
                before = len([e for e in self.events() if e["State"] == "discarded"])
                self.put(key, body)
                wait_for(lambda: len([e for e in self.events() if e["State"] == "discarded"]) > before,
                         what=f"a discarded event among {self.events()}")
                wait_for(lambda: any(sentence in line for line in self.lines()), what=f"{sentence!r} in {self.lines()}")
        self.assertEqual(self.listed(), set())

    def test_without_the_permission_nothing_is_called(self):
        self.stage()
        self.functions.remove_permission(FunctionName=self.function, StatementId="s3")
        self.put("photo.jpg", plain(400, 300))
        self.ended("discarded")
        self.assertEqual(self.listed(), set())
        self.assertFalse(any(line.startswith("START") for line in self.lines()))


class Fetched:
    """What needs more than the sources: skipped by name without it."""

    @classmethod
    def setUpClass(cls):
        if not (NODE / "node_modules" / "sharp").exists() or not PHOTO.exists():
            raise unittest.SkipTest("the function's modules or the photograph are not in .deps (./dev test fetches them)")
        super().setUpClass()


class Node(Fetched, Story):
    code, runtime, handler = NODE, "nodejs22.x", "index.handler"


class Python(Story):
    code, runtime, handler = PYTHON, "python3.11", "app.handler"


class NodeInDev(Node, Case):
    pass


class PythonInDev(Python, Case):
    pass


class NodeInServe(Node, Case):
    serve = True


class PythonInServe(Python, Case):
    serve = True

    def test_the_root_key_is_needed(self):
        wrong = client_of(self.server, "s3")
        wrong._request_signer._credentials.secret_key = "x" * 40
        self.refused("SignatureDoesNotMatch", wrong.list_buckets)


# Clients that are told of no endpoint: they look AWS's names up and speak TLS with what they find.
BY_NAME = {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}


def folder(path, prefix=""):
    """A directory's files as {name: bytes}, below a prefix."""
    return {prefix + str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*"))
            if file.is_file() and "__pycache__" not in file.parts and file.name != ".stamp"}


class SdkV2(Fetched, Photograph):
    """nodejs16.x is the last runtime whose functions find the SDK for JavaScript v2 without bringing it."""
    runtime, handler, serve = "nodejs16.x", "index.handler", True

    @classmethod
    def setUpClass(cls):
        if not (DEPS / "node-sdk2" / "node_modules" / "aws-sdk").exists():
            raise unittest.SkipTest("the SDK for JavaScript v2 is not in .deps (./dev test fetches it)")
        super().setUpClass()
        cls.code = folder(NODE / "node_modules", "node_modules/") | folder(pathlib.Path(__file__).parent / "sdk2")

    def test_it_is_the_sdk_v2(self):
        self.stage()
        self.put("photo.jpg", plain(400, 300))
        wait_for(lambda: any("aws-sdk 2." in line for line in self.lines()), what=f"its version in {self.lines()}")


class SdkV2InServe(SdkV2, Case):
    pass


class SdkV2ByName(SdkV2, Case):
    variables = BY_NAME


class DebiansBoto3ByName(Photograph, Case):
    code, runtime, handler = PYTHON, "python3.11", "app.handler"
    serve, variables = True, BY_NAME


# A program for any Python: its boto3's version, and where the modules of it and of what it needs are.
WHERE = """
import json, boto3, botocore, dateutil, jmespath, s3transfer, six, urllib3
print(json.dumps([boto3.__version__, [m.__path__[0] for m in (boto3, botocore, dateutil, jmespath, s3transfer, urllib3)], six.__file__]))
"""
PRINTED = "import boto3\nprint('boto3', boto3.__version__)\nfrom app import handler\n"


def newer_boto3():
    """(version, {name: bytes}) of the boto3 that a developer's own Python has, when it is newer than Debian's; else None."""
    found = run(shutil.which("python3"), "-c", WHERE)
    if found.returncode != 0:
        return None
    version, packages, six = json.loads(found.stdout)
    import boto3
    if tuple(map(int, version.split("."))) <= tuple(map(int, boto3.__version__.split("."))):
        return None
    files = {"six.py": pathlib.Path(six).read_bytes()}
    for package in map(pathlib.Path, packages):
        files |= folder(package, package.name + "/")
    # Of the services' models, which are most of it, only what the function uses.
    model = re.compile(r"botocore/data/(?!s3/|sts/)[^/]+/")
    return version, {name: content for name, content in files.items() if not model.match(name)}


class BundledBoto3(Photograph):
    runtime, handler, serve = "python3.11", "main.handler", True

    @classmethod
    def setUpClass(cls):
        found = newer_boto3()
        if not found:
            raise unittest.SkipTest("the python3 on PATH has no boto3 that is newer than Debian's")
        cls.version, files = found
        cls.code = files | folder(PYTHON) | {"main.py": PRINTED}
        super().setUpClass()

    def test_it_is_the_bundled_one(self):
        self.stage()
        self.put("photo.jpg", plain(400, 300))
        wait_for(lambda: f"boto3 {self.version}\n" in self.lines(), what=f"its version in {self.lines()}")


class BundledBoto3InServe(BundledBoto3, Case):
    pass


class BundledBoto3ByName(BundledBoto3, Case):
    variables = BY_NAME
