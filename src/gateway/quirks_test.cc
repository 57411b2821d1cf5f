#include "wolke/gateway/quirks.h"

#include <gtest/gtest.h>

namespace wolke::gateway {
namespace {

net::HeaderList headers_of_link(const QueryPairs& query, net::HeaderList headers = {}) {
  add_link_headers(query, headers);
  return headers;
}

TEST(LinkHeaders, WhatAnSdkHoistedIsAHeaderAgain) {
  EXPECT_EQ(headers_of_link({{"x-amz-meta-foo", "bar"},
                             {"X-Amz-Acl", "private"},
                             {"x-amz-tagging", "a=b&c=d"},
                             {"content-type", "text/x"}}),
            (net::HeaderList{{"x-amz-meta-foo", "bar"},
                             {"x-amz-acl", "private"},
                             {"x-amz-tagging", "a=b&c=d"},
                             {"content-type", "text/x"}}));
}

TEST(LinkHeaders, AHeaderThatWasSentComesFirstAndOfTwoParametersTheFirst) {
  EXPECT_EQ(headers_of_link({{"x-amz-acl", "private"}}, {{"x-amz-acl", "public-read"}}),
            (net::HeaderList{{"x-amz-acl", "public-read"}}));
  EXPECT_EQ(headers_of_link({{"x-amz-acl", "private"}, {"X-AMZ-ACL", "public-read"}}),
            (net::HeaderList{{"x-amz-acl", "private"}}));
}

TEST(LinkHeaders, TheSignatureAndChecksumsStayInTheQuery) {
  EXPECT_EQ(headers_of_link({{"X-Amz-Algorithm", "AWS4-HMAC-SHA256"},
                             {"X-Amz-Signature", "00"},
                             {"X-Amz-Security-Token", "t"},
                             {"X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"},
                             {"x-amz-checksum-crc32", "AAAAAA=="},
                             {"x-amz-sdk-checksum-algorithm", "CRC32"},
                             {"x-id", "PutObject"},
                             {"partNumber", "1"}}),
            net::HeaderList{});
}

TEST(LinkHeaders, NoHeaderIsMadeOfWhatNoHeaderCouldCarry) {
  EXPECT_EQ(headers_of_link({{"x-amz-meta-a", "b\r\nx-amz-acl: public-read"},
                             {"x-amz-meta-\n", "c"},
                             {"x-amz-meta-n", std::string("\0", 1)}}),
            net::HeaderList{});
}

std::string outcome_of(net::HeaderList headers, std::string_view operation = "DeleteObjects",
                       bool streamed = false) {
  const shape::Service service{.protocol = shape::Protocol::rest_xml};
  const shape::Operation asked{
      .name = operation, .service = &service, .method = "POST", .uri = "/"};
  Result<void> checked = check_digests(headers, "123456789", streamed, asked);
  return checked ? "ok" : checked.error().code;
}

TEST(Digests, ADocumentIsWhatItsChecksumsSay) {
  EXPECT_EQ(outcome_of({}), "ok");
  EXPECT_EQ(outcome_of({{"x-amz-checksum-crc32", "y/Q5Jg=="}}), "ok");
  EXPECT_EQ(outcome_of({{"x-amz-checksum-crc32", "AAAAAA=="}}), "BadDigest");
  EXPECT_EQ(outcome_of({{"x-amz-checksum-sha256", "AAAAAA=="}}), "InvalidRequest");
  EXPECT_EQ(outcome_of({{"content-md5", "JfnnlDI7RTiF9RgfGNNoFg=="}}), "BadDigest");
  EXPECT_EQ(outcome_of({{"content-md5", "AAAAAA=="}}), "InvalidDigest");
}

TEST(Digests, AStreamAndACompletionHaveThemOfTheObject) {
  EXPECT_EQ(outcome_of({{"x-amz-checksum-crc32", "AAAAAA=="}}, "PutObject", true), "ok");
  EXPECT_EQ(outcome_of({{"x-amz-checksum-crc32", "AAAAAA=="}}, "CompleteMultipartUpload"), "ok");
}

}  // namespace
}  // namespace wolke::gateway
