"""Writes and deletes that hang on what is there, and errors about names that XML cannot write."""
import json
import os
import unittest
import urllib.error
import urllib.request
import uuid
import xml.etree.ElementTree

import wire


class Conditions(wire.S3Case):
    def condition(self, client, operation, **headers):
        """Adds headers that older clients do not know to every call of the operation."""
        def add(params, **_):
            params["headers"].update({name.replace("_", "-"): value for name, value in headers.items()})
        client.meta.events.register(f"before-call.s3.{operation}", add)
        return client

    def writer(self):
        """A user who may write and delete in the bucket and not read."""
        iam = wire.boto3.client("iam", endpoint_url=wire.ENDPOINT, region_name="us-east-1",
                                aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "test"),
                                aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "test"))
        name = "writer-" + uuid.uuid4().hex[:12]
        iam.create_user(UserName=name)
        self.addCleanup(iam.delete_user, UserName=name)
        policy = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": f"arn:aws:s3:::{self.bucket}/*"}]}
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        self.addCleanup(iam.delete_user_policy, UserName=name, PolicyName="p")
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.addCleanup(iam.delete_access_key, UserName=name, AccessKeyId=key["AccessKeyId"])
        return wire.client(key["AccessKeyId"], key["SecretAccessKey"])

    def test_a_write_is_made_only_over_what_was_read(self):
        etag = self.put("k", b"one")["ETag"]
        put = {"Bucket": self.bucket, "Key": "k", "Body": b"two"}
        matching = self.condition(wire.client(), "PutObject", If_Match=etag)
        matching.put_object(**put)
        self.assert_refused("PreconditionFailed", 412, matching.put_object, **put)
        new = self.condition(wire.client(), "PutObject", If_None_Match="*")
        self.assert_refused("PreconditionFailed", 412, new.put_object, **put)
        new.put_object(**{**put, "Key": "new"})
        # Amazon knows no other form of it.
        other = self.condition(wire.client(), "PutObject", If_None_Match=etag)
        self.assert_refused("NotImplemented", 501, other.put_object, **put)

    def test_a_resumed_download_of_a_changed_object_begins_again(self):
        old = self.put("k", b"old bytes")["ETag"]
        read = {"Bucket": self.bucket, "Key": "k", "Range": "bytes=4-"}
        same = self.condition(wire.client(), "GetObject", If_Range=old)
        self.assertEqual(same.get_object(**read)["Body"].read(), b"bytes")
        self.put("k", b"new bytes")
        answer = same.get_object(**read)
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 200)
        self.assertNotIn("ContentRange", answer)
        self.assertEqual(answer["Body"].read(), b"new bytes")

    def test_a_copy_and_a_completion_hang_on_the_destination(self):
        etag = self.put("k", b"one")["ETag"]
        copy = {"Bucket": self.bucket, "Key": "k", "CopySource": {"Bucket": self.bucket, "Key": "k"},
                "MetadataDirective": "REPLACE", "Metadata": {"a": "b"}}
        new = self.condition(wire.client(), "CopyObject", If_None_Match="*")
        self.assert_refused("PreconditionFailed", 412, new.copy_object, **copy)
        self.condition(wire.client(), "CopyObject", If_Match=etag).copy_object(**copy)
        whole = {"Bucket": self.bucket, "Key": "k"}
        whole["UploadId"] = self.s3.create_multipart_upload(**whole)["UploadId"]
        part = self.s3.upload_part(**whole, PartNumber=1, Body=b"part")["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
        new = self.condition(wire.client(), "CompleteMultipartUpload", If_None_Match="*")
        self.assert_refused("PreconditionFailed", 412, new.complete_multipart_upload, **whole, MultipartUpload=parts)
        matching = self.condition(wire.client(), "CompleteMultipartUpload", If_Match=etag)
        matching.complete_multipart_upload(**whole, MultipartUpload=parts)

    def test_a_delete_hangs_on_what_is_there(self):
        etag = self.put("k", b"one")["ETag"]
        delete = {"Bucket": self.bucket, "Key": "k"}
        wrong = self.condition(wire.client(), "DeleteObject", If_Match='"x"')
        self.assert_refused("PreconditionFailed", 412, wrong.delete_object, **delete)
        self.condition(wire.client(), "DeleteObject", If_Match=etag).delete_object(**delete)
        self.assert_refused("NoSuchKey", 404, self.get, key="k")

    def test_who_may_not_read_cannot_guess_at_an_etag(self):
        writer = self.writer()
        etag = self.put("k", b"one")["ETag"]
        put = {"Bucket": self.bucket, "Key": "k", "Body": b"two"}
        writer.put_object(**put)
        self.put("k", b"one")
        self.condition(writer, "PutObject", If_Match=etag)
        self.assert_refused("AccessDenied", 403, writer.put_object, **put)
        self.condition(writer, "DeleteObject", If_Match=etag)
        self.assert_refused("AccessDenied", 403, writer.delete_object, Bucket=self.bucket, Key="k")
        self.assertEqual(self.get("k")["Body"].read(), b"one")

    def test_a_policy_may_demand_the_condition(self):
        self.put("k")
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{self.bucket}/*",
            "Condition": {"Null": {"s3:if-match": "true"}}}]}))
        self.addCleanup(self.s3.delete_bucket_policy, Bucket=self.bucket)
        self.assert_refused("AccessDenied", 403, self.s3.delete_object, Bucket=self.bucket, Key="k")
        self.condition(wire.client(), "DeleteObject", If_Match="*").delete_object(Bucket=self.bucket, Key="k")
        self.s3.delete_bucket_policy(Bucket=self.bucket)

    def test_an_error_about_a_key_with_control_characters_is_xml(self):
        link = self.s3.generate_presigned_url("get_object", Params={"Bucket": self.bucket, "Key": "a\x01b\x1f"})
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(link)
        error = xml.etree.ElementTree.fromstring(caught.exception.read())
        self.assertEqual(error.findtext("Code"), "NoSuchKey")
        self.assertEqual(error.findtext("Key"), "a\ufffdb\ufffd")


if __name__ == "__main__":
    unittest.main()
