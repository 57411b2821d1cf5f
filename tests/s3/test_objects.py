"""Objects as boto3 sees them."""
import datetime
import hashlib
import http.client
import os
import unittest
import urllib.parse

import wire


class Objects(wire.S3Case):
    def test_a_batch_says_what_its_document_is(self):
        self.put("k")
        batch = {"Bucket": self.bucket, "Delete": {"Objects": [{"Key": "k"}]}}

        def client(**checksum):
            def sign(request, **_):
                for name in ("Content-MD5", "x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm"):
                    del request.headers[name]
                for name, value in checksum.items():
                    request.headers[name.replace("_", "-")] = value
            one = wire.client()
            one.meta.events.register_first("before-sign.s3.DeleteObjects", sign)
            return one
        self.assert_refused("InvalidRequest", 400, client().delete_objects, **batch)
        self.assert_refused("BadDigest", 400, client(x_amz_checksum_crc32="AAAAAA==").delete_objects, **batch)
        self.assertEqual(self.get("k")["Body"].read(), b"hello")
        self.s3.delete_objects(**batch)
        self.assert_refused("NoSuchKey", 404, self.get, key="k")

    def test_a_redirect_is_a_path_or_an_url(self):
        for location in ("/other", "http://example.com/", "https://example.com/"):
            self.put("k", WebsiteRedirectLocation=location)
            self.assertEqual(self.get("k")["WebsiteRedirectLocation"], location)
        self.assert_refused("InvalidRedirectLocation", 400, self.put, key="k", WebsiteRedirectLocation="other")
        self.assert_refused("InvalidRedirectLocation", 400, self.s3.copy_object, Bucket=self.bucket, Key="copy",
                            CopySource={"Bucket": self.bucket, "Key": "k"}, WebsiteRedirectLocation="other")

    def test_any_key_comes_back_as_it_was(self):
        keys = ["a", "a/b//c", "/leading", "trailing/", "sp ace", "plus+plus", "ü/日本語", "q?x=1&y=2#z", "..", "a/../b",
                "%41", "back\\slash", "'quote\"", "~tilde", "x" * 1024]
        for key in keys:
            self.put(key, key.encode())
        for key in keys:
            self.assertEqual(self.get(key)["Body"].read(), key.encode(), key)
        listed = [one["Key"] for one in self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]]
        self.assertEqual(listed, sorted(keys, key=str.encode))

    def test_key_too_long(self):
        self.assert_refused("KeyTooLongError", 400, self.s3.put_object, Bucket=self.bucket, Key="x" * 1025, Body=b"")

    def test_sizes_around_the_inline_limit(self):
        for size in (0, 1, 65535, 65536, 65537, 300000):
            body = os.urandom(size)
            answer = self.put("k", body)
            self.assertEqual(answer["ETag"], f'"{hashlib.md5(body).hexdigest()}"')
            self.assertEqual(self.get("k")["Body"].read(), body)
            self.assertEqual(self.s3.head_object(Bucket=self.bucket, Key="k")["ContentLength"], size)

    def test_metadata(self):
        self.put("k", ContentType="image/png", CacheControl="no-cache", ContentDisposition="attachment",
                 ContentLanguage="de", ContentEncoding="gzip", Metadata={"camera": "Leica", "iso": "400"})
        head = self.s3.head_object(Bucket=self.bucket, Key="k")
        self.assertEqual(head["Metadata"], {"camera": "Leica", "iso": "400"})
        for name, value in {"ContentType": "image/png", "CacheControl": "no-cache", "ContentLanguage": "de",
                            "ContentDisposition": "attachment", "ContentEncoding": "gzip"}.items():
            self.assertEqual(head[name], value)
        got = self.get("k", ResponseContentType="text/plain", ResponseCacheControl="max-age=1")
        self.assertEqual((got["ContentType"], got["CacheControl"]), ("text/plain", "max-age=1"))

    def test_too_much_metadata(self):
        self.assert_refused("MetadataTooLarge", 400, self.s3.put_object, Bucket=self.bucket, Key="k", Body=b"",
                            Metadata={"k": "v" * 2048})

    def test_ranges(self):
        for body in (b"0123456789", b"0123456789" * 10000):
            self.put("k", body)
            for wanted, part in (("bytes=2-4", body[2:5]), ("bytes=5-", body[5:]), ("bytes=-3", body[-3:])):
                got = self.get("k", Range=wanted)
                self.assertEqual(got["Body"].read(), part)
                self.assertEqual(got["ResponseMetadata"]["HTTPStatusCode"], 206)
            self.assertEqual(self.get("k", Range="bytes=0-0,2-2")["Body"].read(), body)
        self.assert_refused("InvalidRange", 416, self.s3.get_object, Bucket=self.bucket, Key="k", Range="bytes=100000-")

    def test_conditional_reads(self):
        etag = self.put("k")["ETag"]
        past = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)
        self.get("k", IfMatch=etag, IfUnmodifiedSince=past)
        self.get("k", IfNoneMatch='"other"')
        self.assert_refused("304", 304, self.s3.get_object, Bucket=self.bucket, Key="k", IfNoneMatch=etag)
        self.assert_refused("PreconditionFailed", 412, self.s3.get_object, Bucket=self.bucket, Key="k", IfMatch='"x"')
        self.assert_refused("PreconditionFailed", 412, self.s3.get_object, Bucket=self.bucket, Key="k",
                            IfUnmodifiedSince=past)

    def test_missing(self):
        self.assert_refused("NoSuchKey", 404, self.s3.get_object, Bucket=self.bucket, Key="none")
        self.assert_refused("404", 404, self.s3.head_object, Bucket=self.bucket, Key="none")
        self.assert_refused("NoSuchBucket", 404, self.s3.get_object, Bucket=self.bucket + "x", Key="none")
        self.s3.delete_object(Bucket=self.bucket, Key="none")

    def test_delete_many(self):
        for key in "abc":
            self.put(key)
        answer = self.s3.delete_objects(Bucket=self.bucket,
                                        Delete={"Objects": [{"Key": key} for key in ("a", "b", "none")]})
        self.assertEqual({one["Key"] for one in answer["Deleted"]}, {"a", "b", "none"})
        self.assertEqual(self.s3.list_objects_v2(Bucket=self.bucket)["KeyCount"], 1)
        quiet = self.s3.delete_objects(Bucket=self.bucket, Delete={"Quiet": True, "Objects": [{"Key": "c"}]})
        self.assertNotIn("Deleted", quiet)

    def test_checksums(self):
        for algorithm in ("CRC32", "SHA1", "SHA256"):
            answer = self.put("k", b"hello", ChecksumAlgorithm=algorithm)
            value = answer["Checksum" + algorithm]
            got = self.get("k", ChecksumMode="ENABLED")
            self.assertEqual(got["Checksum" + algorithm], value)
            self.assertEqual(got["Body"].read(), b"hello")
        self.assert_refused("BadDigest", 400, self.s3.put_object, Bucket=self.bucket, Key="k", Body=b"x",
                            ContentMD5="XUFAKrxLKna5cZ2REBfFkg==")
        self.assert_refused("BadDigest", 400, self.s3.put_object, Bucket=self.bucket, Key="k", Body=b"x",
                            ChecksumSHA1="qvTGHdzF6KLavt4PO0gs2a6pQ00=")

    def test_a_body_has_a_length(self):
        link = urllib.parse.urlsplit(self.s3.generate_presigned_url("put_object", Params={"Bucket": self.bucket, "Key": "k"}))
        for length, status in ((None, 411), ("0", 200)):
            connection = http.client.HTTPConnection(link.netloc)
            self.addCleanup(connection.close)
            connection.putrequest("PUT", f"{link.path}?{link.query}")
            if length:
                connection.putheader("Content-Length", length)
            connection.endheaders()
            answer = connection.getresponse()
            self.assertEqual((answer.status, b"MissingContentLength" in answer.read()), (status, status == 411))

    def test_copy(self):
        self.put("source é", b"x" * 100000, ContentType="image/png", Metadata={"a": "1"})
        source = {"Bucket": self.bucket, "Key": "source é"}
        self.s3.copy_object(Bucket=self.bucket, Key="copy", CopySource=source)
        got = self.get("copy")
        self.assertEqual((got["Body"].read(), got["ContentType"], got["Metadata"]),
                         (b"x" * 100000, "image/png", {"a": "1"}))
        self.s3.copy_object(Bucket=self.bucket, Key="copy", CopySource=source, MetadataDirective="REPLACE",
                            Metadata={"b": "2"})
        self.assertEqual(self.get("copy")["Metadata"], {"b": "2"})
        self.assert_refused("InvalidRequest", 400, self.s3.copy_object, Bucket=self.bucket, Key="copy",
                            CopySource={"Bucket": self.bucket, "Key": "copy"})
        self.assert_refused("NoSuchKey", 404, self.s3.copy_object, Bucket=self.bucket, Key="copy",
                            CopySource={"Bucket": self.bucket, "Key": "none"})

    def test_tags(self):
        self.put("k", Tagging="a=1&b=two%20words")
        tags = self.s3.get_object_tagging(Bucket=self.bucket, Key="k")["TagSet"]
        self.assertEqual({tag["Key"]: tag["Value"] for tag in tags}, {"a": "1", "b": "two words"})
        self.s3.put_object_tagging(Bucket=self.bucket, Key="k", Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
        self.assertEqual(self.s3.get_object_tagging(Bucket=self.bucket, Key="k")["TagSet"], [{"Key": "c", "Value": "3"}])
        self.s3.delete_object_tagging(Bucket=self.bucket, Key="k")
        self.assertEqual(self.s3.get_object_tagging(Bucket=self.bucket, Key="k")["TagSet"], [])

    def test_object_attributes(self):
        etag = self.put("k")["ETag"]
        told = self.s3.get_object_attributes(Bucket=self.bucket, Key="k",
                                             ObjectAttributes=["ETag", "ObjectSize", "StorageClass"])
        self.assertEqual((told["ETag"], told["ObjectSize"], told["StorageClass"]), (etag.strip('"'), 5, "STANDARD"))


if __name__ == "__main__":
    unittest.main()
