#include "wolke/gateway/detect.h"

#include <gtest/gtest.h>

namespace wolke::gateway {
namespace {

net::RequestHead head(std::string method, net::HeaderList headers) {
  net::RequestHead out;
  out.method = std::move(method);
  out.headers = std::move(headers);
  return out;
}

std::string service(net::HeaderList headers, std::string target = "/", std::string method = "GET") {
  return detect_service(head(std::move(method), std::move(headers)), split_target(target).value());
}

TEST(Detect, TheCredentialScopeDecidesFirst) {
  EXPECT_EQ(service({{"authorization",
                      "AWS4-HMAC-SHA256 Credential=AK/20261123/eu-west-1/iam/aws4_request, "
                      "SignedHeaders=host"}}),
            "iam");
  EXPECT_EQ(service({}, "/k?X-Amz-Credential=AK%2F20261123%2Fus-east-1%2Fs3%2Faws4_request"), "s3");
}

TEST(Detect, TargetHostAndPathFollow) {
  EXPECT_EQ(service({{"x-amz-target", "Logs_20140328.PutLogEvents"}}, "/", "POST"), "logs");
  EXPECT_EQ(service({{"x-amz-target", "DynamoDB_20120810.GetItem"}}, "/", "POST"), "dynamodb");
  EXPECT_EQ(service({{"host", "lambda.eu-central-1.amazonaws.com"}}), "lambda");
  EXPECT_EQ(service({{"host", "sqs.eu-central-1.amazonaws.com"}}), "sqs");
  EXPECT_EQ(service({{"host", "photos.s3.amazonaws.com"}}, "/k"), "s3");
  EXPECT_EQ(service({{"host", "127.0.0.1:4566"}}, "/2015-03-31/functions/"), "lambda");
  EXPECT_EQ(service({{"host", "127.0.0.1:4566"}}, "/photos/a.jpg"), "s3");
}

TEST(Detect, BucketsAreFoundInHosts) {
  EXPECT_EQ(virtual_host_bucket("photos.s3.amazonaws.com"), "photos");
  EXPECT_EQ(virtual_host_bucket("my.photos.s3.eu-west-1.amazonaws.com:443"), "my.photos");
  EXPECT_EQ(virtual_host_bucket("photos.s3-eu-west-1.amazonaws.com"), "photos");
  EXPECT_EQ(virtual_host_bucket("photos.localhost:4566"), "photos");
  EXPECT_EQ(virtual_host_bucket("photos.s3.localhost:4566"), "photos");
  EXPECT_EQ(virtual_host_bucket("s3.amazonaws.com"), "");
  EXPECT_EQ(virtual_host_bucket("127.0.0.1:4566"), "");
  EXPECT_EQ(virtual_host_bucket("[::1]:4566"), "");
}

TEST(Detect, ABadEscapeInTheTargetIsRefused) {
  EXPECT_EQ(split_target("/b/%zz").error().code, "InvalidURI");
  EXPECT_EQ(split_target("/b?x=%1").error().code, "InvalidURI");
}

}  // namespace
}  // namespace wolke::gateway
