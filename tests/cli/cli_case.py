"""A user at a shell: HOME is a fresh directory, the server that of the environment."""
import os
import pathlib
import tempfile

from aws import BINARY, Case, run, unique
from server import clean_environment


class CliCase(Case):
    def setUp(self):
        held = tempfile.TemporaryDirectory(prefix="wolke-cli-")
        self.addCleanup(held.cleanup)
        self.directory = pathlib.Path(held.name)

    def environment(self, **more):
        return clean_environment(WOLKE_ENDPOINT=os.environ["WOLKE_ENDPOINT"], HOME=str(self.directory), **more)

    def wolke(self, *words, code=0, data=b"", env=None):
        done = run(BINARY, *words, env=env or self.environment(), data=data)
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}\n{done.stderr}")
        return done

    def file(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def deployed(self, text, *words):
        """The name of a function with this code, deployed and taken away after the test."""
        name = unique("cli")
        path = self.file(name + ".py", text)
        self.wolke("deploy", path, "--name", name, *words)
        self.addCleanup(lambda: run(BINARY, "rm", name, env=self.environment()))
        return name
