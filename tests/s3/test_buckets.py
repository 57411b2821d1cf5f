"""Buckets, their settings and listings as boto3 sees them."""
import json
import unittest

import wire


class Buckets(wire.S3Case):
    def test_life(self):
        names = [one["Name"] for one in self.s3.list_buckets()["Buckets"]]
        self.assertIn(self.bucket, names)
        self.assertIsNone(self.s3.get_bucket_location(Bucket=self.bucket)["LocationConstraint"])
        head = self.s3.head_bucket(Bucket=self.bucket)["ResponseMetadata"]["HTTPHeaders"]
        self.assertEqual(head["x-amz-bucket-region"], "us-east-1")
        self.put("k")
        self.assert_refused("BucketNotEmpty", 409, self.s3.delete_bucket, Bucket=self.bucket)
        self.assert_refused("404", 404, self.s3.head_bucket, Bucket=self.bucket + "x")
        self.assert_refused("NoSuchBucket", 404, self.s3.delete_bucket, Bucket=self.bucket + "x")

    def test_names(self):
        for name in ("Upper", "under_score", "ab..cd", "192.168.0.1", "-abc", "abc-"):
            self.assert_refused("InvalidBucketName", 400, self.unchecked().create_bucket, Bucket=name)

    def unchecked(self):
        s3 = wire.client(parameter_validation=False)
        s3.meta.events.unregister("before-parameter-build.s3", wire.boto3.session.botocore.handlers.validate_bucket_name)
        return s3

    def test_what_is_not_configured_has_its_own_error(self):
        for call, code in (("get_bucket_policy", "NoSuchBucketPolicy"), ("get_bucket_cors", "NoSuchCORSConfiguration"),
                           ("get_bucket_tagging", "NoSuchTagSet"), ("get_bucket_website", "NoSuchWebsiteConfiguration"),
                           ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
                           ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
                           ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError")):
            self.assert_refused(code, 404, getattr(self.s3, call), Bucket=self.bucket)
        self.assertNotIn("Status", self.s3.get_bucket_versioning(Bucket=self.bucket))
        self.assertNotIn("LoggingEnabled", self.s3.get_bucket_logging(Bucket=self.bucket))
        self.assertEqual(self.s3.get_bucket_request_payment(Bucket=self.bucket)["Payer"], "BucketOwner")
        self.assertEqual(self.s3.get_bucket_acl(Bucket=self.bucket)["Grants"][0]["Permission"], "FULL_CONTROL")
        rules = self.s3.get_bucket_encryption(Bucket=self.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual(rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256")

    def test_policy(self):
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject",
                  "Resource": f"arn:aws:s3:::{self.bucket}/kept/*"}]}
        answer = self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 204)
        self.addCleanup(self.empty_and_delete_object, "kept/k")
        self.assertEqual(json.loads(self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"]), policy)
        self.put("kept/k")
        self.assert_refused("AccessDenied", 403, self.s3.delete_object, Bucket=self.bucket, Key="kept/k")
        answer = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": "kept/k"}, {"Key": "other"}]})
        self.assertEqual([one["Code"] for one in answer["Errors"]], ["AccessDenied"])
        self.assertEqual([one["Key"] for one in answer["Deleted"]], ["other"])
        self.assert_refused("MalformedPolicy", 400, self.s3.put_bucket_policy, Bucket=self.bucket, Policy="{}")

    def empty_and_delete_object(self, key):
        self.s3.delete_bucket_policy(Bucket=self.bucket)
        self.s3.delete_object(Bucket=self.bucket, Key=key)

    def test_tags(self):
        tags = [{"Key": "team", "Value": "photo"}]
        self.s3.put_bucket_tagging(Bucket=self.bucket, Tagging={"TagSet": tags})
        self.assertEqual(self.s3.get_bucket_tagging(Bucket=self.bucket)["TagSet"], tags)
        self.s3.delete_bucket_tagging(Bucket=self.bucket)
        self.assert_refused("NoSuchTagSet", 404, self.s3.get_bucket_tagging, Bucket=self.bucket)

    def test_listing_pages(self):
        for i in range(25):
            self.put(f"dir{i % 5}/{i:02}")
        self.put("top")
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, PaginationConfig={"PageSize": 4})
        self.assertEqual(len([one for page in pages for one in page["Contents"]]), 26)
        seen = []
        for page in self.s3.get_paginator("list_objects").paginate(Bucket=self.bucket, Delimiter="/",
                                                                   PaginationConfig={"PageSize": 2}):
            seen += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
            seen += [one["Key"] for one in page.get("Contents", [])]
        self.assertEqual(seen, ["dir0/", "dir1/", "dir2/", "dir3/", "dir4/", "top"])
        after = self.s3.list_objects_v2(Bucket=self.bucket, StartAfter="dir4/24", FetchOwner=True)
        self.assertEqual([one["Key"] for one in after["Contents"]], ["top"])
        self.assertEqual(len(after["Contents"][0]["Owner"]["ID"]), 64)
        self.assertEqual(self.s3.list_objects_v2(Bucket=self.bucket, MaxKeys=0)["KeyCount"], 0)
        versions = self.s3.list_object_versions(Bucket=self.bucket, Prefix="top")["Versions"]
        self.assertEqual([(one["Key"], one["VersionId"], one["IsLatest"]) for one in versions], [("top", "null", True)])

    def test_notifications_need_a_destination_that_exists(self):
        arn = "arn:aws:lambda:us-east-1:000000000000:function:missing-" + self.bucket
        refused = self.assert_refused(
            "InvalidArgument", 400, self.s3.put_bucket_notification_configuration, Bucket=self.bucket,
            NotificationConfiguration={"LambdaFunctionConfigurations": [
                {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
        self.assertEqual(refused["Error"]["Message"], "Unable to validate the following destination configurations")
        told = self.s3.get_bucket_notification_configuration(Bucket=self.bucket)
        self.assertNotIn("LambdaFunctionConfigurations", told)
        self.s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration={})


if __name__ == "__main__":
    unittest.main()
