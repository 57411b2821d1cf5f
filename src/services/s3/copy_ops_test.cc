#include "wolke/services/s3/s3_for_test.h"

namespace wolke::s3 {
namespace {

class CopyTest : public S3Test {
 protected:
  CopyTest() {
    make_bucket("photos");
    auto in = put_input("source", "hello");
    in.content_type = "image/jpeg";
    in.metadata = Tags{{"camera", "Leica"}};
    in.tagging = "kind=photo";
    in.website_redirect_location = "/elsewhere";
    source = *run(put_object, in);
  }

  In<op::CopyObject> to(const std::string& key) {
    In<op::CopyObject> in;
    in.bucket = "photos";
    in.key = key;
    in.copy_source = "/photos/source";
    return in;
  }

  op::PutObject::Output source;
};

TEST_F(CopyTest, BytesMetadataAndTagsAreCopied) {
  auto copied = run_task(copy_object, to("copy"));
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->copy_object_result->etag, source.etag);
  auto got = get("copy");
  EXPECT_EQ(bytes_of(got->body), "hello");
  EXPECT_EQ(got->content_type, "image/jpeg");
  EXPECT_EQ(got->metadata->at("camera"), "Leica");
  EXPECT_EQ(got->tag_count, 1);
  EXPECT_FALSE(got->website_redirect_location);  // never copied
}

TEST_F(CopyTest, ReplaceTakesTheRequestsMetadata) {
  auto in = to("copy");
  in.metadata_directive = "REPLACE";
  in.content_type = "text/plain";
  in.tagging_directive = "REPLACE";
  ASSERT_TRUE(run_task(copy_object, in));
  auto got = get("copy");
  EXPECT_EQ(got->content_type, "text/plain");
  EXPECT_FALSE(got->metadata);
  EXPECT_FALSE(got->tag_count);
}

TEST_F(CopyTest, CopyOntoItselfMustChangeSomething) {
  EXPECT_ERROR(run_task(copy_object, to("source")), "InvalidRequest");
  auto in = to("source");
  in.metadata_directive = "REPLACE";
  EXPECT_TRUE(run_task(copy_object, in));
  EXPECT_EQ(bytes_of(get("source")->body), "hello");
}

TEST_F(CopyTest, SourceConditionsFailWith412) {
  auto in = to("copy");
  in.copy_source_if_match = "\"other\"";
  EXPECT_ERROR(run_task(copy_object, in), "PreconditionFailed");
  in.copy_source_if_match = source.etag;
  EXPECT_TRUE(run_task(copy_object, in));
}

TEST_F(CopyTest, MissingSourceIsSaid) {
  auto in = to("copy");
  in.copy_source = "photos/none";
  EXPECT_ERROR(run_task(copy_object, in), "NoSuchKey");
  in.copy_source = "nobucket/none";
  EXPECT_ERROR(run_task(copy_object, in), "NoSuchBucket");
  in.copy_source = "photos";
  EXPECT_ERROR(run_task(copy_object, in), "InvalidArgument");
}

TEST_F(CopyTest, AsksForBothEnds) {
  auto in = to("copy");
  Result<Asks> asks = asks_of_copy_object(*s3, context, in);
  ASSERT_EQ(asks->size(), 4U);
  EXPECT_EQ((*asks)[0].action, "s3:PutObject");
  EXPECT_EQ((*asks)[0].resource, "arn:aws:s3:::photos/copy");
  EXPECT_EQ((*asks)[1].action, "s3:PutObjectTagging") << "the source has tags, which go with it";
  EXPECT_EQ((*asks)[1].resource, "arn:aws:s3:::photos/copy");
  EXPECT_EQ((*asks)[2].action, "s3:GetObject");
  EXPECT_EQ((*asks)[2].resource, "arn:aws:s3:::photos/source");
  EXPECT_EQ((*asks)[2].conditions.at("s3:existingobjecttag/kind"),
            std::vector<std::string>{"photo"});
  EXPECT_EQ((*asks)[3].action, "s3:GetObjectTagging");
  in.tagging_directive = "REPLACE";
  EXPECT_EQ(asks_of_copy_object(*s3, context, in)->size(), 2U);
}

}  // namespace
}  // namespace wolke::s3
