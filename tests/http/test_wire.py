"""Malformed HTTP, XML and JSON: a named error at once, in the protocol of the service, and a server that goes on."""
import hashlib
import http.client
import json
import os
import socket
import unittest
import urllib.parse

from aws import Case, client, unique

ADDRESS = urllib.parse.urlsplit(os.environ.get("WOLKE_ENDPOINT", ""))
CREDENTIAL = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{}/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
ANSWER_SECONDS_MAX = 5


def raw(data):
    """Everything that the server says to these bytes, until it closes or is silent."""
    with socket.create_connection((ADDRESS.hostname, ADDRESS.port)) as connection:
        connection.settimeout(ANSWER_SECONDS_MAX)
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            said = b""
            while piece := connection.recv(65536):
                said += piece
        except ConnectionError:
            pass
        return said


def call(service, method, path, body=b"", **headers):
    """(status, headers, body) of a call that dev takes without a signature that fits."""
    connection = http.client.HTTPConnection(ADDRESS.hostname, ADDRESS.port, timeout=ANSWER_SECONDS_MAX)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, {"Authorization": CREDENTIAL.format(service), "x-amz-date": "20260101T000000Z",
                                            "x-amz-content-sha256": hashlib.sha256(body).hexdigest(), **named})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers, text


class Http(unittest.TestCase):
    def status(self, data):
        said = raw(data)
        self.assertRegex(said, rb"^HTTP/1\.1 \d{3} ")
        self.assertEqual(client("s3").list_buckets()["ResponseMetadata"]["HTTPStatusCode"], 200)
        return int(said[9:12])

    def test_what_is_no_request(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/3.0\r\nHost: a\r\n\r\n",
                     b"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\n folded: 1\r\n\r\n", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n"):
            with self.subTest(data):
                self.assertIn(self.status(data), (400, 505))

    def test_a_request_has_one_host(self):
        self.assertEqual(self.status(b"GET / HTTP/1.1\r\n\r\n"), 400)
        self.assertEqual(self.status(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400)

    def test_two_ideas_of_a_bodys_length(self):
        for lines in (b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 3\r\nContent-Length: 4\r\n",
                      b"Content-Length: -1\r\n", b"Content-Length: 0x3\r\n", b"Content-Length: 99999999999999999999999\r\n",
                      b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"):
            with self.subTest(lines):
                self.assertIn(self.status(b"PUT /b/k HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\nabc"), (400, 501))

    def test_bad_chunks(self):
        head = (b"PUT /b/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nx-amz-date: 20260101T000000Z\r\nAuthorization: "
                + CREDENTIAL.format("s3").encode() + b"\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\n\r\n")
        for body in (b"zz\r\nabc\r\n0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n"):
            with self.subTest(body):
                self.assertIn(self.status(head + body), (400, 404, 411))

    def test_heads_have_limits(self):
        self.assertIn(self.status(b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"), (400, 414, 431))
        many = b"".join(b"X-%d: 1\r\n" % number for number in range(5000))
        self.assertIn(self.status(b"GET / HTTP/1.1\r\nHost: a\r\n" + many + b"\r\n"), (400, 431))

    def test_an_endless_head_is_answered_before_it_ends(self):
        with socket.create_connection((ADDRESS.hostname, ADDRESS.port)) as connection:
            connection.settimeout(ANSWER_SECONDS_MAX)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
            try:
                for number in range(40):
                    connection.sendall(b"X-%d: " % number + b"y" * 8000 + b"\r\n")
            except ConnectionError:
                pass  # it need not take all of it
            self.assertRegex(connection.recv(100), rb"^HTTP/1\.1 (400|431) ")

    def test_what_is_not_served_has_a_name(self):
        for service, method, path, body, headers in (
                ("s3", "GET", "/bucket?torrent", b"", {}),
                ("sts", "POST", "/", b"Action=NoSuchAction&Version=2011-06-15", {"Content_Type": "application/x-www-form-urlencoded"}),
                ("logs", "POST", "/", b"{}", {"X_Amz_Target": "Logs_20140328.NoSuchOperation", "Content_Type": "application/x-amz-json-1.1"}),
                ("lambda", "POST", "/2015-03-31/no-such-thing", b"{}", {}),
                ("nosuchservice", "GET", "/", b"", {})):
            with self.subTest(service):
                status, _, text = call(service, method, path, body, **headers)
                self.assertTrue(400 <= status < 600 and status != 500, (status, text))
                self.assertGreater(len(text), 20)


class Documents(Case):
    def test_malformed_xml(self):
        bucket = unique("xml")
        client("s3").create_bucket(Bucket=bucket)
        deep = b"<Delete>" * 100_000
        bomb = b'<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><Delete>&d;</Delete>'
        for body in (b"<Delete>", b"not xml", b"<Delete></Object>", b"\xff\xfe<Delete/>", deep, bomb, b""):
            with self.subTest(body[:20]):
                status, headers, text = call("s3", "POST", f"/{bucket}?delete", body)
                self.assertEqual(status, 400, text[:300])
                self.assertIn(b"<Code>", text)
                self.assertTrue(b"MalformedXML" in text or b"MissingRequestBodyError" in text or b"Missing" in text, text[:300])
                self.assertEqual(headers["content-type"], "application/xml")

    def test_malformed_json(self):
        for body in (b"{", b"[1", b"nul", b'{"a": }', b'{"a":1}x', b"{" * 100_000, b'"\xff"', b"[]", b"\xef\xbb\xbf{"):
            with self.subTest(body[:20]):
                status, headers, text = call("logs", "POST", "/", body, X_Amz_Target="Logs_20140328.CreateLogGroup",
                                             Content_Type="application/x-amz-json-1.1")
                self.assertEqual((status, json.loads(text)["__type"].rpartition("#")[2]), (400, "SerializationException"))
                status, headers, text = call("lambda", "POST", "/2015-03-31/functions", body)
                self.assertEqual(status, 400)
                self.assertIn(headers["x-amzn-errortype"].partition(":")[0], ("SerializationException", "InvalidRequestContentException"))

    def test_wrong_types_and_missing_members(self):
        status, headers, text = call("lambda", "POST", "/2015-03-31/functions", b'{"FunctionName": 7}')
        self.assertEqual((status, headers["x-amzn-errortype"].partition(":")[0]), (400, "SerializationException"))
        status, headers, text = call("lambda", "POST", "/2015-03-31/functions", b'{"FunctionName": "f"}')
        self.assertEqual((status, headers["x-amzn-errortype"].partition(":")[0]), (400, "ValidationException"))
        self.assertIn("role", text.decode())

    def test_queries(self):
        for body in (b"Action=CreateRole&Version=2010-05-08", b"Action=CreateRole&RoleName=%zz", b"%%%", b""):
            with self.subTest(body):
                status, _, text = call("iam", "POST", "/", body, Content_Type="application/x-www-form-urlencoded")
                self.assertTrue(400 <= status < 500, (status, text))
                self.assertIn(b"<Code>", text)

    def test_an_objects_digests_are_checked(self):
        s3, bucket = client("s3"), unique("digest")
        s3.create_bucket(Bucket=bucket)
        self.refused("BadDigest", s3.put_object, Bucket=bucket, Key="k", Body=b"abc", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
        self.refused("InvalidDigest", s3.put_object, Bucket=bucket, Key="k", Body=b"abc", ContentMD5="short")
        status, _, text = call("s3", "PUT", f"/{bucket}/k", b"abc", x_amz_checksum_crc32="AAAAAA==")
        self.assertEqual(status, 400)
        self.assertIn(b"<Code>BadDigest</Code>", text)
        self.refused("404", s3.head_object, Bucket=bucket, Key="k")

    def test_a_body_that_ends_early_makes_no_object(self):
        s3, bucket = client("s3"), unique("early")
        s3.create_bucket(Bucket=bucket)
        said = raw((f"PUT /{bucket}/k HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\nx-amz-date: 20260101T000000Z\r\n"
                    f"x-amz-content-sha256: UNSIGNED-PAYLOAD\r\nAuthorization: {CREDENTIAL.format('s3')}\r\n\r\nabc").encode())
        self.assertFalse(said.startswith(b"HTTP/1.1 200"), said)
        self.refused("404", s3.head_object, Bucket=bucket, Key="k")
