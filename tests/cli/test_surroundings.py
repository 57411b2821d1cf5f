"""Which server a verb finds, what starts and what refuses to, and --json everywhere."""
import json
import os
import signal
import subprocess
import tempfile

from aws import BINARY, run
from cli_case import CliCase
from server import Server, clean_environment

CLIENT_VERBS = (("ps",), ("events",), ("logs", "f"), ("invoke", "f"), ("rm", "f"), ("env",), ("aws", "s3", "ls"))


class DataDirectory(CliCase):
    def client_verbs(self, directory, code, sentence):
        for words in CLIENT_VERBS:
            split = 1 if words[0] == "aws" else len(words)
            done = run(BINARY, *words[:split], "--data-dir", directory, *words[split:],
                       env=clean_environment(HOME=str(self.directory)))
            self.assertEqual(done.returncode, code, f"{words}: {done.stderr}")
            self.assertEqual(done.stdout, "", words)
            self.assertIn(sentence, done.stderr, words)

    def test_a_directory_that_is_not_there_is_named(self):
        typo = self.directory / "typo"
        self.client_verbs(typo, 4, f"there is no directory {typo}")
        self.assertFalse(typo.exists())

    def test_a_directory_without_a_server_is_named(self):
        self.client_verbs(self.directory, 4, f"no server runs with its data in {self.directory}: start one with")
        self.assertEqual(os.listdir(self.directory), [])

    def test_the_variable_names_it_as_the_option_does(self):
        done = run(BINARY, "ps", env=clean_environment(WOLKE_DATA_DIR=str(self.directory)))
        self.assertEqual(done.returncode, 4)
        self.assertIn(str(self.directory), done.stderr)

    def test_a_server_whose_key_is_away_is_not_called_as_somebody_else(self):
        with Server(BINARY, serve=True) as server:
            (server.data_dir / "root-credentials").rename(server.data_dir / "elsewhere")
            done = run(BINARY, "ps", "--data-dir", server.data_dir, env=clean_environment())
            self.assertEqual(done.returncode, 3)
            self.assertRegex(done.stderr, r"root-credentials is not there: set WOLKE_ACCESS_KEY_ID")

    def test_a_refused_key_says_which_it_was(self):
        with Server(BINARY, serve=True) as server, tempfile.TemporaryDirectory() as nothing:
            environment = clean_environment(XDG_DATA_HOME=nothing, HOME=nothing)
            done = subprocess.run([BINARY, "ps", "--endpoint", server.endpoint], env=environment, capture_output=True,
                                  text=True)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr, r"signed with (test/test, because there is no|the key in) /\S+/root-credentials")

    def test_env_of_a_server_that_is_gone_prints_nothing_and_fails(self):
        with Server(BINARY) as server:
            endpoint, data = server.endpoint, str(server.data_dir)
            done = run("sh", "-c", f'eval "$({BINARY} env --data-dir {data})"; echo "$AWS_ENDPOINT_URL"',
                       env=clean_environment(WOLKE_ENDPOINT="http://127.0.0.1:1"))
            self.assertEqual(done.stdout.strip(), endpoint)
        done = run(BINARY, "env", "--endpoint", endpoint, env=clean_environment())
        self.assertEqual((done.returncode, done.stdout), (4, ""))
        self.assertIn(f"no server answers at {endpoint}", done.stderr)


class Starting(CliCase):
    def test_a_taken_port_names_who_has_it_and_what_to_do(self):
        with Server(BINARY) as first:
            address = first.endpoint.removeprefix("http://")
            other = self.directory / "other"
            done = run(BINARY, "dev", "--data-dir", other, "--listen", address, seconds=30)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, rf"^wolke: ListenFailed: cannot listen on {address}: address in use: "
                             r"wolke \(pid \d+\) listens there; stop it, or give --listen 127\.0\.0\.1:PORT")
            self.assertFalse(other.exists())

    def test_an_address_that_is_none_is_a_usage_error(self):
        self.assertIn("--listen is HOST:PORT", self.wolke("dev", "--listen", "here", code=2).stderr)

    def started(self, verb, *words):
        """The first line and everything on stderr of a server that is stopped again."""
        self.directory.chmod(0o755)
        with subprocess.Popen([BINARY, verb, "--data-dir", self.directory / verb, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=clean_environment(), text=True) as process:
            self.addCleanup(process.kill)
            line = process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            told = process.communicate(timeout=30)[1]
            self.assertEqual(process.returncode, 0, told)
        return line, told

    def test_beyond_this_machine_both_servers_warn(self):
        line, told = self.started("dev", "--listen", "0.0.0.0:0")
        self.assertRegex(line, r"^ready http://0\.0\.0\.0:\d+\n$")
        self.assertRegex(told, r"WARNING: dev listens on 0\.0\.0\.0:0, beyond this machine, and accepts ANY access key")
        self.assertIn("without TLS", self.started("serve", "--listen", "0.0.0.0:0")[1])

    def test_on_this_machine_nobody_is_warned(self):
        self.assertNotIn("arning", self.started("dev", "--listen", "127.0.0.1:0")[1])

    def test_the_ready_line_as_json(self):
        for verb in ("dev", "serve"):
            ready = json.loads(self.started(verb, "--listen", "127.0.0.1:0", "--json")[0])
            self.assertRegex(ready["Ready"], r"^http://127\.0\.0\.1:\d+$")
            self.assertEqual((ready["Mode"], ready["DataDir"]), (verb, str(self.directory / verb)))
            self.assertIn(ready["Isolation"], ("full", "rootless"))


class Json(CliCase):
    """Every verb takes --json, or says in one sentence why not."""

    def test_help_of_every_verb_names_it(self):
        verbs = [entry["Name"] for entry in json.loads(self.wolke("completion", "--json").stdout)]
        self.assertEqual(len(verbs), 16)
        for verb in verbs:
            if verb != "aws":
                self.assertIn("--json", self.wolke(verb, "--help").stdout, verb)

    def test_aws_says_why_not(self):
        done = self.wolke("aws", "s3", "ls", "--json", code=2)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIn("wolke aws --output json", done.stderr)

    def test_completion_names_the_options(self):
        verbs = {entry["Name"]: entry for entry in json.loads(self.wolke("completion", "--json").stdout)}
        self.assertIn("--writes", verbs["deploy"]["Options"])

    def test_a_verb_that_is_mistyped_is_guessed(self):
        self.assertRegex(self.wolke("depoly", code=2).stderr, "no verb depoly; did you mean deploy\\?")
        self.assertNotIn("mean", self.wolke("nonsense", code=2).stderr)
