"""Each example's run.sh prints its expected.txt."""
import shutil
import unittest

from aws import AWS_CLI, BINARY, DEPS, ROOT, run, unique
from cli_case import CliCase

EXAMPLES = ROOT / "examples"
NODE = DEPS / "thumbnail-node"
CXX = shutil.which("c++") or shutil.which("clang++-19")


class Examples(CliCase):
    def prints_what_is_expected(self, name, *words, **more):
        environment = self.environment(WOLKE=BINARY, BUCKET=unique("example"), **more)
        done = run(EXAMPLES / name / "run.sh", *words, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, (EXAMPLES / name / "expected.txt").read_text(), done.stderr)

    def picture(self):
        from PIL import Image
        path = self.directory / "a.jpg"
        Image.new("RGB", (1600, 900), "green").save(path, "JPEG")
        return path

    def test_every_example_is_here(self):
        self.assertEqual({path.parent.name for path in EXAMPLES.glob("*/run.sh")},
                         {path.name for path in EXAMPLES.iterdir() if path.is_dir()})

    @unittest.skipUnless(AWS_CLI, "the aws CLI is not installed (Debian: awscli)")
    def test_thumbnail_python(self):
        self.prints_what_is_expected("thumbnail-python", self.picture())

    @unittest.skipUnless(NODE.is_dir(), "./dev setup has not fetched the example's modules")
    @unittest.skipUnless(AWS_CLI, "the aws CLI is not installed (Debian: awscli)")
    def test_thumbnail_node(self):
        self.prints_what_is_expected("thumbnail-node", self.picture(), CODE=str(NODE))

    @unittest.skipUnless(CXX, "there is no c++ compiler")
    def test_custom_runtime(self):
        self.prints_what_is_expected("custom-runtime", CXX=CXX)
