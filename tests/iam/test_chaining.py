"""Chains of sessions: what goes along with them, and what policies see of it."""
import json
import os

from aws import Case, client, unique


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Chaining(Case):
    """A user assumes the first role, that session the second, that one the third; the objects lie below their team's name."""

    @classmethod
    def setUpClass(cls):
        cls.iam, cls.s3 = client("iam"), client("s3")
        cls.account = client("sts").get_caller_identity()["Account"]
        cls.bucket = unique("teams")
        cls.s3.create_bucket(Bucket=cls.bucket)
        cls.addClassCleanup(cls.s3.delete_bucket, Bucket=cls.bucket)
        for key in ("red/k", "blue/k"):
            cls.s3.put_object(Bucket=cls.bucket, Key=key, Body=key.encode())
            cls.addClassCleanup(cls.s3.delete_object, Bucket=cls.bucket, Key=key)

    def role(self, *actions, **condition):
        """Its sessions may assume roles, and read their own team's objects."""
        name = unique("role")
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"},
                 "Action": ["sts:AssumeRole", *actions], **condition}
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        self.addCleanup(self.iam.delete_role, RoleName=name)
        self.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(
            {"Effect": "Allow", "Action": "sts:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "s3:GetObject",
             "Resource": f"arn:aws:s3:::{self.bucket}/${{aws:PrincipalTag/team}}/*"},
            {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*",
             "Condition": {"StringEquals": {"aws:SourceIdentity": "diego"}}}))
        self.addCleanup(self.iam.delete_role_policy, RoleName=name, PolicyName="p")
        return arn

    def user(self):
        name = unique("user")
        self.iam.create_user(UserName=name)
        self.addCleanup(self.iam.delete_user, UserName=name)
        self.iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(
            {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}))
        self.addCleanup(self.iam.delete_user_policy, UserName=name, PolicyName="p")
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        self.addCleanup(self.iam.delete_access_key, UserName=name, AccessKeyId=key["AccessKeyId"])
        return key["AccessKeyId"], key["SecretAccessKey"]

    def as_(self, service, who):
        return client(service, os.environ["WOLKE_ENDPOINT"], *who)

    def assume(self, who, role, **more):
        words = self.as_("sts", who).assume_role(RoleArn=role, RoleSessionName="chain", **more)["Credentials"]
        return words["AccessKeyId"], words["SecretAccessKey"], words["SessionToken"]

    def may_read(self, who):
        """The teams whose objects this session may read."""
        s3, teams = self.as_("s3", who), set()
        for team in ("red", "blue"):
            try:
                s3.get_object(Bucket=self.bucket, Key=f"{team}/k")
                teams.add(team)
            except s3.exceptions.ClientError as error:
                self.assertEqual(error.response["Error"]["Code"], "AccessDenied")
        return teams

    def test_transitive_tags_go_along_and_others_do_not(self):
        roles = [self.role("sts:TagSession") for _ in range(3)]
        first = self.assume(self.user(), roles[0], Tags=[{"Key": "team", "Value": "red"}], TransitiveTagKeys=["team"])
        third = self.assume(self.assume(first, roles[1]), roles[2])
        self.assertEqual(self.may_read(third), {"red"})
        plain = self.assume(self.user(), roles[0], Tags=[{"Key": "team", "Value": "red"}])
        self.assertEqual(self.may_read(plain), {"red"})
        self.assertEqual(self.may_read(self.assume(plain, roles[1])), set())

    def test_what_came_along_cannot_be_replaced(self):
        roles = [self.role("sts:TagSession") for _ in range(2)]
        first = self.assume(self.user(), roles[0], Tags=[{"Key": "team", "Value": "red"}], TransitiveTagKeys=["team"])
        message = self.refused("InvalidParameterValue", self.assume, who=first, role=roles[1],
                               Tags=[{"Key": "Team", "Value": "blue"}])
        self.assertIn("conflicts with a transitive tag key from the calling session", message)
        message = self.refused("InvalidParameterValue", self.assume, who=first, role=roles[1], TransitiveTagKeys=["none"])
        self.assertIn("must be included in the requested tags", message)

    def test_a_role_that_takes_no_tags_takes_no_session_that_brings_some(self):
        first_role, second_role = self.role("sts:TagSession"), self.role()
        first = self.assume(self.user(), first_role, Tags=[{"Key": "team", "Value": "red"}], TransitiveTagKeys=["team"])
        message = self.refused("AccessDenied", self.assume, who=first, role=second_role)
        self.assertIn("sts:TagSession", message)

    def test_the_source_identity_goes_along_and_policies_see_it(self):
        condition = {"Condition": {"StringLike": {"sts:SourceIdentity": "d*"}}}
        roles = [self.role("sts:SetSourceIdentity", **condition) for _ in range(2)]
        user = self.user()
        self.refused("AccessDenied", self.assume, who=user, role=roles[0])
        self.refused("AccessDenied", self.assume, who=user, role=roles[0], SourceIdentity="maria")
        first = self.assume(user, roles[0], SourceIdentity="diego")
        second = self.assume(first, roles[1])
        self.as_("s3", second).list_buckets()
        self.refused("AccessDenied", self.assume, who=first, role=roles[1], SourceIdentity="dora")
        other = self.assume(user, roles[0], SourceIdentity="dora")
        self.refused("AccessDenied", self.as_("s3", other).list_buckets)
        answer = self.as_("sts", user).assume_role(RoleArn=roles[0], RoleSessionName="told", SourceIdentity="diego")
        self.assertEqual(answer["SourceIdentity"], "diego")
