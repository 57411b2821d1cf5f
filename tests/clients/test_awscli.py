"""Debian's aws, called with --endpoint-url as its users do."""
import filecmp
import json
import os
import pathlib
import shutil
import tempfile
import unittest
import urllib.request

from aws import AWS_CLI, TRUST, Case, run, unique, wait_for, zipped
from server import clean_environment


@unittest.skipUnless(AWS_CLI, "the aws CLI is not installed (Debian: awscli)")
class AwsCli(Case):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="wolke-awscli-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        cls.environment = clean_environment(
            HOME=str(cls.directory), AWS_PAGER="",
            **{name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")})

    def aws(self, *words, code=0):
        done = run(AWS_CLI, "--endpoint-url", os.environ["WOLKE_ENDPOINT"], *words, env=self.environment, cwd=self.directory)
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}\n{done.stderr}")
        return done.stdout

    def data(self, *words):
        text = self.aws(*words, "--output", "json")
        return json.loads(text) if text.strip() else {}

    def bucket(self):
        name = unique("cli")
        self.aws("s3", "mb", f"s3://{name}")
        self.addCleanup(self.aws, "s3", "rb", f"s3://{name}", "--force")
        return name

    def file(self, name, size):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
        os.utime(path, (1_700_000_000, 1_700_000_000))  # `sync` copies again what is newer than the object's whole second
        return path

    def test_cp_both_ways_small_empty_and_multipart(self):
        bucket = self.bucket()
        for name, size in (("empty", 0), ("a b+ü.txt", 1000), ("large", 20 * 1024 * 1024)):
            with self.subTest(name):
                path = self.file(f"cp/{name}", size)
                self.aws("s3", "cp", "--only-show-errors", path, f"s3://{bucket}/x/{name}")
                self.aws("s3", "cp", "--only-show-errors", f"s3://{bucket}/x/{name}", "back")
                self.assertTrue(filecmp.cmp(path, self.directory / "back", shallow=False))
        listed = self.aws("s3", "ls", "--recursive", f"s3://{bucket}/")
        self.assertEqual(len(listed.splitlines()), 3)
        self.assertIn("20971520 x/large", listed)

    def test_sync_copies_what_changed_and_deletes(self):
        bucket = self.bucket()
        for number in range(12):
            self.file(f"tree/{number % 3}/f{number}", 2000)
        self.assertEqual(self.aws("s3", "sync", "tree", f"s3://{bucket}/t").count("upload:"), 12)
        self.assertEqual(self.aws("s3", "sync", "tree", f"s3://{bucket}/t"), "")
        (self.directory / "tree/0/f0").unlink()
        self.assertIn("delete:", self.aws("s3", "sync", "--delete", "tree", f"s3://{bucket}/t"))
        self.aws("s3", "sync", f"s3://{bucket}/t", "tree2")
        self.assertEqual(filecmp.dircmp(self.directory / "tree", self.directory / "tree2").diff_files, [])
        self.assertEqual(self.aws("s3", "rm", "--recursive", f"s3://{bucket}/t").count("delete:"), 11)

    def test_mv_and_copies_between_buckets(self):
        source, target = self.bucket(), self.bucket()
        path = self.file("mv", 10 * 1024 * 1024)  # above 8 MB the CLI copies in parts
        self.aws("s3", "cp", "--only-show-errors", path, f"s3://{source}/k")
        self.aws("s3", "mv", "--only-show-errors", f"s3://{source}/k", f"s3://{target}/k2")
        self.assertEqual(self.aws("s3", "ls", f"s3://{source}/"), "")
        self.aws("s3", "cp", "--only-show-errors", f"s3://{target}/k2", "moved")
        self.assertTrue(filecmp.cmp(path, self.directory / "moved", shallow=False))

    def test_presigned_links_work_without_a_key(self):
        bucket = self.bucket()
        path = self.file("presigned", 3000)
        self.aws("s3", "cp", path, f"s3://{bucket}/a b")
        link = self.aws("s3", "presign", f"s3://{bucket}/a b", "--expires-in", "60").strip()
        with urllib.request.urlopen(link) as answer:
            self.assertEqual(answer.read(), path.read_bytes())

    def test_s3api(self):
        bucket = self.bucket()
        path = self.file("api", 500)
        put = self.data("s3api", "put-object", "--bucket", bucket, "--key", "k", "--body", path, "--content-type",
                        "text/x", "--metadata", "a=b")
        head = self.data("s3api", "head-object", "--bucket", bucket, "--key", "k")
        self.assertEqual((head["ETag"], head["ContentType"], head["Metadata"], head["ContentLength"]),
                         (put["ETag"], "text/x", {"a": "b"}, 500))
        self.data("s3api", "get-object", "--bucket", bucket, "--key", "k", "--range", "bytes=10-19", "part")
        self.assertEqual((self.directory / "part").read_bytes(), path.read_bytes()[10:20])
        listed = self.data("s3api", "list-objects-v2", "--bucket", bucket)
        self.assertEqual([entry["Key"] for entry in listed["Contents"]], ["k"])
        self.data("s3api", "delete-object", "--bucket", bucket, "--key", "k")
        self.aws("s3api", "head-object", "--bucket", bucket, "--key", "k", code=254)

    def test_a_function_from_role_to_log(self):
        name = unique("cli-f")
        (self.directory / "f.zip").write_bytes(zipped({"app.py": "def handler(e, c):\n    print('hi')\n    return e\n"}))
        role = self.data("iam", "create-role", "--role-name", name, "--assume-role-policy-document", TRUST)["Role"]["Arn"]
        self.data("iam", "attach-role-policy", "--role-name", name, "--policy-arn",
                  "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
        self.data("lambda", "create-function", "--function-name", name, "--runtime", "python3.11", "--role", role,
                  "--handler", "app.handler", "--zip-file", "fileb://f.zip")
        self.aws("lambda", "wait", "function-active-v2", "--function-name", name)
        called = self.data("lambda", "invoke", "--function-name", name, "--payload", '{"a":1}', "--cli-binary-format",
                           "raw-in-base64-out", "answer")
        self.assertEqual((called["StatusCode"], json.loads((self.directory / "answer").read_text())), (200, {"a": 1}))
        group = f"/aws/lambda/{name}"
        wait_for(lambda: "hi" in self.aws("logs", "filter-log-events", "--log-group-name", group), what="the log")
        self.assertIn("hi", self.aws("logs", "tail", group))
        self.assertIn(name, self.aws("lambda", "list-functions"))
        self.aws("lambda", "delete-function", "--function-name", name)
        self.aws("lambda", "get-function", "--function-name", name, code=254)
        self.aws("iam", "detach-role-policy", "--role-name", name, "--policy-arn",
                 "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
        self.aws("iam", "delete-role", "--role-name", name)

    def test_users_keys_and_assumed_roles(self):
        name = unique("user")
        self.data("iam", "create-user", "--user-name", name)
        key = self.data("iam", "create-access-key", "--user-name", name)["AccessKey"]
        self.assertRegex(key["AccessKeyId"], "^AKIA[A-Z2-7]{16}$")
        self.assertIn(name, self.aws("iam", "list-users"))
        self.data("iam", "delete-access-key", "--user-name", name, "--access-key-id", key["AccessKeyId"])
        self.data("iam", "delete-user", "--user-name", name)
        self.assertRegex(self.data("sts", "get-caller-identity")["Arn"], "^arn:aws:(?:iam|sts)::[0-9]{12}:")
