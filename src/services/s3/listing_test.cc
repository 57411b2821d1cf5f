#include "wolke/services/s3/listing.h"

#include "wolke/services/s3/s3_for_test.h"

namespace wolke::s3 {
namespace {

class ListingTest : public S3Test {
 protected:
  ListingTest() { make_bucket("photos"); }

  void put_all(std::initializer_list<const char*> keys) {
    for (const char* key : keys) ASSERT_TRUE(put(key, "x")) << key;
  }

  /// All pages, keys and common prefixes in order of appearance, pages separated by '|'.
  std::string walk(const std::string& prefix, const std::string& delimiter, int page) {
    std::string out;
    In<op::ListObjectsV2> in;
    in.bucket = "photos";
    in.prefix = prefix;
    if (!delimiter.empty()) in.delimiter = delimiter;
    in.max_keys = page;
    for (int guard = 0; guard < 100; ++guard) {
      auto listed = run(list_objects_v2, in);
      if (!listed) return listed.error().code;
      if (listed->contents) {
        for (const auto& object : *listed->contents) out += *object.key + " ";
      }
      if (listed->common_prefixes) {
        for (const auto& one : *listed->common_prefixes) out += "[" + *one.prefix + "] ";
      }
      if (!*listed->is_truncated) return out;
      out += "| ";
      in.continuation_token = listed->next_continuation_token;
    }
    return "endless";
  }
};

TEST_F(ListingTest, KeysComeInByteOrder) {
  put_all({"b", "a", "B", "ä", "a/", "a0", "a!"});
  EXPECT_EQ(walk("", "", 1000), "B a a! a/ a0 b ä ");
}

TEST_F(ListingTest, PrefixSelects) {
  put_all({"a/1", "a/2", "ab", "b/1"});
  EXPECT_EQ(walk("a/", "", 1000), "a/1 a/2 ");
  EXPECT_EQ(walk("x", "", 1000), "");
}

TEST_F(ListingTest, DelimiterRollsUp) {
  put_all({"a", "dir/1", "dir/2", "dir/sub/3", "z"});
  EXPECT_EQ(walk("", "/", 1000), "a z [dir/] ");
  EXPECT_EQ(walk("dir/", "/", 1000), "dir/1 dir/2 [dir/sub/] ");
}

TEST_F(ListingTest, PagesNeitherLoseNorRepeat) {
  put_all({"a", "b", "c", "d", "e"});
  EXPECT_EQ(walk("", "", 2), "a b | c d | e ");
  EXPECT_EQ(walk("", "", 5), "a b c d e ");
}

TEST_F(ListingTest, PagesOfCommonPrefixesGoOnAfterThem) {
  put_all({"a/1", "a/2", "b/1", "b/2", "c", "d/1"});
  EXPECT_EQ(walk("", "/", 1), "[a/] | [b/] | c | [d/] ");
  EXPECT_EQ(walk("", "/", 2), "[a/] [b/] | c [d/] ");
}

TEST_F(ListingTest, DelimiterMayBeSeveralBytes) {
  put_all({"a--b", "a--c", "a-d"});
  EXPECT_EQ(walk("", "--", 10), "a-d [a--] ");
}

TEST_F(ListingTest, LargeDirectoriesAreSkippedNotRead) {
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(put("big/" + std::to_string(i), "x"));
  put_all({"a", "z"});
  EXPECT_EQ(walk("", "/", 1000), "a z [big/] ");
}

TEST_F(ListingTest, NoKeysWantedMeansNotTruncated) {
  put_all({"a"});
  In<op::ListObjectsV2> in;
  in.bucket = "photos";
  in.max_keys = 0;
  auto listed = run(list_objects_v2, in);
  EXPECT_EQ(listed->key_count, 0);
  EXPECT_EQ(listed->is_truncated, false);
  in.max_keys = -1;
  EXPECT_ERROR(run(list_objects_v2, in), "InvalidArgument");
}

TEST_F(ListingTest, MarkerIsExclusiveAndNextMarkerComesWithADelimiter) {
  put_all({"a", "b", "c/1", "c/2", "d"});
  In<op::ListObjects> in;
  in.bucket = "photos";
  in.marker = "a";
  in.delimiter = "/";
  in.max_keys = 2;
  auto listed = run(list_objects, in);
  EXPECT_EQ(*listed->contents->front().key, "b");
  EXPECT_EQ(listed->next_marker, "c/");
  in.marker = "c/";
  EXPECT_EQ(*run(list_objects, in)->contents->front().key, "d");
  in.delimiter.reset();
  in.max_keys = 1;
  EXPECT_FALSE(run(list_objects, in)->next_marker);
}

TEST_F(ListingTest, UrlEncodingMakesEveryKeyPrintable) {
  put_all({"a b/ü+1"});
  In<op::ListObjects> in;
  in.bucket = "photos";
  in.encoding_type = "url";
  in.prefix = "a b";
  auto listed = run(list_objects, in);
  EXPECT_EQ(*listed->contents->front().key, "a%20b/%C3%BC%2B1");
  EXPECT_EQ(listed->prefix, "a b");
  EXPECT_EQ(listed->encoding_type, "url");
}

TEST_F(ListingTest, TokenThatIsNotOursIsRefused) {
  In<op::ListObjectsV2> in;
  in.bucket = "photos";
  in.continuation_token = "!";
  EXPECT_ERROR(run(list_objects_v2, in), "InvalidArgument");
}

TEST_F(ListingTest, VersionsAreTheOneThereIs) {
  put_all({"a", "b"});
  In<op::ListObjectVersions> in;
  in.bucket = "photos";
  in.max_keys = 1;
  auto listed = run(list_object_versions, in);
  EXPECT_EQ(listed->versions->front().version_id, "null");
  EXPECT_EQ(listed->next_key_marker, "a");
  in.key_marker = "a";
  EXPECT_EQ(*run(list_object_versions, in)->versions->front().key, "b");
}

}  // namespace
}  // namespace wolke::s3
