import base64
import hashlib
import time
import unittest
import urllib.error
import urllib.request

from clients import ENDPOINT, NODE, PYTHON, LambdaCase, client, zipped


class Functions(LambdaCase):
    def test_create_answers_with_everything_tools_read(self):
        code = zipped(PYTHON)
        made = self.create(Code={"ZipFile": code}, Environment={"Variables": {"AB": "1"}}, MemorySize=256, Timeout=7)
        self.assertEqual(made["ResponseMetadata"]["HTTPStatusCode"], 201)
        self.assertEqual(made["FunctionArn"], self.arn(made["FunctionName"]))
        self.assertEqual(made["CodeSha256"], base64.b64encode(hashlib.sha256(code).digest()).decode())
        self.assertEqual((made["CodeSize"], made["MemorySize"], made["Timeout"]), (len(code), 256, 7))
        self.assertEqual((made["Version"], made["State"], made["PackageType"]), ("$LATEST", "Pending", "Zip"))
        self.assertEqual(made["Environment"], {"Variables": {"AB": "1"}})
        self.assertEqual(made["Architectures"], ["x86_64"])
        self.assertEqual(made["EphemeralStorage"], {"Size": 512})
        self.assertEqual(made["SnapStart"], {"ApplyOn": "None", "OptimizationStatus": "Off"})
        self.assertRegex(made["LastModified"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$")

    def test_the_waiters_end(self):
        name = self.create()["FunctionName"]
        self.functions.get_waiter("function_active").wait(FunctionName=name)
        self.functions.update_function_configuration(FunctionName=name, MemorySize=192)
        self.functions.get_waiter("function_updated").wait(FunctionName=name)
        self.assertEqual(self.functions.get_function_configuration(FunctionName=name)["MemorySize"], 192)

    def test_every_form_of_the_name_finds_the_function(self):
        name = self.create()["FunctionName"]
        for form in (name, self.arn(name), f"{self.account}:function:{name}", f"{name}:$LATEST"):
            found = self.functions.get_function(FunctionName=form)
            self.assertEqual(found["Configuration"]["FunctionName"], name, form)
            self.assertEqual(found["Code"]["RepositoryType"], "S3")

    def test_the_code_can_be_downloaded_from_its_link(self):
        first, second = zipped(PYTHON), zipped({"app.py": "def handler(event, context): return 2\n"})
        name = self.create(Code={"ZipFile": first}, Publish=True)["FunctionName"]
        self.functions.update_function_code(FunctionName=name, ZipFile=second)
        for qualifier, code in (("$LATEST", second), ("1", first)):
            found = self.functions.get_function(FunctionName=name, Qualifier=qualifier)["Code"]
            self.assertEqual(found["RepositoryType"], "S3")
            self.assertTrue(found["Location"].startswith(ENDPOINT + "/_wolke/"), found)
            with urllib.request.urlopen(found["Location"]) as answer:
                self.assertEqual(answer.headers["Content-Type"], "application/zip")
                self.assertEqual(answer.read(), code)

    def test_a_changed_or_late_link_gives_nothing(self):
        name = self.create()["FunctionName"]
        link = self.functions.get_function(FunctionName=name)["Code"]["Location"]
        expires = link.partition("Expires=")[2].partition("&")[0]
        self.assertAlmostEqual(int(expires), time.time() + 600, delta=60)
        changed = {link.replace(expires, str(int(expires) + 1)): b"SignatureDoesNotMatch",
                   link[:-1] + ("0" if link[-1] != "0" else "1"): b"SignatureDoesNotMatch",
                   link.partition("&Signature")[0]: b"AccessDenied", link.partition("?")[0]: b"AccessDenied"}
        for bad, code in changed.items():
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(bad)
            self.assertEqual(caught.exception.code, 403, bad)
            self.assertIn(b"<Error><Code>" + code + b"</Code>", caught.exception.read())
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(link, method="DELETE"))
        self.assertEqual(caught.exception.code, 405)

    def test_a_role_of_another_account_is_refused_at_once(self):
        other = f"arn:aws:iam::{'1' * 12 if self.account != '1' * 12 else '2' * 12}:role/any"
        text = "Cross-account pass role is not allowed."
        self.assertEqual(self.refused("AccessDeniedException", self.create, Role=other), text)
        name = self.create()["FunctionName"]
        self.assertEqual(self.refused("AccessDeniedException", self.functions.update_function_configuration, FunctionName=name,
                                      Role=other), text)

    def test_environment_variables_have_names_that_a_shell_knows(self):
        for names, code, text in (
                (["A"], "ValidationException", "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: "
                                               "[a-zA-Z]([a-zA-Z0-9_])+]"),
                (["AWS_REGION", "OK"], "InvalidParameterValueException", "Reserved keys used in this request: AWS_REGION")):
            message = self.refused(code, self.create, Environment={"Variables": {name: "x" for name in names}})
            self.assertTrue(message.endswith(text), message)

    def test_a_name_of_one_letter_will_do(self):
        self.create(FunctionName="q")
        answer = self.functions.invoke(FunctionName="q", Payload=b"1")
        self.assertEqual(answer["Payload"].read(), b'{"echo": 1}')

    def test_a_name_is_taken_once(self):
        name = self.create()["FunctionName"]
        message = self.refused("ResourceConflictException", self.create, FunctionName=name)
        self.assertEqual(message, f"Function already exist: {name}")

    def test_what_is_missing_is_said_with_its_arn(self):
        for call in (self.functions.get_function, self.functions.delete_function, self.functions.invoke):
            message = self.refused("ResourceNotFoundException", call, FunctionName="nope")
            self.assertEqual(message, f"Function not found: {self.arn('nope')}")

    def test_functions_are_listed_a_page_at_a_time(self):
        names = {self.create()["FunctionName"] for _ in range(3)}
        pages = list(self.functions.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1}))
        listed = [function["FunctionName"] for page in pages for function in page["Functions"]]
        self.assertLessEqual(names, set(listed))
        self.assertEqual(len(listed), len(set(listed)))

    def test_new_code_needs_the_revision_it_was_made_for(self):
        made = self.create()
        name = made["FunctionName"]
        new = zipped({"app.py": "def handler(event, context): return 2\n"})
        self.refused("PreconditionFailedException", self.functions.update_function_code, FunctionName=name, ZipFile=new,
                     RevisionId="00000000-0000-0000-0000-000000000000")
        dry = self.functions.update_function_code(FunctionName=name, ZipFile=new, DryRun=True)
        self.assertNotEqual(dry["CodeSha256"], made["CodeSha256"])
        self.assertEqual(self.functions.get_function_configuration(FunctionName=name)["CodeSha256"], made["CodeSha256"])
        updated = self.functions.update_function_code(FunctionName=name, ZipFile=new)
        self.assertEqual(updated["LastUpdateStatus"], "InProgress")
        self.assertNotEqual(updated["RevisionId"], made["RevisionId"])

    def test_bad_zips_make_no_function(self):
        good = zipped(PYTHON)
        for bad in (b"no zip", good[:-5], good + b"tail", b"#!/bin/sh\n" + good, zipped({"../app.py": ""}),
                    zipped({"/app.py": ""}), zipped({"link": ("/etc/passwd", 0o120777)}),
                    zipped({"dev": ("", 0o020666)})):
            name = self.name()
            message = self.refused("InvalidParameterValueException", self.create, FunctionName=name,
                                   Code={"ZipFile": bad})
            self.assertIn("Could not unzip uploaded file", message)
            self.refused("ResourceNotFoundException", self.functions.get_function, FunctionName=name)

    def test_code_from_s3(self):
        s3 = client("s3")
        bucket = self.name()
        s3.create_bucket(Bucket=bucket)
        self.addCleanup(s3.delete_bucket, Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="a/code.zip", Body=zipped(PYTHON))
        self.addCleanup(s3.delete_object, Bucket=bucket, Key="a/code.zip")
        made = self.create(Code={"S3Bucket": bucket, "S3Key": "a/code.zip"})
        self.assertEqual(made["CodeSize"], len(zipped(PYTHON)))
        message = self.refused("InvalidParameterValueException", self.create,
                               Code={"S3Bucket": bucket, "S3Key": "missing.zip"})
        self.assertIn("S3 Error Code: NoSuchKey", message)

    def test_limits_of_the_configuration(self):
        self.refused("InvalidParameterValueException", self.create, Environment={"Variables": {"AWS_REGION": "x"}})
        self.refused("InvalidParameterValueException", self.create, Environment={"Variables": {"AB": "x" * 4096}})
        self.refused("ValidationException", self.create, Timeout=901)
        self.refused("InvalidParameterValueException", self.create, PackageType="Image",
                     Code={"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/x:1"})

    def test_tags(self):
        name = self.create(Tags={"a": "1"})["FunctionName"]
        self.functions.tag_resource(Resource=self.arn(name), Tags={"b": "2"})
        self.functions.untag_resource(Resource=self.arn(name), TagKeys=["a"])
        self.assertEqual(self.functions.list_tags(Resource=self.arn(name))["Tags"], {"b": "2"})
        self.assertEqual(self.functions.get_function(FunctionName=name)["Tags"], {"b": "2"})


class VersionsAndAliases(LambdaCase):
    def test_a_version_keeps_what_it_was(self):
        name = self.create(Description="first")["FunctionName"]
        self.assertEqual(self.functions.publish_version(FunctionName=name)["Version"], "1")
        self.assertEqual(self.functions.publish_version(FunctionName=name)["Version"], "1")
        self.functions.update_function_configuration(FunctionName=name, Description="second")
        self.assertEqual(self.functions.publish_version(FunctionName=name)["Version"], "2")
        found = self.functions.get_function_configuration(FunctionName=name, Qualifier="1")
        self.assertEqual((found["Description"], found["FunctionArn"]), ("first", self.arn(name) + ":1"))
        listed = self.functions.list_versions_by_function(FunctionName=name)["Versions"]
        self.assertEqual([version["Version"] for version in listed], ["$LATEST", "1", "2"])

    def test_each_state_of_a_change_has_its_revision(self):
        made = self.create()
        name = made["FunctionName"]
        self.functions.get_waiter("function_active").wait(FunctionName=name)
        active = self.functions.get_function_configuration(FunctionName=name)["RevisionId"]
        self.assertNotEqual(made["RevisionId"], active)
        updated = self.functions.update_function_configuration(FunctionName=name, Timeout=8, RevisionId=active)
        self.functions.get_waiter("function_updated").wait(FunctionName=name)
        settled = self.functions.get_function_configuration(FunctionName=name)["RevisionId"]
        self.assertEqual(len({made["RevisionId"], active, updated["RevisionId"], settled}), 4)
        self.functions.add_permission(FunctionName=name, StatementId="a", Action="lambda:InvokeFunction",
                                      Principal="s3.amazonaws.com", RevisionId=settled)
        self.assertEqual(self.functions.get_policy(FunctionName=name)["RevisionId"],
                         self.functions.get_function_configuration(FunctionName=name)["RevisionId"])

    def test_a_function_is_described_under_the_name_it_was_asked_by(self):
        made = self.create(Publish=True, Environment={"Variables": {}})
        name = made["FunctionName"]
        self.assertEqual((made["FunctionArn"], made["Version"]), (self.arn(name), "1"))
        self.assertEqual(made["Environment"], {"Variables": {}})
        self.functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        found = self.functions.get_function(FunctionName=name, Qualifier="live")["Configuration"]
        self.assertEqual((found["FunctionArn"], found["Version"]), (self.arn(name) + ":live", "1"))

    def test_aliases(self):
        name = self.create(Publish=True)["FunctionName"]
        made = self.functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        self.assertEqual(made["AliasArn"], self.arn(name) + ":live")
        self.refused("ResourceConflictException", self.functions.create_alias, FunctionName=name, Name="live",
                     FunctionVersion="1")
        self.refused("ResourceNotFoundException", self.functions.create_alias, FunctionName=name, Name="dead",
                     FunctionVersion="9")
        self.functions.update_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
        self.assertEqual(self.functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"], "$LATEST")
        self.functions.update_alias(FunctionName=name, Name="live", FunctionVersion="1")
        self.refused("ResourceConflictException", self.functions.delete_function, FunctionName=name, Qualifier="1")
        self.functions.delete_alias(FunctionName=name, Name="live")
        self.refused("ResourceNotFoundException", self.functions.get_alias, FunctionName=name, Name="live")
        self.functions.delete_function(FunctionName=name, Qualifier="1")


    def test_only_the_function_itself_and_its_latest_version_can_be_changed(self):
        name = self.create(Publish=True)["FunctionName"]
        self.functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        before = self.functions.get_function_configuration(FunctionName=name)["RevisionId"]
        for qualified in (name + ":1", name + ":live", self.arn(name) + ":1"):
            for call, arguments in ((self.functions.update_function_configuration, {"Timeout": 9}),
                                    (self.functions.update_function_code, {"ZipFile": zipped(NODE)}),
                                    (self.functions.delete_function_concurrency, {})):
                message = self.refused("InvalidParameterValueException", call, FunctionName=qualified, **arguments)
                self.assertTrue(message.startswith("This operation is permitted on Lambda functions only."), message)
        self.assertEqual(self.functions.get_function_configuration(FunctionName=name)["RevisionId"], before)
        self.functions.update_function_configuration(FunctionName=name + ":$LATEST", Timeout=9)
        self.assertEqual(self.functions.get_function_configuration(FunctionName=name)["Timeout"], 9)

    def test_what_was_configured_for_a_version_goes_with_it(self):
        name = self.create(Publish=True)["FunctionName"]
        calls = self.functions
        calls.put_function_event_invoke_config(FunctionName=name, Qualifier="1", MaximumRetryAttempts=1)
        calls.add_permission(FunctionName=name, Qualifier="1", StatementId="s", Action="lambda:InvokeFunction",
                             Principal="s3.amazonaws.com")
        self.assertEqual(len(calls.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]), 1)
        calls.get_policy(FunctionName=name, Qualifier="1")
        calls.delete_function(FunctionName=name, Qualifier="1")
        self.assertEqual(calls.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"], [])
        self.refused("ResourceNotFoundException", calls.get_policy, FunctionName=name, Qualifier="1")


class Settings(LambdaCase):
    def test_the_policy_is_written_as_on_aws(self):
        import json
        name = self.create()["FunctionName"]
        self.refused("ResourceNotFoundException", self.functions.get_policy, FunctionName=name)
        self.functions.add_permission(FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction",
                                      Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::photos",
                                      SourceAccount=self.account)
        policy = json.loads(self.functions.get_policy(FunctionName=name)["Policy"])
        self.assertEqual(policy, {
            "Version": "2012-10-17", "Id": "default", "Statement": [{
                "Sid": "s3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "lambda:InvokeFunction", "Resource": self.arn(name),
                "Condition": {"StringEquals": {"AWS:SourceAccount": self.account},
                              "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::photos"}}}]})
        self.functions.remove_permission(FunctionName=name, StatementId="s3")
        self.refused("ResourceNotFoundException", self.functions.get_policy, FunctionName=name)

    def test_reserved_concurrency(self):
        name = self.create()["FunctionName"]
        self.refused("InvalidParameterValueException", self.functions.put_function_concurrency, FunctionName=name,
                     ReservedConcurrentExecutions=901)
        self.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
        self.assertEqual(self.functions.get_function(FunctionName=name)["Concurrency"],
                         {"ReservedConcurrentExecutions": 5})
        self.functions.delete_function_concurrency(FunctionName=name)
        self.assertNotIn("ReservedConcurrentExecutions", self.functions.get_function_concurrency(FunctionName=name))

    def test_event_invoke_configurations(self):
        name = self.create()["FunctionName"]
        self.refused("ResourceNotFoundException", self.functions.get_function_event_invoke_config, FunctionName=name)
        put = self.functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
        self.assertEqual((put["MaximumRetryAttempts"], put["FunctionArn"]), (0, self.arn(name) + ":$LATEST"))
        self.functions.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60)
        found = self.functions.get_function_event_invoke_config(FunctionName=name)
        self.assertEqual((found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]), (0, 60))
        self.functions.delete_function_event_invoke_config(FunctionName=name)

    def test_a_layer_is_no_destination(self):
        name = self.create()["FunctionName"]
        message = self.refused("InvalidParameterValueException", self.functions.put_function_event_invoke_config, FunctionName=name,
                               DestinationConfig={"OnFailure": {"Destination": f"arn:aws:lambda:us-east-1:{self.account}:layer:x:1"}})
        self.assertTrue(message.startswith("The provided destination config"), message)


if __name__ == "__main__":
    unittest.main()
