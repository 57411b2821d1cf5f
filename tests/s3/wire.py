"""A client of the server under test, and a bucket of its own for each test.

The endpoint comes from WOLKE_ENDPOINT, the credentials from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. No configuration
of the user is read.
"""
import os
import unittest
import uuid

os.environ["AWS_CONFIG_FILE"] = os.devnull
os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

import boto3  # noqa: E402
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

ENDPOINT = os.environ.get("WOLKE_ENDPOINT", "")


def client(access_key=None, secret_key=None, **config):
    return boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id=access_key or os.environ.get("AWS_ACCESS_KEY_ID", "test"),
        aws_secret_access_key=secret_key or os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        aws_session_token=None if access_key else os.environ.get("AWS_SESSION_TOKEN"),
        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, **config),
    )


@unittest.skipUnless(ENDPOINT, "WOLKE_ENDPOINT names no server")
class S3Case(unittest.TestCase):
    def setUp(self):
        self.s3 = client()
        self.bucket = "test-" + uuid.uuid4().hex
        self.s3.create_bucket(Bucket=self.bucket)
        self.addCleanup(self.empty_and_delete, self.bucket)

    def empty_and_delete(self, bucket):
        for upload in self.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            self.s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        while True:
            found = self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
            if not found:
                break
            self.s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": one["Key"]} for one in found]})
        self.s3.delete_bucket(Bucket=bucket)

    def put(self, key, body=b"hello", **more):
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **more)

    def get(self, key, **more):
        return self.s3.get_object(Bucket=self.bucket, Key=key, **more)

    def assert_refused(self, code, status, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        answer = caught.exception.response
        self.assertEqual((answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]), (code, status))
        return answer
