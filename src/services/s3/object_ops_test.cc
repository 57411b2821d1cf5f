#include "wolke/services/s3/s3_for_test.h"

namespace wolke::s3 {
namespace {

class ObjectTest : public S3Test {
 protected:
  ObjectTest() { make_bucket("photos"); }

  Answer<op::DeleteObject> remove(const std::string& key) {
    In<op::DeleteObject> in;
    in.bucket = "photos";
    in.key = key;
    return run(delete_object, in);
  }

  /// Events in any destination's inbox that speak of the key.
  std::size_t events(const std::string& key) {
    std::size_t count = 0;
    for (const store::Record& record : records_with("")) {
      if (record.value.find("\"key\":\"" + key) != std::string::npos) ++count;
    }
    return count;
  }
};

TEST_F(ObjectTest, WhatWasPutIsGotten) {
  auto answer = put("a/b.txt", "hello");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->etag, "\"5d41402abc4b2a76b9719d911017c592\"");
  auto got = get("a/b.txt");
  ASSERT_TRUE(got);
  EXPECT_EQ(bytes_of(got->body), "hello");
  EXPECT_EQ(got->etag, answer->etag);
  EXPECT_EQ(got->content_type, "binary/octet-stream");
  EXPECT_EQ(got->content_length, 5);
  EXPECT_EQ(got->last_modified, *parse_iso8601("2026-11-23T09:51:13Z"));
}

TEST_F(ObjectTest, EmptyObjectIsAnObject) {
  In<op::PutObject> in;
  in.bucket = "photos";
  in.key = "empty";
  ASSERT_TRUE(run(put_object, in));
  auto got = get("empty");
  EXPECT_EQ(bytes_of(got->body), "");
  EXPECT_EQ(got->etag, "\"d41d8cd98f00b204e9800998ecf8427e\"");
}

TEST_F(ObjectTest, MetadataComesBackAsItWasGiven) {
  auto in = put_input("a", "x");
  in.metadata = Tags{{"camera", "Leica"}};
  in.content_type = "image/jpeg";
  in.cache_control = "max-age=60";
  in.content_encoding = "aws-chunked,gzip";
  in.tagging = "a=1&b=two+words";
  ASSERT_TRUE(run(put_object, in));
  auto got = get("a");
  EXPECT_EQ(got->metadata, in.metadata);
  EXPECT_EQ(got->content_type, "image/jpeg");
  EXPECT_EQ(got->cache_control, "max-age=60");
  EXPECT_EQ(got->content_encoding, "gzip");
  EXPECT_EQ(got->tag_count, 2);
}

TEST_F(ObjectTest, MetadataOfOtherLettersComesBackAsAWordOfRfc2047) {
  In<op::PutObject> in = put_input("a", "x");
  in.metadata.emplace()["name"] = "Zo\xeb";
  ASSERT_TRUE(run(put_object, in));
  In<op::HeadObject> head;
  head.bucket = "photos";
  head.key = "a";
  EXPECT_EQ(run(head_object, head)->metadata->at("name"), "=?UTF-8?B?Wm/Dqw==?=");
}

TEST_F(ObjectTest, AModifiedSinceInTheFutureSendsTheObject) {
  ASSERT_TRUE(put("a", "x"));
  In<op::HeadObject> head;
  head.bucket = "photos";
  head.key = "a";
  head.if_modified_since = context.now;
  EXPECT_ERROR(run(head_object, head), "NotModified");
  head.if_modified_since = context.now + std::chrono::hours(1);
  EXPECT_TRUE(run(head_object, head));
}

TEST_F(ObjectTest, TooMuchMetadataIsRefused) {
  auto in = put_input("a", "x");
  in.metadata = Tags{{"k", std::string(2047, 'v')}};
  EXPECT_TRUE(run(put_object, in));
  in.metadata = Tags{{"k", std::string(2048, 'v')}};
  EXPECT_ERROR(run(put_object, in), "MetadataTooLarge");
}

TEST_F(ObjectTest, BodyThatIsNotWhatTheClientSaysIsRefused) {
  auto in = put_input("a", "x");
  in.content_md5 = "XUFAKrxLKna5cZ2REBfFkg==";
  EXPECT_ERROR(run(put_object, in), "BadDigest");
  in.content_md5.reset();
  in.checksum_sha1 = "qvTGHdzF6KLavt4PO0gs2a6pQ00=";
  EXPECT_ERROR(run(put_object, in), "BadDigest");
  EXPECT_ERROR(get("a"), "NoSuchKey");
}

TEST_F(ObjectTest, ChecksumIsToldWhenAskedForTheWhole) {
  ASSERT_TRUE(put("a", "hello"));
  EXPECT_FALSE(get("a")->checksum_crc64nvme);
  In<op::GetObject> in;
  in.bucket = "photos";
  in.key = "a";
  in.checksum_mode = "ENABLED";
  EXPECT_TRUE(run(get_object, in)->checksum_crc64nvme);
  EXPECT_EQ(run(get_object, in)->checksum_type, "FULL_OBJECT");
  in.range = "bytes=0-1";
  EXPECT_FALSE(run(get_object, in)->checksum_crc64nvme);
}

TEST_F(ObjectTest, RangeReadsAcrossBlobs) {
  auto in = put_input("big", "");
  in.body = blob_body(std::string(70'000, 'a') + "end");
  ASSERT_TRUE(run(put_object, in));
  In<op::GetObject> read;
  read.bucket = "photos";
  read.key = "big";
  read.range = "bytes=-5";
  auto got = run(get_object, read);
  EXPECT_EQ(bytes_of(got->body), "aaend");
  EXPECT_EQ(got->content_range, "bytes 69998-70002/70003");
  EXPECT_EQ(got->content_length, 5);
}

TEST_F(ObjectTest, MissingKeyIsSaidOnlyToWhoMayList) {
  EXPECT_ERROR(get("none"), "NoSuchKey");
  authorizer.denied = {"s3:ListBucket"};
  EXPECT_ERROR(get("none"), "AccessDenied");
}

TEST_F(ObjectTest, OverwritingAndDeletingReleaseTheOldBlob) {
  auto in = put_input("big", "");
  in.body = blob_body(std::string(70'000, 'a'));
  const std::string first = in.body->blobs[0].blob.id;
  ASSERT_TRUE(run(put_object, in));
  EXPECT_EQ(records_with(first).size(), 1U);
  in.body = blob_body(std::string(70'000, 'b'));
  const std::string second = in.body->blobs[0].blob.id;
  ASSERT_TRUE(run(put_object, in));
  EXPECT_TRUE(records_with(first).empty());
  EXPECT_EQ(records_with(second).size(), 1U);
  ASSERT_TRUE(remove("big"));
  EXPECT_TRUE(records_with(second).empty());
}

TEST_F(ObjectTest, ConditionalPutsCreateOnceAndReplaceWhatWasSeen) {
  auto create = put_input("a", "1");
  create.if_none_match = "*";
  auto first = run(put_object, create);
  ASSERT_TRUE(first);
  EXPECT_ERROR(run(put_object, create), "PreconditionFailed");
  auto replace = put_input("a", "2");
  replace.if_match = *first->etag;
  ASSERT_TRUE(run(put_object, replace));
  EXPECT_ERROR(run(put_object, replace), "PreconditionFailed");
}

TEST_F(ObjectTest, DeletingWhatIsNotThereSucceeds) {
  EXPECT_TRUE(remove("none"));
}

TEST_F(ObjectTest, BatchDeletesAreJudgedSingly) {
  ASSERT_TRUE(put("a"));
  ASSERT_TRUE(put("b"));
  authorizer.denied = {"arn:aws:s3:::photos/b"};
  In<op::DeleteObjects> in;
  in.bucket = "photos";
  auto& items = in.delete_.emplace().objects.emplace();
  for (const char* key : {"a", "b", "none"}) items.emplace_back().key = key;
  auto out = run(delete_objects, in);
  ASSERT_TRUE(out);
  ASSERT_EQ(out->deleted->size(), 2U);
  ASSERT_EQ(out->errors->size(), 1U);
  EXPECT_EQ(out->errors->front().code, "AccessDenied");
  EXPECT_ERROR(get("a"), "NoSuchKey");
  EXPECT_TRUE(get("b"));
}

TEST_F(ObjectTest, QuietBatchTellsErrorsOnly) {
  In<op::DeleteObjects> in;
  in.bucket = "photos";
  in.delete_.emplace().quiet = true;
  in.delete_->objects.emplace().emplace_back().key = "none";
  EXPECT_FALSE(run(delete_objects, in)->deleted);
  in.delete_->objects->resize(1001, in.delete_->objects->front());
  EXPECT_ERROR(run(delete_objects, in), "MalformedXML");
}

TEST_F(ObjectTest, AclsForeignEncryptionAndLocksAreRefusedByName) {
  auto in = put_input("a", "x");
  in.acl = "public-read";
  EXPECT_ERROR(run(put_object, in), "AccessControlListNotSupported");
  in.acl = "private";
  in.server_side_encryption = "aws:kms";
  EXPECT_ERROR(run(put_object, in), "NotImplemented");
  in.server_side_encryption = "AES256";
  in.object_lock_mode = "GOVERNANCE";
  EXPECT_ERROR(run(put_object, in), "InvalidRequest");
  in.object_lock_mode.reset();
  in.storage_class = "PAPER";
  EXPECT_ERROR(run(put_object, in), "InvalidStorageClass");
}

TEST_F(ObjectTest, TagsAreSetReadAndRemoved) {
  ASSERT_TRUE(put("a"));
  In<op::PutObjectTagging> in;
  in.bucket = "photos";
  in.key = "a";
  auto& tag = in.tagging.emplace().tag_set.emplace().emplace_back();
  tag.key = "kind";
  tag.value = "photo";
  ASSERT_TRUE(run(put_object_tagging, in));
  In<op::GetObjectTagging> read;
  read.bucket = "photos";
  read.key = "a";
  EXPECT_EQ(run(get_object_tagging, read)->tag_set->front().value, "photo");
  in.tagging->tag_set->resize(11, tag);
  EXPECT_FALSE(run(put_object_tagging, in));
}

TEST_F(ObjectTest, ChangesArePublishedInTheSameCommitWithGrowingSequencers) {
  In<op::PutBucketNotificationConfiguration> in;
  in.bucket = "photos";
  auto& configuration = in.notification_configuration.emplace()
                            .lambda_function_configurations.emplace()
                            .emplace_back();
  configuration.lambda_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:thumbnail";
  configuration.events = std::vector<std::string>{"s3:ObjectCreated:*", "s3:ObjectRemoved:*"};
  ASSERT_TRUE(run(put_bucket_notification, in));
  ASSERT_TRUE(put("a.jpg"));
  EXPECT_EQ(events("a.jpg"), 1U);
  ASSERT_TRUE(put("a.jpg", "again"));
  ASSERT_TRUE(remove("a.jpg"));
  EXPECT_EQ(events("a.jpg"), 3U);
  ASSERT_TRUE(remove("a.jpg"));  // nothing there, nothing happened
  EXPECT_EQ(events("a.jpg"), 3U);
}

TEST_F(ObjectTest, DestinationMustExistAndPermitTheBucket) {
  In<op::PutBucketNotificationConfiguration> in;
  in.bucket = "photos";
  auto& configuration = in.notification_configuration.emplace()
                            .lambda_function_configurations.emplace()
                            .emplace_back();
  configuration.lambda_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:thumbnail";
  configuration.events = std::vector<std::string>{"s3:ObjectCreated:*"};
  functions.state = DestinationState::missing;
  auto missing = run(put_bucket_notification, in);
  EXPECT_ERROR(missing, "InvalidArgument");
  EXPECT_EQ(missing.error().message, "Unable to validate the following destination configurations");
  functions.state = DestinationState::not_permitted;
  EXPECT_ERROR(run(put_bucket_notification, in), "InvalidArgument");
  functions.state = DestinationState::ready;
  ASSERT_TRUE(run(put_bucket_notification, in));
  In<op::GetBucketNotificationConfiguration> read;
  read.bucket = "photos";
  auto told = run(get_bucket_notification, read);
  ASSERT_EQ(told->lambda_function_configurations->size(), 1U);
  EXPECT_FALSE(told->lambda_function_configurations->front().id->empty());
}

}  // namespace
}  // namespace wolke::s3
