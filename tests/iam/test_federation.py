"""GetFederationToken and GetSessionToken: what their sessions may do, and what not even AWS lets them do."""
import json
import os

import botocore.exceptions

from aws import Case, client, unique


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


class Federation(Case):
    """A user who may list buckets and read one team's objects makes sessions for others."""

    @classmethod
    def setUpClass(cls):
        cls.iam, cls.s3 = client("iam"), client("s3")
        cls.account = client("sts").get_caller_identity()["Account"]
        cls.bucket, cls.user = unique("shared"), unique("broker")
        cls.s3.create_bucket(Bucket=cls.bucket)
        cls.addClassCleanup(cls.s3.delete_bucket, Bucket=cls.bucket)
        cls.s3.put_object(Bucket=cls.bucket, Key="red/k", Body=b"red")
        cls.addClassCleanup(cls.s3.delete_object, Bucket=cls.bucket, Key="red/k")
        cls.iam.create_user(UserName=cls.user)
        cls.addClassCleanup(cls.iam.delete_user, UserName=cls.user)
        cls.iam.put_user_policy(UserName=cls.user, PolicyName="p", PolicyDocument=policy(
            allow(["sts:*", "iam:ListUsers", "s3:ListAllMyBuckets"]),
            allow("s3:GetObject", f"arn:aws:s3:::{cls.bucket}/${{aws:PrincipalTag/team}}/*")))
        cls.addClassCleanup(cls.iam.delete_user_policy, UserName=cls.user, PolicyName="p")
        key = cls.iam.create_access_key(UserName=cls.user)["AccessKey"]
        cls.addClassCleanup(cls.iam.delete_access_key, UserName=cls.user, AccessKeyId=key["AccessKeyId"])
        cls.key = key["AccessKeyId"], key["SecretAccessKey"]

    def as_(self, service, words):
        return client(service, os.environ["WOLKE_ENDPOINT"], *words)

    def session(self, name="carla", **more):
        self.answer = self.as_("sts", self.key).get_federation_token(Name=name, **more)
        words = self.answer["Credentials"]
        return words["AccessKeyId"], words["SecretAccessKey"], words["SessionToken"]

    def refused(self, code, call, *args, **more):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(*args, **more)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def test_it_may_what_both_the_user_and_its_policy_allow(self):
        everything = policy(allow("*"))
        carla = self.session(Policy=everything, Tags=[{"Key": "team", "Value": "red"}], DurationSeconds=900)
        self.assertEqual(self.answer["FederatedUser"]["Arn"], f"arn:aws:sts::{self.account}:federated-user/carla")
        self.assertEqual(self.answer["FederatedUser"]["FederatedUserId"], f"{self.account}:carla")
        identity = self.as_("sts", carla).get_caller_identity()
        self.assertEqual((identity["Arn"], identity["UserId"]), tuple(self.answer["FederatedUser"][k] for k in ("Arn", "FederatedUserId")))
        s3 = self.as_("s3", carla)
        s3.list_buckets()
        self.assertEqual(s3.get_object(Bucket=self.bucket, Key="red/k")["Body"].read(), b"red")
        self.refused("AccessDenied", s3.put_object, Bucket=self.bucket, Key="red/k", Body=b"")
        blue = self.as_("s3", self.session(Policy=everything, Tags=[{"Key": "team", "Value": "blue"}]))
        self.refused("AccessDenied", blue.get_object, Bucket=self.bucket, Key="red/k")
        less = self.as_("s3", self.session(Policy=policy(allow("s3:ListAllMyBuckets")), Tags=[{"Key": "team", "Value": "red"}]))
        less.list_buckets()
        self.refused("AccessDenied", less.get_object, Bucket=self.bucket, Key="red/k")
        managed = self.as_("s3", self.session(PolicyArns=[{"arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}]))
        managed.list_buckets()

    def test_without_a_policy_only_resources_let_it_in(self):
        s3 = self.as_("s3", self.session("dora"))
        self.refused("AccessDenied", s3.list_buckets)
        self.refused("AccessDenied", s3.get_object, Bucket=self.bucket, Key="red/k")
        for arn, gets_in in ((f"arn:aws:iam::{self.account}:user/{self.user}", False),
                             (f"arn:aws:sts::{self.account}:federated-user/other", False),
                             (f"arn:aws:sts::{self.account}:federated-user/dora", True)):
            self.s3.put_bucket_policy(Bucket=self.bucket, Policy=policy(
                allow("s3:GetObject", f"arn:aws:s3:::{self.bucket}/*", Principal={"AWS": arn})))
            if gets_in:
                s3.get_object(Bucket=self.bucket, Key="red/k")
            else:
                self.refused("AccessDenied", s3.get_object, Bucket=self.bucket, Key="red/k")
        self.s3.delete_bucket_policy(Bucket=self.bucket)

    def test_no_session_of_a_users_own_key_calls_iam(self):
        carla = self.session(Policy=policy(allow("*")))
        words = self.as_("sts", self.key).get_session_token()["Credentials"]
        own = words["AccessKeyId"], words["SecretAccessKey"], words["SessionToken"]
        for who in (carla, own):
            self.refused("InvalidClientTokenId", self.as_("iam", who).list_users)
            for make in (self.as_("sts", who).get_session_token, lambda: self.as_("sts", who).get_federation_token(Name="more")):
                self.refused("AccessDenied", make)
        self.as_("s3", own).list_buckets()
        self.refused("AccessDenied", self.as_("sts", carla).get_access_key_info, AccessKeyId=self.key[0])

    def test_it_ends_with_the_user(self):
        name = unique("leaver")
        self.iam.create_user(UserName=name)
        self.iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(allow("*")))
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        words = self.as_("sts", (key["AccessKeyId"], key["SecretAccessKey"])).get_federation_token(
            Name="carla", Policy=policy(allow("*")))["Credentials"]
        s3 = self.as_("s3", (words["AccessKeyId"], words["SecretAccessKey"], words["SessionToken"]))
        s3.list_buckets()
        self.iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        self.iam.delete_user_policy(UserName=name, PolicyName="p")
        self.iam.delete_user(UserName=name)
        self.refused("AccessDenied", s3.list_buckets)

    def test_names_and_durations_have_limits(self):
        sts = self.as_("sts", self.key)
        for more in ({"Name": "carla", "DurationSeconds": 129601}, {"Name": "no spaces"}, {"Name": "x" * 33}):
            with self.assertRaises((botocore.exceptions.ClientError, botocore.exceptions.ParamValidationError)):
                sts.get_federation_token(**more)
        self.refused("InvalidParameterValue", sts.get_federation_token, Name="carla",
                     Tags=[{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}])

    def test_no_message_is_encoded_here(self):
        self.refused("InvalidAuthorizationMessageException", self.as_("sts", self.key).decode_authorization_message, EncodedMessage="x")
