#include "wolke/services/s3/names.h"

#include <gtest/gtest.h>

namespace wolke::s3 {
namespace {

TEST(BucketName, AcceptsWhatTheRulesAllow) {
  for (const char* name : {"abc", "photos-resized", "my.bucket.1", "0bucket", "a1b"}) {
    EXPECT_TRUE(is_valid_bucket_name(name)) << name;
  }
  EXPECT_TRUE(is_valid_bucket_name(std::string(63, 'a')));
}

TEST(BucketName, RefusesWhatTheRulesForbid) {
  for (const char* name :
       {"ab", "Photos", "under_score", "-abc", "abc-", "a..b", ".abc", "abc.", "192.168.5.4",
        "xn--abc", "sthree-abc", "abc-s3alias", "abc--ol-s3", "a b c", "a/b"}) {
    EXPECT_FALSE(is_valid_bucket_name(name)) << name;
  }
  EXPECT_FALSE(is_valid_bucket_name(std::string(64, 'a')));
}

TEST(Key, MayBeOneTo1024BytesOfUtf8) {
  EXPECT_TRUE(check_key("a"));
  EXPECT_TRUE(check_key(std::string(1024, 'k')));
  EXPECT_TRUE(check_key("Zoë/日本 .jpg"));
  EXPECT_EQ(check_key(std::string(1025, 'k')).error().code, "KeyTooLongError");
  EXPECT_EQ(check_key("").error().code, "InvalidURI");
  EXPECT_EQ(check_key("\xff\xfe").error().code, "InvalidURI");
}

TEST(CopySourceHeader, IsDecodedWithAndWithoutLeadingSlash) {
  for (const char* header : {"/photos/a%20b/c%2Bd", "photos/a%20b/c%2Bd",
                             "%2Fphotos%2Fa%20b%2Fc%2Bd", "photos/a%20b/c%2Bd?versionId=null"}) {
    Result<CopySource> source = parse_copy_source(header);
    ASSERT_TRUE(source) << header;
    EXPECT_EQ(source->bucket, "photos");
    EXPECT_EQ(source->key, "a b/c+d");
  }
}

TEST(CopySourceHeader, NeedsBucketAndKey) {
  for (const char* header : {"photos", "/photos", "photos/", "", "photos/a?versionId=%2", "a%2"}) {
    EXPECT_FALSE(parse_copy_source(header)) << header;
  }
}

TEST(CanonicalId, Is64HexadecimalDigitsAndDiffersByAccount) {
  EXPECT_EQ(canonical_id("111122223333").size(), 64U);
  EXPECT_NE(canonical_id("111122223333"), canonical_id("111122223334"));
  for (const char* account : {"111122223333", "000000000000", "999999999999"}) {
    EXPECT_EQ(account_of_canonical_id(canonical_id(account)), account);
  }
  std::string other = canonical_id("111122223333");
  other.back() = other.back() == '0' ? '1' : '0';
  EXPECT_EQ(account_of_canonical_id(other), std::nullopt);
  EXPECT_EQ(account_of_canonical_id(std::string(64, 'a')), std::nullopt);
  EXPECT_EQ(account_of_canonical_id("_foo"), std::nullopt);
}

}  // namespace
}  // namespace wolke::s3
