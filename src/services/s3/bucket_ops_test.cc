#include "wolke/services/s3/s3_for_test.h"

namespace wolke::s3 {
namespace {

class BucketTest : public S3Test {
 protected:
  Answer<op::CreateBucket> create(const std::string& name,
                                  std::optional<std::string> region = std::nullopt) {
    In<op::CreateBucket> in;
    in.bucket = name;
    if (region) in.create_bucket_configuration.emplace().location_constraint = region;
    return run(create_bucket, in);
  }
  template <class Op, class Out>
  Answer<Op> on(const std::string& bucket,
                Result<Out> (*operation)(S3&, Tx&, const Context&, const In<Op>&)) {
    In<Op> in;
    in.bucket = bucket;
    return run(operation, in);
  }
  std::vector<std::string> names() {
    std::vector<std::string> all;
    auto listed = run(list_buckets, In<op::ListBuckets>{});
    for (const auto& bucket : *listed->buckets) all.push_back(*bucket.name);
    return all;
  }
};

TEST_F(BucketTest, CreatedBucketsAreListedByNameForTheirOwner) {
  ASSERT_TRUE(create("photos"));
  ASSERT_TRUE(create("another"));
  EXPECT_EQ(names(), (std::vector<std::string>{"another", "photos"}));
  authorizer.principal_.account = "999900001111";
  EXPECT_TRUE(names().empty());
}

TEST_F(BucketTest, NameTakenByAnotherAccountIsNotAvailable) {
  ASSERT_TRUE(create("photos"));
  authorizer.principal_.account = "999900001111";
  EXPECT_ERROR(create("photos"), "BucketAlreadyExists");
}

TEST_F(BucketTest, CreatingOnesOwnAgainIsAnErrorExceptInTheClassicRegion) {
  ASSERT_TRUE(create("classic"));
  EXPECT_TRUE(create("classic"));
  ASSERT_TRUE(create("home", "eu-west-1"));
  EXPECT_ERROR(create("home", "eu-west-1"), "BucketAlreadyOwnedByYou");
}

TEST_F(BucketTest, LocationIsToldButForTheClassicRegion) {
  ASSERT_TRUE(create("classic"));
  ASSERT_TRUE(create("home", "eu-west-1"));
  EXPECT_FALSE((on<op::GetBucketLocation>("classic", get_bucket_location))->location_constraint);
  EXPECT_EQ((on<op::GetBucketLocation>("home", get_bucket_location))->location_constraint,
            "eu-west-1");
  EXPECT_EQ((on<op::HeadBucket>("home", head_bucket))->bucket_region, "eu-west-1");
}

TEST_F(BucketTest, RegionsMustLookLikeRegions) {
  EXPECT_ERROR(create("abc", "nowhere"), "InvalidLocationConstraint");
  context.region = "eu-west-1";
  EXPECT_ERROR(create("abc", "eu-central-1"), "IllegalLocationConstraintException");
}

TEST_F(BucketTest, OnlyAnEmptyBucketIsDeleted) {
  make_bucket("photos");
  ASSERT_TRUE(put("a"));
  EXPECT_ERROR((on<op::DeleteBucket>("photos", delete_bucket)), "BucketNotEmpty");
  In<op::DeleteObject> in;
  in.bucket = "photos";
  in.key = "a";
  ASSERT_TRUE(run(delete_object, in));
  ASSERT_TRUE((on<op::DeleteBucket>("photos", delete_bucket)));
  EXPECT_ERROR((on<op::HeadBucket>("photos", head_bucket)), "NoSuchBucket");
  EXPECT_TRUE(records_with("photos").empty());
}

TEST_F(BucketTest, DeletingABucketEndsItsUploads) {
  make_bucket("photos");
  In<op::CreateMultipartUpload> in;
  in.bucket = "photos";
  in.key = "big";
  auto upload = run(create_multipart_upload, in);
  In<op::UploadPart> part;
  part.bucket = "photos";
  part.key = "big";
  part.upload_id = *upload->upload_id;
  part.part_number = 1;
  part.body = blob_body(std::string(100'000, 'x'));
  ASSERT_TRUE(run(upload_part, part));
  ASSERT_TRUE((on<op::DeleteBucket>("photos", delete_bucket)));
  EXPECT_TRUE(records_with("photos").empty());  // the blob's reference too
}

TEST_F(BucketTest, TooManyBucketsAreRefused) {
  s3->limits.buckets = 2;
  ASSERT_TRUE(create("one"));
  ASSERT_TRUE(create("two"));
  EXPECT_ERROR(create("three"), "TooManyBuckets");
}

TEST_F(BucketTest, ListIsPaged) {
  for (const char* name : {"aaa", "bbb", "ccc"}) ASSERT_TRUE(create(name));
  In<op::ListBuckets> in;
  in.max_buckets = 2;
  auto first = run(list_buckets, in);
  EXPECT_EQ(first->buckets->size(), 2U);
  in.continuation_token = first->continuation_token;
  auto second = run(list_buckets, in);
  EXPECT_EQ(*second->buckets->front().name, "ccc");
  EXPECT_FALSE(second->continuation_token);
}

TEST_F(BucketTest, ExpectedOwnerMustBeTheOwner) {
  make_bucket("photos");
  In<op::HeadBucket> in;
  in.bucket = "photos";
  in.expected_bucket_owner = "999900001111";
  EXPECT_ERROR(run(head_bucket, in), "AccessDenied");
}

TEST_F(BucketTest, PolicyIsCheckedKeptAndReadByTheGate) {
  make_bucket("photos");
  const std::string policy =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",)"
      R"("Resource":"arn:aws:s3:::photos/*"}]})";
  In<op::PutBucketPolicy> in;
  in.bucket = "photos";
  in.policy = policy;
  ASSERT_TRUE((on<op::DeletePublicAccessBlock>("photos", delete_public_access_block)));
  ASSERT_TRUE(run(put_bucket_policy, in));
  EXPECT_EQ((on<op::GetBucketPolicy>("photos", get_bucket_policy))->policy, policy);
  EXPECT_EQ(
      (on<op::GetBucketPolicyStatus>("photos", get_bucket_policy_status))->policy_status->is_public,
      true);
  auto snapshot = store->snapshot();
  EXPECT_EQ(*policy_of_arn(**snapshot, "arn:aws:s3:::photos/any/key"), policy);
  EXPECT_EQ(*policy_of_arn(**snapshot, "arn:aws:s3:::other"), std::nullopt);
  EXPECT_EQ(*bucket_owner(**snapshot, "photos"), "111122223333");
}

TEST_F(BucketTest, PolicyOfAnotherBucketIsMalformed) {
  make_bucket("photos");
  In<op::PutBucketPolicy> in;
  in.bucket = "photos";
  for (
      const char* policy :
      {"{", "[]", R"({"Statement":[]})",
       R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::others/*"}})",
       R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"arn:aws:s3:::photos"}})",
       R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::photos"}})"}) {
    in.policy = policy;
    EXPECT_ERROR(run(put_bucket_policy, in), "MalformedPolicy");
  }
}

TEST_F(BucketTest, BlockedPublicPolicyIsRefusedAndARestrictedOneHasNoEffect) {
  make_bucket("photos");
  In<op::PutBucketPolicy> policy;
  policy.bucket = "photos";
  policy.policy =
      R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}})";
  EXPECT_ERROR(run(put_bucket_policy, policy), "AccessDenied");
  In<op::PutPublicAccessBlock> block;
  block.bucket = "photos";
  block.public_access_block_configuration.emplace();
  ASSERT_TRUE(run(put_public_access_block, block));
  ASSERT_TRUE(run(put_bucket_policy, policy));
  block.public_access_block_configuration.emplace().restrict_public_buckets = true;
  block.public_access_block_configuration->block_public_policy = true;
  ASSERT_TRUE(run(put_public_access_block, block));
  auto snapshot = store->snapshot();
  EXPECT_EQ(*bucket_policy(**snapshot, "photos"), std::nullopt);
  EXPECT_ERROR(run(put_bucket_policy, policy), "AccessDenied");
}

TEST_F(BucketTest, SettingsThatAreNotThereHaveTheirOwnErrors) {
  make_bucket("photos");
  EXPECT_ERROR((on<op::GetBucketPolicy>("photos", get_bucket_policy)), "NoSuchBucketPolicy");
  EXPECT_ERROR((on<op::GetBucketTagging>("photos", get_bucket_tagging)), "NoSuchTagSet");
  EXPECT_ERROR((on<op::GetBucketCors>("photos", get_bucket_cors)), "NoSuchCORSConfiguration");
  EXPECT_ERROR((on<op::GetBucketLifecycleConfiguration>("photos", get_bucket_lifecycle)),
               "NoSuchLifecycleConfiguration");
  EXPECT_ERROR((on<op::GetBucketWebsite>("photos", get_bucket_website)),
               "NoSuchWebsiteConfiguration");
  EXPECT_ERROR((on<op::GetBucketReplication>("photos", get_bucket_replication)),
               "ReplicationConfigurationNotFoundError");
  EXPECT_ERROR((on<op::GetObjectLockConfiguration>("photos", get_object_lock_configuration)),
               "ObjectLockConfigurationNotFoundError");
  ASSERT_TRUE((on<op::DeletePublicAccessBlock>("photos", delete_public_access_block)));
  EXPECT_ERROR((on<op::GetPublicAccessBlock>("photos", get_public_access_block)),
               "NoSuchPublicAccessBlockConfiguration");
  EXPECT_FALSE((on<op::GetBucketVersioning>("photos", get_bucket_versioning))->status);
}

TEST_F(BucketTest, AsksNameTheActionTheArnAndTheOwner) {
  make_bucket("photos");
  authorizer.principal_.account = "999900001111";
  In<op::ListObjectsV2> in;
  in.bucket = "photos";
  in.prefix = "2026/";
  in.max_keys = 7;
  Result<Asks> asks = asks_of_list_objects_v2(*s3, context, in);
  ASSERT_EQ(asks->size(), 1U);
  EXPECT_EQ(asks->front().action, "s3:ListBucket");
  EXPECT_EQ(asks->front().resource, "arn:aws:s3:::photos");
  EXPECT_EQ(asks->front().resource_account, "111122223333");
  EXPECT_EQ(asks->front().conditions.at("s3:prefix"), std::vector<std::string>{"2026/"});
  EXPECT_EQ(asks->front().conditions.at("s3:max-keys"), std::vector<std::string>{"7"});
  in.bucket = "missing";
  EXPECT_ERROR(asks_of_list_objects_v2(*s3, context, in), "NoSuchBucket");
}

TEST_F(BucketTest, EveryRowHasItsOperationAndAsks) {
  operation::ServiceTable table = s3_table(s3.get());
  std::set<const shape::Operation*> seen;
  for (const operation::Row& row : table.rows) {
    EXPECT_TRUE(row.asks != nullptr) << row.operation->name;
    EXPECT_TRUE((row.run != nullptr) != (row.run_task != nullptr)) << row.operation->name;
    EXPECT_TRUE(seen.insert(row.operation).second) << row.operation->name;
    EXPECT_TRUE(row.operation->served()) << row.operation->name;
  }
}

}  // namespace
}  // namespace wolke::s3
