#include "wolke/services/s3/checksums.h"

#include <gtest/gtest.h>

namespace wolke::s3 {
namespace {

Body body_of(std::string bytes) {
  Body body;
  body.inline_bytes = std::move(bytes);
  return body;
}

const Body hello = body_of("hello");

TEST(ContentMd5, MustBeTheBodysOwn) {
  EXPECT_TRUE(verify_content_md5("XUFAKrxLKna5cZ2REBfFkg==", hello));
  EXPECT_EQ(verify_content_md5("XUFAKrxLKna5cZ2REBfFkA==", hello).error().code, "BadDigest");
  EXPECT_EQ(verify_content_md5("no base64", hello).error().code, "InvalidDigest");
  EXPECT_EQ(verify_content_md5("aGVsbG8=", hello).error().code, "InvalidDigest");
}

TEST(Checksum, ClaimedOneIsVerifiedAndKept) {
  auto kept = verify_checksum({{"crc32", "NhCmhg=="}}, std::nullopt, hello);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->first, "crc32");
  EXPECT_EQ(to_base64(kept->second), "NhCmhg==");
}

TEST(Checksum, WrongOneIsABadDigest) {
  auto wrong = verify_checksum({{"crc32", "AAAAAA=="}}, std::nullopt, hello);
  EXPECT_EQ(wrong.error().code, "BadDigest");
  EXPECT_EQ(wrong.error().message,
            "The CRC32 you specified did not match the calculated checksum.");
}

TEST(Checksum, MalformedOneIsAnInvalidRequest) {
  for (const char* text : {"zzz", "aGVsbG8=", ""}) {
    auto bad = verify_checksum({{"crc32", text}}, std::nullopt, hello);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message, "Value for x-amz-checksum-crc32 header is invalid.");
  }
}

TEST(Checksum, OnlyOneMayBeClaimed) {
  auto two = verify_checksum({{"crc32", "NhCmhg=="}, {"sha1", "x"}}, std::nullopt, hello);
  EXPECT_EQ(two.error().code, "InvalidRequest");
}

TEST(Checksum, WithoutAClaimCrc64NvmeIsKept) {
  auto kept = verify_checksum({}, std::nullopt, hello);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->first, "crc64nvme");
  EXPECT_EQ(kept->second.size(), 8U);
}

TEST(UploadChecksum, TypesFollowTheAlgorithm) {
  EXPECT_EQ(choose_upload_checksum("CRC32", std::nullopt)->type, "COMPOSITE");
  EXPECT_EQ(choose_upload_checksum("CRC32", "FULL_OBJECT")->type, "FULL_OBJECT");
  EXPECT_EQ(choose_upload_checksum("CRC64NVME", std::nullopt)->type, "FULL_OBJECT");
  EXPECT_FALSE(choose_upload_checksum("CRC64NVME", "COMPOSITE"));
  EXPECT_FALSE(choose_upload_checksum("SHA256", "FULL_OBJECT"));
  EXPECT_FALSE(choose_upload_checksum("MD4", std::nullopt));
  EXPECT_EQ(choose_upload_checksum(std::nullopt, std::nullopt)->algorithm, "");
}

TEST(UploadChecksum, FullObjectEqualsTheChecksumOfTheWhole) {
  for (const char* name : {"crc32", "crc32c", "crc64nvme"}) {
    const ChecksumAlgorithm& algorithm = *find_checksum_algorithm(name);
    std::string a(100'000, 'a'), b = "tail";
    std::string combined = combine_full_object(
        algorithm, {{digest(algorithm.kind, a), a.size()}, {digest(algorithm.kind, b), b.size()}});
    EXPECT_EQ(combined, digest(algorithm.kind, a + b)) << name;
  }
}

TEST(MultipartETag, IsTheMd5OfTheMd5s) {
  std::string a = to_hex(digest(HashKind::md5, "a")), b = to_hex(digest(HashKind::md5, "b"));
  std::string expected =
      to_hex(digest(HashKind::md5, digest(HashKind::md5, "a") + digest(HashKind::md5, "b")));
  EXPECT_EQ(multipart_etag({a, b}), expected + "-2");
}

}  // namespace
}  // namespace wolke::s3
