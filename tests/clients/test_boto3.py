"""Debian's boto3 in what the areas do not say: transfers, presigned forms, an empty object before another."""
import io
import os
import time
import urllib.request

from boto3.s3.transfer import TransferConfig

from aws import Case, client, unique


class Boto3(Case):
    def setUp(self):
        self.s3 = client("s3")
        self.bucket = unique("boto")
        self.s3.create_bucket(Bucket=self.bucket)

    def test_managed_transfers(self):
        body = os.urandom(21 * 1024 * 1024 + 7)
        config = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=5 << 20, max_concurrency=4)
        self.s3.upload_fileobj(io.BytesIO(body), self.bucket, "k", Config=config)
        self.s3.copy({"Bucket": self.bucket, "Key": "k"}, self.bucket, "k2", Config=config)
        back = io.BytesIO()
        self.s3.download_fileobj(self.bucket, "k2", back, Config=config)
        self.assertEqual(back.getvalue(), body)

    def test_an_empty_object_does_not_hold_up_the_next(self):
        """botocore asks with Expect: 100-continue even without a body, and after an answer that no 100 preceded it misreads
        the next one on that connection: so an empty body is answered with 100 too, as on AWS, or the connection ends."""
        begin = time.monotonic()
        for body in (b"", b"x" * 500, b"", b""):
            self.s3.put_object(Bucket=self.bucket, Key="k", Body=body)
        self.assertLess(time.monotonic() - begin, 10)

    def test_presigned(self):
        self.s3.put_object(Bucket=self.bucket, Key="ü +", Body=b"body")
        link = self.s3.generate_presigned_url("get_object", {"Bucket": self.bucket, "Key": "ü +"}, ExpiresIn=60)
        with urllib.request.urlopen(link) as answer:
            self.assertEqual(answer.read(), b"body")

    def test_a_presigned_put_applies_what_it_was_signed_with(self):
        """Version 2 hoists everything into the query; version 4 signs headers, which the uploader sends."""
        wanted = {"Metadata": {"who": "me"}, "ContentType": "text/x", "Tagging": "a=b&c=d", "StorageClass": "STANDARD_IA"}
        headers = {"Content-Type": "text/x", "x-amz-meta-who": "me", "x-amz-tagging": "a=b&c=d",
                   "x-amz-storage-class": "STANDARD_IA"}
        for version, sent in (("s3", {"Content-Type": "text/x"}), ("s3v4", headers)):
            signer = client("s3", signature_version=version)
            link = signer.generate_presigned_url("put_object", {"Bucket": self.bucket, "Key": version, **wanted}, ExpiresIn=60)
            with urllib.request.urlopen(urllib.request.Request(link, b"body", sent, method="PUT")) as answer:
                self.assertEqual(answer.status, 200)
            head = self.s3.head_object(Bucket=self.bucket, Key=version)
            self.assertEqual((head["Metadata"], head["ContentType"]), ({"who": "me"}, "text/x"))
            self.assertEqual(head["StorageClass"], "STANDARD_IA")
            tags = self.s3.get_object_tagging(Bucket=self.bucket, Key=version)["TagSet"]
            self.assertEqual({tag["Key"]: tag["Value"] for tag in tags}, {"a": "b", "c": "d"})
