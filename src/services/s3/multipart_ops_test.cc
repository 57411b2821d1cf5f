#include "wolke/services/s3/checksums.h"
#include "wolke/services/s3/complete.h"
#include "wolke/services/s3/s3_for_test.h"

namespace wolke::s3 {
namespace {

constexpr std::size_t part_bytes = 5U << 20;

class MultipartTest : public S3Test {
 protected:
  MultipartTest() { make_bucket("photos"); }

  std::string begin(std::optional<std::string> algorithm = std::nullopt) {
    In<op::CreateMultipartUpload> in;
    in.bucket = "photos";
    in.key = "big";
    in.content_type = "image/png";
    in.checksum_algorithm = std::move(algorithm);
    return *run(create_multipart_upload, in)->upload_id;
  }

  Answer<op::UploadPart> upload(const std::string& id, int number, Body body) {
    In<op::UploadPart> in;
    in.bucket = "photos";
    in.key = "big";
    in.upload_id = id;
    in.part_number = number;
    in.body = std::move(body);
    return run(upload_part, in);
  }

  Body small(const std::string& bytes) {
    Body body;
    body.inline_bytes = bytes;
    return body;
  }

  In<op::CompleteMultipartUpload> completion(const std::string& id,
                                             std::vector<std::pair<int, std::string>> parts) {
    In<op::CompleteMultipartUpload> in;
    in.bucket = "photos";
    in.key = "big";
    in.upload_id = id;
    auto& listed = in.multipart_upload.emplace().parts.emplace();
    for (auto& [number, etag] : parts) {
      auto& part = listed.emplace_back();
      part.part_number = number;
      part.etag = etag;
    }
    return in;
  }

  Answer<op::CompleteMultipartUpload> complete(const In<op::CompleteMultipartUpload>& in) {
    return run_task(complete_multipart_upload, in);
  }

  std::string first = std::string(part_bytes, 'a');
};

TEST_F(MultipartTest, PartsBecomeOneObject) {
  std::string id = begin();
  std::string one = *upload(id, 1, blob_body(first))->etag;
  std::string two = *upload(id, 2, small("tail"))->etag;
  auto done = complete(completion(id, {{1, one}, {2, two}}));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_TRUE(done->etag->ends_with("-2\""));
  EXPECT_EQ(done->location, "http://127.0.0.1:4566/photos/big");
  auto got = get("big");
  EXPECT_EQ(bytes_of(got->body), first + "tail");
  EXPECT_EQ(got->content_type, "image/png");
  EXPECT_TRUE(records_with("s3.part").empty());
  EXPECT_TRUE(records_with("s3.upload").empty());
}

TEST_F(MultipartTest, ChecksumOfTheWholeIsCombinedFromTheParts) {
  std::string id = begin();
  std::string one = *upload(id, 1, blob_body(first))->etag;
  std::string two = *upload(id, 2, small("tail"))->etag;
  auto done = complete(completion(id, {{1, one}, {2, two}}));
  EXPECT_EQ(done->checksum_crc64nvme, to_base64(digest(HashKind::crc64nvme, first + "tail")));
  EXPECT_EQ(done->checksum_type, "FULL_OBJECT");
}

TEST_F(MultipartTest, CompositeChecksumCountsItsParts) {
  std::string id = begin("SHA256");
  Body body = small("only");
  auto part = upload(id, 1, body);
  EXPECT_EQ(part->checksum_sha256, to_base64(digest(HashKind::sha256, "only")));
  auto in = completion(id, {{1, *part->etag}});
  EXPECT_ERROR(complete(in), "InvalidRequest");  // a composite upload needs the parts' checksums
  in.multipart_upload->parts->front().checksum_sha256 = part->checksum_sha256;
  auto done = complete(in);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->checksum_sha256,
            to_base64(digest(HashKind::sha256, digest(HashKind::sha256, "only"))) + "-1");
}

TEST_F(MultipartTest, CompletingAgainGivesTheSameAnswer) {
  std::string id = begin();
  auto in = completion(id, {{1, *upload(id, 1, small("x"))->etag}});
  auto once = complete(in);
  auto again = complete(in);
  ASSERT_TRUE(again);
  EXPECT_EQ(once->etag, again->etag);
  ASSERT_TRUE(put("big", "newer"));
  EXPECT_ERROR(complete(in), "NoSuchUpload");
}

TEST_F(MultipartTest, PartsMustBeThereInOrderAndLargeEnough) {
  std::string id = begin();
  std::string one = *upload(id, 1, small("x"))->etag;
  std::string two = *upload(id, 2, small("y"))->etag;
  EXPECT_ERROR(complete(completion(id, {{2, two}, {1, one}})), "InvalidPartOrder");
  EXPECT_ERROR(complete(completion(id, {{1, one}, {3, two}})), "InvalidPart");
  EXPECT_ERROR(complete(completion(id, {{1, two}})), "InvalidPart");
  EXPECT_ERROR(complete(completion(id, {{1, one}, {2, two}})), "EntityTooSmall");
  EXPECT_ERROR(complete(completion(id, {})), "MalformedXML");
  EXPECT_ERROR(complete(completion("unknown", {{1, one}})), "NoSuchUpload");
}

TEST_F(MultipartTest, PartsThatAreNotListedAreDropped) {
  std::string id = begin();
  std::string one = *upload(id, 1, small("x"))->etag;
  Body unused = blob_body(first);
  std::string blob = unused.blobs[0].blob.id;
  ASSERT_TRUE(upload(id, 7, unused));
  ASSERT_TRUE(complete(completion(id, {{1, one}})));
  EXPECT_TRUE(records_with(blob).empty());
  EXPECT_EQ(bytes_of(get("big")->body), "x");
}

TEST_F(MultipartTest, PartUploadedWhileCompletingIsAConflictNotALeak) {
  std::string id = begin();
  auto in = completion(id, {{1, *upload(id, 1, small("x"))->etag}});
  auto snapshot = store->snapshot();
  Tx tx(**snapshot);
  ASSERT_TRUE(try_complete(keys, tx, context, in, {}));
  ASSERT_TRUE(upload(id, 2, small("late")));
  EXPECT_EQ(store::commit_and_wait(*store, tx.take_batch()).status, store::CommitStatus::conflict);
}

TEST_F(MultipartTest, AbortLeavesNothing) {
  std::string id = begin();
  ASSERT_TRUE(upload(id, 1, blob_body(first)));
  In<op::AbortMultipartUpload> in;
  in.bucket = "photos";
  in.key = "big";
  in.upload_id = id;
  ASSERT_TRUE(run(abort_multipart_upload, in));
  EXPECT_ERROR(run(abort_multipart_upload, in), "NoSuchUpload");
  EXPECT_TRUE(records_with("s3.part").empty());
  EXPECT_TRUE(records_with("blob").empty());
}

TEST_F(MultipartTest, PartsAndUploadsAreListedInPages) {
  std::string id = begin();
  for (int number : {1, 2, 5}) ASSERT_TRUE(upload(id, number, small("x")));
  In<op::ListParts> in;
  in.bucket = "photos";
  in.key = "big";
  in.upload_id = id;
  in.max_parts = 2;
  auto page = run(list_parts, in);
  EXPECT_EQ(page->parts->size(), 2U);
  EXPECT_EQ(page->is_truncated, true);
  EXPECT_EQ(page->next_part_number_marker, 2);
  in.part_number_marker = 2;
  EXPECT_EQ(run(list_parts, in)->parts->front().part_number, 5);
  begin();
  In<op::ListMultipartUploads> uploads;
  uploads.bucket = "photos";
  uploads.max_uploads = 1;
  auto one = run(list_multipart_uploads, uploads);
  EXPECT_EQ(one->is_truncated, true);
  uploads.key_marker = one->next_key_marker;
  uploads.upload_id_marker = one->next_upload_id_marker;
  auto other = run(list_multipart_uploads, uploads);
  EXPECT_EQ(other->uploads->size(), 1U);
  EXPECT_NE(other->uploads->front().upload_id, one->uploads->front().upload_id);
}

TEST_F(MultipartTest, PartNumberReadsOnePart) {
  std::string id = begin();
  std::string one = *upload(id, 1, blob_body(first))->etag;
  std::string two = *upload(id, 2, small("tail"))->etag;
  ASSERT_TRUE(complete(completion(id, {{1, one}, {2, two}})));
  In<op::GetObject> in;
  in.bucket = "photos";
  in.key = "big";
  in.part_number = 2;
  auto got = run(get_object, in);
  EXPECT_EQ(bytes_of(got->body), "tail");
  EXPECT_EQ(got->parts_count, 2);
  in.part_number = 3;
  EXPECT_ERROR(run(get_object, in), "InvalidPartNumber");
}

TEST_F(MultipartTest, CopyOfAMultipartObjectHasAnETagOfItsOwnBytes) {
  std::string id = begin();
  std::string one = *upload(id, 1, blob_body(first))->etag;
  std::string two = *upload(id, 2, small("tail"))->etag;
  ASSERT_TRUE(complete(completion(id, {{1, one}, {2, two}})));
  In<op::CopyObject> in;
  in.bucket = "photos";
  in.key = "copy";
  in.copy_source = "photos/big";
  in.checksum_algorithm = "SHA1";
  auto copied = run_task(copy_object, in);
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->copy_object_result->etag,
            "\"" + to_hex(digest(HashKind::md5, first + "tail")) + "\"");
  EXPECT_EQ(copied->copy_object_result->checksum_sha1,
            to_base64(digest(HashKind::sha1, first + "tail")));
  In<op::DeleteObject> gone;
  gone.bucket = "photos";
  gone.key = "big";
  ASSERT_TRUE(run(delete_object, gone));
  EXPECT_EQ(bytes_of(get("copy")->body), first + "tail");  // the blobs live on with the copy
}

TEST_F(MultipartTest, CopiedPartIsARangeOfTheSource) {
  auto source = put_input("source", "");
  source.body = blob_body(first + "0123456789");
  ASSERT_TRUE(run(put_object, source));
  std::string id = begin();
  In<op::UploadPartCopy> in;
  in.bucket = "photos";
  in.key = "big";
  in.upload_id = id;
  in.part_number = 1;
  in.copy_source = "photos/source";
  in.copy_source_range = "bytes=5242881-5242884";
  auto part = run_task(upload_part_copy, in);
  ASSERT_TRUE(part) << part.error().message;
  EXPECT_EQ(part->copy_part_result->etag, "\"" + to_hex(digest(HashKind::md5, "1234")) + "\"");
  ASSERT_TRUE(complete(completion(id, {{1, *part->copy_part_result->etag}})));
  EXPECT_EQ(bytes_of(get("big")->body), "1234");
}

}  // namespace
}  // namespace wolke::s3
