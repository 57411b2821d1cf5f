#include "wolke/services/s3/conditions.h"

#include <gtest/gtest.h>

namespace wolke::s3 {
namespace {

const Timestamp changed = *parse_iso8601("2026-11-23T09:51:13Z");
const Timestamp earlier = changed - std::chrono::hours(1);
const Timestamp later = changed + std::chrono::hours(1);
const Validators object{"abc", changed};

std::string code(const Result<void>& result) {
  return result ? "ok" : result.error().code;
}

TEST(ReadConditions, MatchIsByETagWithOrWithoutQuotes) {
  EXPECT_EQ(code(check_read({.if_match = "\"abc\""}, object)), "ok");
  EXPECT_EQ(code(check_read({.if_match = "abc"}, object)), "ok");
  EXPECT_EQ(code(check_read({.if_match = "*"}, object)), "ok");
  EXPECT_EQ(code(check_read({.if_match = "\"x\", \"abc\""}, object)), "ok");
  EXPECT_EQ(code(check_read({.if_match = "\"x\""}, object)), "PreconditionFailed");
}

TEST(ReadConditions, NoneMatchAndModifiedSinceAnswer304) {
  EXPECT_EQ(code(check_read({.if_none_match = "\"abc\""}, object)), "NotModified");
  EXPECT_EQ(code(check_read({.if_none_match = "\"x\""}, object)), "ok");
  EXPECT_EQ(code(check_read({.if_modified_since = changed}, object)), "NotModified");
  EXPECT_EQ(code(check_read({.if_modified_since = earlier}, object)), "ok");
}

TEST(ReadConditions, MatchTakesPrecedenceOverUnmodifiedSince) {
  EXPECT_EQ(code(check_read({.if_match = "abc", .if_unmodified_since = earlier}, object)), "ok");
  EXPECT_EQ(code(check_read({.if_unmodified_since = earlier}, object)), "PreconditionFailed");
  EXPECT_EQ(code(check_read({.if_unmodified_since = changed}, object)), "ok");
}

TEST(ReadConditions, NoneMatchTakesPrecedenceOverModifiedSince) {
  EXPECT_EQ(code(check_read({.if_none_match = "x", .if_modified_since = later}, object)), "ok");
  EXPECT_EQ(code(check_read({.if_none_match = "abc", .if_modified_since = earlier}, object)),
            "NotModified");
}

TEST(ReadConditions, AFutureModifiedSinceAsksNothing) {
  EXPECT_EQ(not_in_the_future(later, changed), std::nullopt);
  EXPECT_EQ(not_in_the_future(changed, changed), changed);
  EXPECT_EQ(not_in_the_future(std::nullopt, changed), std::nullopt);
}

TEST(RangeCondition, AsksForAPartOfWhatIsStillTheSame) {
  EXPECT_TRUE(is_range_wanted("\"abc\"", object));
  EXPECT_FALSE(is_range_wanted("\"x\"", object));
  EXPECT_FALSE(is_range_wanted("W/\"abc\"", object));
  EXPECT_TRUE(is_range_wanted("Mon, 23 Nov 2026 09:51:13 GMT", object));
  EXPECT_FALSE(is_range_wanted("Mon, 23 Nov 2026 09:51:14 GMT", object));
  EXPECT_FALSE(is_range_wanted("soon", object));
}

TEST(CopyConditions, FailWith412Throughout) {
  EXPECT_EQ(code(check_copy_source({.if_none_match = "abc"}, object)), "PreconditionFailed");
  EXPECT_EQ(code(check_copy_source({.if_modified_since = later}, object)), "PreconditionFailed");
  EXPECT_EQ(check_copy_source({.if_match = "x"}, object).error().fields.front().second,
            "x-amz-copy-source-If-Match");
}

TEST(WriteConditions, NoneMatchStarMeansMustNotExist) {
  EXPECT_EQ(code(check_write({.if_none_match = "*"}, std::nullopt, "k")), "ok");
  EXPECT_EQ(code(check_write({.if_none_match = "*"}, object, "k")), "PreconditionFailed");
  EXPECT_EQ(code(check_write({.if_none_match = "\"abc\""}, object, "k")), "NotImplemented");
}

TEST(WriteConditions, MatchMeansMustBeThatObject) {
  EXPECT_EQ(code(check_write({.if_match = "\"abc\""}, object, "k")), "ok");
  EXPECT_EQ(code(check_write({.if_match = "\"x\""}, object, "k")), "PreconditionFailed");
  EXPECT_EQ(code(check_write({.if_match = "\"abc\""}, std::nullopt, "k")), "NoSuchKey");
}

std::string range(const char* header, std::uint64_t size) {
  Result<std::optional<ByteRange>> parsed = parse_range(std::string(header), size);
  if (!parsed) return parsed.error().code;
  if (!*parsed) return "whole";
  return content_range(**parsed, size);
}

TEST(Range, SelectsFirstToLastAndClampsAtTheEnd) {
  EXPECT_EQ(range("bytes=0-4", 10), "bytes 0-4/10");
  EXPECT_EQ(range("bytes=5-", 10), "bytes 5-9/10");
  EXPECT_EQ(range("bytes=5-100", 10), "bytes 5-9/10");
}

TEST(Range, SuffixCountsFromTheEnd) {
  EXPECT_EQ(range("bytes=-3", 10), "bytes 7-9/10");
  EXPECT_EQ(range("bytes=-30", 10), "bytes 0-9/10");
  EXPECT_EQ(range("bytes=-0", 10), "InvalidRange");
}

TEST(Range, BeyondTheEndIsNotSatisfiable) {
  EXPECT_EQ(range("bytes=10-12", 10), "InvalidRange");
  EXPECT_EQ(range("bytes=0-0", 0), "InvalidRange");
}

TEST(Range, PositionsThatNoIntegerHoldsAreBehindTheEnd) {
  const std::string huge = "99999999999999999999999";
  EXPECT_EQ(parse_range("bytes=" + huge + "-", 100).error().code, "InvalidRange");
  EXPECT_EQ(parse_range("bytes=18446744073709551616-18446744073709551617", 100).error().status,
            416);
  EXPECT_EQ(parse_range("bytes=90-" + huge, 100).value()->length, 10U);
  EXPECT_EQ(parse_range("bytes=-" + huge, 100).value()->length, 100U);
  EXPECT_FALSE(parse_range("bytes=+1-2", 100).value());
  EXPECT_FALSE(parse_range("bytes=1-" + huge + "x", 100).value());
}

TEST(Range, IsIgnoredWhenNotUnderstood) {
  for (const char* header :
       {"bytes=4-2", "bytes=a-b", "lines=1-2", "bytes=0-1,4-5", "bytes=", "bytes=-"}) {
    EXPECT_EQ(range(header, 10), "whole") << header;
  }
}

TEST(CopyRange, MustBeWhollyInside) {
  EXPECT_EQ(parse_copy_range("bytes=2-9", 10)->length, 8U);
  EXPECT_EQ(parse_copy_range("bytes=2-10", 10).error().code, "InvalidArgument");
  EXPECT_EQ(parse_copy_range("bytes=-4", 10).error().code, "InvalidArgument");
  EXPECT_EQ(parse_copy_range("2-4", 10).error().code, "InvalidArgument");
}

}  // namespace
}  // namespace wolke::s3
