"""What a user, group, role or policy may use, and when it was last used: the four operations of the access advisor."""
import json
import uuid

import botocore.exceptions

from aws import BINARY, Case, client
from server import Server
from test_last_use import wait_for


def document(action, effect="Allow", element="Action"):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, element: action, "Resource": "*"}]})


class AccessAdvisor(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, serve=True).start()
        cls.addClassCleanup(cls.server.stop)
        cls.iam = client("iam", cls.server.endpoint, cls.server.access_key, cls.server.secret_key)

    def setUp(self):
        self.name = "u" + uuid.uuid4().hex[:8]
        self.arn = self.iam.create_user(UserName=self.name, Path="/team/")["User"]["Arn"]

    def job(self, arn, **options):
        return self.iam.generate_service_last_accessed_details(Arn=arn, **options)["JobId"]

    def details(self, arn):
        answer = self.iam.get_service_last_accessed_details(JobId=self.job(arn))
        self.assertEqual((answer["JobStatus"], answer["JobType"], answer["IsTruncated"]), ("COMPLETED", "SERVICE_LEVEL", False))
        return {service["ServiceNamespace"]: service for service in answer["ServicesLastAccessed"]}

    def entities(self, arn, service):
        answer = self.iam.get_service_last_accessed_details_with_entities(JobId=self.job(arn), ServiceNamespace=service)
        return answer["EntityDetailsList"]

    def inline(self, name, policy):
        self.iam.put_user_policy(UserName=self.name, PolicyName=name, PolicyDocument=policy)

    def use(self, service, call):
        key = self.iam.create_access_key(UserName=self.name)["AccessKey"]
        user = client(service, self.server.endpoint, key["AccessKeyId"], key["SecretAccessKey"])
        try:
            getattr(user, call)()
        except botocore.exceptions.ClientError:
            pass  # a refused call is a use, too

    def refused(self, code, call, **arguments):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            getattr(self.iam, call)(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def test_only_what_the_policies_allow_is_listed(self):
        self.assertEqual(self.details(self.arn), {})
        self.inline("some", document(["s3:Get*", "sqs:SendMessage"]))
        self.assertEqual(list(self.details(self.arn)), ["s3", "sqs"])
        self.inline("but", document(["lambda:Create*", "logs:*"]))
        self.assertEqual(list(self.details(self.arn)), ["lambda", "logs", "s3", "sqs"])
        self.inline("no", document("s3:*", "Deny"))
        self.assertEqual(list(self.details(self.arn)), ["lambda", "logs", "sqs"])
        self.inline("no", document("s3:Put*", "Deny"))
        self.assertIn("s3", self.details(self.arn))
        self.inline("but", document(["iam:*", "s3:GetObject"], element="NotAction"))
        self.assertEqual(list(self.details(self.arn)), ["lambda", "logs", "s3", "sqs", "sts"])

    def test_a_use_is_told_with_its_time_region_and_entity(self):
        self.inline("all", document("*"))
        before = self.details(self.arn)
        self.assertEqual(before["s3"], {"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "TotalAuthenticatedEntities": 0})
        self.use("s3", "list_buckets")
        seen = wait_for(lambda: self.details(self.arn)["s3"] if "LastAuthenticated" in self.details(self.arn)["s3"] else None)
        self.assertEqual((seen["LastAuthenticatedEntity"], seen["LastAuthenticatedRegion"], seen["TotalAuthenticatedEntities"]),
                         (self.arn, "us-east-1", 1))
        self.assertNotIn("LastAuthenticated", self.details(self.arn)["lambda"])
        entity = self.entities(self.arn, "s3")[0]
        self.assertEqual(entity["LastAuthenticated"], seen["LastAuthenticated"])
        self.assertEqual((entity["EntityInfo"]["Name"], entity["EntityInfo"]["Type"], entity["EntityInfo"]["Path"]), (self.name, "USER", "/team/"))

    def test_a_policy_and_a_group_tell_of_those_who_have_them(self):
        group, role = self.name + "-group", self.name + "-role"
        policy = self.iam.create_policy(PolicyName=self.name, PolicyDocument=document("logs:*"))["Policy"]["Arn"]
        group_arn = self.iam.create_group(GroupName=group)["Group"]["Arn"]
        self.iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
        self.iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        self.iam.attach_group_policy(GroupName=group, PolicyArn=policy)
        self.assertEqual([one["EntityInfo"]["Name"] for one in self.entities(policy, "logs")], [role])
        self.iam.add_user_to_group(GroupName=group, UserName=self.name)
        self.assertEqual([one["EntityInfo"]["Name"] for one in self.entities(group_arn, "logs")], [self.name])
        self.use("logs", "describe_log_groups")
        wait_for(lambda: "LastAuthenticated" in self.entities(policy, "logs")[0])
        self.assertEqual([(one["EntityInfo"]["Name"], one["EntityInfo"]["Type"]) for one in self.entities(policy, "logs")],
                         [(self.name, "USER"), (role, "ROLE")])  # the last user first
        self.assertEqual(self.details(policy)["logs"]["TotalAuthenticatedEntities"], 1)
        self.assertEqual(self.details(group_arn)["logs"]["LastAuthenticatedEntity"], self.arn)
        self.assertEqual(self.entities(policy, "s3"), [])

    def test_the_policies_that_grant_a_service_are_named(self):
        group = self.name + "-group"
        self.iam.create_group(GroupName=group)
        self.iam.put_group_policy(GroupName=group, PolicyName="shared", PolicyDocument=document("s3:List*"))
        self.iam.add_user_to_group(GroupName=group, UserName=self.name)
        self.inline("own", document("*"))
        reader = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
        self.iam.attach_user_policy(UserName=self.name, PolicyArn=reader)
        answer = self.iam.list_policies_granting_service_access(Arn=self.arn, ServiceNamespaces=["s3", "lambda"])
        self.assertEqual(answer["IsTruncated"], False)
        self.assertEqual(answer["PoliciesGrantingServiceAccess"], [
            {"ServiceNamespace": "s3", "Policies": [
                {"PolicyName": "AmazonS3ReadOnlyAccess", "PolicyType": "MANAGED", "PolicyArn": reader},
                {"PolicyName": "own", "PolicyType": "INLINE", "EntityType": "USER", "EntityName": self.name},
                {"PolicyName": "shared", "PolicyType": "INLINE", "EntityType": "GROUP", "EntityName": group}]},
            {"ServiceNamespace": "lambda", "Policies": [
                {"PolicyName": "own", "PolicyType": "INLINE", "EntityType": "USER", "EntityName": self.name}]}])

    def test_pages(self):
        self.inline("all", document("*"))
        job = self.job(self.arn, Granularity="ACTION_LEVEL")
        first = self.iam.get_service_last_accessed_details(JobId=job, MaxItems=2)
        self.assertEqual((first["JobType"], first["IsTruncated"], len(first["ServicesLastAccessed"])), ("ACTION_LEVEL", True, 2))
        rest = self.iam.get_service_last_accessed_details(JobId=job, Marker=first["Marker"])
        names = [one["ServiceNamespace"] for one in first["ServicesLastAccessed"] + rest["ServicesLastAccessed"]]
        self.assertEqual(names, ["iam", "lambda", "logs", "s3", "sts"])

    def test_what_is_not_there_is_refused_by_name(self):
        account = self.arn.split(":")[4]
        generate = "generate_service_last_accessed_details"
        self.refused("NoSuchEntity", generate, Arn=f"arn:aws:iam::{account}:user/nobody")
        self.refused("NoSuchEntity", generate, Arn=self.arn.replace("/team/", "/"))
        self.refused("NoSuchEntity", generate, Arn="arn:aws:iam::aws:policy/NoSuchPolicy")
        self.refused("InvalidInput", generate, Arn="arn:aws:s3:::a-bucket-of-mine")
        self.refused("NoSuchEntity", "get_service_last_accessed_details", JobId=str(uuid.uuid4()))
        self.refused("InvalidInput", "list_policies_granting_service_access", Arn="arn:aws:iam::aws:policy/AdministratorAccess", ServiceNamespaces=["s3"])
