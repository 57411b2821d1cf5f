"""What lies on the disk: nothing of an object's bytes in plain, wherever they came from, and nothing readable without
the key."""
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import boto3  # noqa: E402
from botocore.config import Config  # noqa: E402

import wire  # noqa: E402
from server import Server  # noqa: E402

BINARY = os.environ.get("WOLKE_BINARY", "")
PART = 5 << 20
CANARY = b"a canary that must not be found on any disk. "


def client_of(server):
    return boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="111122223333",
                        aws_secret_access_key="test",
                        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}))


def bytes_with_canary(size):
    return (CANARY * (size // len(CANARY) + 1))[:size]


def files_with(directory, text):
    """Files below the directory that have the text, database and its log included."""
    return [str(path) for path in sorted(directory.rglob("*")) if path.is_file() and text in path.read_bytes()]


@unittest.skipUnless(BINARY, "WOLKE_BINARY names no program")
class AtRest(unittest.TestCase):
    def setUp(self):
        self.server = Server(BINARY)
        self.server.start()
        self.addCleanup(lambda: self.server.stop())
        self.s3 = client_of(self.server)
        self.s3.create_bucket(Bucket="vault")

    def put_everything(self):
        """Objects of each kind of place: {key: bytes}."""
        small, large = bytes_with_canary(3000), bytes_with_canary(1_000_000)
        self.s3.put_object(Bucket="vault", Key="small", Body=small)
        self.s3.put_object(Bucket="vault", Key="large", Body=large)
        self.s3.copy_object(Bucket="vault", Key="copy-small", CopySource="vault/small")
        self.s3.copy_object(Bucket="vault", Key="copy-large", CopySource="vault/large", ChecksumAlgorithm="SHA256")
        first, last = bytes_with_canary(PART), bytes_with_canary(2000)
        self.multipart("parts", [first, last])
        self.multipart("one-small-part", [small])
        return {"small": small, "large": large, "copy-small": small, "copy-large": large, "parts": first + last,
                "one-small-part": small}

    def multipart(self, key, bodies):
        where = {"Bucket": "vault", "Key": key}
        upload = self.s3.create_multipart_upload(**where)["UploadId"]
        parts = [{"PartNumber": number, "ETag": self.s3.upload_part(**where, UploadId=upload, PartNumber=number,
                                                                     Body=body)["ETag"]}
                 for number, body in enumerate(bodies, 1)]
        self.s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})

    def test_nothing_of_an_object_is_in_plain_on_the_disk(self):
        expected = self.put_everything()
        pending = self.s3.create_multipart_upload(Bucket="vault", Key="pending")["UploadId"]
        self.s3.upload_part(Bucket="vault", Key="pending", UploadId=pending, PartNumber=1, Body=bytes_with_canary(3000))
        for key, body in expected.items():
            self.assertEqual(self.s3.get_object(Bucket="vault", Key=key)["Body"].read(), body, key)
        self.assertEqual(files_with(self.server.data_dir, CANARY), [])
        # The search itself finds what is there: names of keys are not encrypted.
        self.s3.put_object(Bucket="vault", Key="name-of-a-key", Body=b"x")
        self.assertNotEqual(files_with(self.server.data_dir, b"name-of-a-key"), [])

    def test_it_reads_back_after_a_restart_and_by_ranges(self):
        expected = self.put_everything()
        with Server(BINARY, data_dir=self.server.directory / "kept") as first:
            s3 = client_of(first)
            s3.create_bucket(Bucket="vault")
            for key, body in expected.items():
                s3.put_object(Bucket="vault", Key=key, Body=body)
        with Server(BINARY, data_dir=self.server.directory / "kept") as second:
            s3 = client_of(second)
            for key, body in expected.items():
                self.assertEqual(s3.get_object(Bucket="vault", Key=key)["Body"].read(), body, key)
                got = s3.get_object(Bucket="vault", Key=key, Range="bytes=1234-2222")["Body"].read()
                self.assertEqual(got, body[1234:2223], key)

    def test_every_answer_tells_that_it_is_encrypted(self):
        where = {"Bucket": "vault", "Key": "k"}
        upload = self.s3.create_multipart_upload(Bucket="vault", Key="m")
        part = self.s3.upload_part(Bucket="vault", Key="m", UploadId=upload["UploadId"], PartNumber=1, Body=b"x")
        answers = [self.s3.put_object(**where, Body=b"x"), self.s3.get_object(**where), self.s3.head_object(**where),
                   self.s3.copy_object(Bucket="vault", Key="c", CopySource="vault/k"), upload, part,
                   self.s3.complete_multipart_upload(
                       Bucket="vault", Key="m", UploadId=upload["UploadId"],
                       MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})]
        self.assertEqual([one.get("ServerSideEncryption") for one in answers], ["AES256"] * len(answers))

    def test_a_lost_or_foreign_key_stops_the_start_and_is_never_replaced(self):
        kept = self.server.directory / "kept"
        with Server(BINARY, data_dir=kept) as first:
            client_of(first).create_bucket(Bucket="vault")
        key_file = kept / "identity.key"
        key = key_file.read_bytes()
        for wrong, said in ((None, "is missing"), (bytes(32), "is another installation's")):
            key_file.unlink()
            if wrong is not None:
                key_file.write_bytes(wrong)
            with self.assertRaises(Exception) as caught:
                with Server(BINARY, data_dir=kept):
                    pass
            self.assertIn(said, str(caught.exception))
            self.assertEqual(key_file.read_bytes() if wrong is not None else None, wrong)
            key_file.write_bytes(key)
        with Server(BINARY, data_dir=kept) as again:
            self.assertEqual(client_of(again).head_bucket(Bucket="vault")["ResponseMetadata"]["HTTPStatusCode"], 200)

    def test_damage_is_an_error_and_never_wrong_bytes(self):
        self.s3.put_object(Bucket="vault", Key="large", Body=bytes_with_canary(1_000_000))
        blob = max((p for p in (self.server.data_dir / "blobs").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
        with open(blob, "r+b") as file:
            file.seek(500_000)
            byte = file.read(1)[0]
            file.seek(500_000)
            file.write(bytes([byte ^ 1]))
        self.assertEqual(len(self.s3.get_object(Bucket="vault", Key="large", Range="bytes=0-99")["Body"].read()), 100)
        with self.assertRaises(Exception):
            self.s3.get_object(Bucket="vault", Key="large")["Body"].read()


class Kms(wire.S3Case):
    def test_keys_of_a_key_service_are_refused_by_name(self):
        for kind in ("aws:kms", "aws:kms:dsse"):
            self.assert_refused("NotImplemented", 501, self.put, key="k", ServerSideEncryption=kind)
            rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": kind}}]
            self.assert_refused("NotImplemented", 501, self.s3.put_bucket_encryption, Bucket=self.bucket,
                                ServerSideEncryptionConfiguration={"Rules": rules})
        rule = self.s3.get_bucket_encryption(Bucket=self.bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
        self.assertEqual(rule["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})

    def test_a_policy_may_ask_that_encryption_is_named(self):
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=(
            '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",'
            '"Resource":"arn:aws:s3:::%s/*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"AES256"}}}]}'
            % self.bucket))
        self.assert_refused("AccessDenied", 403, self.put, key="k")
        self.put("k", ServerSideEncryption="AES256")


if __name__ == "__main__":
    unittest.main()
