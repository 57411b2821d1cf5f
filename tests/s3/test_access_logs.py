"""Server access logs: what was asked of a bucket is written into its target, in the format of the user guide.

Each test has a server of its own: a server that is stopped delivers first, so nobody waits for the next delivery.
"""
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time
import unittest
import urllib.request

import wire
from botocore.config import Config
from botocore.exceptions import ClientError

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from server import Server  # noqa: E402

BINARY = os.environ.get("WOLKE_BINARY", "")
FIELDS = ("owner bucket time ip requester request_id operation key uri status error sent size total turn_around referer "
          "user_agent version_id host_id signature cipher authentication host tls access_point acl region").split()


def records(text):
    """The lines of a log as dictionaries; a line that has another form fails."""
    found = []
    for line in text.splitlines():
        values = re.findall(r'\[[^]]*\]|"[^"]*"|\S+', line)
        assert len(values) == len(FIELDS), line
        found.append(dict(zip(FIELDS, values)))
    return found


@unittest.skipUnless(BINARY, "WOLKE_BINARY names no program")
class AccessLogs(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="wolke-access-"))
        self.directory.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.server = Server(BINARY, serve=True, data_dir=self.directory / "data")
        self.start()
        for bucket in ("photos", "target"):
            self.s3.create_bucket(Bucket=bucket)

    def start(self):
        self.server.start()
        self.addCleanup(self.server.stop, judge=False)
        self.s3 = wire.boto3.client("s3", endpoint_url=self.server.endpoint, region_name="us-east-1",
                                    aws_access_key_id=self.server.access_key,
                                    aws_secret_access_key=self.server.secret_key,
                                    config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}))

    def deliver(self):
        self.server.stop()
        self.start()

    def allow(self, source="arn:aws:s3:::photos"):
        self.s3.put_bucket_policy(Bucket="target", Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::target/*", "Condition": {"ArnLike": {"aws:SourceArn": source}}}]}))

    def log_into_target(self, key_format=""):
        """key_format: XML, because older clients do not know it."""
        def add_format(params, **_):
            params["body"] = params["body"].replace(b"</LoggingEnabled>", (
                f"<TargetObjectKeyFormat>{key_format}</TargetObjectKeyFormat></LoggingEnabled>").encode())
        if key_format:
            self.s3.meta.events.register_first("before-call.s3.PutBucketLogging", add_format)
        self.s3.put_bucket_logging(Bucket="photos", BucketLoggingStatus={"LoggingEnabled": {
            "TargetBucket": "target", "TargetPrefix": "logs/"}})

    def delivered(self):
        found = []
        self.keys = [one["Key"] for one in self.s3.list_objects_v2(Bucket="target").get("Contents", [])]
        for key in self.keys:
            found += records(self.s3.get_object(Bucket="target", Key=key)["Body"].read().decode())
        return found

    def test_requests_are_told_with_all_their_fields(self):
        self.allow()
        self.log_into_target()
        self.s3.put_object(Bucket="photos", Key="a b/é.jpg", Body=b"hello")
        self.s3.get_object(Bucket="photos", Key="a b/é.jpg", Range="bytes=1-2")["Body"].read()
        self.s3.copy_object(Bucket="target", Key="copy", CopySource={"Bucket": "photos", "Key": "a b/é.jpg"})
        with self.assertRaises(ClientError):
            self.s3.get_object(Bucket="photos", Key="none")
        link = self.s3.generate_presigned_url("get_object", Params={"Bucket": "photos", "Key": "a b/é.jpg"})
        urllib.request.urlopen(urllib.request.Request(link, headers={"Referer": "http://example.com/\"x"})).close()
        self.s3.delete_object(Bucket="target", Key="copy")
        self.deliver()
        told = {}
        for one in self.delivered():
            told.setdefault(one["operation"], []).append(one)
        put = told["REST.PUT.OBJECT"][0]
        self.assertEqual((put["bucket"], put["key"], put["status"], put["error"], put["size"], put["region"]),
                         ("photos", "a%20b/%C3%A9.jpg", "200", "-", "5", "us-east-1"))
        self.assertEqual(put["owner"], put["requester"])
        self.assertEqual(put["uri"], '"PUT /photos/a%20b/%C3%A9.jpg HTTP/1.1"')
        self.assertEqual((put["signature"], put["authentication"]), ("SigV4", "AuthHeader"))
        self.assertRegex(put["time"], r"^\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\]$")
        part, missing, linked = told["REST.GET.OBJECT"]
        self.assertEqual((part["status"], part["sent"], part["size"]), ("206", "2", "5"))
        self.assertEqual((missing["status"], missing["error"]), ("404", "NoSuchKey"))
        self.assertEqual((linked["authentication"], linked["referer"]), ("QueryString", '"http://example.com/%22x"'))
        self.assertEqual([one["bucket"] for one in told["REST.COPY.OBJECT_GET"]], ["photos"])
        self.assertNotIn("REST.COPY.OBJECT", told)
        self.assertTrue(all(re.fullmatch(r"logs/\d{4}(-\d\d){5}-[0-9A-F]{16}", key) for key in self.keys), self.keys)

    def test_each_key_of_a_batch_has_a_line(self):
        self.allow()
        self.log_into_target()
        self.s3.delete_objects(Bucket="photos", Delete={"Quiet": True, "Objects": [
            {"Key": "a b"}, {"Key": "c", "VersionId": "nonsense"}]})
        self.deliver()
        told = self.delivered()
        whole = [one for one in told if one["operation"] == "REST.POST.MULTI_OBJECT_DELETE"]
        keys = [one for one in told if one["operation"] == "BATCH.DELETE.OBJECT"]
        self.assertEqual([(one["key"], one["status"], one["error"], one["version_id"]) for one in keys],
                         [("a%20b", "204", "-", "-"), ("c", "400", "InvalidArgument", "nonsense")])
        self.assertEqual({one["request_id"] for one in keys}, {whole[0]["request_id"]})
        self.assertEqual((keys[0]["uri"], keys[0]["total"], keys[0]["user_agent"]), ("-", "-", "-"))

    def test_the_target_logging_into_itself_tells_of_no_delivery(self):
        self.allow("arn:aws:s3:::*")
        self.s3.put_bucket_logging(Bucket="target", BucketLoggingStatus={"LoggingEnabled": {
            "TargetBucket": "target", "TargetPrefix": ""}})
        self.s3.head_bucket(Bucket="target")
        self.deliver()
        self.deliver()
        self.assertEqual([one["operation"] for one in self.delivered()],
                         ["REST.PUT.LOGGING_STATUS", "REST.HEAD.BUCKET"])

    def test_a_target_without_a_policy_gets_nothing(self):
        self.log_into_target()
        self.s3.put_object(Bucket="photos", Key="k", Body=b"")
        self.allow("arn:aws:s3:::others")
        self.deliver()
        self.assertEqual(self.delivered(), [])

    def test_the_list_of_the_target_lets_the_service_in_where_lists_are_in_force(self):
        self.s3.put_bucket_ownership_controls(Bucket="target",
                                              OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
        delivery = 'uri="http://acs.amazonaws.com/groups/s3/LogDelivery"'
        self.s3.put_bucket_acl(Bucket="target", GrantWrite=delivery, GrantReadACP=delivery)
        self.log_into_target()
        self.s3.put_object(Bucket="photos", Key="k", Body=b"")
        self.deliver()
        self.assertIn("REST.PUT.OBJECT", [one["operation"] for one in self.delivered()])

    def test_keys_partitioned_by_event_time(self):
        self.allow()
        self.log_into_target("<PartitionedPrefix><PartitionDateSource>EventTime</PartitionDateSource></PartitionedPrefix>")
        self.s3.head_bucket(Bucket="photos")
        self.deliver()
        self.assertTrue(self.delivered())
        for key in self.keys:
            self.assertRegex(key, r"^logs/\d{12}/us-east-1/photos/\d{4}/\d\d/\d\d/\d{4}-\d\d-\d\d-00-00-00-[0-9A-F]{16}$")

    def test_after_logging_was_ended_nothing_is_told(self):
        self.allow()
        self.log_into_target()
        self.s3.put_bucket_logging(Bucket="photos", BucketLoggingStatus={})
        self.s3.head_bucket(Bucket="photos")
        self.deliver()
        self.s3.head_bucket(Bucket="photos")
        self.deliver()
        self.assertEqual(self.delivered(), [])

    @unittest.skipUnless(os.environ.get("AWS_ACCESS_KEY_ID") == "test", "waits for half a minute; once is enough")
    def test_a_crash_loses_what_was_noted_since_the_last_delivery_and_doubles_nothing(self):
        self.allow()
        self.log_into_target()
        self.s3.put_object(Bucket="photos", Key="delivered", Body=b"")
        self.wait_for("delivered")  # by the timer: nothing stops here
        self.s3.put_object(Bucket="photos", Key="noted", Body=b"")
        self.server.kill()
        self.start()
        self.s3.get_object(Bucket="photos", Key="noted")["Body"].read()  # acknowledged, so it is there
        self.s3.put_object(Bucket="photos", Key="after", Body=b"")
        self.deliver()
        told = self.delivered()
        puts = [one["key"] for one in told if one["operation"] == "REST.PUT.OBJECT"]
        self.assertIn(sorted(puts), (["after", "delivered"], ["after", "delivered", "noted"]))
        ids = [one["request_id"] for one in told]
        self.assertEqual(len(ids), len(set(ids)), "a request is told twice")

    def wait_for(self, key):
        """Until the log in the target tells of the key; twice the time that the README names, and some for the machine."""
        deadline = time.monotonic() + 90
        while not any(one["key"] == key for one in self.delivered()):
            self.assertLess(time.monotonic(), deadline, f"nothing about {key} was delivered")
            time.sleep(0.09)

    def test_a_format_is_one_of_the_two(self):
        with self.assertRaises(ClientError) as caught:
            self.log_into_target("<SimplePrefix/><PartitionedPrefix/>")
        self.assertEqual(caught.exception.response["Error"]["Code"], "MalformedXML")


if __name__ == "__main__":
    unittest.main()
