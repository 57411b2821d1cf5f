"""Versions, locks, lifecycle rules and cross-origin requests, through boto3 and plain HTTP."""
import datetime
import unittest
import urllib.error
import urllib.request

import wire


class Versions(wire.S3Case):
    def setUp(self):
        super().setUp()
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})

    def empty_and_delete(self, bucket):
        listed = self.s3.list_object_versions(Bucket=bucket)
        for one in listed.get("Versions", []) + listed.get("DeleteMarkers", []):
            self.s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"],
                                  BypassGovernanceRetention=True)
        self.s3.delete_bucket(Bucket=bucket)

    def test_old_versions_stay_until_they_are_deleted(self):
        first = self.put("k", b"one")["VersionId"]
        second = self.put("k", b"two")["VersionId"]
        self.assertEqual(self.get("k")["Body"].read(), b"two")
        self.assertEqual(self.get("k", VersionId=first)["Body"].read(), b"one")
        marker = self.s3.delete_object(Bucket=self.bucket, Key="k")
        self.assertTrue(marker["DeleteMarker"])
        self.assert_refused("NoSuchKey", 404, self.get, key="k")
        self.assert_refused("MethodNotAllowed", 405, self.get, key="k", VersionId=marker["VersionId"])
        with self.assertRaises(wire.ClientError) as caught:
            self.s3.head_object(Bucket=self.bucket, Key="k")
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"], "true")
        listed = self.s3.list_object_versions(Bucket=self.bucket)
        self.assertEqual([one["VersionId"] for one in listed["Versions"]], [second, first])
        self.assertEqual([one["IsLatest"] for one in listed["DeleteMarkers"]], [True])
        self.s3.delete_object(Bucket=self.bucket, Key="k", VersionId=marker["VersionId"])
        self.assertEqual(self.get("k")["VersionId"], second)

    def test_a_bucket_with_versions_is_not_empty(self):
        self.put("k")
        self.s3.delete_object(Bucket=self.bucket, Key="k")
        self.assert_refused("BucketNotEmpty", 409, self.s3.delete_bucket, Bucket=self.bucket)

    def test_tags_are_of_one_version(self):
        first = self.put("k", Tagging="a=1")["VersionId"]
        self.put("k", Tagging="a=2")
        tags = self.s3.get_object_tagging(Bucket=self.bucket, Key="k", VersionId=first)
        self.assertEqual(tags["TagSet"], [{"Key": "a", "Value": "1"}])
        self.assertEqual(tags["VersionId"], first)

    def test_a_copy_names_both_versions(self):
        first = self.put("k", b"one")["VersionId"]
        self.put("k", b"two")
        done = self.s3.copy_object(Bucket=self.bucket, Key="copy",
                                   CopySource={"Bucket": self.bucket, "Key": "k", "VersionId": first})
        self.assertEqual(done["CopySourceVersionId"], first)
        self.assertEqual(self.get("copy", VersionId=done["VersionId"])["Body"].read(), b"one")


class Locks(Versions):
    def setUp(self):
        super().setUp()
        self.s3.put_object_lock_configuration(Bucket=self.bucket,
                                              ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})

    def test_governance(self):
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
        version = self.put("k", ChecksumAlgorithm="CRC32", ObjectLockMode="GOVERNANCE",
                           ObjectLockRetainUntilDate=until)["VersionId"]
        self.assertEqual(self.get("k")["ObjectLockMode"], "GOVERNANCE")
        told = self.s3.head_object(Bucket=self.bucket, Key="k")["ObjectLockRetainUntilDate"]
        self.assertLess(abs(told - until), datetime.timedelta(seconds=1))
        self.assert_refused("AccessDenied", 403, self.s3.delete_object, Bucket=self.bucket, Key="k", VersionId=version)
        self.assertTrue(self.s3.delete_object(Bucket=self.bucket, Key="k")["DeleteMarker"])
        self.s3.delete_object(Bucket=self.bucket, Key="k", VersionId=version, BypassGovernanceRetention=True)

    def test_legal_hold(self):
        version = self.put("k")["VersionId"]
        hold = {"Bucket": self.bucket, "Key": "k", "VersionId": version}
        self.assert_refused("NoSuchObjectLockConfiguration", 404, self.s3.get_object_legal_hold, **hold)
        self.s3.put_object_legal_hold(LegalHold={"Status": "ON"}, **hold)
        self.assert_refused("AccessDenied", 403, self.s3.delete_object, **hold, BypassGovernanceRetention=True)
        self.s3.put_object_legal_hold(LegalHold={"Status": "OFF"}, **hold)
        self.s3.delete_object(**hold)


class Suspended(wire.S3Case):
    empty_and_delete = Versions.empty_and_delete

    def test_writes_of_a_suspended_bucket_tell_no_version_and_reads_tell_null(self):
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Suspended"})
        self.assertNotIn("VersionId", self.put("k", b"one"))
        self.assertEqual(self.get("k")["VersionId"], "null")
        copied = self.s3.copy_object(Bucket=self.bucket, Key="copy", CopySource={"Bucket": self.bucket, "Key": "k"})
        self.assertNotIn("VersionId", copied)
        whole = {"Bucket": self.bucket, "Key": "whole"}
        whole["UploadId"] = self.s3.create_multipart_upload(**whole)["UploadId"]
        part = self.s3.upload_part(**whole, PartNumber=1, Body=b"part")["ETag"]
        done = self.s3.complete_multipart_upload(**whole, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
        self.assertNotIn("VersionId", done)


class Settings(wire.S3Case):
    def test_lifecycle_rules_come_back(self):
        self.assert_refused("NoSuchLifecycleConfiguration", 404, self.s3.get_bucket_lifecycle_configuration,
                            Bucket=self.bucket)
        rules = [{"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 7},
                  "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}},
                 {"ID": "old", "Status": "Disabled", "Filter": {"Prefix": ""},
                  "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}]
        self.s3.put_bucket_lifecycle_configuration(Bucket=self.bucket, LifecycleConfiguration={"Rules": rules})
        self.assertEqual(self.s3.get_bucket_lifecycle_configuration(Bucket=self.bucket)["Rules"], rules)
        self.put("logs/a")
        self.assertIn('rule-id="logs"', self.s3.head_object(Bucket=self.bucket, Key="logs/a")["Expiration"])
        self.s3.delete_bucket_lifecycle(Bucket=self.bucket)
        self.assertNotIn("Expiration", self.s3.head_object(Bucket=self.bucket, Key="logs/a"))

    def test_default_encryption_comes_back(self):
        default = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
                              "BucketKeyEnabled": False}]}
        self.s3.put_bucket_encryption(Bucket=self.bucket, ServerSideEncryptionConfiguration=default)
        answer = self.s3.get_bucket_encryption(Bucket=self.bucket)
        self.assertEqual(answer["ServerSideEncryptionConfiguration"], default)
        default["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] = "aws:kms"
        self.assert_refused("NotImplemented", 501, self.s3.put_bucket_encryption, Bucket=self.bucket,
                            ServerSideEncryptionConfiguration=default)


class CrossOrigin(wire.S3Case):
    def ask(self, method, key, **headers):
        request = urllib.request.Request(f"{wire.ENDPOINT}/{self.bucket}/{key}", method=method,
                                         headers={name.replace("_", "-"): value for name, value in headers.items()})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.headers

    def test_browsers_are_told_what_the_bucket_allows(self):
        preflight = {"Origin": "https://a.example", "Access_Control_Request_Method": "PUT",
                     "Access_Control_Request_Headers": "x-amz-date"}
        self.assertEqual(self.ask("OPTIONS", "k", **preflight)[0], 403)
        self.s3.put_bucket_cors(Bucket=self.bucket, CORSConfiguration={"CORSRules": [
            {"AllowedOrigins": ["https://a.example"], "AllowedMethods": ["PUT", "GET", "HEAD"], "AllowedHeaders": ["*"],
             "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}]})
        status, headers = self.ask("OPTIONS", "k", **preflight)
        self.assertEqual(status, 200)
        self.assertEqual(headers["Access-Control-Allow-Origin"], "https://a.example")
        self.assertEqual(headers["Access-Control-Allow-Methods"], "PUT, GET, HEAD")
        self.assertEqual(headers["Access-Control-Max-Age"], "60")
        self.assertEqual(self.ask("OPTIONS", "k", **{**preflight, "Origin": "https://b.example"})[0], 403)
        self.assertEqual(self.ask("OPTIONS", "k")[0], 400)
        status, headers = self.ask("GET", "k", Origin="https://a.example")
        self.assertIn(status, (403, 404))
        self.assertEqual(headers["Access-Control-Allow-Origin"], "https://a.example", "of errors, too")
        self.assertEqual(headers["Access-Control-Expose-Headers"], "ETag")
        self.assertEqual(self.ask("HEAD", "k", Origin="https://a.example")[1]["Access-Control-Allow-Origin"],
                         "https://a.example", "and of those without a body")
        self.assertIsNone(self.ask("GET", "k", Origin="https://b.example")[1]["Access-Control-Allow-Origin"])


if __name__ == "__main__":
    unittest.main()
