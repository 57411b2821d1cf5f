"""When keys and roles were last used, as GetAccessKeyLastUsed, GetRole and the credential report tell it."""
import csv
import datetime
import io
import json
import time

import botocore.exceptions

from aws import BINARY, Case, client
from server import Server

WAIT_SECONDS_MAX = 30


def wait_for(look):
    """What `look` finds, once it finds something: uses are written a moment after the request."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("nothing was recorded in time")


class LastUse(Case):
    def setUp(self):
        self.server = Server(BINARY, serve=True).start()
        self.addCleanup(self.server.stop)
        self.root = self.server.access_key, self.server.secret_key
        self.iam = self.as_("iam", self.root)
        self.iam.create_user(UserName="ann", Path="/team/")
        self.allow("ann", "put_user_policy", UserName="ann")
        self.key = self.iam.create_access_key(UserName="ann")["AccessKey"]
        self.ann = self.key["AccessKeyId"], self.key["SecretAccessKey"]

    def allow(self, name, call, **whom):
        getattr(self.iam, call)(PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}), **whom)

    def as_(self, service, words):
        return client(service, self.server.endpoint, *words)

    def last_used(self):
        return self.iam.get_access_key_last_used(AccessKeyId=self.ann[0])["AccessKeyLastUsed"]

    def report(self):
        while self.iam.generate_credential_report()["State"] != "COMPLETE":
            pass
        answer = self.iam.get_credential_report()
        self.assertEqual(answer["ReportFormat"], "text/csv")
        return {row["user"]: row for row in csv.DictReader(io.StringIO(answer["Content"].decode()))}

    def test_a_key_says_where_it_was_used_last(self):
        self.assertEqual(self.last_used(), {"ServiceName": "N/A", "Region": "N/A"})
        before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        self.as_("s3", self.ann).list_buckets()
        use = wait_for(lambda: self.last_used() if "LastUsedDate" in self.last_used() else None)
        self.assertEqual((use["ServiceName"], use["Region"]), ("s3", "us-east-1"))
        self.assertGreaterEqual(use["LastUsedDate"], before)
        with self.assertRaises(botocore.exceptions.ClientError):  # what is refused is a use, too
            self.as_("logs", self.ann).describe_log_groups()
        wait_for(lambda: self.last_used()["ServiceName"] == "logs")

    def test_a_wrong_signature_is_no_use(self):
        with self.assertRaises(botocore.exceptions.ClientError):
            self.as_("s3", (self.ann[0], "wrong")).list_buckets()
        self.as_("s3", self.root).list_buckets()
        wait_for(lambda: self.report()["<root_account>"]["access_key_1_last_used_service"] == "s3" or
                 self.report()["<root_account>"]["access_key_1_last_used_service"] == "iam")
        self.assertNotIn("LastUsedDate", self.last_used())

    def test_a_role_says_when_its_sessions_were_used(self):
        account = self.as_("sts", self.root).get_caller_identity()["Account"]
        role = self.iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}]}))
        self.allow("job", "put_role_policy", RoleName="job")
        self.assertNotIn("LastUsedDate", self.iam.get_role(RoleName="job")["Role"].get("RoleLastUsed", {}))
        words = self.as_("sts", self.root).assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="session")["Credentials"]
        self.as_("s3", (words["AccessKeyId"], words["SecretAccessKey"], words["SessionToken"])).list_buckets()
        used = wait_for(lambda: self.iam.get_role(RoleName="job")["Role"].get("RoleLastUsed"))
        self.assertEqual(used["Region"], "us-east-1")
        self.assertIn("LastUsedDate", used)
        details = self.iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"][0]
        self.assertEqual(details["RoleLastUsed"], used)

    def test_the_credential_report_names_every_user_and_key(self):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.iam.get_credential_report()
        self.assertEqual(caught.exception.response["Error"]["Code"], "ReportNotPresent")
        self.assertEqual(self.iam.generate_credential_report()["State"], "STARTED")
        self.as_("s3", self.ann).list_buckets()
        self.iam.update_access_key(UserName="ann", AccessKeyId=self.ann[0], Status="Inactive")
        row = wait_for(lambda: self.report()["ann"] if self.report()["ann"]["access_key_1_last_used_service"] == "s3" else None)
        self.assertEqual((row["arn"].rpartition(":")[2], row["password_enabled"], row["mfa_active"]), ("user/team/ann", "false", "false"))
        self.assertEqual((row["access_key_1_active"], row["access_key_2_active"]), ("false", "false"))
        self.assertRegex(row["access_key_1_last_rotated"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")
        self.assertEqual((row["access_key_2_last_rotated"], row["cert_1_active"]), ("N/A", "false"))
        root = self.report()["<root_account>"]
        self.assertTrue(root["arn"].endswith(":root"))
        self.assertEqual((root["password_enabled"], root["access_key_1_active"]), ("not_supported", "true"))
        self.assertEqual(len(row), 22)
