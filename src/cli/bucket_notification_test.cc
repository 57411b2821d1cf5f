#include "wolke/cli/bucket_notification.h"

#include <gtest/gtest.h>

namespace wolke::cli {
namespace {

const std::string arn = "arn:aws:lambda:us-east-1:111122223333:function:f";
const std::string mine =
    "<CloudFunctionConfiguration><Id>by-hand</Id><CloudFunction>" + arn +
    ":live</CloudFunction><Event>s3:ObjectCreated:Put</Event><Filter><S3Key><FilterRule><Name>"
    "Suffix</Name><Value>.jpg</Value></FilterRule><FilterRule><Name>Prefix</Name><Value>a&amp;b/"
    "</Value></FilterRule></S3Key></Filter></CloudFunctionConfiguration>";
const std::string other =
    "<CloudFunctionConfiguration><Id>wolke-f</Id><CloudFunction>" + arn +
    "2</CloudFunction><Event>s3:ObjectRemoved:*</Event></CloudFunctionConfiguration>";

TEST(BucketNotification, EntriesAreReadWithTheirPrefix) {
  const std::vector<NotificationEntry> entries = notification_entries("<N>" + mine + other);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].id, "by-hand");
  EXPECT_EQ(entries[0].prefix, "a&b/");
  EXPECT_TRUE(entries[0].on_creation);
  EXPECT_FALSE(entries[1].on_creation);
}

TEST(BucketNotification, AnEntryCallsItsFunctionInAnyVersionAndNoOtherOfALongerName) {
  const std::vector<NotificationEntry> entries = notification_entries(mine + other);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_TRUE(calls(entries[0], arn));
  EXPECT_FALSE(calls(entries[1], arn));
}

TEST(BucketNotification, WhatDoesNotGoStaysAsItIs) {
  auto goes = [](const NotificationEntry& entry) { return calls(entry, arn); };
  EXPECT_EQ(without_entries("<N>" + mine + other + "</N>", goes), "<N>" + other + "</N>");
}

}  // namespace
}  // namespace wolke::cli
