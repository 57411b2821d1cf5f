#include <gtest/gtest.h>

#include "request.h"
#include "wolke/model/lambda/operations.h"
#include "wolke/model/logs/operations.h"
#include "wolke/model/s3/operations.h"
#include "wolke/model/sts/operations.h"

namespace wolke::shape {
namespace {

std::string s3(std::string method, std::string_view target, HeaderList headers = {}) {
  OwnedRequest owned = request(std::move(method), target, std::move(headers));
  const Operation* operation = match_rest(model::s3::service(), owned.view());
  return operation ? std::string(operation->name) : "";
}

std::string lambda(std::string method, std::string_view target) {
  OwnedRequest owned = request(std::move(method), target);
  const Operation* operation = match_rest(model::lambda::service(), owned.view());
  return operation ? std::string(operation->name) : "";
}

TEST(Route, tells_s3_operations_apart_by_path_and_query) {
  EXPECT_EQ(s3("GET", "/"), "ListBuckets");
  EXPECT_EQ(s3("GET", "/b"), "ListObjects");
  EXPECT_EQ(s3("GET", "/b/"), "ListObjects");
  EXPECT_EQ(s3("GET", "/b?list-type=2&prefix=x"), "ListObjectsV2");
  EXPECT_EQ(s3("GET", "/b?uploads"), "ListMultipartUploads");
  EXPECT_EQ(s3("GET", "/b?location"), "GetBucketLocation");
  EXPECT_EQ(s3("GET", "/b?location="), "GetBucketLocation");
  EXPECT_EQ(s3("PUT", "/b"), "CreateBucket");
  EXPECT_EQ(s3("PUT", "/b/"), "CreateBucket");
  EXPECT_EQ(s3("PUT", "/b?notification"), "PutBucketNotificationConfiguration");
  EXPECT_EQ(s3("POST", "/b?delete"), "DeleteObjects");
  EXPECT_EQ(s3("HEAD", "/b"), "HeadBucket");
  EXPECT_EQ(s3("HEAD", "/b/k"), "HeadObject");
}

TEST(Route, tells_object_operations_apart_by_required_parameters) {
  EXPECT_EQ(s3("GET", "/b/k"), "GetObject");
  EXPECT_EQ(s3("GET", "/b/k?uploadId=1"), "ListParts");
  EXPECT_EQ(s3("GET", "/b/k?acl"), "GetObjectAcl");
  EXPECT_EQ(s3("PUT", "/b/k?x-id=PutObject"), "PutObject");
  EXPECT_EQ(s3("PUT", "/b/k", {{"x-amz-copy-source", "/a/b"}}), "CopyObject");
  EXPECT_EQ(s3("PUT", "/b/k?partNumber=1&uploadId=2"), "UploadPart");
  EXPECT_EQ(s3("PUT", "/b/k?partNumber=1&uploadId=2", {{"x-amz-copy-source", "/a/b"}}),
            "UploadPartCopy");
  EXPECT_EQ(s3("POST", "/b/k?uploads"), "CreateMultipartUpload");
  EXPECT_EQ(s3("POST", "/b/k?uploadId=2"), "CompleteMultipartUpload");
  EXPECT_EQ(s3("DELETE", "/b/k?uploadId=2"), "AbortMultipartUpload");
  EXPECT_EQ(s3("DELETE", "/b/k"), "DeleteObject");
}

TEST(Route, keeps_every_byte_of_a_greedy_label) {
  for (auto [path, key] : {std::pair{"/b//", "/"},
                           {"/b/a//c/", "a//c/"},
                           {"/b/%2F%20+%E2%82%AC", "/ +€"},
                           {"/b/..", ".."}}) {
    OwnedRequest owned = request("GET", path);
    Result<Value> input = decode_input(model::s3::op::GetObject::operation(), owned.view());
    ASSERT_TRUE(input) << path;
    EXPECT_EQ(input->as<model::s3::GetObjectRequest>().key, key);
    EXPECT_EQ(input->as<model::s3::GetObjectRequest>().bucket, "b");
  }
}

TEST(Route, names_operations_that_are_not_served) {
  EXPECT_EQ(s3("GET", "/b/k?torrent"), "GetObjectTorrent");
  OwnedRequest owned = request("GET", "/b/k?torrent");
  EXPECT_FALSE(match_rest(model::s3::service(), owned.view())->served());
}

TEST(Route, prefers_the_served_operation_where_an_old_one_has_the_same_uri) {
  EXPECT_EQ(s3("GET", "/b?lifecycle"), "GetBucketLifecycleConfiguration");
  EXPECT_EQ(s3("GET", "/b?notification"), "GetBucketNotificationConfiguration");
}

TEST(Route, tolerates_a_trailing_slash_both_ways) {
  EXPECT_EQ(lambda("GET", "/2015-03-31/functions/"), "ListFunctions");
  EXPECT_EQ(lambda("GET", "/2015-03-31/functions"), "ListFunctions");
  EXPECT_EQ(lambda("GET", "/2015-03-31/functions/f"), "GetFunction");
  EXPECT_EQ(lambda("POST", "/2015-03-31/functions/f/invocations"), "Invoke");
  EXPECT_EQ(lambda("POST", "/2015-03-31/functions/f/invocations/"), "Invoke");
  EXPECT_EQ(lambda("GET", "/2018-10-31/layers?find=LayerVersion&Arn=a"), "GetLayerVersionByArn");
  EXPECT_EQ(lambda("GET", "/2018-10-31/layers"), "ListLayers");
}

TEST(Route, finds_nothing_where_there_is_nothing) {
  EXPECT_EQ(lambda("GET", "/"), "");
  EXPECT_EQ(lambda("GET", "/2015-03-31/functions/f/x/y"), "");
  EXPECT_EQ(lambda("POST", "/2015-03-31/functions//invocations"), "");
  EXPECT_EQ(s3("PATCH", "/b/k"), "");
}

TEST(Route, finds_rpc_operations_by_target_and_by_action) {
  EXPECT_EQ(find_operation(model::logs::service(), "Logs_20140328.PutLogEvents")->name,
            "PutLogEvents");
  EXPECT_EQ(find_operation(model::logs::service(), "Logs_20990101.PutLogEvents"), nullptr);
  EXPECT_EQ(find_operation(model::logs::service(), "Logs_20140328.Nothing"), nullptr);
  EXPECT_EQ(find_operation(model::sts::service(), "AssumeRole")->name, "AssumeRole");
}

TEST(Route, refuses_bad_escapes_in_labels) {
  OwnedRequest owned = request("GET", "/b/%zz");
  Result<Value> input = decode_input(model::s3::op::GetObject::operation(), owned.view());
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().code, "InvalidURI");
}

}  // namespace
}  // namespace wolke::shape
