#include "wolke/services/s3/access_log.h"

#include "wolke/services/s3/access_logs.h"
#include "wolke/services/s3/configuration.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/s3_for_test.h"
#include "wolke/services/s3/site_ops.h"

namespace wolke::s3 {
namespace {

Bucket source_bucket() {
  Bucket bucket;
  bucket.name = "photos";
  bucket.account = "111122223333";
  bucket.region = "eu-central-1";
  return bucket;
}

AccessRecord record_of(const std::string& bucket) {
  AccessRecord record;
  record.at = *parse_iso8601("2026-11-03T04:05:06.789Z");
  record.bucket = bucket;
  record.remote_ip = "192.0.2.3";
  record.request_id = "REQUEST1";
  record.operation = access_operation("GET", "GetObject", true);
  record.key = "a%20b.jpg";
  record.request_uri = "GET /photos/a%20b.jpg HTTP/1.1";
  record.status = 200;
  record.bytes_sent = 5;
  record.object_size = 5;
  record.total = Millis(12);
  record.turn_around = Millis(3);
  return record;
}

TEST(AccessLog, ALineHasTheFieldsOfTheUserGuide) {
  AccessRecord record = record_of("photos");
  record.requester = "arn:aws:iam::111122223333:user/ada";
  record.user_agent = "curl/8";
  record.host_id = "HOST=";
  record.signature_version = "SigV4";
  record.authentication_type = "AuthHeader";
  record.host = "s3.example.com";
  EXPECT_EQ(
      log_line(source_bucket(), line_middle(record)),
      canonical_id("111122223333") +
          " photos [03/Nov/2026:04:05:06 +0000] 192.0.2.3 "
          "arn:aws:iam::111122223333:user/ada REQUEST1 REST.GET.OBJECT a%20b.jpg "
          "\"GET /photos/a%20b.jpg HTTP/1.1\" 200 - 5 5 12 3 \"-\" \"curl/8\" - HOST= SigV4 - "
          "AuthHeader s3.example.com - - - eu-central-1\n");
}

TEST(AccessLog, AKeyOfABatchTellsNothingOfTheWholeRequest) {
  AccessRecord record = record_of("photos");
  record.operation = "BATCH.DELETE.OBJECT";
  record.request_uri.clear();
  record.user_agent = "curl/8";
  record.status = 204;
  record.bytes_sent = 0;
  record.object_size.reset();
  record.turn_around = Millis(0);
  std::string line = log_line(source_bucket(), line_middle(record));
  EXPECT_NE(line.find(" BATCH.DELETE.OBJECT a%20b.jpg - 204 - - - - - - - - "), std::string::npos)
      << line;
}

TEST(AccessLog, WhatAClientWroteCannotLookLikeAnotherFieldOrLine) {
  AccessRecord record = record_of("photos");
  record.user_agent = "x\" 200 - \"\n\xC3\xA9";
  record.host = "a b\"c";
  std::string line = log_line(source_bucket(), line_middle(record));
  EXPECT_NE(line.find("\"x%22 200 - %22%0A%C3%A9\""), std::string::npos) << line;
  EXPECT_NE(line.find(" a%20b%22c "), std::string::npos) << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(AccessLog, OperationsHaveTheNamesOfTheLog) {
  EXPECT_EQ(access_operation("PUT", "PutObject", true), "REST.PUT.OBJECT");
  EXPECT_EQ(access_operation("PUT", "CopyObject", true), "REST.COPY.OBJECT");
  EXPECT_EQ(access_operation("PUT", "UploadPartCopy", true), "REST.COPY.PART");
  EXPECT_EQ(access_operation("GET", "ListObjectsV2", false), "REST.GET.BUCKET");
  EXPECT_EQ(access_operation("GET", "GetBucketVersioning", false), "REST.GET.VERSIONING");
  EXPECT_EQ(access_operation("DELETE", "DeleteBucketPolicy", false), "REST.DELETE.BUCKETPOLICY");
  EXPECT_EQ(access_operation("POST", "DeleteObjects", false), "REST.POST.MULTI_OBJECT_DELETE");
  EXPECT_EQ(access_operation("OPTIONS", "", true), "REST.OPTIONS.PREFLIGHT");
}

TEST(AccessLog, KeysAreSimpleOrPartitionedByDeliveryOrEvent) {
  model::s3::LoggingEnabled logging;
  logging.target_prefix = "logs/";
  Timestamp event = *parse_iso8601("2026-11-02T23:59:58Z");
  Timestamp delivered = *parse_iso8601("2026-11-03T00:00:12Z");
  auto key = [&] { return log_object_key(logging, source_bucket(), event, delivered, "U"); };
  EXPECT_EQ(key(), "logs/2026-11-03-00-00-12-U");
  logging.target_object_key_format.emplace().partitioned_prefix.emplace();
  EXPECT_EQ(key(), "logs/111122223333/eu-central-1/photos/2026/11/02/2026-11-02-00-00-00-U");
  logging.target_object_key_format->partitioned_prefix->partition_date_source = "DeliveryTime";
  EXPECT_EQ(key(), "logs/111122223333/eu-central-1/photos/2026/11/03/2026-11-03-00-00-12-U");
}

/// A disk that takes no new blob while it is `full`.
class FullBlobs : public store::BlobStore {
 public:
  explicit FullBlobs(store::BlobStore& blobs) : blobs_(blobs) {}
  Result<std::unique_ptr<store::BlobWriter>> create(const store::KeyChoice& key) override {
    if (full) return fail(internal_error("the disk is full"));
    return blobs_.create(key);
  }
  Result<std::unique_ptr<store::BlobReader>> open(const BlobRef& ref,
                                                  std::string_view key) override {
    return blobs_.open(ref, key);
  }
  Result<std::size_t> collect(store::Store& store, Timestamp now, Millis grace) override {
    return blobs_.collect(store, now, grace);
  }
  Result<std::size_t> collect_at_once(store::Store& store) override {
    return blobs_.collect_at_once(store);
  }
  void settle(const BlobRef& ref) override { blobs_.settle(ref); }
  bool full = true;

 private:
  store::BlobStore& blobs_;
};

class AccessLogsTest : public S3Test {
 protected:
  AccessLogsTest() {
    make_bucket("photos");
    make_bucket("target");
  }

  std::unique_ptr<AccessLogs> logs(AccessLogsOptions options = {}) { return logs(*s3, options); }
  std::unique_ptr<AccessLogs> logs(S3& writer, AccessLogsOptions options) {
    auto made = std::make_unique<AccessLogs>(
        Env{system_env().clock, random, system_env().disk}, writer,
        [this](const std::string& arn, const std::string&, Timestamp) {
          asked_for = arn;
          auto service = std::make_unique<TestAuthorizer>();
          service->principal_.kind = identity::PrincipalKind::service;
          service->denied = denied;
          return service;
        },
        options);
    s3->access_logs = made.get();
    return made;
  }

  void enable(const std::string& prefix = "logs/", bool by_day = false) {
    In<op::PutBucketLogging> in;
    in.bucket = "photos";
    auto& logging = in.bucket_logging_status.emplace().logging_enabled.emplace();
    logging.target_bucket = "target";
    logging.target_prefix = prefix;
    if (by_day) logging.target_object_key_format.emplace().partitioned_prefix.emplace();
    auto put = run(put_bucket_logging, in);
    ASSERT_TRUE(put) << put.error().message;
  }

  std::vector<std::string> delivered() {
    std::vector<std::string> texts;
    In<op::ListObjectsV2> list;
    list.bucket = "target";
    auto listed = run(list_objects_v2, list);
    for (const auto& one : listed->contents.value_or(std::vector<model::s3::Object>{})) {
      In<op::GetObject> in;
      in.bucket = "target";
      in.key = *one.key;
      texts.push_back(bytes_of(run(get_object, in)->body));
    }
    return texts;
  }

  std::vector<std::string> denied;
  std::string asked_for;
};

TEST_F(AccessLogsTest, WhatALoggedBucketWasAskedIsDeliveredIntoItsTarget) {
  auto access = logs();
  enable();
  EXPECT_TRUE(access->watches("photos"));
  EXPECT_FALSE(access->watches("target"));
  access->note(record_of("photos"));
  access->note(record_of("photos"));
  access->note(record_of("target"));
  access->deliver();
  std::vector<std::string> texts = delivered();
  ASSERT_EQ(texts.size(), 1u);
  EXPECT_EQ(std::ranges::count(texts[0], '\n'), 2);
  EXPECT_EQ(asked_for, "arn:aws:s3:::photos");
  access->deliver();
  EXPECT_EQ(delivered().size(), 1u);
}

TEST_F(AccessLogsTest, ALargeLogIsDeliveredWhole) {
  auto access = logs();
  enable();
  for (int i = 0; i < 1000; ++i) access->note(record_of("photos"));
  access->deliver();
  std::vector<std::string> texts = delivered();
  ASSERT_EQ(texts.size(), 1u);
  EXPECT_GT(texts[0].size(), limits::body_inline_max);
  EXPECT_EQ(std::ranges::count(texts[0], '\n'), 1000);
}

TEST_F(AccessLogsTest, DaysLieInObjectsOfTheirOwnWhereTheKeyTellsTheDay) {
  auto access = logs();
  enable("logs/", true);
  AccessRecord late = record_of("photos");
  late.at += std::chrono::days(1);
  access->note(record_of("photos"));
  access->note(late);
  access->deliver();
  EXPECT_EQ(delivered().size(), 2u);
}

TEST_F(AccessLogsTest, WhatWasDeliveredBeforeTheDiskWasFullIsNotToldAgain) {
  FullBlobs disk(*blobs);
  S3 writer{.store = *store, .blobs = disk, .keys = keys, .runner = s3->runner};
  auto access = logs(writer, {});
  enable("logs/", true);
  access->note(record_of("photos"));
  AccessRecord late = record_of("photos");
  late.at += std::chrono::days(1);
  for (int i = 0; i < 1000; ++i) access->note(late);  // too much for the commit: a blob
  access->deliver();
  EXPECT_EQ(delivered().size(), 1u);
  disk.full = false;
  access->deliver();
  std::size_t lines = 0;
  for (const std::string& text : delivered()) {
    lines += static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }
  EXPECT_EQ(lines, 1001u);
}

TEST_F(AccessLogsTest, ATargetThatDoesNotLetTheServiceInGetsNothing) {
  auto access = logs();
  enable();
  denied = {"s3:PutObject"};
  access->note(record_of("photos"));
  access->deliver();
  EXPECT_TRUE(delivered().empty());
  denied.clear();
  access->deliver();
  EXPECT_TRUE(delivered().empty());  // dropped, not kept
}

TEST_F(AccessLogsTest, ATargetThatBecameAnothersGetsNothing) {
  auto access = logs();
  enable();
  ASSERT_TRUE(operation::transact_blocking(*store, [&](Tx& tx) -> Result<void> {
    TRY(std::optional<Bucket> target, tx.get<Bucket>(bucket_key("target")));
    target->account = "444455556666";
    tx.put(bucket_key("target"), *target);
    return {};
  }));
  access->note(record_of("photos"));
  access->deliver();
  EXPECT_TRUE(records_with("logs/").empty());
}

TEST_F(AccessLogsTest, MemoryIsBoundedAndGivenBack) {
  auto access = logs({.interval = std::chrono::seconds(30), .bytes_max = 1000});
  enable();
  for (int i = 0; i < 20; ++i) access->note(record_of("photos"));
  EXPECT_GT(access->lost(), 10u);
  access->deliver();
  ASSERT_EQ(delivered().size(), 1u);
  access->note(record_of("photos"));
  EXPECT_EQ(access->lost(), 0u);
}

TEST_F(AccessLogsTest, AfterAStartTheBucketsWithLoggingAreKnown) {
  {
    auto before = logs();
    enable();
  }
  auto access = logs();
  EXPECT_FALSE(access->watches("photos"));
  ASSERT_TRUE(access->refresh());
  EXPECT_TRUE(access->watches("photos"));
  In<op::PutBucketLogging> off;
  off.bucket = "photos";
  off.bucket_logging_status.emplace();
  ASSERT_TRUE(run(put_bucket_logging, off));
  ASSERT_TRUE(access->refresh());
  EXPECT_FALSE(access->watches("photos"));
  EXPECT_FALSE(access->watches_any());
}

}  // namespace
}  // namespace wolke::s3
