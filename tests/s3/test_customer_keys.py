"""SSE-C: the client brings the key with each request; the server keeps none."""
import base64
import hashlib
import os
import pathlib
import sys
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import wire  # noqa: E402
from server import Server  # noqa: E402
from test_encryption import BINARY, CANARY, bytes_with_canary, client_of, files_with  # noqa: E402

PART = 5 << 20
KEY, OTHER = b"0123456789abcdef" * 2, b"another key of 32 bytes in all.."
WITH = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
WITH_OTHER = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": OTHER}
# As the headers have it, for calls whose keys botocore leaves alone.
TEXT = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": base64.b64encode(KEY).decode(),
        "SSECustomerKeyMD5": base64.b64encode(hashlib.md5(KEY).digest()).decode()}
FROM = {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": KEY}


class CustomerKeys(wire.S3Case):
    def test_bodies_of_any_size_come_back_with_their_key(self):
        for size in (0, 1, 3000, 65536, 65537, 1_000_000):
            body = os.urandom(size)
            put = self.put("k", body, **WITH)
            self.assertEqual(put["SSECustomerAlgorithm"], "AES256")
            self.assertNotIn("ServerSideEncryption", put)
            self.assertNotEqual(put["ETag"].strip('"'), hashlib.md5(body).hexdigest())
            got = self.get("k", **WITH)
            self.assertEqual((got["Body"].read(), got["SSECustomerAlgorithm"], got["ETag"]), (body, "AES256", put["ETag"]))
            self.assertEqual(self.s3.head_object(Bucket=self.bucket, Key="k", **WITH)["ContentLength"], size)
        self.assertEqual(self.get("k", Range="bytes=500000-500009", **WITH)["Body"].read(), body[500000:500010])

    def test_without_the_key_or_with_another_one(self):
        where = {"Bucket": self.bucket, "Key": "k"}
        self.put("k", b"x" * 3000, **WITH)
        self.assert_refused("InvalidRequest", 400, self.s3.get_object, **where)
        self.assert_refused("AccessDenied", 403, self.s3.get_object, **where, **WITH_OTHER)
        self.assert_refused("400", 400, self.s3.head_object, **where)
        self.assert_refused("403", 403, self.s3.head_object, **where, **WITH_OTHER)
        attributes = {"ObjectAttributes": ["ObjectSize"]}
        self.assert_refused("InvalidRequest", 400, self.s3.get_object_attributes, **where, **attributes)
        self.assertEqual(self.s3.get_object_attributes(**where, **attributes, **TEXT)["ObjectSize"], 3000)
        self.put("plain")
        self.assert_refused("InvalidRequest", 400, self.s3.get_object, Bucket=self.bucket, Key="plain", **WITH)

    def test_what_is_no_key_is_refused(self):
        put = {"Bucket": self.bucket, "Key": "k", "Body": b"x"}
        self.assert_refused("InvalidEncryptionAlgorithmError", 400, self.s3.put_object, **put,
                            SSECustomerAlgorithm="AES128", SSECustomerKey=KEY)
        self.assert_refused("InvalidArgument", 400, self.s3.put_object, **put, SSECustomerAlgorithm="AES256",
                            SSECustomerKey=b"short")
        self.assert_refused("InvalidArgument", 400, self.s3.put_object, **put, SSECustomerAlgorithm="AES256")
        self.assert_refused("InvalidArgument", 400, self.s3.put_object, **put, **{**TEXT, "SSECustomerKeyMD5": "AAAA"})
        self.assert_refused("InvalidArgument", 400, self.s3.put_object, **put, **WITH, ServerSideEncryption="AES256")

    def test_parts_are_under_the_key_of_their_upload(self):
        where = {"Bucket": self.bucket, "Key": "m"}
        begun = self.s3.create_multipart_upload(**where, **WITH)
        self.assertEqual(begun["SSECustomerAlgorithm"], "AES256")
        upload = {**where, "UploadId": begun["UploadId"]}
        first, middle, last = os.urandom(PART), os.urandom(PART), b"tail"
        self.put("source", middle, **WITH)
        self.assert_refused("InvalidRequest", 400, self.s3.upload_part, **upload, PartNumber=1, Body=b"x")
        self.assert_refused("InvalidRequest", 400, self.s3.upload_part, **upload, PartNumber=1, Body=b"x", **WITH_OTHER)
        etags = [self.s3.upload_part(**upload, PartNumber=1, Body=first, **WITH)["ETag"],
                 self.s3.upload_part_copy(**upload, PartNumber=2, CopySource=f"{self.bucket}/source", **WITH,
                                          **FROM)["CopyPartResult"]["ETag"],
                 self.s3.upload_part(**upload, PartNumber=3, Body=last, **WITH)["ETag"]]
        again = self.s3.upload_part(**upload, PartNumber=1, Body=first, **WITH)["ETag"]
        self.assertEqual(again, etags[0])
        self.assertNotEqual(again.strip('"'), hashlib.md5(first).hexdigest())
        self.s3.complete_multipart_upload(**upload, **TEXT, MultipartUpload={
            "Parts": [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]})
        self.assert_refused("InvalidRequest", 400, self.s3.get_object, **where)
        self.assertEqual(self.get("m", **WITH)["Body"].read(), first + middle + last)
        self.assertEqual(self.get("m", PartNumber=2, **WITH)["Body"].read(), middle)
        plain = self.s3.create_multipart_upload(Bucket=self.bucket, Key="p")["UploadId"]
        self.assert_refused("InvalidRequest", 400, self.s3.upload_part, Bucket=self.bucket, Key="p", UploadId=plain,
                            PartNumber=1, Body=b"x", **WITH)

    def test_copies_change_keys(self):
        for body in (b"small", os.urandom(300_000)):
            self.put("a", body, **WITH)
            copy = {"call": self.s3.copy_object, "Bucket": self.bucket, "CopySource": f"{self.bucket}/a"}
            self.assert_refused("InvalidRequest", 400, Key="b", **copy)
            call = copy.pop("call")
            call(Key="b", **copy, **FROM)
            self.assertEqual(self.get("b")["Body"].read(), body)
            self.assertEqual(self.get("b")["ETag"].strip('"'), hashlib.md5(body).hexdigest())
            call(Key="c", **copy, **FROM, **WITH_OTHER)
            self.assertEqual(self.get("c", **WITH_OTHER)["Body"].read(), body)
            self.assert_refused("AccessDenied", 403, self.s3.get_object, Bucket=self.bucket, Key="c", **WITH)
            self.s3.copy_object(Bucket=self.bucket, Key="d", CopySource=f"{self.bucket}/b", **WITH)
            self.assertEqual(self.get("d", **WITH)["Body"].read(), body)
            call(Key="a", **copy, **FROM, **WITH_OTHER)  # onto itself: a new key
            self.assertEqual(self.get("a", **WITH_OTHER)["Body"].read(), body)

    def test_links_take_the_key_in_headers(self):
        s3 = wire.client(signature_version="s3v4")
        link = s3.generate_presigned_url("put_object", Params={"Bucket": self.bucket, "Key": "l", **WITH})
        headers = {"x-amz-server-side-encryption-customer-algorithm": "AES256",
                   "x-amz-server-side-encryption-customer-key": TEXT["SSECustomerKey"],
                   "x-amz-server-side-encryption-customer-key-MD5": TEXT["SSECustomerKeyMD5"]}
        urllib.request.urlopen(urllib.request.Request(link, data=b"linked", method="PUT", headers=headers)).read()
        self.assertEqual(self.get("l", **WITH)["Body"].read(), b"linked")
        link = s3.generate_presigned_url("get_object", Params={"Bucket": self.bucket, "Key": "l", **WITH})
        got = urllib.request.urlopen(urllib.request.Request(link, headers=headers)).read()
        self.assertEqual(got, b"linked")


@unittest.skipUnless(BINARY, "WOLKE_BINARY names no program")
class OnDisk(unittest.TestCase):
    def test_neither_the_key_nor_the_bytes_are_on_the_disk(self):
        with Server(BINARY) as server:
            s3 = client_of(server)
            s3.create_bucket(Bucket="vault")
            for size in (3000, 1_000_000):
                s3.put_object(Bucket="vault", Key=f"k{size}", Body=bytes_with_canary(size), **WITH)
                s3.copy_object(Bucket="vault", Key=f"c{size}", CopySource=f"vault/k{size}", **FROM, **WITH_OTHER)
            for secret in (CANARY, KEY, OTHER, base64.b64encode(KEY), base64.b64encode(OTHER)):
                self.assertEqual(files_with(server.directory, secret), [])


if __name__ == "__main__":
    unittest.main()
