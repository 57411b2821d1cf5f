"""Large bodies stream: whatever their size, the server's memory stays as it is, and no worker waits for them.

256 MiB each way here; LARGE_BODY_BYTES=5368709120 tests/run.py … -k LargeBodies does it with S3's largest body.
"""
import base64
import hashlib
import http.client
import os
import pathlib
import random
import struct
import urllib.parse
import zlib

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from aws import BINARY, Case, client_of
from server import Server, descendants, measured_memory

LARGE_BYTES = int(os.environ.get("LARGE_BODY_BYTES", 256 << 20))
PIECE_BYTES = 1 << 20
PIECES_BETWEEN_CALLS = 32
MEMORY_GROWTH_MAX = 48 << 20
STALLED = 12  # bodies that stand still: more than the pool has threads
UNSIGNED, CHUNKED = "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
NOISE = random.Random(2).randbytes(PIECE_BYTES - 8)


def pieces(size):
    """Each is different, so that none can be lost or moved."""
    for number in range(0, (size + PIECE_BYTES - 1) // PIECE_BYTES):
        yield (struct.pack(">Q", number) + NOISE)[:min(PIECE_BYTES, size - number * PIECE_BYTES)]


class LargeBodies(Case):
    @classmethod
    def setUpClass(cls):
        with measured_memory():
            cls.server = Server(BINARY, serve=True).start()
        cls.addClassCleanup(cls.server.stop)
        cls.s3 = client_of(cls.server, "s3")
        cls.s3.create_bucket(Bucket="large")
        cls.s3.put_object(Bucket="large", Key="small", Body=b"small")

    def signed(self, method, key, headers):
        request = botocore.awsrequest.AWSRequest(method, f"{self.server.endpoint}/large/{key}", headers={
            **headers, "Host": urllib.parse.urlsplit(self.server.endpoint).netloc})
        credentials = botocore.credentials.Credentials(self.server.access_key, self.server.secret_key)
        botocore.auth.SigV4Auth(credentials, "s3", "us-east-1").add_auth(request)
        return dict(request.headers)

    def begin(self, method, key, headers):
        """A connection with the request's head sent."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.server.endpoint).netloc, timeout=120)
        connection.putrequest(method, f"/large/{key}", skip_host=True, skip_accept_encoding=True)
        for name, value in self.signed(method, key, headers).items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection

    def resident_bytes(self):
        """Of each process, its peak."""
        out = {}
        for pid in descendants(self.server.process.pid):
            lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
            out[pid] = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
        return out

    def expect_no_growth(self, before, what):
        after = self.resident_bytes()
        growth = max(after[pid] - bytes_before for pid, bytes_before in before.items() if pid in after)
        print(f"{what}: {LARGE_BYTES >> 20} MiB, peak memory {max(after.values()) >> 20} MiB, grown by {growth >> 20} MiB")
        self.assertLess(growth, MEMORY_GROWTH_MAX)

    def expect_answers(self):
        self.assertEqual(self.s3.get_object(Bucket="large", Key="small")["Body"].read(), b"small")

    def send(self, connection, framed):
        digest = hashlib.md5()
        checksum = 0
        for number, piece in enumerate(pieces(LARGE_BYTES)):
            digest.update(piece)
            checksum = zlib.crc32(piece, checksum)
            connection.send(b"%x\r\n%b\r\n" % (len(piece), piece) if framed else piece)
            if number % PIECES_BETWEEN_CALLS == 0:
                self.expect_answers()
        if framed:
            connection.send(b"0\r\nx-amz-checksum-crc32:%b\r\n\r\n" % base64.b64encode(struct.pack(">I", checksum)))
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.read()), (200, b""))
        self.assertEqual(answer.headers["ETag"].strip('"'), digest.hexdigest())
        connection.close()

    def receive(self, key):
        connection = self.begin("GET", key, {"X-Amz-Content-SHA256": UNSIGNED})
        answer = connection.getresponse()
        self.assertEqual((answer.status, int(answer.headers["Content-Length"])), (200, LARGE_BYTES))
        for number, piece in enumerate(pieces(LARGE_BYTES)):
            self.assertTrue(answer.read(len(piece)) == piece, f"piece {number} is another")
            if number % PIECES_BETWEEN_CALLS == 0:
                self.expect_answers()
        self.assertEqual(answer.read(1), b"")
        connection.close()

    def test_a_large_body_goes_in_and_out_in_constant_memory(self):
        before = self.resident_bytes()
        self.send(self.begin("PUT", "plain", {"X-Amz-Content-SHA256": UNSIGNED, "Content-Length": str(LARGE_BYTES)}), False)
        self.expect_no_growth(before, "PUT")
        self.receive("plain")
        self.expect_no_growth(before, "GET")
        self.s3.delete_object(Bucket="large", Key="plain")

    def test_a_large_body_in_chunks_goes_in_in_constant_memory(self):
        before = self.resident_bytes()
        frames = sum(len(b"%x" % len(piece)) + len(piece) + 4 for piece in pieces(LARGE_BYTES))
        trailer = len("0\r\nx-amz-checksum-crc32:012345==\r\n\r\n")
        self.send(self.begin("PUT", "chunked", {
            "X-Amz-Content-SHA256": CHUNKED, "Content-Encoding": "aws-chunked", "Content-Length": str(frames + trailer),
            "X-Amz-Decoded-Content-Length": str(LARGE_BYTES), "X-Amz-Trailer": "x-amz-checksum-crc32"}), True)
        self.expect_no_growth(before, "PUT in chunks")
        self.s3.delete_object(Bucket="large", Key="chunked")

    def test_bodies_that_stand_still_hold_no_worker(self):
        half = 4 * PIECE_BYTES
        body = b"".join(pieces(2 * half))
        stalled = [self.begin("PUT", f"stalled-{number}", {"X-Amz-Content-SHA256": UNSIGNED, "Content-Length": str(len(body))})
                   for number in range(STALLED)]
        for connection in stalled:
            connection.send(body[:half])
        for _ in range(20):
            self.expect_answers()
        self.s3.put_object(Bucket="large", Key="meanwhile", Body=body)
        for connection in stalled:
            connection.send(body[half:])
            self.assertEqual(connection.getresponse().status, 200)
            connection.close()
        self.assertEqual(self.s3.get_object(Bucket="large", Key="stalled-0")["Body"].read(), body)
