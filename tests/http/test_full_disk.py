"""A disk that fills up: writes are refused in AWS's words, reads and deletes go on, room that is freed is used again, and
nothing acknowledged is lost, not by a kill either. The server runs over a small file system of its own."""
import hashlib
import os
import pathlib
import random
import subprocess
import tempfile
import unittest

import botocore.exceptions

from aws import BINARY, Case, client_of, wait_for
from server import Server, descendants, measured_memory

FILE_SYSTEM_MIB = 128
BODY_BYTES = 1 << 20  # lies in a blob
SMALL_BYTES = 60_000  # lies in the commit
FREE_AFTER_DELETES = 48 << 20
OBJECTS_MAX = 4000  # more would not fit, many times over
SANITIZED = b"AddressSanitizer" in pathlib.Path(BINARY).read_bytes()
MEMORY_GROWTH_MAX = 48 << 20


def resident_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


@unittest.skipUnless(os.geteuid() == 0, "needs root: mounts a small file system")
class FullDisk(Case):
    def setUp(self):
        self.mount = tempfile.mkdtemp(prefix="wolke-full-")
        self.addCleanup(os.rmdir, self.mount)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={FILE_SYSTEM_MIB}m,mode=755", "wolke-test", self.mount],
                                 check=False)
        if mounted.returncode != 0:
            self.skipTest("no file system can be mounted here")
        self.addCleanup(subprocess.run, ["umount", self.mount], check=True)
        with measured_memory():
            self.server = Server(BINARY, data_dir=pathlib.Path(self.mount) / "data").start()
        self.addCleanup(lambda: self.server.stop(judge=False))
        self.s3 = client_of(self.server, "s3")
        self.s3.create_bucket(Bucket="full")
        self.random = random.Random(1)
        self.acknowledged = {}

    def put(self, key, size):
        body = self.random.randbytes(size)
        self.s3.put_object(Bucket="full", Key=key, Body=body)
        self.acknowledged[key] = hashlib.sha256(body).hexdigest()

    def fill(self, prefix, size):
        """Puts until one is refused; returns the error."""
        for number in range(OBJECTS_MAX):
            try:
                self.put(f"{prefix}/{number}", size)
            except botocore.exceptions.ClientError as error:
                return error.response
        self.fail("the disk does not fill up")

    def check_all(self):
        listed = {entry["Key"] for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket="full")
                  for entry in page.get("Contents", [])}
        self.assertEqual(listed, set(self.acknowledged))
        for key, digest in self.acknowledged.items():
            body = self.s3.get_object(Bucket="full", Key=key)["Body"].read()
            self.assertEqual(hashlib.sha256(body).hexdigest(), digest, key)

    def delete(self, keys):
        for key in keys:
            self.s3.delete_object(Bucket="full", Key=key)
            del self.acknowledged[key]

    def free_bytes(self):
        status = os.statvfs(self.mount)
        return status.f_bavail * status.f_frsize

    def is_put(self, key, size):
        try:
            self.put(key, size)
            return True
        except botocore.exceptions.ClientError:
            return False

    def restart(self, how):
        port = int(self.server.endpoint.rsplit(":", 1)[1])
        if how == "kill":
            self.server.kill()
            self.server.stop(judge=False)
        else:
            self.server.stop()
        self.server.port = port
        self.server.start()
        self.s3 = client_of(self.server, "s3")

    def test_a_full_disk_refuses_bodies_and_serves_the_rest(self):
        before = {pid: resident_bytes(pid) for pid in descendants(self.server.process.pid)}
        refused = self.fill("large", BODY_BYTES)
        self.assertEqual(refused["ResponseMetadata"]["HTTPStatusCode"], 503)
        self.assertEqual(refused["Error"]["Code"], "ServiceUnavailable")
        self.assertIn("storage is full", refused["Error"]["Message"])
        refused = self.fill("small", SMALL_BYTES)
        self.assertEqual(refused["Error"]["Code"], "ServiceUnavailable")
        with self.assertRaises(botocore.exceptions.ClientError) as part:
            upload = self.s3.create_multipart_upload(Bucket="full", Key="parts")
            self.s3.upload_part(Bucket="full", Key="parts", UploadId=upload["UploadId"], PartNumber=1, Body=bytes(BODY_BYTES))
        self.assertEqual(part.exception.response["Error"]["Code"], "ServiceUnavailable")
        self.check_all()
        for pid, bytes_before in before.items():
            if not SANITIZED:  # a sanitizer's own memory grows with what is done, not with what is held
                self.assertLess(resident_bytes(pid) - bytes_before, MEMORY_GROWTH_MAX)
        self.delete([key for key in self.acknowledged if key.startswith("large/")][2:])
        wait_for(lambda: self.free_bytes() > FREE_AFTER_DELETES, what="room after deletes")
        self.assertTrue(self.is_put("after", BODY_BYTES))
        self.check_all()

    def test_small_objects_that_are_deleted_make_room_for_others(self):
        self.assertEqual(self.fill("small", SMALL_BYTES)["Error"]["Code"], "ServiceUnavailable")
        self.delete(list(self.acknowledged)[:100])
        wait_for(lambda: self.is_put("after", SMALL_BYTES), what="room in the database after deletes")
        self.check_all()

    def test_a_server_starts_on_a_full_disk_and_has_everything(self):
        for how in ("stop", "kill"):
            with self.subTest(how=how):
                self.fill(f"{how}-large", BODY_BYTES)
                self.fill(f"{how}-small", SMALL_BYTES)
                self.restart(how)
                self.check_all()
                self.delete([key for key in self.acknowledged if "large" in key])
                wait_for(lambda how=how: self.is_put(f"after-{how}", BODY_BYTES), what="room after deletes")
