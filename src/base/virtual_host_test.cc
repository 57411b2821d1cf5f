#include "wolke/base/virtual_host.h"

#include <gtest/gtest.h>

namespace wolke {
namespace {

TEST(VirtualHost, NamesTheBucketOfEachFormOfEndpoint) {
  EXPECT_EQ(virtual_host_bucket("photos.localhost:4566"), "photos");
  EXPECT_EQ(virtual_host_bucket("photos.s3.localhost"), "photos");
  EXPECT_EQ(virtual_host_bucket("photos.s3.amazonaws.com"), "photos");
  EXPECT_EQ(virtual_host_bucket("my.photos.s3.eu-central-1.amazonaws.com:443"), "my.photos");
  EXPECT_EQ(virtual_host_bucket("photos.s3-eu-west-1.amazonaws.com"), "photos");
}

TEST(VirtualHost, IsEmptyForPathStyle) {
  for (const char* host : {"localhost:4566", "s3.localhost", "s3.amazonaws.com", "127.0.0.1:80",
                           "[::1]:4566", "lambda.us-east-1.amazonaws.com", ""}) {
    EXPECT_EQ(virtual_host_bucket(host), "") << host;
  }
}

}  // namespace
}  // namespace wolke
