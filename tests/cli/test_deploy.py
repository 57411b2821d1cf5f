"""deploy of code that is broken, and the script that `deploy --show` prints."""
import json
import os
import pathlib
import socket
import subprocess
import unittest

from aws import AWS_CLI, BINARY, ClientError, TRUST, client, client_of, run, unique
from cli_case import CliCase
from server import Server, clean_environment

GOOD = "def handler(event, context): return 'shown'\n"


class Broken(CliCase):
    """One clear sentence each; nothing reaches the server."""

    def refused(self, path, code, sentence, *words):
        done = self.wolke("deploy", path, *words, code=code)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(sentence, done.stderr)

    def folder(self, **files):
        path = self.directory / "code"
        path.mkdir()
        for name, text in files.items():
            (path / f"{name}.py").write_text(text)
        return path

    def test_bad_triggers_are_usage_errors(self):
        path = self.file("f.py", GOOD)
        for trigger in ("nonsense", "sqs:q", "s3:", "s3:UPPER", "s3://", "s3:a"):
            self.refused(path, 2, "s3:BUCKET", "--on", trigger)

    def test_a_bad_name_is_a_usage_error(self):
        path = self.file("f.py", GOOD)
        for name in ("a b", "a/b", "ä", "x" * 65):
            self.refused(path, 2, f"'{name}' is no function's name", "--name", name)
        self.assertIn("is no function's name", self.wolke("rm", "a b", code=2).stderr)

    def test_a_bad_variable_is_a_usage_error(self):
        path = self.file("f.py", GOOD)
        for word in ("A=1", "1A=1", "A-B=1"):
            self.refused(path, 2, f"--env {word}: a variable's name", "--env", word)

    def test_a_syntax_error(self):
        path = self.folder(app="def handler(event, context):\n    return (1\n")
        self.refused(path, 1, "app.py, line 2: '(' was never closed; nothing was deployed")
        self.refused(path / "app.py", 1, "line 2: '(' was never closed")
        for name in ("f.mjs", "f.js"):
            path = self.file(name, "// a line\nexports.handler = async () => { return (1 };\n")
            self.refused(path, 1, f"{name}, line 2: Unexpected token '}}'; nothing was deployed")
        path = self.file("top.js", "export const handler = async () => 1;\nawait 1;\n")  # a module, and right
        name = unique("syntax")
        self.wolke("deploy", path, "--name", name)
        self.wolke("rm", name)

    def test_nothing_there(self):
        self.refused(self.directory / "missing.py", 3, "there is no file or directory")

    def test_an_empty_folder(self):
        self.refused(self.folder(), 3, "there is no code in")

    def test_a_folder_of_hidden_files_only(self):
        path = self.folder()
        (path / ".git").mkdir()
        (path / ".git" / "app.py").write_text(GOOD)
        self.refused(path, 3, "hidden files and __pycache__ do not count")

    def test_no_handler(self):
        self.refused(self.folder(app="x = 1\n"), 1, "no handler found")

    def test_a_handler_whose_file_is_missing(self):
        self.refused(self.folder(app=GOOD), 2, "there is no other.py", "--handler", "other.handler")
        self.refused(self.directory / "code", 2, "FILE.FUNCTION", "--handler", "other")

    def test_a_runtime_that_is_not_served(self):
        self.refused(self.folder(app=GOOD), 1, "cobol is not served", "--runtime", "cobol")

    def test_more_than_250_mb_is_not_even_read(self):
        path = self.folder(app=GOOD)
        with open(path / "big", "wb") as big:
            big.truncate(300 << 20)
        self.refused(path, 1, "holds more than 250 MB")

    def test_more_than_50_mb_zipped(self):
        path = self.folder(app=GOOD)
        (path / "noise").write_bytes(os.urandom(51 << 20))
        self.refused(path, 1, "makes a zip of 51 MB; a function's may have 50")

    def test_a_link_to_nothing_and_a_link_to_itself(self):
        path = self.folder(app=GOOD)
        (path / "lost").symlink_to("nowhere")
        self.refused(path, 2, "lost is a link to nothing")
        (path / "lost").unlink()
        (path / "loop").symlink_to("..")
        self.refused(path, 2, "is a link to a directory that holds it")

    def test_a_zip(self):
        path = self.directory / "f.zip"
        path.write_bytes(b"PK\x03\x04 and so on")
        self.refused(path, 2, "is a zip already")

    def test_a_name_that_is_no_utf8(self):
        path = self.folder(app=GOOD)
        pathlib.Path(os.fsdecode(bytes(path) + b"/\xff.py")).write_text("")
        self.refused(path, 2, "UTF-8")

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to become somebody who may not read")
    def test_a_file_that_may_not_be_read(self):
        path = self.folder(app=GOOD)
        (path / "secret.py").write_text("")
        (path / "secret.py").chmod(0)
        self.directory.chmod(0o755)
        done = subprocess.run([BINARY, "deploy", str(path)], env=self.environment(), capture_output=True, text=True,
                              user=65534, group=65534, extra_groups=[])
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("secret.py: Permission denied", done.stderr)

    def test_a_socket_is_left_out_and_named(self):
        path = self.folder(app=GOOD)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path / "s"))
            done = self.wolke("deploy", path, "--name", unique("sock"), "--show")
        self.assertRegex(done.stderr, r"^left out: .*/code/s \(neither file nor directory\)\n$")


class Again(CliCase):
    """A second deploy: what is not named stays as it is."""

    FIRST = ("--env", "AB=1", "--memory", "256", "--timeout", "7")

    def state(self, name, bucket):
        configuration = client("lambda").get_function_configuration(FunctionName=name)
        policy = client("iam").get_role_policy(RoleName=f"{name}-role", PolicyName="least")["PolicyDocument"]
        return {"settings": [configuration[key] for key in ("MemorySize", "Timeout", "Environment", "Role")],
                "rights": policy["Statement"],
                "notifications": client("s3").get_bucket_notification_configuration(Bucket=bucket).get(
                    "LambdaFunctionConfigurations", [])}

    def test_it_keeps_settings_rights_and_notification(self):
        bucket = unique("b")
        name = self.deployed(GOOD, *self.FIRST, "--on", f"s3:{bucket}/in/", "--writes", f"s3:{bucket}-small")
        before = self.state(name, bucket)
        path = self.file(f"{name}.py", GOOD.replace("shown", "new"))
        self.assertNotIn("no longer", self.wolke("deploy", path).stdout)
        self.assertEqual(self.state(name, bucket), before)
        self.assertEqual(self.wolke("invoke", name).stdout, '"new"\n')

    def test_the_script_keeps_them_too(self):
        if not AWS_CLI:
            self.skipTest("the aws CLI is not installed (Debian: awscli)")
        bucket = unique("b")
        name = self.deployed(GOOD, *self.FIRST, "--on", f"s3:{bucket}/in/", "--writes", f"s3:{bucket}-small")
        before = self.state(name, bucket)
        for words in ((), ("--writes", f"s3:{bucket}-small")):
            shown = self.wolke("deploy", self.directory / f"{name}.py", *words, "--show").stdout
            done = run("sh", "-e", env=self.environment(), data=shown.encode())
            self.assertEqual((done.returncode, done.stderr), (0, ""), shown)
            self.assertEqual(self.state(name, bucket), before)

    def test_what_is_named_is_replaced_and_what_is_dropped_is_said(self):
        bucket = unique("b")
        name = self.deployed(GOOD, *self.FIRST, "--on", f"s3:{bucket}/in/", "--writes", f"s3:{bucket}-small")
        done = self.wolke("deploy", self.directory / f"{name}.py", "--env", "CD=2", "--writes", f"s3:{bucket}-big")
        self.assertIn(f"role {name}-role  no longer allowed s3:PutObject arn:aws:s3:::{bucket}-small/*\n", done.stdout)
        state = self.state(name, bucket)
        self.assertEqual(state["settings"][:3], [256, 7, {"Variables": {"CD": "2"}}])
        resources = [statement["Resource"] for statement in state["rights"]]
        self.assertEqual(resources[1:], [[f"arn:aws:s3:::{bucket}/in/*"], [f"arn:aws:s3:::{bucket}-big/*"]])


class Refused(CliCase):
    """What can be known before is checked before; what fails later says what it left."""

    def test_a_function_of_somebody_else_is_taken_over_only_by_replace(self):
        name = self.deployed(GOOD)
        functions, iam = client("lambda"), client("iam")
        role = iam.create_role(RoleName=name + "-own", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        functions.update_function_configuration(FunctionName=name, Role=role)
        path = self.file(f"{name}.py", GOOD)
        done = self.wolke("deploy", path, code=1)
        self.assertEqual((done.stdout, len(done.stderr.splitlines())), ("", 1), done.stderr)
        self.assertIn(f"function {name} was not made by deploy (its role is {role})", done.stderr)
        self.assertEqual(functions.get_function_configuration(FunctionName=name)["Role"], role)
        self.wolke("deploy", path, "--replace")
        self.wolke("deploy", path)

    def test_a_notification_that_overlaps_is_named_and_nothing_is_made(self):
        bucket, second = unique("b"), unique("cli")
        name = self.deployed(GOOD, "--on", f"s3:{bucket}/in/")
        path = self.file(f"{second}.py", GOOD)
        done = self.wolke("deploy", path, "--on", f"s3:{bucket}", "--writes", f"s3:{bucket}-w", code=1)
        self.assertEqual(done.stdout, "")
        self.assertIn(f"function:{name} already (notification wolke-{name})", done.stderr)
        with self.assertRaisesRegex(ClientError, "NoSuchEntity"):
            client("iam").get_role(RoleName=f"{second}-role")
        self.assertNotIn(f"{bucket}-w", [entry["Name"] for entry in client("s3").list_buckets()["Buckets"]])

    def test_a_later_failure_says_what_was_made_and_how_to_undo_it(self):
        name = unique("cli")
        done = self.wolke("deploy", self.file(f"{name}.py", GOOD), "--env", "AB=" + "x" * 5000, code=1)
        self.assertIn(f"done before that: role {name}-role  created; `wolke rm {name}` undoes it", done.stderr)
        self.assertEqual(self.wolke("rm", name).stdout, f"role {name}-role  removed\n")

    def test_a_trigger_that_moves_leaves_nothing_behind(self):
        old, new = unique("b"), unique("b")
        name = self.deployed(GOOD, "--on", f"s3:{old}")
        done = self.wolke("deploy", self.directory / f"{name}.py", "--on", f"s3:{new}").stdout
        self.assertIn(f"notification s3:{old} → {name}  removed\npermission s3:{old} → {name}  removed\n", done)
        self.assertNotIn("LambdaFunctionConfigurations", client("s3").get_bucket_notification_configuration(Bucket=old))
        policy = client("lambda").get_policy(FunctionName=name)["Policy"]
        self.assertNotIn(old, policy)
        self.assertIn(new, policy)


class Remove(CliCase):
    def test_it_takes_away_notifications_made_by_hand_and_says_only_what_it_did(self):
        bucket, quiet = unique("b"), unique("b")
        name = self.deployed(GOOD, "--on", f"s3:{bucket}/in/")
        longer = name + "2"
        self.wolke("deploy", self.directory / f"{name}.py", "--name", longer, "--on", f"s3:{bucket}/other/")
        self.addCleanup(lambda: run(BINARY, "rm", longer, env=self.environment()))
        functions, s3 = client("lambda"), client("s3")
        s3.create_bucket(Bucket=quiet)
        functions.add_permission(FunctionName=name, StatementId="q", Action="lambda:InvokeFunction",
                                 Principal="s3.amazonaws.com", SourceArn=f"arn:aws:s3:::{quiet}")
        configured = s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]
        configured.append({"Id": "by-hand", "LambdaFunctionArn": configured[0]["LambdaFunctionArn"].replace(longer, name),
                           "Events": ["s3:ObjectRemoved:*"]})
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": configured})
        done = self.wolke("rm", name).stdout
        self.assertEqual(sorted(done.splitlines()), sorted([
            f"notification wolke-{name} s3:{bucket} → {name}  removed",
            f"notification by-hand s3:{bucket} → {name}  removed",
            f"function {name}  removed", f"role {name}-role  removed"]))
        left = s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]
        self.assertEqual([entry["Id"] for entry in left], [f"wolke-{longer}"])


@unittest.skipUnless(AWS_CLI, "the aws CLI is not installed (Debian: awscli)")
class Script(CliCase):
    """The script that --show prints, pasted into a shell, makes what deploy makes."""

    def deployed_state(self, server, name, bucket):
        functions, s3, iam = (client_of(server, service) for service in ("lambda", "s3", "iam"))
        configuration = functions.get_function_configuration(FunctionName=name)
        notifications = s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]
        for entry in notifications:
            for rule in entry.get("Filter", {}).get("Key", {}).get("FilterRules", []):
                rule["Name"] = rule["Name"].lower()
        return {
            "configuration": {key: configuration[key] for key in (
                "Runtime", "Handler", "MemorySize", "Timeout", "Role", "FunctionArn", "State")},
            "environment": configuration["Environment"],
            "policy": json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"],
            "notifications": sorted(notifications, key=lambda entry: entry["Id"]),
            "role": iam.get_role_policy(RoleName=f"{name}-role", PolicyName="least")["PolicyDocument"],
            "trust": iam.get_role(RoleName=f"{name}-role")["Role"]["AssumeRolePolicyDocument"],
            "buckets": [entry["Name"] for entry in s3.list_buckets()["Buckets"]],
            "files": json.loads(functions.invoke(FunctionName=name)["Payload"].read()),
        }

    def test_the_script_makes_what_deploy_makes_on_a_fresh_server_and_again(self):
        name = "it-s"
        self.file(f"{name}/app.py", "import os\ndef handler(event, context):\n    return sorted(\n"
                  "        os.path.relpath(os.path.join(at, f), '/var/task')\n"
                  "        for at, _, files in os.walk('/var/task') for f in files if not f.endswith('.pyc'))\n")
        for path in ("sub/data.txt", ".env", ".git/config", "sub/.hidden", "__pycache__/x.pyc", "sub/__pycache__/y"):
            self.file(f"{name}/{path}", "x")
        (self.directory / name / "linked.txt").symlink_to("sub/data.txt")
        words = ("deploy", self.directory / name, "--on", "s3:photos/in & out/", "--writes", "s3:photos-resized", "--env",
                 "QUOTES=it's \"quoted\" $HOME `x`", "--env", "BC=2,3", "--memory", "256", "--timeout", "7")
        states = []
        for script in (False, True):
            with Server(BINARY, serve=True) as server:
                # A second function's notification on the same bucket must stay.
                other = self.file("other.py", GOOD)
                where = ("--data-dir", server.data_dir)
                environment = clean_environment(HOME=str(self.directory))
                self.wolke("deploy", other, "--on", "s3:photos/other/", *where, env=environment)
                for _ in range(2):  # the second time over what the first made
                    if script:
                        shown = self.wolke(*words, *where, "--show", env=environment).stdout
                        self.assertIn(f"--data-dir {server.data_dir}", shown)
                        done = run("sh", "-e", env=environment, data=shown.encode(), cwd="/")
                        self.assertEqual((done.returncode, done.stderr), (0, ""), shown)
                    else:
                        self.wolke(*words, *where, env=environment)
                    states.append(self.deployed_state(server, name, "photos"))
        self.assertEqual(len(states[0]["notifications"]), 2)
        self.assertEqual(states[0]["files"], ["app.py", "linked.txt", "sub/data.txt"])
        for state in states[1:]:
            for key, value in state.items():
                account = states[0]["configuration"]["Role"].split(":")[4]
                mine = state["configuration"]["Role"].split(":")[4]
                self.assertEqual(json.dumps(value).replace(mine, account), json.dumps(states[0][key]), key)

    def test_nothing_is_done_and_json_is_a_list(self):
        name = unique("show")
        path = self.file(f"{name}.py", GOOD)
        shown = json.loads(self.wolke("deploy", path, "--show", "--json").stdout)["Commands"]
        self.assertTrue(all(isinstance(line, str) for line in shown))
        self.assertTrue(any(f"create-function --function-name {name}" in line for line in shown), shown)
        self.wolke("invoke", name, code=3)

    def test_a_single_file_is_zipped_alone(self):
        name = unique("single")
        path = self.file(f"{name}.py", GOOD)
        shown = self.wolke("deploy", path, "--show").stdout
        done = run("sh", "-e", env=self.environment(), data=shown.encode())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.wolke("invoke", name).stdout, '"shown"\n')
        self.wolke("rm", name)
