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

constexpr shape::Operation rest_operations[] = {
    {.name = "ListFunctions", .service = nullptr, .method = "GET", .uri = "/2015-03-31/functions/"},
    {.name = "ListTags", .service = nullptr, .method = "GET", .uri = "/2017-03-31/tags/{ARN}"}};
constexpr shape::Service rest{.name = "lambda",
                              .signing_name = "lambda",
                              .protocol = shape::Protocol::rest_json,
                              .api_version = "2015-03-31",
                              .operations = rest_operations};
constexpr shape::Service users{.name = "iam",
                               .signing_name = "iam",
                               .protocol = shape::Protocol::query,
                               .api_version = "2010-05-08"};
constexpr shape::Service sessions{.name = "sts",
                                  .signing_name = "sts",
                                  .protocol = shape::Protocol::query,
                                  .api_version = "2011-06-15"};

std::vector<operation::ServiceTable> tables() {
  return {{.model = &rest}, {.model = &users}, {.model = &sessions}};
}

std::string service(net::HeaderList headers, std::string target = "/", std::string method = "GET") {
  return detect_service(head(std::move(method), std::move(headers)), split_target(target).value(),
                        tables());
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

TEST(Detect, EveryVersionInARestServicesPathsIsItsOwn) {
  EXPECT_EQ(service({{"host", "127.0.0.1:4566"}}, "/2017-03-31/tags/arn"), "lambda");
  EXPECT_EQ(service({{"host", "127.0.0.1:4566"}}, "/2015-03-31/no-such-thing"), "lambda");
  EXPECT_EQ(service({{"host", "127.0.0.1:4566"}}, "/2017-03-32/tags/arn"), "s3");
  EXPECT_EQ(service({{"host", "127.0.0.1:4566"}}, "/2017-03-31"), "s3");
}

TEST(Detect, AnUnsignedFormIsForTheServiceOfItsVersion) {
  const std::vector<operation::ServiceTable> services = tables();
  EXPECT_EQ(service_of_form("Action=ListUsers&Version=2010-05-08", services), &services[1]);
  EXPECT_EQ(service_of_form("Version=2011-06-15&Action=GetCallerIdentity", services), &services[2]);
  EXPECT_EQ(service_of_form("Action=ListUsers", services), nullptr);
  EXPECT_EQ(service_of_form("Version=2015-03-31", services), nullptr);
  EXPECT_EQ(service_of_form("%zz", services), nullptr);
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
