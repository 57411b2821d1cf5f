"""backup: of a stopped server, compared, and a server starts from it."""
import json
import os
import pathlib
import tempfile

from aws import BINARY, Case, TRUST, client, run, zipped
from server import Server


class Backup(Case):
    def setUp(self):
        held = tempfile.TemporaryDirectory(prefix="wolke-backup-")
        self.addCleanup(held.cleanup)
        os.chmod(held.name, 0o755)
        self.data, self.copy = pathlib.Path(held.name) / "data", pathlib.Path(held.name) / "copy"

    def backup(self, *words, code=0):
        done = run(BINARY, "backup", *words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_a_server_starts_from_the_copy_with_objects_functions_and_keys(self):
        with Server(BINARY, serve=True, data_dir=self.data) as server:
            keys = {"endpoint": server.endpoint, "key": server.access_key, "secret": server.secret_key}
            client("s3", **keys).create_bucket(Bucket="kept")
            client("s3", **keys).put_object(Bucket="kept", Key="k", Body=b"x" * 200_000)
            role = client("iam", **keys).create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
            client("lambda", **keys).create_function(
                FunctionName="f", Role=role, Runtime="python3.11", Handler="app.handler",
                Code={"ZipFile": zipped({"app.py": "def handler(e, c): return 7\n"})})
            client("lambda", **keys).get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig={"Delay": 0.1})
            refused = self.backup(self.copy, "--data-dir", self.data, code=1)
            self.assertIn("stop it first", refused.stderr)
            self.assertRegex(refused.stderr, r"pid \d+")
            self.assertFalse(self.copy.exists())
        self.assertGreater(json.loads(self.backup(self.copy, "--data-dir", self.data, "--json").stdout)["Bytes"], 200_000)
        self.assertEqual(sorted(os.listdir(self.copy)), sorted(name for name in os.listdir(self.data) if name != "endpoint"))
        self.assertEqual(os.stat(self.copy / "root-credentials").st_mode & 0o777, 0o600)
        with Server(BINARY, serve=True, data_dir=self.copy) as server:
            keys = {"endpoint": server.endpoint, "key": keys["key"], "secret": keys["secret"]}
            self.assertEqual(client("s3", **keys).get_object(Bucket="kept", Key="k")["Body"].read(), b"x" * 200_000)
            self.assertEqual(client("lambda", **keys).invoke(FunctionName="f")["Payload"].read(), b"7")

    def test_what_is_no_data_directory_stays_as_it_is(self):
        self.assertIn("there is no data directory", self.backup(self.copy, "--data-dir", self.data, code=3).stderr)
        self.data.mkdir()
        self.assertIn("is no data directory", self.backup(self.copy, "--data-dir", self.data, code=3).stderr)
        self.assertEqual(os.listdir(self.data), [])

    def test_the_copy_is_a_new_directory_elsewhere(self):
        (self.data / "store").mkdir(parents=True)
        self.copy.mkdir()
        self.assertIn("exists already", self.backup(self.copy, "--data-dir", self.data, code=2).stderr)
        self.assertIn("lies inside", self.backup(self.data / "sub", "--data-dir", self.data, code=2).stderr)
