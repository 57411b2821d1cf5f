"""Access control lists as boto3 sees them: who is let in, who is not, and what closes them.

With `dev` the second caller is another account's root (any 12 digits are an account); with `serve` it is nobody: an
unsigned request.
"""
import json
import os
import unittest

import wire
from botocore import UNSIGNED
from botocore.config import Config

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
DEV = os.environ.get("AWS_ACCESS_KEY_ID", "test") == "test"
OTHER = "222222222222"


def stranger():
    if DEV:
        return wire.client(OTHER, "test")
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 0}, s3={"addressing_style": "path"})
    return wire.boto3.client("s3", endpoint_url=wire.ENDPOINT, region_name="us-east-1", config=config)


class Acls(wire.S3Case):
    def setUp(self):
        super().setUp()
        self.s3.put_bucket_ownership_controls(Bucket=self.bucket,
                                              OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
        self.s3.delete_public_access_block(Bucket=self.bucket)
        self.stranger = stranger()

    def reads(self, key):
        return self.stranger.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def assert_shut(self, key):
        self.assert_refused("AccessDenied", 403, self.stranger.get_object, Bucket=self.bucket, Key=key)

    def block(self, **settings):
        self.s3.put_public_access_block(Bucket=self.bucket, PublicAccessBlockConfiguration=settings)

    def test_a_canned_list_opens_one_object(self):
        self.put("open", b"open", ACL="public-read")
        self.put("shut")
        self.assertEqual(self.reads("open"), b"open")
        self.assert_shut("shut")
        self.assert_refused("AccessDenied", 403, self.stranger.put_object, Bucket=self.bucket, Key="open", Body=b"")
        self.assert_refused("AccessDenied", 403, self.stranger.list_objects_v2, Bucket=self.bucket)
        self.assert_refused("AccessDenied", 403, self.stranger.get_object_acl, Bucket=self.bucket, Key="open")
        self.s3.put_object_acl(Bucket=self.bucket, Key="open", ACL="private")
        self.assert_shut("open")

    def test_making_a_bucket_again_resets_its_list(self):
        self.s3.put_bucket_acl(Bucket=self.bucket, ACL="public-read")
        self.stranger.list_objects_v2(Bucket=self.bucket)
        self.s3.create_bucket(Bucket=self.bucket)
        self.assert_refused("AccessDenied", 403, self.stranger.list_objects_v2, Bucket=self.bucket)
        self.s3.create_bucket(Bucket=self.bucket, ACL="public-read")
        self.stranger.list_objects_v2(Bucket=self.bucket)
        self.block(BlockPublicAcls=True)
        self.assert_refused("AccessDenied", 403, self.s3.create_bucket, Bucket=self.bucket, ACL="public-read")

    def test_a_list_of_the_bucket_opens_listing_and_writing_only(self):
        self.put("k")
        self.s3.put_bucket_acl(Bucket=self.bucket, ACL="public-read-write")
        listed = self.stranger.list_objects_v2(Bucket=self.bucket)["Contents"]
        self.assertEqual([one["Key"] for one in listed], ["k"])
        self.stranger.put_object(Bucket=self.bucket, Key="theirs", Body=b"x")
        self.assert_shut("k")
        self.assert_refused("NoSuchKey", 404, self.stranger.get_object, Bucket=self.bucket, Key="none")
        for call in ("get_bucket_policy", "get_bucket_acl", "delete_bucket", "get_bucket_versioning"):
            self.assert_refused("AccessDenied", 403, getattr(self.stranger, call), Bucket=self.bucket)
        self.assert_refused("AccessDenied", 403, self.stranger.delete_object, Bucket=self.bucket, Key="k")
        # What others put is not the bucket owner's to read, only to delete.
        self.assert_refused("AccessDenied", 403, self.s3.get_object, Bucket=self.bucket, Key="theirs")

    def test_a_deny_closes_what_a_list_opens(self):
        self.put("k", b"open", ACL="public-read")
        self.assertEqual(self.reads("k"), b"open")
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{self.bucket}/k"}]}))
        self.assert_shut("k")

    def test_blocked_public_access_closes_lists(self):
        self.put("k", b"open", ACL="public-read")
        self.assertEqual(self.reads("k"), b"open")
        self.block(IgnorePublicAcls=True)
        self.assert_shut("k")
        self.block(BlockPublicAcls=True)
        self.assertEqual(self.reads("k"), b"open")
        for acl in ("public-read", "public-read-write", "authenticated-read"):
            self.assert_refused("AccessDenied", 403, self.s3.put_bucket_acl, Bucket=self.bucket, ACL=acl)
            self.assert_refused("AccessDenied", 403, self.s3.put_object_acl, Bucket=self.bucket, Key="k", ACL=acl)
            self.assert_refused("AccessDenied", 403, self.s3.put_object, Bucket=self.bucket, Key="n", Body=b"", ACL=acl)

    def test_enforced_ownership_closes_lists(self):
        self.put("k", b"open", ACL="public-read")
        enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        self.s3.put_bucket_acl(Bucket=self.bucket, ACL="public-read")
        self.assert_refused("InvalidBucketAclWithObjectOwnership", 400, self.s3.put_bucket_ownership_controls,
                            Bucket=self.bucket, OwnershipControls=enforced)
        self.s3.put_bucket_acl(Bucket=self.bucket, ACL="private")
        self.s3.put_bucket_ownership_controls(Bucket=self.bucket, OwnershipControls=enforced)
        self.assert_shut("k")
        refused = "AccessControlListNotSupported"
        self.assert_refused(refused, 400, self.s3.put_bucket_acl, Bucket=self.bucket, ACL="private")
        self.assert_refused(refused, 400, self.s3.put_object, Bucket=self.bucket, Key="n", Body=b"", ACL="public-read")
        self.put("n", ACL="private")
        self.put("n", ACL="bucket-owner-full-control")
        self.assertEqual(len(self.s3.get_object_acl(Bucket=self.bucket, Key="k")["Grants"]), 1)

    @unittest.skipUnless(DEV, "serve makes closed buckets")
    def test_new_buckets_of_dev_are_classic(self):
        bucket = self.bucket + "-new"
        self.s3.create_bucket(Bucket=bucket, ACL="public-read")
        self.addCleanup(self.s3.delete_bucket, Bucket=bucket)
        grants = self.s3.get_bucket_acl(Bucket=bucket)["Grants"]
        self.assertIn({"Grantee": {"Type": "Group", "URI": ALL_USERS}, "Permission": "READ"}, grants)

    @unittest.skipIf(DEV, "dev makes classic buckets")
    def test_new_buckets_of_serve_are_closed(self):
        bucket = self.bucket + "-new"
        self.assert_refused("InvalidBucketAclWithObjectOwnership", 400, self.s3.create_bucket, Bucket=bucket,
                            ACL="public-read")
        self.s3.create_bucket(Bucket=bucket)
        self.addCleanup(self.s3.delete_bucket, Bucket=bucket)
        blocked = self.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        self.assertEqual(set(blocked.values()), {True})
        rules = self.s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        self.assertEqual(rules, [{"ObjectOwnership": "BucketOwnerEnforced"}])

    def test_lists_come_back(self):
        self.put("k", ACL="public-read")
        told = self.s3.get_object_acl(Bucket=self.bucket, Key="k")
        self.assertEqual(told["Grants"][0], {"Grantee": {"Type": "Group", "URI": ALL_USERS}, "Permission": "READ"})
        self.assertEqual(told["Grants"][1]["Grantee"]["ID"], told["Owner"]["ID"])
        self.assertEqual(len(told["Owner"]["ID"]), 64)
        told["Grants"].pop(0)
        self.s3.put_object_acl(Bucket=self.bucket, Key="k",
                               AccessControlPolicy={"Owner": told["Owner"], "Grants": told["Grants"]})
        self.assertEqual(self.s3.get_object_acl(Bucket=self.bucket, Key="k")["Grants"], told["Grants"])
        self.s3.put_object_acl(Bucket=self.bucket, Key="k", AccessControlPolicy={"Owner": told["Owner"], "Grants": []})
        self.assertEqual(self.s3.get_object_acl(Bucket=self.bucket, Key="k")["Grants"], [])
        self.assert_refused("UnresolvableGrantByEmailAddress", 400, self.s3.put_object_acl, Bucket=self.bucket, Key="k",
                            GrantRead="emailAddress=ada@example.com")
        self.assert_refused("InvalidArgument", 400, self.s3.put_object_acl, Bucket=self.bucket, Key="k",
                            GrantRead="id=" + 64 * "a")

    def test_each_version_has_its_own_list(self):
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        self.addCleanup(self.delete_versions)
        old = self.put("k", b"old", ACL="public-read")["VersionId"]
        new = self.put("k", b"new")["VersionId"]
        self.assert_shut("k")
        answer = self.stranger.get_object(Bucket=self.bucket, Key="k", VersionId=old)
        self.assertEqual(answer["Body"].read(), b"old")
        self.assert_refused("AccessDenied", 403, self.stranger.get_object, Bucket=self.bucket, Key="k", VersionId=new)
        self.s3.put_object_acl(Bucket=self.bucket, Key="k", VersionId=old, ACL="private")
        self.assert_refused("AccessDenied", 403, self.stranger.get_object, Bucket=self.bucket, Key="k", VersionId=old)

    def delete_versions(self):
        for one in self.s3.list_object_versions(Bucket=self.bucket)["Versions"]:
            self.s3.delete_object(Bucket=self.bucket, Key=one["Key"], VersionId=one["VersionId"])

    @unittest.skipUnless(DEV, "who is unsigned began no upload")
    def test_who_may_write_into_the_bucket_adds_nothing_to_uploads_of_others(self):
        self.s3.put_bucket_acl(Bucket=self.bucket, ACL="public-read-write")
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key="k")["UploadId"]
        whole = {"Bucket": self.bucket, "Key": "k", "UploadId": upload}
        part = {**whole, "PartNumber": 1}
        self.assert_refused("AccessDenied", 403, self.stranger.upload_part, **part, Body=b"theirs")
        self.put("source", ACL="public-read")
        self.assert_refused("AccessDenied", 403, self.stranger.upload_part_copy, **part,
                            CopySource={"Bucket": self.bucket, "Key": "source"})
        etag = self.s3.upload_part(**part, Body=b"ours")["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        self.assert_refused("AccessDenied", 403, self.stranger.complete_multipart_upload, **whole, MultipartUpload=parts)
        self.s3.complete_multipart_upload(**whole, MultipartUpload=parts)
        own = {"Bucket": self.bucket, "Key": "own"}
        own["UploadId"] = self.stranger.create_multipart_upload(**own)["UploadId"]
        etag = self.stranger.upload_part(**own, PartNumber=1, Body=b"theirs")["ETag"]
        self.stranger.complete_multipart_upload(**own, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})

    def test_copies_and_uploads_carry_the_list_they_are_given(self):
        self.put("k", b"open", ACL="public-read")
        source = {"Bucket": self.bucket, "Key": "k"}
        self.s3.copy_object(Bucket=self.bucket, Key="private", CopySource=source)
        self.assert_shut("private")
        self.s3.copy_object(Bucket=self.bucket, Key="public", CopySource=source, ACL="public-read")
        self.assertEqual(self.reads("public"), b"open")
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key="parts", ACL="public-read")["UploadId"]
        part = self.s3.upload_part(Bucket=self.bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
        self.s3.complete_multipart_upload(Bucket=self.bucket, Key="parts", UploadId=upload, MultipartUpload={
            "Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
        self.assertEqual(self.reads("parts"), b"part")

    @unittest.skipUnless(DEV, "there is one account")
    def test_between_accounts(self):
        theirs = self.stranger.list_buckets()["Owner"]["ID"]
        self.put("k", b"for them", GrantRead=f"id={theirs}")
        self.assertEqual(self.reads("k"), b"for them")
        third = wire.client("333333333333", "test")
        self.assert_refused("AccessDenied", 403, third.get_object, Bucket=self.bucket, Key="k")
        self.s3.put_bucket_acl(Bucket=self.bucket, GrantWrite=f"id={theirs}")
        self.stranger.put_object(Bucket=self.bucket, Key="shared", Body=b"x", ACL="bucket-owner-full-control")
        self.assertEqual(self.get("shared")["Body"].read(), b"x")
        owner = self.s3.get_object_acl(Bucket=self.bucket, Key="shared")["Owner"]["ID"]
        self.assertEqual(owner, theirs)
        self.stranger.delete_object(Bucket=self.bucket, Key="shared")
