// Versions as a client sees them, and against a model that only knows a list per key.
#include "wolke/services/s3/versions.h"

#include <algorithm>
#include <map>
#include <vector>

#include "wolke/services/s3/s3_for_test.h"

namespace wolke::s3 {
namespace {

class VersionTest : public S3Test {
 protected:
  VersionTest() { make_bucket("photos"); }

  Answer<op::PutBucketVersioning> set_versioning(const std::string& status) {
    In<op::PutBucketVersioning> in;
    in.bucket = "photos";
    in.versioning_configuration.emplace().status = status;
    return run(put_bucket_versioning, in);
  }

  std::string put_version(const std::string& key, const std::string& bytes) {
    Answer<op::PutObject> done = put(key, bytes);
    return done ? done->version_id.value_or("none") : done.error().code;
  }

  Answer<op::GetObject> get_version(const std::string& key, const std::string& version_id) {
    In<op::GetObject> in;
    in.bucket = "photos";
    in.key = key;
    in.version_id = version_id;
    return run(get_object, in);
  }

  std::string bytes_of_version(const std::string& key, const std::string& version_id) {
    Answer<op::GetObject> got = get_version(key, version_id);
    return got ? bytes_of(got->body) : got.error().code;
  }

  Answer<op::DeleteObject> remove(const std::string& key,
                                  const std::optional<std::string>& version_id = std::nullopt) {
    In<op::DeleteObject> in;
    in.bucket = "photos";
    in.key = key;
    in.version_id = version_id;
    return run(delete_object, in);
  }

  op::ListObjectVersions::Output list(const In<op::ListObjectVersions>& asked = {}) {
    In<op::ListObjectVersions> in = asked;
    in.bucket = "photos";
    Answer<op::ListObjectVersions> out = run(list_object_versions, in);
    return out ? *out : op::ListObjectVersions::Output{};
  }

  std::vector<std::string> listed_keys() {
    In<op::ListObjectsV2> in;
    in.bucket = "photos";
    std::vector<std::string> keys;
    Answer<op::ListObjectsV2> out = run(list_objects_v2, in);
    if (!out || !out->contents) return keys;
    for (const auto& object : *out->contents) keys.push_back(*object.key);
    return keys;
  }
};

TEST_F(VersionTest, EachWriteOfAVersionedBucketCanBeReadAgain) {
  ASSERT_TRUE(set_versioning("Enabled"));
  std::string first = put_version("a", "one");
  std::string second = put_version("a", "two");
  EXPECT_NE(first, second);
  EXPECT_EQ(first.size(), 32U);
  EXPECT_EQ(bytes_of(get("a")->body), "two");
  EXPECT_EQ(bytes_of_version("a", first), "one");
  EXPECT_EQ(*get_version("a", first)->version_id, first);
}

TEST_F(VersionTest, BucketsWithoutVersionsTellNoIds) {
  EXPECT_EQ(put_version("a", "one"), "none");
  EXPECT_FALSE(get("a")->version_id);
  EXPECT_EQ(bytes_of_version("a", "null"), "one");
}

TEST_F(VersionTest, ADeleteHidesBehindAMarkerThatCanBeTakenAway) {
  ASSERT_TRUE(set_versioning("Enabled"));
  std::string version = put_version("a", "one");
  Answer<op::DeleteObject> deleted = remove("a");
  ASSERT_TRUE(deleted.has_value());
  EXPECT_EQ(deleted->delete_marker, true);
  Answer<op::GetObject> hidden = get("a");
  EXPECT_ERROR(hidden, "NoSuchKey");
  EXPECT_EQ(hidden.error().headers[0].first, "x-amz-delete-marker");
  EXPECT_ERROR(get_version("a", *deleted->version_id), "MethodNotAllowed");
  EXPECT_TRUE(listed_keys().empty());
  EXPECT_EQ(bytes_of_version("a", version), "one");

  Answer<op::DeleteObject> undone = remove("a", deleted->version_id);
  ASSERT_TRUE(undone.has_value());
  EXPECT_EQ(undone->delete_marker, true);
  EXPECT_EQ(bytes_of(get("a")->body), "one");
}

TEST_F(VersionTest, SuspendedWritesReplaceOnlyTheNullVersion) {
  put_version("a", "before");
  ASSERT_TRUE(set_versioning("Enabled"));
  std::string kept = put_version("a", "kept");
  ASSERT_TRUE(set_versioning("Suspended"));
  EXPECT_EQ(put_version("a", "null one"), "none");  // reads tell it, writes do not
  EXPECT_EQ(put_version("a", "null two"), "none");
  EXPECT_EQ(*get("a")->version_id, "null");
  EXPECT_EQ(bytes_of_version("a", "null"), "null two");
  EXPECT_EQ(bytes_of_version("a", kept), "kept");
  EXPECT_EQ(list().versions->size(), 2U);
}

TEST_F(VersionTest, WhatIsNoIdIsSaidToBeInvalid) {
  ASSERT_TRUE(set_versioning("Enabled"));
  put_version("a", "one");
  EXPECT_ERROR(get_version("a", "nonsense"), "InvalidArgument");
  EXPECT_ERROR(get_version("a", ""), "InvalidArgument");
  EXPECT_ERROR(get_version("a", "null"), "NoSuchVersion");
  std::string other = put_version("b", "two");
  EXPECT_ERROR(get_version("a", other), "NoSuchVersion");
}

TEST_F(VersionTest, LargeVersionsKeepTheirBlobsUntilTheyAreTakenAway) {
  ASSERT_TRUE(set_versioning("Enabled"));
  auto put_blob = [&](const std::string& bytes) {
    In<op::PutObject> in = put_input("a", "");
    in.body = blob_body(bytes);
    return *run(put_object, in)->version_id;
  };
  std::string first = put_blob("first");
  std::string second = put_blob("second");
  EXPECT_EQ(records_with("blob").size(), 2U);
  EXPECT_EQ(bytes_of_version("a", first), "first");
  ASSERT_TRUE(remove("a", first));
  EXPECT_EQ(records_with("blob").size(), 1U);
  EXPECT_EQ(bytes_of_version("a", second), "second");
  ASSERT_TRUE(remove("a", second));
  EXPECT_EQ(records_with("blob").size(), 0U);
}

TEST_F(VersionTest, ABatchTakesAllVersionsOfAKeyAway) {
  ASSERT_TRUE(set_versioning("Enabled"));
  In<op::DeleteObjects> in;
  in.bucket = "photos";
  auto& items = in.delete_.emplace().objects.emplace();
  for (int i = 0; i < 5; ++i) {
    auto& item = items.emplace_back();
    item.key = "a";
    item.version_id = put_version("a", "v" + std::to_string(i));
  }
  std::swap(items[0], items[4]);
  std::swap(items[1], items[3]);
  Answer<op::DeleteObjects> out = run(delete_objects, in);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->deleted->size(), 5U);
  EXPECT_FALSE(list().versions);
  EXPECT_TRUE(records_with("s3.object").empty());
  EXPECT_TRUE(records_with("s3.version").empty());
  EXPECT_TRUE(records_with("s3.content").empty());
}

TEST_F(VersionTest, VersionsAreListedPageByPage) {
  ASSERT_TRUE(set_versioning("Enabled"));
  std::vector<std::pair<std::string, std::string>> expected;
  for (const char* key : {"a", "b", "c/1", "c/2", "d"}) {
    std::vector<std::string> ids;
    for (int i = 0; i < 3; ++i) ids.push_back(put_version(key, "x"));
    if (std::string_view(key).starts_with("c/")) continue;
    for (auto id = ids.rbegin(); id != ids.rend(); ++id) expected.emplace_back(key, *id);
  }
  for (int page_size : {1, 2, 3, 4, 5, 100}) {
    std::vector<std::pair<std::string, std::string>> seen;
    std::vector<std::string> prefixes;
    In<op::ListObjectVersions> in;
    in.delimiter = "/";
    in.max_keys = page_size;
    for (int page = 0; page < 20; ++page) {
      op::ListObjectVersions::Output out = list(in);
      if (out.versions) {
        for (const auto& one : *out.versions) seen.emplace_back(*one.key, *one.version_id);
      }
      if (out.common_prefixes) {
        for (const auto& one : *out.common_prefixes) prefixes.push_back(*one.prefix);
      }
      if (!*out.is_truncated) break;
      in.key_marker = out.next_key_marker;
      in.version_id_marker = out.next_version_id_marker;
    }
    EXPECT_EQ(seen, expected) << page_size << " a page";
    EXPECT_EQ(prefixes, std::vector<std::string>{"c/"}) << page_size << " a page";
  }
}

TEST_F(VersionTest, APageThatEndedWithANullVersionGoesOnWhenThatIsGone) {
  ASSERT_TRUE(set_versioning("Enabled"));
  std::string first = put_version("a", "one");
  ASSERT_TRUE(set_versioning("Suspended"));
  put_version("a", "two");
  ASSERT_TRUE(set_versioning("Enabled"));
  put_version("a", "three");
  In<op::ListObjectVersions> in;
  in.max_keys = 2;
  op::ListObjectVersions::Output page = list(in);
  ASSERT_EQ(*page.next_version_id_marker, "null");
  for (const auto& one : *page.versions) ASSERT_TRUE(remove("a", *one.version_id));
  in.key_marker = page.next_key_marker;
  in.version_id_marker = page.next_version_id_marker;
  page = list(in);
  ASSERT_TRUE(page.versions);
  EXPECT_EQ(*page.versions->front().version_id, first);
}

TEST_F(VersionTest, NamesOfMetadataMustBeAbleToTravel) {
  In<op::PutObject> in = put_input("a", "x");
  for (const char* name : {"a b", "\xc3\xa9", ""}) {
    in.metadata.emplace()[name] = "1";
    EXPECT_ERROR(run(put_object, in), "InvalidArgument");
  }
}

TEST_F(VersionTest, ACopyOfAnOldVersionRestoresIt) {
  ASSERT_TRUE(set_versioning("Enabled"));
  std::string first = put_version("a", "one");
  put_version("a", "two");
  In<op::CopyObject> in;
  in.bucket = "photos";
  in.key = "a";
  in.copy_source = "photos/a?versionId=" + first;
  Answer<op::CopyObject> copied = run_task(copy_object, in);
  ASSERT_TRUE(copied.has_value()) << copied.error().message;
  EXPECT_EQ(*copied->copy_source_version_id, first);
  EXPECT_EQ(bytes_of(get("a")->body), "one");
}

/// What a key has, newest first.
struct ModelVersion {
  std::string id;
  std::string bytes;
  bool marker = false;
};

TEST_F(VersionTest, RandomHistoriesMatchAListOfVersions) {
  std::mt19937 dice(7);
  std::map<std::string, std::vector<ModelVersion>> model;
  std::string status;
  const std::vector<std::string> keys = {"a", "a/b", "b"};
  auto add = [&](const std::string& key, ModelVersion version) {
    auto& versions = model[key];
    if (version.id == "null") {
      std::erase_if(versions, [](const ModelVersion& one) { return one.id == "null"; });
    }
    versions.insert(versions.begin(), std::move(version));
  };
  for (int step = 0; step < 1500; ++step) {
    const std::string& key = keys[dice() % keys.size()];
    auto& versions = model[key];
    switch (dice() % 8) {
      case 0:
        if (dice() % 8 == 0) {
          status = dice() % 2 == 0 ? "Enabled" : "Suspended";
          ASSERT_TRUE(set_versioning(status));
        }
        break;
      case 1:
      case 2:
      case 3: {
        std::string bytes = "step " + std::to_string(step);
        std::string id = put_version(key, bytes);
        add(key, {id == "none" ? "null" : id, bytes, false});
        break;
      }
      case 4: {
        Answer<op::DeleteObject> out = remove(key);
        ASSERT_TRUE(out.has_value());
        if (status.empty()) {
          versions.clear();
        } else {
          add(key, {*out->version_id, "", true});
        }
        break;
      }
      default: {
        if (versions.empty()) break;
        std::size_t chosen = dice() % versions.size();
        ASSERT_TRUE(remove(key, versions[chosen].id));
        versions.erase(versions.begin() + static_cast<std::ptrdiff_t>(chosen));
      }
    }
    for (const std::string& one : keys) {
      const auto& line = model[one];
      Answer<op::GetObject> got = get(one);
      bool there = !line.empty() && !line.front().marker;
      ASSERT_EQ(got.has_value(), there) << "step " << step << " key " << one;
      if (there) ASSERT_EQ(bytes_of(got->body), line.front().bytes);
      for (const ModelVersion& version : line) {
        ASSERT_EQ(bytes_of_version(one, version.id),
                  version.marker ? "MethodNotAllowed" : version.bytes)
            << "step " << step << " key " << one << " version " << version.id;
      }
    }
  }
  std::size_t listed = 0;
  op::ListObjectVersions::Output out = list();
  if (out.versions) listed += out.versions->size();
  if (out.delete_markers) listed += out.delete_markers->size();
  std::size_t expected = 0;
  for (const auto& [key, versions] : model) expected += versions.size();
  EXPECT_EQ(listed, expected);
  EXPECT_GT(expected, 0U);
}

class LockTest : public VersionTest {
 protected:
  LockTest() {
    In<op::CreateBucket> in;
    in.bucket = "locked";
    in.object_lock_enabled_for_bucket = true;
    EXPECT_TRUE(run(create_bucket, in));
  }

  Answer<op::PutObject> put_locked(const std::string& mode, std::chrono::hours length) {
    In<op::PutObject> in = put_input("a", "kept");
    in.bucket = "locked";
    in.object_lock_mode = mode;
    in.object_lock_retain_until_date = context.now + length;
    in.content_md5 = to_base64(digest(HashKind::md5, "kept"));
    return run(put_object, in);
  }

  Answer<op::DeleteObject> remove_locked(const std::string& version_id, bool bypass = false) {
    In<op::DeleteObject> in;
    in.bucket = "locked";
    in.key = "a";
    in.version_id = version_id;
    if (bypass) in.bypass_governance_retention = true;
    return run(delete_object, in);
  }
};

TEST_F(LockTest, APutThatLocksMustCarryAChecksum) {
  In<op::PutObject> in = put_input("a", "kept");
  in.bucket = "locked";
  in.object_lock_legal_hold_status = "ON";
  EXPECT_ERROR(run(put_object, in), "InvalidRequest");
  in.checksum_crc32 = to_base64(digest(HashKind::crc32, "kept"));
  EXPECT_TRUE(run(put_object, in));
}

TEST_F(LockTest, LocksAreToldToWhoMayReadThem) {
  ASSERT_TRUE(put_locked("GOVERNANCE", std::chrono::hours(1)));
  In<op::HeadObject> in;
  in.bucket = "locked";
  in.key = "a";
  EXPECT_EQ(run(head_object, in)->object_lock_mode, "GOVERNANCE");
  authorizer.denied = {"s3:GetObjectRetention"};
  Answer<op::HeadObject> head = run(head_object, in);
  EXPECT_FALSE(head->object_lock_mode);
  EXPECT_FALSE(head->object_lock_retain_until_date);
}

TEST_F(LockTest, ComplianceHoldsAgainstEverybodyUntilItEnds) {
  std::string version = *put_locked("COMPLIANCE", std::chrono::hours(1))->version_id;
  EXPECT_ERROR(remove_locked(version), "AccessDenied");
  EXPECT_ERROR(remove_locked(version, true), "AccessDenied");
  context.now += std::chrono::hours(2);
  EXPECT_TRUE(remove_locked(version));
}

TEST_F(LockTest, GovernanceYieldsToWhoMayBypassIt) {
  std::string version = *put_locked("GOVERNANCE", std::chrono::hours(1))->version_id;
  EXPECT_ERROR(remove_locked(version), "AccessDenied");
  authorizer.denied = {"s3:BypassGovernanceRetention"};
  EXPECT_ERROR(remove_locked(version, true), "AccessDenied");
  authorizer.denied.clear();
  EXPECT_TRUE(remove_locked(version, true));
}

TEST_F(LockTest, ALegalHoldOutlivesRetention) {
  std::string version = *put_locked("GOVERNANCE", std::chrono::hours(1))->version_id;
  In<op::PutObjectLegalHold> hold;
  hold.bucket = "locked";
  hold.key = "a";
  hold.legal_hold.emplace().status = "ON";
  ASSERT_TRUE(run(put_object_legal_hold, hold));
  context.now += std::chrono::hours(2);
  EXPECT_ERROR(remove_locked(version, true), "AccessDenied");
  hold.legal_hold->status = "OFF";
  ASSERT_TRUE(run(put_object_legal_hold, hold));
  EXPECT_TRUE(remove_locked(version));
}

TEST_F(LockTest, ARetentionCanBeMadeLongerNotShorter) {
  put_locked("COMPLIANCE", std::chrono::hours(2));
  In<op::PutObjectRetention> in;
  in.bucket = "locked";
  in.key = "a";
  in.retention.emplace().mode = "COMPLIANCE";
  in.retention->retain_until_date = context.now + std::chrono::hours(1);
  EXPECT_ERROR(run(put_object_retention, in), "AccessDenied");
  in.retention->retain_until_date = context.now + std::chrono::hours(3);
  EXPECT_TRUE(run(put_object_retention, in));
}

TEST_F(LockTest, NewObjectsTakeTheBucketsDefault) {
  In<op::PutObjectLockConfiguration> settings;
  settings.bucket = "locked";
  auto& asked = settings.object_lock_configuration.emplace();
  asked.object_lock_enabled = "Enabled";
  asked.rule.emplace().default_retention.emplace().mode = "GOVERNANCE";
  asked.rule->default_retention->days = 2;
  ASSERT_TRUE(run(put_object_lock_configuration, settings));
  In<op::PutObject> in = put_input("a", "kept");
  in.bucket = "locked";
  std::string version = *run(put_object, in)->version_id;
  EXPECT_ERROR(remove_locked(version), "AccessDenied");
  context.now += std::chrono::hours(49);
  EXPECT_TRUE(remove_locked(version));
}

TEST_F(LockTest, ADefaultOfNoLengthIsRefusedByItsName) {
  In<op::PutObjectLockConfiguration> settings;
  settings.bucket = "locked";
  auto& asked = settings.object_lock_configuration.emplace();
  asked.object_lock_enabled = "Enabled";
  asked.rule.emplace().default_retention.emplace().mode = "GOVERNANCE";
  asked.rule->default_retention->years = 0;
  auto refused = run(put_object_lock_configuration, settings);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "InvalidArgument");
  EXPECT_EQ(refused.error().fields,
            (std::vector<std::pair<std::string, std::string>>{{"ArgumentName", "Years"}}));
}

TEST_F(LockTest, BucketsWithoutLockRefuseLocks) {
  In<op::PutObject> in = put_input("a", "x");
  in.object_lock_legal_hold_status = "ON";
  EXPECT_ERROR(run(put_object, in), "InvalidRequest");
  In<op::PutBucketVersioning> suspend;
  suspend.bucket = "locked";
  suspend.versioning_configuration.emplace().status = "Suspended";
  EXPECT_ERROR(run(put_bucket_versioning, suspend), "InvalidBucketState");
}

}  // namespace
}  // namespace wolke::s3
