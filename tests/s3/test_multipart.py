"""Multipart uploads as boto3 sees them."""
import hashlib
import os
import unittest

import wire

PART = 5 << 20


class Multipart(wire.S3Case):
    def begin(self, **more):
        return self.s3.create_multipart_upload(Bucket=self.bucket, Key="big", **more)["UploadId"]

    def upload(self, upload_id, number, body):
        etag = self.s3.upload_part(Bucket=self.bucket, Key="big", UploadId=upload_id, PartNumber=number, Body=body)["ETag"]
        return {"PartNumber": number, "ETag": etag}

    def complete(self, upload_id, parts):
        return self.s3.complete_multipart_upload(Bucket=self.bucket, Key="big", UploadId=upload_id,
                                                 MultipartUpload={"Parts": parts})

    def test_parts_become_one_object(self):
        first, last = os.urandom(PART), b"tail"
        upload_id = self.begin(ContentType="image/png", Metadata={"a": "1"})
        parts = [self.upload(upload_id, 1, first), self.upload(upload_id, 2, last)]
        self.assertEqual([one["Size"] for one in self.s3.list_parts(Bucket=self.bucket, Key="big",
                                                                    UploadId=upload_id)["Parts"]], [PART, 4])
        done = self.complete(upload_id, parts)
        whole = hashlib.md5(hashlib.md5(first).digest() + hashlib.md5(last).digest()).hexdigest()
        self.assertEqual(done["ETag"], f'"{whole}-2"')
        got = self.get("big")
        self.assertEqual(got["Body"].read(), first + last)
        self.assertEqual((got["ContentType"], got["Metadata"]), ("image/png", {"a": "1"}))
        part = self.get("big", PartNumber=2)
        self.assertEqual((part["Body"].read(), part["PartsCount"]), (last, 2))
        self.assertEqual(self.complete(upload_id, parts)["ETag"], done["ETag"])  # asked again

    def test_what_is_refused(self):
        upload_id = self.begin()
        one, two = self.upload(upload_id, 1, b"x"), self.upload(upload_id, 2, b"y")
        complete = {"call": self.s3.complete_multipart_upload, "Bucket": self.bucket, "Key": "big"}
        self.assert_refused("EntityTooSmall", 400, UploadId=upload_id, MultipartUpload={"Parts": [one, two]}, **complete)
        self.assert_refused("InvalidPartOrder", 400, UploadId=upload_id, MultipartUpload={"Parts": [two, one]}, **complete)
        self.assert_refused("InvalidPart", 400, UploadId=upload_id,
                            MultipartUpload={"Parts": [dict(one, ETag='"0"')]}, **complete)
        self.assert_refused("NoSuchUpload", 404, UploadId="unknown", MultipartUpload={"Parts": [one]}, **complete)
        self.s3.abort_multipart_upload(Bucket=self.bucket, Key="big", UploadId=upload_id)
        self.assert_refused("NoSuchUpload", 404, UploadId=upload_id, MultipartUpload={"Parts": [one]}, **complete)
        self.assert_refused("NoSuchKey", 404, self.s3.get_object, Bucket=self.bucket, Key="big")

    def test_uploads_are_listed_until_they_end(self):
        ids = {self.begin(), self.begin()}
        listed = self.s3.list_multipart_uploads(Bucket=self.bucket)["Uploads"]
        self.assertEqual({one["UploadId"] for one in listed}, ids)
        for upload_id in ids:
            self.s3.abort_multipart_upload(Bucket=self.bucket, Key="big", UploadId=upload_id)
        self.assertNotIn("Uploads", self.s3.list_multipart_uploads(Bucket=self.bucket))

    def test_part_copied_from_a_range(self):
        self.put("source", bytes(range(256)) * 1000)
        upload_id = self.begin()
        part = self.s3.upload_part_copy(Bucket=self.bucket, Key="big", UploadId=upload_id, PartNumber=1,
                                        CopySource={"Bucket": self.bucket, "Key": "source"},
                                        CopySourceRange="bytes=1000-99999")["CopyPartResult"]
        expected = (bytes(range(256)) * 1000)[1000:100000]
        self.assertEqual(part["ETag"], f'"{hashlib.md5(expected).hexdigest()}"')
        self.complete(upload_id, [{"PartNumber": 1, "ETag": part["ETag"]}])
        self.assertEqual(self.get("big")["Body"].read(), expected)

    def test_transfer_of_a_large_file(self):
        body = os.urandom(20 << 20)
        path = "/proc/self/fd/%d" % self.temporary(body)
        self.s3.upload_file(path, self.bucket, "big")
        self.assertTrue(self.s3.head_object(Bucket=self.bucket, Key="big")["ETag"].endswith('-3"'))
        self.assertEqual(self.get("big")["Body"].read(), body)

    def temporary(self, body):
        descriptor = os.memfd_create("body")
        self.addCleanup(os.close, descriptor)
        os.write(descriptor, body)
        return descriptor


if __name__ == "__main__":
    unittest.main()
