"""Configurations beside a function: URLs, code signing, runtime management, provisioned concurrency, VPC; lists of all versions."""
import json
import os
import unittest

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from clients import ENDPOINT, PYTHON, LambdaCase, zipped

PROFILE = "arn:aws:signer:us-east-1:{}:/signing-profiles/test/0123456789"


class Settings(LambdaCase):
    def setUp(self):
        self.function = self.create()["FunctionName"]

    def test_a_url_is_configured(self):
        name, calls = self.function, self.functions
        self.refused("ResourceNotFoundException", calls.get_function_url_config, FunctionName=name)
        cors = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "MaxAge": 60, "AllowCredentials": True}
        made = calls.create_function_url_config(FunctionName=name, AuthType="AWS_IAM", Cors=cors)
        self.assertRegex(made["FunctionUrl"], r"^https://[a-z0-9]{32}\.lambda-url\.us-east-1\.on\.aws/$")
        self.assertEqual((made["FunctionArn"], made["AuthType"], made["Cors"]), (self.arn(name), "AWS_IAM", cors))
        self.refused("ResourceConflictException", calls.create_function_url_config, FunctionName=name, AuthType="NONE")
        calls.update_function_url_config(FunctionName=name, AuthType="NONE")
        read = calls.get_function_url_config(FunctionName=name)
        self.assertEqual((read["AuthType"], read["Cors"], read["FunctionUrl"]), ("NONE", cors, made["FunctionUrl"]))
        calls.publish_version(FunctionName=name)
        calls.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        self.refused("ValidationException", calls.create_function_url_config, FunctionName=name, Qualifier="1", AuthType="NONE")
        calls.create_function_url_config(FunctionName=name, Qualifier="live", AuthType="NONE")
        urls = calls.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
        self.assertEqual({one["FunctionArn"] for one in urls}, {self.arn(name), self.arn(name) + ":live"})
        calls.delete_alias(FunctionName=name, Name="live")
        calls.delete_function_url_config(FunctionName=name)
        self.assertEqual(calls.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"], [])

    def test_enforced_signatures_let_no_unsigned_code_in(self):
        calls = self.functions
        publishers = {"SigningProfileVersionArns": [PROFILE.format(self.account)]}
        made = calls.create_code_signing_config(AllowedPublishers=publishers, Description="d")["CodeSigningConfig"]
        arn = made["CodeSigningConfigArn"]
        self.assertRegex(arn, f"^arn:aws:lambda:us-east-1:{self.account}:code-signing-config:csc-[0-9a-f]{{17}}$")
        self.assertEqual(made["CodeSigningPolicies"], {"UntrustedArtifactOnDeployment": "Warn"})
        calls.put_function_code_signing_config(FunctionName=self.function, CodeSigningConfigArn=arn)
        self.assertEqual(calls.get_function_code_signing_config(FunctionName=self.function)["CodeSigningConfigArn"], arn)
        self.assertEqual(calls.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"], [self.arn(self.function)])
        self.refused("ResourceConflictException", calls.delete_code_signing_config, CodeSigningConfigArn=arn)
        code = zipped(PYTHON)
        calls.update_function_code(FunctionName=self.function, ZipFile=code)
        calls.update_code_signing_config(CodeSigningConfigArn=arn, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})
        self.refused("CodeVerificationFailedException", calls.update_function_code, FunctionName=self.function, ZipFile=code)
        new = dict(FunctionName=self.name(), Runtime="python3.11", Handler="app.handler", Role=self.role_arn, Code={"ZipFile": code})
        self.refused("CodeVerificationFailedException", calls.create_function, CodeSigningConfigArn=arn, **new)
        calls.delete_function_code_signing_config(FunctionName=self.function)
        calls.update_function_code(FunctionName=self.function, ZipFile=code)
        calls.delete_code_signing_config(CodeSigningConfigArn=arn)
        self.refused("ResourceNotFoundException", calls.get_code_signing_config, CodeSigningConfigArn=arn)
        self.refused("CodeSigningConfigNotFoundException", calls.create_function, CodeSigningConfigArn=arn, **new)

    def runtime_management(self, method, qualifier=None, **body):
        """(status, answer): Debian's boto3 does not know these operations yet."""
        url = f"{ENDPOINT}/2021-07-20/functions/{self.function}/runtime-management-config"
        url += f"?Qualifier={qualifier}" if qualifier else ""
        request = AWSRequest(method, url, headers={"Content-Type": "application/json"}, data=json.dumps(body) if body else b"")
        credentials = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
        SigV4Auth(credentials, "lambda", "us-east-1").add_auth(request)
        answer = URLLib3Session().send(request.prepare())
        return answer.status_code, json.loads(answer.content)

    def test_tags_of_a_code_signing_configuration(self):
        calls = self.functions
        made = calls.create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": [PROFILE.format(self.account)]})
        arn = made["CodeSigningConfig"]["CodeSigningConfigArn"]
        self.assertEqual(calls.list_tags(Resource=arn)["Tags"], {})
        calls.tag_resource(Resource=arn, Tags={"stage": "test", "team": "a"})
        self.assertEqual(calls.list_tags(Resource=arn)["Tags"], {"team": "a", "stage": "test"})
        calls.untag_resource(Resource=arn, TagKeys=["team"])
        self.assertEqual(calls.list_tags(Resource=arn)["Tags"], {"stage": "test"})
        self.refused("InvalidParameterValueException", calls.tag_resource, Resource=arn, Tags={"aws:x": "y"})
        self.refused("InvalidParameterValueException", calls.tag_resource, Resource=arn,
                     Tags={str(number): "" for number in range(50)})
        calls.delete_code_signing_config(CodeSigningConfigArn=arn)
        self.refused("CodeSigningConfigNotFoundException", calls.list_tags, Resource=arn)

    def test_runtime_management_is_kept_by_version(self):
        name = self.function
        self.functions.publish_version(FunctionName=name)
        arn = "arn:aws:lambda:us-east-1::runtime:" + "a" * 64
        self.assertEqual(self.runtime_management("PUT", UpdateRuntimeOn="Manual")[0], 400)
        kept = {"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": arn}
        told = {**kept, "FunctionArn": self.arn(name) + ":1"}
        self.assertEqual(self.runtime_management("PUT", "1", **kept), (200, told))
        self.assertEqual(self.runtime_management("GET", "1"), (200, told))
        status, answer = self.runtime_management("GET")
        self.assertEqual((status, answer["UpdateRuntimeOn"], answer["FunctionArn"]), (200, "Auto", self.arn(name) + ":$LATEST"))

    def test_provisioned_concurrency_is_refused_by_name(self):
        name, calls = self.function, self.functions
        calls.publish_version(FunctionName=name)
        message = self.refused("InvalidParameterValueException", calls.put_provisioned_concurrency_config, FunctionName=name,
                               Qualifier="1", ProvisionedConcurrentExecutions=1)
        self.assertIn("is not served by this server", message)
        self.refused("ProvisionedConcurrencyConfigNotFoundException", calls.get_provisioned_concurrency_config,
                     FunctionName=name, Qualifier="1")
        self.refused("ResourceNotFoundException", calls.get_provisioned_concurrency_config, FunctionName=name, Qualifier="2")
        calls.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
        self.assertEqual(calls.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"], [])

    def test_networks_and_file_systems_are_kept_as_configuration(self):
        name, calls = self.function, self.functions
        system = {"Arn": f"arn:aws:elasticfilesystem:us-east-1:{self.account}:access-point/fsap-0123456789abcdef0",
                  "LocalMountPath": "/mnt/data"}
        calls.update_function_configuration(FunctionName=name, FileSystemConfigs=[system], VpcConfig={
            "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]})
        read = calls.get_function_configuration(FunctionName=name)
        self.assertEqual(read["FileSystemConfigs"], [system])
        self.assertEqual((read["VpcConfig"]["SubnetIds"], read["VpcConfig"]["SecurityGroupIds"]), (["subnet-1"], ["sg-1"]))
        calls.update_function_configuration(FunctionName=name, VpcConfig={"SubnetIds": [], "SecurityGroupIds": []})
        self.assertNotIn("VpcConfig", calls.get_function_configuration(FunctionName=name))

    def test_all_versions_are_listed_page_by_page(self):
        other = self.create()["FunctionName"]
        for name, count in ((self.function, 3), (other, 2)):
            for timeout in range(count):
                self.functions.update_function_configuration(FunctionName=name, Timeout=timeout + 4)
                self.functions.publish_version(FunctionName=name)
        found, marker = [], {}
        while True:
            page = self.functions.list_functions(FunctionVersion="ALL", MaxItems=2, **marker)
            self.assertLessEqual(len(page["Functions"]), 2)
            found += [one["FunctionArn"] for one in page["Functions"]]
            if not page.get("NextMarker"):
                break
            marker = {"Marker": page["NextMarker"]}
        self.assertEqual(len(found), len(set(found)))
        for name, versions in ((self.function, ("$LATEST", "1", "2", "3")), (other, ("$LATEST", "1", "2"))):
            self.assertEqual([arn for arn in found if arn.startswith(self.arn(name) + ":")],
                             [f"{self.arn(name)}:{version}" for version in versions])


if __name__ == "__main__":
    unittest.main()
