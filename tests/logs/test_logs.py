import os
import time
import unittest
import uuid

os.environ.setdefault("AWS_CONFIG_FILE", "/dev/null")
os.environ.setdefault("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")

import boto3  # noqa: E402
import botocore.config  # noqa: E402
import botocore.exceptions  # noqa: E402

ENDPOINT = os.environ.get("WOLKE_ENDPOINT", "")


@unittest.skipUnless(ENDPOINT, "WOLKE_ENDPOINT is not set")
class Logs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.logs = boto3.client("logs", endpoint_url=ENDPOINT,
                                config=botocore.config.Config(retries={"max_attempts": 0}))

    def setUp(self):
        self.group = "/test/" + uuid.uuid4().hex
        self.stream = "stream/[1]"
        self.now = int(time.time() * 1000)
        self.logs.create_log_group(logGroupName=self.group, tags={"a": "1"})
        self.addCleanup(self.forget)
        self.logs.create_log_stream(logGroupName=self.group, logStreamName=self.stream)

    def forget(self):
        try:
            self.logs.delete_log_group(logGroupName=self.group)
        except botocore.exceptions.ClientError:
            pass

    def put(self, *messages, stream=None, at=0):
        events = [{"timestamp": self.now + at + i, "message": message} for i, message in enumerate(messages)]
        return self.logs.put_log_events(logGroupName=self.group, logStreamName=stream or self.stream, logEvents=events)

    def get(self, **arguments):
        return self.logs.get_log_events(logGroupName=self.group, logStreamName=self.stream, **arguments)

    def refused(self, code, call, **arguments):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response["Error"]["Message"]

    def test_what_was_put_is_read(self):
        self.put("one", "zwei", "trois ✓")
        events = self.get(startFromHead=True)["events"]
        self.assertEqual([event["message"] for event in events], ["one", "zwei", "trois ✓"])
        self.assertEqual([event["timestamp"] for event in events], [self.now, self.now + 1, self.now + 2])

    def key(self):
        groups = self.logs.describe_log_groups(logGroupNamePrefix=self.group)["logGroups"]
        return groups[0].get("kmsKeyId")

    def test_a_groups_key_is_recorded(self):
        self.logs.associate_kms_key(logGroupName=self.group, kmsKeyId="arn:aws:kms:us-east-1:000000000000:key/a")
        self.assertEqual(self.key(), "arn:aws:kms:us-east-1:000000000000:key/a")
        self.logs.disassociate_kms_key(logGroupName=self.group)
        self.assertIsNone(self.key())
        self.refused("ResourceNotFoundException", self.logs.associate_kms_key, logGroupName="/none", kmsKeyId="k")

    def test_the_fields_of_a_group(self):
        self.put('{"level": "info", "user": {"id": 1}}', '{"level": "error"}', "plain", "text")
        found = self.logs.get_log_group_fields(logGroupName=self.group)["logGroupFields"]
        percent = {field["name"]: field["percent"] for field in found}
        self.assertEqual((percent["@message"], percent["level"], percent["user.id"]), (100, 50, 25))
        self.assertEqual(found[0]["percent"], 100)
        hour_ago = int(time.time()) - 3600
        self.assertEqual(self.logs.get_log_group_fields(logGroupName=self.group, time=hour_ago)["logGroupFields"], [])

    def test_tokens_follow_a_stream(self):
        self.put("a", "b", "c")
        page = self.get(startFromHead=True, limit=2)
        self.assertEqual(len(page["events"]), 2)
        page = self.get(startFromHead=True, nextToken=page["nextForwardToken"])
        self.assertEqual([event["message"] for event in page["events"]], ["c"])
        end = self.get(startFromHead=True, nextToken=page["nextForwardToken"])
        self.assertEqual((end["events"], end["nextForwardToken"]), ([], page["nextForwardToken"]))
        self.refused("InvalidParameterException", self.get, nextToken="f/x")

    def test_filtering_over_streams(self):
        self.logs.create_log_stream(logGroupName=self.group, logStreamName="other")
        self.put("INFO a", "ERROR b", at=0)
        self.put("ERROR c", "ERROR expected", stream="other", at=10)
        found = self.logs.filter_log_events(logGroupName=self.group, filterPattern="ERROR -expected")["events"]
        self.assertEqual([event["message"] for event in found], ["ERROR b", "ERROR c"])
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=self.group,
                                                                     PaginationConfig={"PageSize": 1})
        self.assertEqual([event["message"] for page in pages for event in page["events"]],
                         ["INFO a", "ERROR b", "ERROR c", "ERROR expected"])
        found = self.logs.filter_log_events(logGroupName=self.group, startTime=self.now + 10)["events"]
        self.assertEqual(len(found), 2)

    def test_groups_and_streams_are_described(self):
        group = self.logs.describe_log_groups(logGroupNamePrefix=self.group)["logGroups"][0]
        self.assertEqual(group["logGroupName"], self.group)
        self.assertTrue(group["arn"].endswith(f":log-group:{self.group}:*"))
        self.assertNotIn("retentionInDays", group)
        self.logs.put_retention_policy(logGroupName=self.group, retentionInDays=7)
        group = self.logs.describe_log_groups(logGroupNamePrefix=self.group)["logGroups"][0]
        self.assertEqual(group["retentionInDays"], 7)
        self.put("x")
        stream = self.logs.describe_log_streams(logGroupName=self.group, orderBy="LastEventTime",
                                                descending=True)["logStreams"][0]
        self.assertEqual((stream["logStreamName"], stream["lastEventTimestamp"]), (self.stream, self.now))

    def test_groups_are_paged(self):
        for suffix in "abc":
            self.logs.create_log_group(logGroupName=self.group + suffix)
            self.addCleanup(self.logs.delete_log_group, logGroupName=self.group + suffix)
        pages = self.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=self.group,
                                                                       PaginationConfig={"PageSize": 2})
        names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
        self.assertEqual(names, [self.group, self.group + "a", self.group + "b", self.group + "c"])

    def test_no_destination_exists(self):
        self.assertEqual(self.logs.describe_destinations()["destinations"], [])

    def test_errors(self):
        self.refused("ResourceAlreadyExistsException", self.logs.create_log_group, logGroupName=self.group)
        self.refused("ResourceNotFoundException", self.logs.get_log_events, logGroupName=self.group + "x",
                     logStreamName="s")
        self.assertEqual(self.refused("ResourceNotFoundException", self.logs.get_log_events, logGroupName=self.group,
                                      logStreamName="nope"), "The specified log stream does not exist.")
        events = [{"timestamp": self.now + 1, "message": "b"}, {"timestamp": self.now, "message": "a"}]
        self.refused("InvalidParameterException", self.logs.put_log_events, logGroupName=self.group,
                     logStreamName=self.stream, logEvents=events)
        self.refused("InvalidParameterException", self.logs.put_retention_policy, logGroupName=self.group,
                     retentionInDays=8)

    def test_a_group_is_named_in_one_way_only(self):
        self.refused("ValidationException", self.logs.describe_log_streams, logGroupName=self.group,
                     logGroupIdentifier=self.group)

    def test_events_far_away_are_rejected_and_the_rest_is_kept(self):
        hours = 3600 * 1000
        out = self.logs.put_log_events(logGroupName=self.group, logStreamName=self.stream, logEvents=[
            {"timestamp": self.now, "message": "kept"}, {"timestamp": self.now + 3 * hours, "message": "future"}])
        self.assertEqual(out["rejectedLogEventsInfo"], {"tooNewLogEventStartIndex": 1})
        self.assertEqual(len(self.get(startFromHead=True)["events"]), 1)

    def test_tags_in_both_forms(self):
        self.logs.tag_log_group(logGroupName=self.group, tags={"b": "2"})
        self.assertEqual(self.logs.list_tags_log_group(logGroupName=self.group)["tags"], {"a": "1", "b": "2"})
        arn = self.logs.describe_log_groups(logGroupNamePrefix=self.group)["logGroups"][0]["arn"]
        self.logs.untag_resource(resourceArn=arn[:-2], tagKeys=["a"])
        self.assertEqual(self.logs.list_tags_for_resource(resourceArn=arn[:-2])["tags"], {"b": "2"})

    def test_a_deleted_group_starts_empty_again(self):
        self.put("old")
        self.logs.delete_log_group(logGroupName=self.group)
        self.logs.create_log_group(logGroupName=self.group)
        self.logs.create_log_stream(logGroupName=self.group, logStreamName=self.stream)
        self.assertEqual(self.get(startFromHead=True)["events"], [])


if __name__ == "__main__":
    unittest.main()
