#include "wolke/services/s3/lifecycle.h"

#include "wolke/services/s3/configuration.h"
#include "wolke/services/s3/lifecycle_sweep.h"
#include "wolke/services/s3/s3_for_test.h"

namespace wolke::s3 {
namespace {

using std::chrono::days;

model::s3::LifecycleRule rule_for(const std::string& prefix) {
  model::s3::LifecycleRule rule;
  rule.status = "Enabled";
  rule.filter.emplace().prefix = prefix;
  return rule;
}

TEST(Lifecycle, AnObjectExpiresAtTheMidnightAfterItsDays) {
  model::s3::LifecycleRule rule = rule_for("logs/");
  rule.id = "old logs";
  rule.expiration.emplace().days = 2;
  Object object;
  object.modified = *parse_iso8601("2026-11-23T09:00:00Z");
  auto expiration = expiration_of({rule}, "logs/a", object);
  ASSERT_TRUE(expiration);
  EXPECT_EQ(expiration_header(*expiration),
            "expiry-date=\"Thu, 26 Nov 2026 00:00:00 GMT\", rule-id=\"old%20logs\"");
  EXPECT_FALSE(expiration_of({rule}, "photos/a", object));
  EXPECT_FALSE(is_expired({rule}, "logs/a", object, expiration->at - Millis(1)));
  EXPECT_TRUE(is_expired({rule}, "logs/a", object, expiration->at));
}

TEST(Lifecycle, DaysBeyondAllDatesEndAtTheLast) {
  model::s3::LifecycleRule rule = rule_for("");
  rule.expiration.emplace().days = 2'147'483'647;
  EXPECT_EQ(format_iso8601(expiration_of({rule}, "a", Object{})->at), "9999-12-31T00:00:00.000Z");
}

TEST(Lifecycle, FiltersLookAtTagsAndSizes) {
  model::s3::LifecycleRule rule = rule_for("");
  rule.filter.reset();
  auto& both = rule.filter.emplace().and_.emplace();
  both.tags.emplace().emplace_back().key = "keep";
  both.tags->front().value = "no";
  both.object_size_greater_than = 10;
  rule.expiration.emplace().days = 1;
  Object object;
  object.size = 11;
  EXPECT_FALSE(expiration_of({rule}, "a", object));
  object.tags = {{"keep", "no"}};
  EXPECT_TRUE(expiration_of({rule}, "a", object));
  object.size = 10;
  EXPECT_FALSE(expiration_of({rule}, "a", object));
}

std::string verdict(model::s3::LifecycleRule rule) {
  SeededRandom random;
  model::s3::BucketLifecycleConfiguration configuration;
  configuration.rules = {std::move(rule)};
  Result<void> checked = check_lifecycle(configuration, random);
  return checked ? "fine" : checked.error().code;
}

TEST(Lifecycle, RulesAreJudgedWhenTheyAreSet) {
  model::s3::LifecycleRule rule = rule_for("a");
  EXPECT_EQ(verdict(rule), "InvalidRequest") << "no action";
  rule.expiration.emplace().days = 1;
  EXPECT_EQ(verdict(rule), "fine");
  rule.expiration->days = 0;
  EXPECT_EQ(verdict(rule), "InvalidArgument");
  rule.expiration->days.reset();
  rule.expiration->date = *parse_iso8601("2026-11-23T09:00:00Z");
  EXPECT_EQ(verdict(rule), "InvalidArgument");
  rule.expiration->date = *parse_iso8601("9999-12-31T00:00:00Z") + days(1);
  EXPECT_EQ(verdict(rule), "InvalidArgument") << "a year that no wire format can say";
  rule.expiration->date = *parse_iso8601("2026-11-23T00:00:00Z");
  EXPECT_EQ(verdict(rule), "fine");
  rule.expiration->days = 1;
  EXPECT_EQ(verdict(rule), "MalformedXML") << "both";
  rule.expiration->date.reset();
  rule.prefix = "b";
  EXPECT_EQ(verdict(rule), "MalformedXML") << "two ways to say a prefix";
  rule.prefix.reset();
  rule.status = "enabled";
  EXPECT_EQ(verdict(rule), "MalformedXML");
}

TEST(Lifecycle, WhatHasNoTagsAndNoSizeIsNotFilteredByThem) {
  model::s3::LifecycleRule rule = rule_for("");
  rule.abort_incomplete_multipart_upload.emplace().days_after_initiation = 1;
  EXPECT_EQ(verdict(rule), "fine");
  rule.filter->prefix.reset();
  rule.filter->object_size_greater_than = 1;
  EXPECT_EQ(verdict(rule), "InvalidRequest");
  rule.filter->object_size_greater_than.reset();
  rule.filter->tag.emplace().key = "a";
  EXPECT_EQ(verdict(rule), "InvalidRequest");
  rule.abort_incomplete_multipart_upload.reset();
  rule.expiration.emplace().expired_object_delete_marker = true;
  EXPECT_EQ(verdict(rule), "InvalidRequest");
  rule.expiration->expired_object_delete_marker.reset();
  rule.expiration->days = 1;
  EXPECT_EQ(verdict(rule), "fine");
}

TEST(Lifecycle, ObjectsTransitionOldEnoughAndBeforeTheyExpire) {
  model::s3::LifecycleRule rule = rule_for("");
  auto& transition = rule.transitions.emplace().emplace_back();
  transition.storage_class = "STANDARD_IA";
  transition.days = 29;
  EXPECT_EQ(verdict(rule), "InvalidArgument");
  transition.days = 30;
  EXPECT_EQ(verdict(rule), "fine");
  rule.expiration.emplace().days = 30;
  EXPECT_EQ(verdict(rule), "InvalidArgument");
  rule.expiration->days = 31;
  EXPECT_EQ(verdict(rule), "fine");
  rule.expiration->days.reset();
  rule.expiration->date = *parse_iso8601("2026-11-23T00:00:00Z");
  EXPECT_EQ(verdict(rule), "InvalidRequest") << "days and a date";
  transition.days.reset();
  transition.date = rule.expiration->date;
  EXPECT_EQ(verdict(rule), "InvalidArgument");
  *transition.date -= days(1);
  EXPECT_EQ(verdict(rule), "fine");
}

class SweepTest : public S3Test {
 protected:
  SweepTest() { make_bucket("photos"); }

  void set_rules(std::vector<model::s3::LifecycleRule> rules) {
    In<op::PutBucketLifecycleConfiguration> in;
    in.bucket = "photos";
    in.lifecycle_configuration.emplace().rules = std::move(rules);
    Answer<op::PutBucketLifecycleConfiguration> done = run(put_bucket_lifecycle, in);
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }

  void keep_versions() {
    In<op::PutBucketVersioning> in;
    in.bucket = "photos";
    in.versioning_configuration.emplace().status = "Enabled";
    ASSERT_TRUE(run(put_bucket_versioning, in));
  }

  /// How much was done; -1 when no bucket was due.
  int sweep() {
    auto swept = sweep_lifecycle(*store, random, context.now);
    if (!swept) return -2;
    return *swept ? static_cast<int>(**swept) : -1;
  }
};

TEST_F(SweepTest, ExpiredObjectsGoOnceADay) {
  model::s3::LifecycleRule rule = rule_for("old/");
  rule.expiration.emplace().days = 1;
  set_rules({rule});
  put("old/a");
  put("new/a");
  EXPECT_EQ(sweep(), 0);
  EXPECT_EQ(sweep(), -1) << "today is done";
  context.now += days(2);
  EXPECT_EQ(sweep(), 1);
  EXPECT_ERROR(get("old/a"), "NoSuchKey");
  EXPECT_TRUE(get("new/a"));
}

TEST_F(SweepTest, WhereVersionsAreKeptAMarkerHidesWhatExpired) {
  keep_versions();
  model::s3::LifecycleRule rule = rule_for("");
  rule.expiration.emplace().days = 1;
  model::s3::LifecycleRule older = rule_for("");
  older.noncurrent_version_expiration.emplace().noncurrent_days = 3;
  model::s3::LifecycleRule markers = rule_for("");
  markers.expiration.emplace().expired_object_delete_marker = true;
  set_rules({rule, older, markers});
  put("a", "one");
  context.now += days(2);
  EXPECT_EQ(sweep(), 1);
  EXPECT_ERROR(get("a"), "NoSuchKey");
  EXPECT_EQ(records_with("s3.version").size(), 1U);
  context.now += days(2);
  EXPECT_EQ(sweep(), 0) << "an older version for two days only";
  context.now += days(2);
  EXPECT_EQ(sweep(), 2) << "the version, then the marker that hides nothing";
  EXPECT_TRUE(records_with("s3.object").empty());
  EXPECT_TRUE(records_with("s3.content").empty());
}

TEST_F(SweepTest, TheNewestOlderVersionsCanBeKept) {
  keep_versions();
  model::s3::LifecycleRule rule = rule_for("");
  auto& asked = rule.noncurrent_version_expiration.emplace();
  asked.noncurrent_days = 1;
  asked.newer_noncurrent_versions = 2;
  set_rules({rule});
  for (int i = 0; i < 6; ++i) put("a", std::to_string(i));
  context.now += days(2);
  EXPECT_EQ(sweep(), 3);
  EXPECT_EQ(records_with("s3.version").size(), 2U);
  EXPECT_EQ(bytes_of(get("a")->body), "5");
}

TEST_F(SweepTest, WhatIsLockedStays) {
  In<op::CreateBucket> bucket;
  bucket.bucket = "locked";
  bucket.object_lock_enabled_for_bucket = true;
  ASSERT_TRUE(run(create_bucket, bucket));
  In<op::PutBucketLifecycleConfiguration> rules;
  rules.bucket = "locked";
  model::s3::LifecycleRule rule = rule_for("");
  rule.noncurrent_version_expiration.emplace().noncurrent_days = 1;
  rules.lifecycle_configuration.emplace().rules = {rule};
  ASSERT_TRUE(run(put_bucket_lifecycle, rules));
  In<op::PutObject> in = put_input("a", "kept");
  in.bucket = "locked";
  in.object_lock_mode = "COMPLIANCE";
  in.object_lock_retain_until_date = context.now + days(30);
  in.content_md5 = to_base64(digest(HashKind::md5, "kept"));
  ASSERT_TRUE(run(put_object, in));
  in.object_lock_mode.reset();
  in.object_lock_retain_until_date.reset();
  ASSERT_TRUE(run(put_object, in));
  context.now += days(10);
  EXPECT_EQ(sweep(), 0);
  context.now += days(30);
  EXPECT_EQ(sweep(), 1);
}

TEST_F(SweepTest, UploadsThatNobodyEndsAreAborted) {
  model::s3::LifecycleRule rule = rule_for("");
  rule.abort_incomplete_multipart_upload.emplace().days_after_initiation = 7;
  set_rules({rule});
  In<op::CreateMultipartUpload> in;
  in.bucket = "photos";
  in.key = "large";
  ASSERT_TRUE(run(create_multipart_upload, in));
  EXPECT_EQ(sweep(), 0);
  context.now += days(8);
  EXPECT_EQ(sweep(), 1);
  EXPECT_TRUE(records_with("s3.upload").empty());
}

TEST_F(SweepTest, ABucketThatCannotBeSweptDoesNotStopTheOthers) {
  make_bucket("a-broken-one");
  ASSERT_TRUE(operation::transact_blocking(*store, [](Tx& tx) -> Result<void> {
    write_document(tx, "a-broken-one", kind::lifecycle, "{\"Rules\":7}");
    return {};
  }));
  model::s3::LifecycleRule rule = rule_for("");
  rule.expiration.emplace().days = 1;
  set_rules({rule});
  put("a");
  context.now += days(2);
  EXPECT_EQ(sweep(), 0) << "the broken one";
  EXPECT_EQ(sweep(), 1);
  EXPECT_EQ(sweep(), -1);
}

TEST_F(SweepTest, TransitionsChangeTheClassOnly) {
  model::s3::LifecycleRule rule = rule_for("");
  auto& transition = rule.transitions.emplace().emplace_back();
  transition.days = 1;
  transition.storage_class = "GLACIER_IR";
  set_rules({rule});
  put("a", "one");
  context.now += days(2);
  EXPECT_EQ(sweep(), 1);
  EXPECT_EQ(get("a")->storage_class, "GLACIER_IR");
  EXPECT_EQ(bytes_of(get("a")->body), "one");
}

}  // namespace
}  // namespace wolke::s3
