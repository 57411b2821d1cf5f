"""The command line against a server, as a user types it."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from aws import AWS_CLI, BINARY, client, run, unique, wait_for
from cli_case import CliCase
from server import Server, alive, children, clean_environment, descendants, free_port

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Local(CliCase):
    """Verbs that need no server."""

    def test_version_and_help(self):
        self.assertRegex(self.wolke("version").stdout, r"^wolke \d+\.\d+\.\d+\n$")
        self.assertIn("Version", json.loads(self.wolke("version", "--json").stdout))
        self.assertIn("deploy", self.wolke("--help").stdout)
        self.assertIn("--writes", self.wolke("deploy", "--help").stdout)
        self.assertRegex(self.wolke("run", "--help").stdout, r"--env NAME=VALUE +an env")

    def test_a_demo_elsewhere_says_so_before_a_server_starts(self):
        photo = self.directory / "p.jpg"
        photo.write_bytes(b"\xff\xd8\xff\xe0" + b"x" * 100)
        done = subprocess.run([BINARY, "demo", str(photo)], env=self.environment(), cwd=self.directory,
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (3, 1), done.stderr)
        self.assertIn("there is no examples/thumbnail-node here", done.stderr)
        self.assertIn("./dev demo", done.stderr)

    def test_doctor_as_json(self):
        done = run(BINARY, "doctor", "--json", env=self.environment())
        findings = json.loads(done.stdout)
        self.assertTrue(findings)
        self.assertLessEqual({finding["Result"] for finding in findings}, {"pass", "warn", "fail"})
        for finding in findings:
            self.assertEqual(finding["Remedy"] == "", finding["Result"] == "pass", finding)
        self.assertEqual(done.returncode, 1 if any(f["Result"] == "fail" for f in findings) else 0)

    def test_doctor_fails_where_there_is_no_room(self):
        shown = run(BINARY, "doctor", "--data-dir", "/proc", env=self.environment())
        self.assertEqual(shown.returncode, 1)
        self.assertRegex(shown.stdout, r"(?m)^fail  disk +Only 0 MiB are free for data\.\n +remedy: make room")

    def test_completion_is_a_script_that_bash_takes(self):
        script = self.file("completion", self.wolke("completion", "bash").stdout)
        done = run("bash", "-c", f'source {script}; COMP_WORDS=(wolke dep); COMP_CWORD=1; _wolke; echo "${{COMPREPLY[@]}}"')
        self.assertEqual(done.stdout.split(), ["deploy"])
        self.assertEqual(done.stderr, "")

    def test_what_is_typed_wrong_ends_with_2(self):
        for words in ((), ("nonsense",), ("deploy",), ("invoke",), ("run",), ("deploy", "x", "--memory", "1"),
                      ("deploy", "x", "--nonsense"), ("completion", "tcsh")):
            done = self.wolke(*words, code=2)
            self.assertRegex(done.stderr, r"^wolke: .+", words)
            self.assertEqual(done.stdout, "")

    def test_run_a_python_file(self):
        path = self.file("hello.py", "def handler(event, context):\n    print('to the log')\n    return {'n': event['n'] + 1}\n")
        done = self.wolke("run", path, '{"n": 41}')
        self.assertEqual(json.loads(done.stdout), {"n": 42})
        self.assertIn("to the log", done.stderr)
        self.assertRegex(done.stderr, r"REPORT RequestId: [0-9a-f-]{36}\tDuration: [\d.]+ ms")

    def test_run_a_node_file(self):
        path = self.file("hello.mjs", "export const handler = async (event) => ({ got: event, node: process.version });\n")
        answer = json.loads(self.wolke("run", path, "-", data=b'{"a":[1]}').stdout)
        self.assertEqual(answer["got"], {"a": [1]})
        self.assertGreaterEqual(int(answer["node"][1:3]), 22)

    def test_run_takes_the_event_from_a_file_and_prints_json(self):
        path = self.file("hello.py", "import os\ndef handler(event, context):\n    return [event, os.environ['AB']]\n")
        event = self.file("event.json", '{"x": "ä"}')
        done = self.wolke("run", path, f"@{event}", "--json", "--env", "AB=c=d", "--timeout", "5")
        self.assertEqual(json.loads(done.stdout)["Payload"], [{"x": "ä"}, "c=d"])

    def test_run_ends_with_10_when_the_function_failed(self):
        path = self.file("bad.py", "def handler(event, context):\n    raise ValueError('no')\n")
        answer = json.loads(self.wolke("run", path, code=10).stdout)
        self.assertEqual((answer["errorType"], answer["errorMessage"]), ("ValueError", "no"))

    def test_run_says_what_is_wrong_with_its_arguments(self):
        path = self.file("hello.py", "def handler(event, context): return 1\n")
        self.assertIn("JSON", self.wolke("run", path, "{", code=2).stderr)
        self.assertIn("missing.py", self.wolke("run", self.directory / "missing.py", code=3).stderr)

    def test_run_neutralises_the_terminals_escapes(self):
        path = self.file("esc.py", "def handler(event, context):\n    print('\\x1b]0;owned\\x07\\x1b[31m')\n    return 'a\\x9b31m\\x1b[2J'\n")
        done = self.wolke("run", path)
        for text in (done.stdout, done.stderr):
            self.assertNotIn("\x1b", text)
            self.assertNotIn("\x07", text)
            self.assertNotIn("\x9b", text)

    def test_without_a_server_it_ends_with_4(self):
        with socket.socket() as taken:  # bound, not listening: nothing can answer there
            taken.bind(("127.0.0.1", 0))
            endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
            for words in (("ps",), ("invoke", "f"), ("logs", "f"), ("events",), ("rm", "f")):
                done = self.wolke(*words, "--endpoint", endpoint, code=4)
                self.assertIn(endpoint, done.stderr)


class Deploy(CliCase):
    def test_deploy_twice_then_rm(self):
        name, bucket = unique("thumbs"), unique("b")
        code = self.file(f"{name}/app.py", "import boto3\ndef handler(event, context):\n"
                         "    for r in event['Records']:\n"
                         "        b, k = r['s3']['bucket']['name'], r['s3']['object']['key']\n"
                         "        body = boto3.client('s3').get_object(Bucket=b, Key=k)['Body'].read()\n"
                         "        boto3.client('s3').put_object(Bucket=b + '-resized', Key=k, Body=body[:3])\n")
        words = ("deploy", code.parent, "--on", f"s3:{bucket}/in/", "--writes", f"s3:{bucket}-resized", "--timeout", "20")
        first = self.wolke(*words)
        self.assertIn("created", first.stdout)
        self.assertNotIn("created", self.wolke(*words).stdout)
        s3 = client("s3")
        configured = s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]
        self.assertEqual(len(configured), 1)
        policy = json.loads(client("lambda").get_policy(FunctionName=name)["Policy"])
        self.assertEqual(len(policy["Statement"]), 1)
        s3.put_object(Bucket=bucket, Key="in/a", Body=b"abcdef")
        s3.put_object(Bucket=bucket, Key="out/a", Body=b"abcdef")
        wait_for(lambda: s3.list_objects_v2(Bucket=bucket + "-resized")["KeyCount"], what="the function's object")
        self.assertEqual(s3.get_object(Bucket=bucket + "-resized", Key="in/a")["Body"].read(), b"abc")
        self.assertIn("removed", self.wolke("rm", name).stdout)
        self.assertNotIn("LambdaFunctionConfigurations", s3.get_bucket_notification_configuration(Bucket=bucket))
        self.assertEqual(s3.list_objects_v2(Bucket=bucket)["KeyCount"], 2)
        self.wolke("rm", name, code=3)

    def test_an_update_brings_new_code_and_settings(self):
        name = unique("cli")
        path = self.file("f.py", "def handler(event, context): return 1\n")
        self.addCleanup(lambda: run(BINARY, "rm", name, env=self.environment()))
        self.wolke("deploy", path, "--name", name, "--memory", "128")
        path.write_text("import os\ndef handler(event, context): return os.environ.get('AB')\n")
        self.wolke("deploy", path, "--name", name, "--memory", "256", "--env", "AB=2")
        self.assertEqual(self.wolke("invoke", name).stdout, '"2"\n')
        self.assertEqual(client("lambda").get_function_configuration(FunctionName=name)["MemorySize"], 256)


class Inspect(CliCase):
    ECHO = "def handler(event, context):\n    print('line of', event.get('who'))\n    return event\n"

    def test_invoke(self):
        name = self.deployed(self.ECHO)
        done = self.wolke("invoke", name, '{"who":"me"}')
        self.assertEqual(json.loads(done.stdout), {"who": "me"})
        self.assertIn("line of me", done.stderr)
        done = json.loads(self.wolke("invoke", name, "-", "--json", data=b'{"who":"you"}').stdout)
        self.assertEqual((done["StatusCode"], done["Payload"]), (200, {"who": "you"}))
        self.assertIn("REPORT", done["Log"])

    def test_exit_codes_of_invoke(self):
        name = self.deployed("def handler(event, context):\n    raise KeyError('x')\n")
        done = self.wolke("invoke", name, code=10)
        self.assertEqual(json.loads(done.stdout)["errorType"], "KeyError")
        self.assertIn(f"{name}-no", self.wolke("invoke", f"{name}-no", code=3).stderr)
        self.assertIn("file-no", self.wolke("invoke", name, "@file-no", code=3).stderr)

    def test_an_event_is_accepted_and_listed(self):
        name = self.deployed(self.ECHO)
        accepted = self.wolke("invoke", name, '{"who":"later"}', "--event", "--json")
        request = json.loads(accepted.stdout)["RequestId"]
        self.assertRegex(request, UUID)
        arn = client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]

        def events():
            return json.loads(self.wolke("events", "--function-arn", arn, "--json").stdout)["Events"]
        wait_for(lambda: [e for e in events() if e["State"] == "succeeded"], what=f"success among {events()}")
        self.assertIn("succeeded", self.wolke("events", "--function-arn", arn).stdout)
        self.assertEqual(len(self.wolke("events", "--function-arn", arn, "--failed").stdout.splitlines()), 1)
        by_name = json.loads(self.wolke("events", "--function", name, "--json").stdout)["Events"]
        self.assertEqual([event["Id"] for event in by_name], [event["Id"] for event in events()])
        self.wolke("rm", name)  # its events are still told, by its name
        self.assertIn("succeeded", self.wolke("events", "--function", name).stdout)
        self.assertIn("no function", self.wolke("events", "--function", unique("none"), code=3).stderr)

    def test_logs(self):
        name = self.deployed(self.ECHO)
        self.wolke("invoke", name, '{"who":"a"}')
        wait_for(lambda: "REPORT" in run(BINARY, "logs", name, env=self.environment()).stdout, what="the log")
        text = self.wolke("logs", name).stdout
        for word in ("INIT_START", "START", "line of a", "END", "REPORT"):
            self.assertIn(word, text)
        self.assertEqual(len(self.wolke("logs", name, "--filter", '"line of"').stdout.splitlines()), 1)
        for line in self.wolke("logs", f"/aws/lambda/{name}", "--json").stdout.splitlines():
            self.assertIn("message", json.loads(line))

    def test_a_log_that_is_not_there_says_why(self):
        for words in (("none",), ("none", "--follow")):
            self.assertIn("there is no function none;", self.wolke("logs", *words, code=3).stderr)
        self.assertIn("there is no log group /none;", self.wolke("logs", "/none", code=3).stderr)
        name = self.deployed(self.ECHO)
        done = self.wolke("logs", name)
        self.assertEqual((done.stdout, done.stderr), ("", f"{name} has no log yet: it was not called\n"))

    def test_logs_since(self):
        name = self.deployed(self.ECHO)
        logs, group = client("logs"), f"/aws/lambda/{name}"
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        now = int(time.time() * 1000)
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[
            {"timestamp": now - 3 * 3600_000, "message": "old"}, {"timestamp": now, "message": "new"}])
        for words, seen in (((), ["old", "new"]), (("--since", "10m"), ["new"]), (("--since", "4h"), ["old", "new"])):
            shown = self.wolke("logs", name, "--json", *words).stdout.splitlines()
            self.assertEqual([json.loads(line)["message"] for line in shown], seen, words)
        with subprocess.Popen([BINARY, "logs", "-f", name], stdout=subprocess.PIPE, env=self.environment()) as follow:
            self.addCleanup(follow.kill)
            self.assertIn(b"new", follow.stdout.readline())
            follow.kill()
        for text in ("10", "m", "-1h", "1w"):
            self.assertIn("as in 10m", self.wolke("logs", name, f"--since={text}", code=2).stderr)

    def test_logs_that_follow(self):
        name = self.deployed(self.ECHO)
        with subprocess.Popen([BINARY, "logs", "-f", name], stdout=subprocess.PIPE, env=self.environment()) as follow:
            self.addCleanup(follow.kill)
            self.wolke("invoke", name, '{"who":"the follower"}')
            seen = []
            reader = threading.Thread(target=lambda: any(
                seen.append(line) or b"line of the follower" in line for line in follow.stdout))
            reader.start()
            reader.join(20)
            follow.send_signal(signal.SIGINT)
            follow.wait(10)
        self.assertTrue(any(b"line of the follower" in line for line in seen), seen)

    def test_ps(self):
        name = self.deployed(self.ECHO)
        self.wolke("invoke", name)
        listed = json.loads(self.wolke("ps", "--json").stdout)["Instances"]
        mine = [instance for instance in listed if name in instance["FunctionArn"]]
        self.assertEqual(len(mine), 1, listed)
        self.assertIn(name, self.wolke("ps").stdout)

    def test_env_is_for_eval(self):
        done = run("bash", "-ec", f'eval "$({BINARY} env)"; printf "%s %s" "$AWS_ENDPOINT_URL" "$AWS_ACCESS_KEY_ID"',
                   env=self.environment())
        self.assertEqual(done.stdout, os.environ["WOLKE_ENDPOINT"] + " test")
        self.assertEqual(json.loads(self.wolke("env", "--json").stdout)["AWS_ENDPOINT_URL"], os.environ["WOLKE_ENDPOINT"])

    def test_escapes_in_answers_and_logs_are_neutralised(self):
        name = self.deployed("def handler(event, context):\n    print('log\\x1b]52;c;owned\\x07')\n    return '\\x1b[2J\\x9b2J'\n")
        invoked = self.wolke("invoke", name)
        wait_for(lambda: "REPORT" in run(BINARY, "logs", name, env=self.environment()).stdout, what="the log")
        for text in (invoked.stdout, invoked.stderr, self.wolke("logs", name).stdout):
            for escape in "\x1b\x07\x9b":
                self.assertNotIn(escape, text)


@unittest.skipUnless(AWS_CLI, "the aws CLI is not installed (Debian: awscli)")
class AwsWithDecoy(CliCase):
    """`wolke aws` beside a profile of the user's own: nothing of it is read, nobody else is called."""

    def setUp(self):
        super().setUp()
        self.calls = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        threading.Thread(target=self.listen, daemon=True).start()
        decoy = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        config = f"region = eu-decoy-1\nendpoint_url = {decoy}\noutput = yaml\ns3 =\n    endpoint_url = {decoy}\n"
        self.file(".aws/config", f"[default]\n{config}\n[profile decoy]\n{config}\ncredential_process = /bin/false\n")
        keys = "aws_access_key_id = AKIADECOYDECOYDECOY0\naws_secret_access_key = decoy\n"
        self.file(".aws/credentials", f"[default]\n{keys}\n[decoy]\n{keys}")
        self.decoyed = self.environment(
            AWS_PROFILE="decoy", AWS_DEFAULT_PROFILE="decoy", AWS_ENDPOINT_URL=decoy, AWS_ENDPOINT_URL_S3=decoy,
            AWS_CONFIG_FILE=str(self.directory / ".aws/config"), AWS_ACCESS_KEY_ID="AKIADECOYDECOYDECOY0",
            AWS_SECRET_ACCESS_KEY="decoy", AWS_SESSION_TOKEN="decoy", AWS_REGION="eu-decoy-1",
            AWS_SHARED_CREDENTIALS_FILE=str(self.directory / ".aws/credentials"))

    def listen(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.calls.append(connection.recv(2000))
            connection.close()

    def test_everything_goes_to_our_server(self):
        bucket = unique("decoy")
        path = self.file("a.txt", "hello")
        for words in (("s3", "mb", f"s3://{bucket}"), ("s3", "cp", path, f"s3://{bucket}/a.txt"),
                      ("sts", "get-caller-identity"), ("lambda", "list-functions"), ("iam", "list-roles"),
                      ("logs", "describe-log-groups")):
            self.wolke("aws", *words, env=self.decoyed)
        self.assertIn("a.txt", self.wolke("aws", "s3", "ls", f"s3://{bucket}/", env=self.decoyed).stdout)
        identity = json.loads(self.wolke("aws", "sts", "get-caller-identity", env=self.decoyed).stdout)
        self.assertEqual(identity["Account"], "000000000000")
        function = self.file("decoyed.py", "def handler(event, context): return 1\n")
        name = unique("decoyed")
        self.wolke("deploy", function, "--name", name, env=self.decoyed)
        self.assertEqual(self.wolke("invoke", name, env=self.decoyed).stdout, "1\n")
        self.wolke("rm", name, env=self.decoyed)
        self.assertEqual(self.calls, [])

    def test_the_decoy_itself_works(self):
        """The positive control: the same environment without `wolke` does call it."""
        socket.create_connection(self.listener.getsockname()).close()
        wait_for(lambda: self.calls, what="the listener's first call")

    def test_the_exit_code_is_the_aws_commands(self):
        done = run(BINARY, "aws", "s3", "ls", f"s3://{unique('none')}", env=self.environment())
        self.assertEqual(done.returncode, 254 if "aws-cli/2" in run(AWS_CLI, "--version").stdout else done.returncode)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("NoSuchBucket", done.stderr)


class Lifecycle(CliCase):
    """How a server starts, stops and comes back; each test has servers of its own."""

    def test_the_second_server_on_one_directory_refuses_and_names_the_first(self):
        with Server(BINARY) as first:
            done = run(BINARY, "dev", "--data-dir", first.data_dir, "--listen", "127.0.0.1:0", seconds=30)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn("ready", done.stdout)
            pids = {str(pid) for pid in (first.process.pid, *descendants(first.process.pid))}
            self.assertTrue(pids & set(re.findall(r"\d+", done.stderr)), f"{done.stderr} names none of {pids}")
            self.assertEqual(client("s3", first.endpoint).list_buckets()["Buckets"], [])

    def test_a_port_that_is_taken_is_told(self):
        with Server(BINARY) as first:
            address = first.endpoint.removeprefix("http://")
            done = run(BINARY, "dev", "--data-dir", first.directory / "other", "--listen", address, seconds=30)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(address, done.stderr)

    def test_sigterm_and_sigint_stop_it_cleanly_and_data_stays(self):
        for stop in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(stop), tempfile.TemporaryDirectory() as held:
                os.chmod(held, 0o755)
                data = pathlib.Path(held) / "data"
                with Server(BINARY, data_dir=data) as server:
                    client("s3", server.endpoint).create_bucket(Bucket="kept")
                    server.process.send_signal(stop)
                    self.assertEqual(server.process.wait(20), 0)
                with Server(BINARY, data_dir=data) as server:
                    self.assertEqual(client("s3", server.endpoint).list_buckets()["Buckets"][0]["Name"], "kept")

    def test_a_killed_server_process_comes_back_with_its_data(self):
        with Server(BINARY, port=free_port()) as server:
            s3 = client("s3", server.endpoint)
            s3.create_bucket(Bucket="kept")
            functions = client("lambda", server.endpoint)
            role = client("iam", server.endpoint)
            name = self.make_function(functions, self.make_role(role), {"app.py": "def handler(e, c): return 7\n"},
                                      Runtime="python3.11", Handler="app.handler")
            self.addCleanup(self._cleanups.clear)  # the server takes all of it along
            self.assertEqual(functions.invoke(FunctionName=name)["Payload"].read(), b"7")
            for _ in range(2):
                victim = self.listening(server)
                os.kill(victim, signal.SIGKILL)
                wait_for(lambda: not alive(victim, self.command), what="the process's end")
                buckets = wait_for(lambda: self.quietly(s3.list_buckets), 20, "the next answer")["Buckets"]
                self.assertEqual(buckets[0]["Name"], "kept")
                self.assertEqual(functions.invoke(FunctionName=name)["Payload"].read(), b"7")

    def listening(self, server):
        """The pid of the process that holds the store: the launcher's child with threads."""
        for pid, command in children(server.process.pid).items():
            if len(os.listdir(f"/proc/{pid}/task")) > 1:
                self.command = command
                return pid
        raise AssertionError(f"no server process among {children(server.process.pid)}")

    @staticmethod
    def quietly(call):
        try:
            return call()
        except Exception:  # refused, reset: it is not back yet
            return None

    def test_serve_makes_root_credentials_that_only_their_owner_reads(self):
        with Server(BINARY, serve=True) as server:
            mode = os.stat(server.data_dir / "root-credentials").st_mode & 0o777
            self.assertEqual(mode, 0o600)
            self.assertRegex(server.access_key, r"^AKIA[A-Z2-7]{16}$")
            done = run(BINARY, "aws", "--data-dir", server.data_dir, "s3", "ls", env=clean_environment())
            self.assertEqual(done.returncode, 0, done.stderr)
            done = run(BINARY, "ps", "--endpoint", server.endpoint, env=clean_environment(WOLKE_DATA_DIR="/nonexistent"))
            self.assertNotEqual(done.returncode, 0)
