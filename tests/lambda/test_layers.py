"""Layers: published, shared, and what a function finds of them in /opt."""
import json
import os
import unittest
import urllib.request

from aws import client, unique, zipped
from running import RunningCase

OTHER = "222222222222"


def other(service):
    """A client of another account, where the server takes any account's id for a key."""
    return client(service, key=OTHER, secret="test")


class Layers(RunningCase):
    def layer(self, files, name=None, **more):
        name = name or unique("layer")
        made = self.functions.publish_layer_version(LayerName=name, Content={"ZipFile": zipped(files)}, **more)
        self.addCleanup(self.functions.delete_layer_version, LayerName=name, VersionNumber=made["Version"])
        return made

    def test_a_version_is_told_as_it_was_published(self):
        files = {"nodejs/node_modules/one/index.js": "module.exports = 1"}
        made = self.layer(files, Description="of one", LicenseInfo="MIT", CompatibleRuntimes=["nodejs22.x", "nodejs20.x"],
                          CompatibleArchitectures=["x86_64"])
        name = made["LayerArn"].rpartition(":")[2]
        self.assertEqual(made["Version"], 1)
        self.assertEqual(made["LayerVersionArn"], made["LayerArn"] + ":1")
        read = self.functions.get_layer_version(LayerName=name, VersionNumber=1)
        self.assertEqual(read, {**read, **{key: made[key] for key in (
            "LayerArn", "LayerVersionArn", "Description", "LicenseInfo", "CompatibleRuntimes", "CompatibleArchitectures",
            "CreatedDate", "Version")}})
        by_arn = self.functions.get_layer_version_by_arn(Arn=made["LayerVersionArn"])
        self.assertEqual(by_arn["Content"]["CodeSha256"], made["Content"]["CodeSha256"])
        with urllib.request.urlopen(read["Content"]["Location"]) as content:
            self.assertEqual(len(content.read()), made["Content"]["CodeSize"])
        self.layer(files, name, CompatibleRuntimes=["python3.11"])
        versions = self.functions.list_layer_versions(LayerName=name)["LayerVersions"]
        self.assertEqual([one["Version"] for one in versions], [2, 1])
        matching = self.functions.list_layers(CompatibleRuntime="nodejs22.x")["Layers"]
        self.assertEqual([one["LatestMatchingVersion"]["Version"] for one in matching if one["LayerName"] == name], [1])
        self.functions.delete_layer_version(LayerName=name, VersionNumber=2)
        self.assertEqual(self.layer(files, name)["Version"], 3, "a number was given twice")
        self.refused("ResourceNotFoundException", self.functions.get_layer_version, LayerName=name, VersionNumber=2)

    def test_what_was_said_to_be_empty_is_answered_so(self):
        files = {"a.txt": "a"}
        made = self.layer(files, CompatibleRuntimes=[], CompatibleArchitectures=[])
        self.assertEqual((made["CompatibleRuntimes"], made["CompatibleArchitectures"]), ([], []))
        self.assertNotIn("CompatibleRuntimes", self.layer(files))

    def test_lists_are_of_runtimes_and_architectures_that_exist(self):
        message = self.refused("ValidationException", self.functions.list_layers, CompatibleRuntime="cobol")
        self.assertIn("Value 'cobol' at 'compatibleRuntime'", message)
        self.refused("ValidationException", self.functions.list_layer_versions, LayerName="l", CompatibleRuntime="cobol")
        self.refused("ValidationException", self.functions.list_layers, CompatibleArchitecture="vax")
        layer = self.layer({"a.txt": "a"}, CompatibleRuntimes=["java17"], CompatibleArchitectures=["arm64"])
        name = layer["LayerArn"].rpartition(":")[2]

        def numbers(**limits):
            return [one["Version"] for one in self.functions.list_layer_versions(LayerName=name, **limits)["LayerVersions"]]
        self.assertEqual(numbers(CompatibleRuntime="java17", CompatibleArchitecture="arm64"), [1])
        self.assertEqual(numbers(CompatibleRuntime="java17", CompatibleArchitecture="x86_64"), [])
        self.assertEqual(numbers(CompatibleRuntime="java11"), [])

    def test_node_finds_modules_of_layers_and_the_later_layer_wins(self):
        first = self.layer({"nodejs/node_modules/one/index.js": "module.exports = 'first'",
                            "nodejs/node_modules/two/index.js": "module.exports = 'two'", "bin/tool": "#!/bin/sh\necho tool\n",
                            "data.txt": "first"})
        second = self.layer({"nodejs/node_modules/one/index.js": "module.exports = 'second'",
                             "nodejs/node22/node_modules/three/index.js": "module.exports = 'three'"})
        self.deploy({"index.mjs": """
            import fs from 'node:fs';
            import { createRequire } from 'node:module';
            import one from 'one';
            const require = createRequire(import.meta.url);
            export const handler = async () => {
              let written = 'yes';
              try { fs.writeFileSync('/opt/new', ''); } catch (error) { written = error.code; }
              return [one, require('two'), require('three'), fs.readFileSync('/opt/data.txt', 'utf8'), written];
            };"""}, "nodejs22.x", "index.handler", Layers=[first["LayerVersionArn"], second["LayerVersionArn"]])
        self.assertEqual(self.answer(), ["second", "two", "three", "first", "EROFS"])

    def test_python_finds_packages_of_layers(self):
        layer = self.layer({"python/plain.py": "NAME = 'plain'",
                            "python/lib/python3.11/site-packages/deep/__init__.py": "NAME = 'deep'"})
        self.deploy({"app.py": "import plain, deep\ndef handler(event, context):\n    return [plain.NAME, deep.NAME]\n"},
                    "python3.11", "app.handler", Layers=[layer["LayerVersionArn"]])
        self.assertEqual(self.answer(), ["plain", "deep"])

    def test_a_layer_for_the_python_that_was_asked_for_is_found(self):
        layer = self.layer({"python/lib/python3.12/site-packages/asked.py": "NAME = 'asked'"})
        self.deploy({"app.py": "import asked\ndef handler(event, context):\n    return asked.NAME\n"}, "python3.12", "app.handler",
                    Layers=[layer["LayerVersionArn"]])
        self.assertEqual(self.answer(), "asked")

    def test_a_function_keeps_a_layer_that_was_deleted(self):
        layer = self.layer({"python/kept.py": "NAME = 'kept'"})
        arn, name = layer["LayerVersionArn"], layer["LayerArn"].rpartition(":")[2]
        self.deploy({"app.py": "import kept\ndef handler(event, context):\n    return kept.NAME\n"}, "python3.11", "app.handler",
                    Layers=[arn])
        self.functions.delete_layer_version(LayerName=name, VersionNumber=1)
        self.assertEqual(self.answer(), "kept")
        self.functions.publish_version(FunctionName=self.function)
        self.functions.update_function_configuration(FunctionName=self.function, Timeout=5)
        self.assertEqual(self.answer(), "kept")
        self.assertEqual(self.answer(Qualifier="1"), "kept")
        told = self.functions.get_function_configuration(FunctionName=self.function)["Layers"]
        self.assertEqual([one["Arn"] for one in told], [arn])
        self.functions.update_function_configuration(FunctionName=self.function, Layers=[])
        self.assertNotIn("Layers", self.functions.get_function_configuration(FunctionName=self.function))
        error, answer, _ = self.call()
        self.assertEqual((error, answer["errorType"]), ("Unhandled", "Runtime.ImportModuleError"))
        message = self.refused("InvalidParameterValueException", self.functions.update_function_configuration,
                               FunctionName=self.function, Layers=[arn])
        self.assertEqual(message, f"Layer version {arn} does not exist.")

    def test_what_a_function_may_not_have(self):
        code = {"app.py": "def handler(event, context):\n    return 1\n"}
        self.deploy(code, "python3.11", "app.handler")
        update = lambda arns: self.refused("InvalidParameterValueException", self.functions.update_function_configuration,
                                           FunctionName=self.function, Layers=arns)
        layers = [self.layer({"a": str(i)})["LayerVersionArn"] for i in range(6)]
        self.assertEqual(update(layers), "Cannot reference more than 5 layers.")
        twice = self.layer({"a": "b"}, layers[0].split(":")[6])["LayerVersionArn"]
        self.assertIn("Two different versions of the same layer are not allowed", update([layers[0], twice]))
        large = bytes(90 << 20)
        heavy = [self.layer({f"{i}": large})["LayerVersionArn"] for i in range(3)]
        self.assertIn("exceeds the maximum allowed size of 262144000 bytes", update(heavy))
        self.functions.update_function_configuration(FunctionName=self.function, Layers=heavy[:2])

    @unittest.skipUnless(os.environ["AWS_ACCESS_KEY_ID"] == "test", "needs a second account")
    def test_another_account_uses_a_layer_when_its_policy_says_so(self):
        layer = self.layer({"python/shared.py": "NAME = 'shared'"})
        arn, name = layer["LayerVersionArn"], layer["LayerArn"].rpartition(":")[2]
        theirs = other("lambda")
        role = other("iam").create_role(RoleName=unique("role"), AssumeRolePolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                    "Principal": {"Service": "lambda.amazonaws.com"}}]}))["Role"]["Arn"]
        new = {"FunctionName": unique("f"), "Runtime": "python3.11", "Handler": "app.handler", "Role": role, "Layers": [arn],
               "Code": {"ZipFile": zipped({"app.py": "import shared\ndef handler(event, context):\n    return shared.NAME\n"})}}
        refusal = self.refused("AccessDeniedException", theirs.create_function, **new)
        self.assertIn(f"is not authorized to perform: lambda:GetLayerVersion on resource: {arn}", refusal)
        self.refused("ResourceNotFoundException", self.functions.get_layer_version_policy, LayerName=name, VersionNumber=1)
        share = {"LayerName": name, "VersionNumber": 1, "StatementId": "share", "Action": "lambda:GetLayerVersion",
                 "Principal": OTHER}
        added = self.functions.add_layer_version_permission(**share)
        self.assertEqual(json.loads(added["Statement"])["Principal"], {"AWS": f"arn:aws:iam::{OTHER}:root"})
        self.refused("ResourceConflictException", self.functions.add_layer_version_permission, **share)
        theirs.create_function(**new)
        self.addCleanup(theirs.delete_function, FunctionName=new["FunctionName"])
        out = theirs.invoke(FunctionName=new["FunctionName"])
        self.assertEqual(json.loads(out["Payload"].read()), "shared")
        self.refused("AccessDeniedException", theirs.delete_layer_version, LayerName=layer["LayerArn"], VersionNumber=1)
        policy = self.functions.get_layer_version_policy(LayerName=name, VersionNumber=1)
        self.assertEqual([one["Sid"] for one in json.loads(policy["Policy"])["Statement"]], ["share"])
        self.functions.remove_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="share",
                                                       RevisionId=policy["RevisionId"])
        self.refused("AccessDeniedException", theirs.get_layer_version_by_arn, Arn=arn)


if __name__ == "__main__":
    unittest.main()
