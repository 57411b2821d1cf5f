"""The Runtime API for runtimes in other languages, each with its language's own HTTP client. A language that the machine has not is
skipped; CI's machine has the shell, Perl and C++."""
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from running import RunningCase

SOURCES = pathlib.Path(__file__).parent / "languages"


def needs(program, what):
    return unittest.skipUnless(shutil.which(program, path="/usr/bin"), f"needs {what}")


class Languages(RunningCase):
    def source(self, name):
        return (SOURCES / name).read_text()

    def built(self, output, *command, **environment):
        """The files that a compiler makes of one of the sources, by name."""
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(command, cwd=directory, check=True, timeout=300, env={"PATH": "/usr/bin:/bin", "HOME": directory, **environment})
            return {name.name: name.read_bytes() for name in pathlib.Path(directory).glob(output)}

    def check(self, files, **configuration):
        """Answers, errors and a failed Init, as every runtime client must be able to give them."""
        self.deploy(files, "provided.al2023", "any.handler", Timeout=30, **configuration)
        for count, event in enumerate(({"text": "ä→😀 \" \\"}, [], "x" * 300_000), 1):
            answer = self.answer(event)
            self.assertEqual((answer["event"], answer["count"], answer["id"], answer["arn"]),
                             (event, count, self.request_id, self.arn(self.function)))
            self.assertGreater(answer["deadline"], time.time() * 1000)
        self.assertEqual(self.fault({"fail": True}), ("Sample.Refused", "refused"))
        self.assertIn(f"line of {self.request_id}", self.log)
        self.assertEqual(self.answer({})["count"], 5, "an error must not cost the instance")
        self.deploy(files, "provided.al2023", "any.handler", Timeout=30, Environment={"Variables": {"BROKEN": "1"}}, **configuration)
        self.assertEqual(self.fault(), ("Sample.Refused", "refused"))

    @needs("curl", "curl")
    def test_a_shell_with_curl(self):
        self.check({"bootstrap": (self.source("bootstrap.sh"), 0o100755)})

    @needs("perl", "Perl")
    def test_perl(self):
        self.check({"bootstrap": (self.source("bootstrap.pl"), 0o100755)})

    @needs("ruby", "Ruby")
    def test_ruby(self):
        self.check({"bootstrap": (self.source("bootstrap.rb"), 0o100755)})

    @needs("go", "Go")
    def test_go(self):
        made = self.built("bootstrap", "/usr/bin/go", "build", "-o", "bootstrap", str(SOURCES / "bootstrap.go"))
        self.check({"bootstrap": (made["bootstrap"], 0o100755)})

    @needs("javac", "a JDK")
    def test_java(self):
        classes = self.built("*.class", "/usr/bin/javac", "-d", ".", str(SOURCES / "Bootstrap.java"))
        self.check({**classes, "bootstrap": ("#!/bin/sh\nexec /usr/bin/java -Xshare:auto -cp /var/task Bootstrap\n", 0o100755)}, MemorySize=512)

    @unittest.skipUnless(shutil.which("clang++-19") and pathlib.Path("/usr/include/x86_64-linux-gnu/curl/curl.h").exists(),
                         "needs clang and libcurl's headers in /usr")
    def test_cpp_with_libcurl(self):
        made = self.built("bootstrap", shutil.which("clang++-19"), "-std=c++20", "-o", "bootstrap", str(SOURCES / "bootstrap.cc"), "-lcurl")
        self.check({"bootstrap": (made["bootstrap"], 0o100755)})


if __name__ == "__main__":
    unittest.main()
