// Access control lists by the operations, and whom they let in by the policy engine: what an ask
// says is judged here as the gate judges it.
#include "wolke/services/s3/acl.h"

#include "wolke/identity/evaluation.h"
#include "wolke/services/s3/grants.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/s3_for_test.h"
#include "wolke/services/s3/upload_asks.h"

namespace wolke::s3 {
namespace {

const std::string owner_account = "111122223333";
const std::string other_account = "444455556666";

identity::Principal root_of(const std::string& account) {
  identity::Principal principal;
  principal.kind = identity::PrincipalKind::root;
  principal.account = account;
  principal.arn = "arn:aws:iam::" + account + ":root";
  principal.unique_id = account;
  return principal;
}

identity::NamedPolicy compiled(const std::string& document) {
  auto policy = identity::Policy::parse(document, identity::PolicyKind::resource);
  return {"test", policy ? *policy : nullptr};
}

/// Judges as the gate does: the bucket's policy, the list, and no policies of the caller's own.
class Judge : public identity::Authorizer {
 public:
  explicit Judge(store::Store& store) : store_(store) {}
  identity::Decision decide(const identity::Ask& ask) const override {
    auto snapshot = store_.snapshot();
    auto document = policy_of_arn(**snapshot, ask.resource);
    ASSERT(document.has_value());
    const identity::NamedPolicy policy = compiled(document->value_or(""));
    const identity::NamedPolicy grants = compiled(ask.grants);
    const bool anonymous = principal_.kind == identity::PrincipalKind::anonymous;
    return identity::evaluate(principal_, {}, *document ? &policy : nullptr, ask,
                              {{"aws:principaltype", {anonymous ? "Anonymous" : "Account"}}},
                              ask.grants.empty() ? nullptr : &grants);
  }
  const identity::Principal& principal() const override { return principal_; }
  identity::Principal principal_;

 private:
  store::Store& store_;
};

class AclTest : public S3Test {
 protected:
  AclTest() {
    context.authorizer = &judge;
    s3->new_buckets = NewBuckets::classic;
    as(owner_account);
    make_bucket("photos");
  }
  void as(const std::string& account) { judge.principal_ = root_of(account); }
  void as_nobody() { judge.principal_ = identity::Principal{}; }

  bool allowed(const Result<Asks>& asks) {
    if (!asks) return false;
    for (const identity::Ask& ask : *asks) {
      if (!judge.allows(ask)) return false;
    }
    return true;
  }
  /// As the gate and then the operation.
  bool may_get(const std::string& key) {
    In<op::GetObject> in;
    in.bucket = "photos";
    in.key = key;
    return allowed(asks_of_object<"s3:GetObject", "s3:GetObjectVersion", In<op::GetObject>>(
               *s3, context, in)) &&
           run(get_object, in).has_value();
  }
  bool may_put(const std::string& key, const std::string& acl = "") {
    In<op::PutObject> in = put_input(key, "bytes");
    if (!acl.empty()) in.acl = acl;
    return allowed(asks_of_put_object(*s3, context, in)) && run(put_object, in).has_value();
  }
  bool may_list() {
    In<op::ListObjectsV2> in;
    in.bucket = "photos";
    return allowed(asks_of_list_objects_v2(*s3, context, in));
  }
  bool may_delete(const std::string& key) {
    In<op::DeleteObject> in;
    in.bucket = "photos";
    in.key = key;
    return allowed(
        asks_of_object<"s3:DeleteObject", "s3:DeleteObjectVersion", In<op::DeleteObject>>(
            *s3, context, in));
  }
  bool may_read_list_of(const std::string& key) {
    return allowed(ask_object(*s3, context, "s3:GetObjectAcl", "photos", key, std::nullopt));
  }
  Answer<op::PutBucketAcl> set_bucket_acl(const std::string& acl) {
    In<op::PutBucketAcl> in;
    in.bucket = "photos";
    in.acl = acl;
    return run(put_bucket_acl, in);
  }
  Answer<op::PutObjectAcl> set_object_acl(const std::string& key, const std::string& acl) {
    In<op::PutObjectAcl> in;
    in.bucket = "photos";
    in.key = key;
    in.acl = acl;
    return run(put_object_acl, in);
  }
  void set_ownership(const std::string& setting) {
    In<op::PutBucketOwnershipControls> in;
    in.bucket = "photos";
    in.ownership_controls.emplace().rules.emplace().emplace_back().object_ownership = setting;
    ASSERT_TRUE(run(put_bucket_ownership_controls, in));
  }
  void block(bool PublicAccess::* setting) {
    In<op::PutPublicAccessBlock> in;
    in.bucket = "photos";
    PublicAccess access;
    access.*setting = true;
    auto& told = in.public_access_block_configuration.emplace();
    told.block_public_acls = access.block_public_acls;
    told.ignore_public_acls = access.ignore_public_acls;
    told.restrict_public_buckets = access.restrict_public_buckets;
    ASSERT_TRUE(run(put_public_access_block, in));
  }
  void set_policy(const std::string& statements) {
    In<op::PutBucketPolicy> in;
    in.bucket = "photos";
    in.policy = R"({"Version":"2012-10-17","Statement":[)" + statements + "]}";
    ASSERT_TRUE(run(put_bucket_policy, in));
  }
  Answer<op::GetObjectAcl> list_of(const std::string& key) {
    In<op::GetObjectAcl> in;
    in.bucket = "photos";
    in.key = key;
    return run(get_object_acl, in);
  }

  Judge judge{*store};
};

constexpr const char* deny_reads =
    R"({"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"})";
constexpr const char* allow_everything =
    R"({"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::photos","arn:aws:s3:::photos/*"]})";

TEST_F(AclTest, APublicObjectIsReadByEverybodyAndAPrivateOneByNobodyElse) {
  ASSERT_TRUE(may_put("open", "public-read"));
  ASSERT_TRUE(may_put("shut"));
  as(other_account);
  EXPECT_TRUE(may_get("open"));
  EXPECT_FALSE(may_get("shut"));
  EXPECT_FALSE(may_put("open"));
  EXPECT_FALSE(may_list());
  EXPECT_FALSE(may_read_list_of("open"));
  as_nobody();
  EXPECT_TRUE(may_get("open"));
  EXPECT_FALSE(may_get("shut"));
}

TEST_F(AclTest, AuthenticatedUsersAreNotThoseWhoDoNotSign) {
  ASSERT_TRUE(may_put("k", "authenticated-read"));
  as(other_account);
  EXPECT_TRUE(may_get("k"));
  as_nobody();
  EXPECT_FALSE(may_get("k"));
}

TEST_F(AclTest, ADenyOfTheBucketsPolicyClosesWhatAListOpens) {
  ASSERT_TRUE(may_put("k", "public-read"));
  set_policy(deny_reads);
  as(other_account);
  EXPECT_FALSE(may_get("k"));
  as_nobody();
  EXPECT_FALSE(may_get("k"));
}

TEST_F(AclTest, IgnoredPublicListsOpenNothing) {
  ASSERT_TRUE(may_put("k", "public-read"));
  ASSERT_TRUE(set_bucket_acl("public-read-write"));
  as_nobody();
  EXPECT_TRUE(may_get("k"));
  EXPECT_TRUE(may_list());
  as(owner_account);
  block(&PublicAccess::ignore_public_acls);
  as_nobody();
  EXPECT_FALSE(may_get("k"));
  EXPECT_FALSE(may_list());
  EXPECT_FALSE(may_put("new"));
}

TEST_F(AclTest, BlockedPublicListsAreRefusedWhereverTheyAreAskedFor) {
  ASSERT_TRUE(may_put("k"));
  block(&PublicAccess::block_public_acls);
  EXPECT_ERROR(set_bucket_acl("public-read"), "AccessDenied");
  EXPECT_ERROR(set_object_acl("k", "authenticated-read"), "AccessDenied");
  EXPECT_FALSE(may_put("new", "public-read"));
  In<op::PutObjectAcl> in;
  in.bucket = "photos";
  in.key = "k";
  in.grant_read = "uri=\"" + std::string(group::all_users) + "\"";
  EXPECT_ERROR(run(put_object_acl, in), "AccessDenied");
  EXPECT_TRUE(set_object_acl("k", "private"));
}

TEST_F(AclTest, ARestrictedPublicPolicyKeepsItsDenials) {
  ASSERT_TRUE(may_put("k", "public-read"));
  set_policy(std::string(allow_everything) + "," + deny_reads);
  block(&PublicAccess::restrict_public_buckets);
  as(other_account);
  EXPECT_FALSE(may_get("k"));
  EXPECT_FALSE(may_list());
}

TEST_F(AclTest, EnforcedOwnershipTakesAllListsOutOfForceAndKeepsThem) {
  ASSERT_TRUE(may_put("k", "public-read"));
  set_ownership("BucketOwnerEnforced");
  as(other_account);
  EXPECT_FALSE(may_get("k"));
  as(owner_account);
  EXPECT_EQ(list_of("k")->grants->size(), 1U);
  EXPECT_ERROR(set_object_acl("k", "private"), "AccessControlListNotSupported");
  EXPECT_ERROR(set_bucket_acl("private"), "AccessControlListNotSupported");
  EXPECT_FALSE(may_put("n", "public-read"));
  EXPECT_TRUE(may_put("n", "private"));
  EXPECT_TRUE(may_put("n", "bucket-owner-full-control"));
  set_policy(allow_everything);
  as(other_account);
  EXPECT_FALSE(may_put("n", "private")) << "it would be private to another";
  EXPECT_TRUE(may_put("n", "bucket-owner-full-control"));
  as(owner_account);
  set_ownership("ObjectWriter");
  EXPECT_EQ(list_of("k")->grants->size(), 2U);
}

TEST_F(AclTest, OwnershipIsNotEnforcedWhileTheBucketsListSharesIt) {
  ASSERT_TRUE(set_bucket_acl("public-read"));
  In<op::PutBucketOwnershipControls> in;
  in.bucket = "photos";
  in.ownership_controls.emplace().rules.emplace().emplace_back().object_ownership =
      "BucketOwnerEnforced";
  EXPECT_ERROR(run(put_bucket_ownership_controls, in), "InvalidBucketAclWithObjectOwnership");
}

TEST_F(AclTest, WhoPutsAnObjectOwnsItAndTheBucketsOwnerMayNotReadIt) {
  ASSERT_TRUE(set_bucket_acl("public-read-write"));
  as(other_account);
  ASSERT_TRUE(may_put("theirs"));
  ASSERT_TRUE(may_put("shared", "bucket-owner-full-control"));
  EXPECT_EQ(list_of("theirs")->owner->id, canonical_id(other_account));
  as(owner_account);
  EXPECT_FALSE(may_get("theirs"));
  EXPECT_TRUE(may_get("shared"));
  EXPECT_TRUE(may_delete("theirs"));
  set_policy(allow_everything);
  EXPECT_FALSE(may_get("theirs")) << "a policy allows nothing on what its account does not own";
  as(other_account);
  EXPECT_TRUE(may_get("theirs"));
}

TEST_F(AclTest, PreferredOwnershipTakesWhatIsGivenToTheBucketsOwner) {
  ASSERT_TRUE(set_bucket_acl("public-read-write"));
  set_ownership("BucketOwnerPreferred");
  as(other_account);
  ASSERT_TRUE(may_put("kept"));
  as(owner_account);
  EXPECT_FALSE(may_get("kept"));
  set_policy(allow_everything);
  as(other_account);
  ASSERT_TRUE(may_put("given", "bucket-owner-full-control"));
  as(owner_account);
  EXPECT_EQ(list_of("given")->owner->id, canonical_id(owner_account));
  EXPECT_TRUE(may_get("given"));
}

TEST_F(AclTest, WritersMayDeleteWhatIsTheirsAndNothingElse) {
  ASSERT_TRUE(may_put("mine"));
  ASSERT_TRUE(set_bucket_acl("public-read-write"));
  as(other_account);
  ASSERT_TRUE(may_put("theirs"));
  EXPECT_TRUE(may_delete("theirs"));
  EXPECT_FALSE(may_delete("mine"));
  as_nobody();
  EXPECT_TRUE(may_put("nobodys"));
  EXPECT_FALSE(may_delete("theirs"));
}

TEST_F(AclTest, WhoBeganAnUploadMayEndItAndNobodyElseButTheOwner) {
  ASSERT_TRUE(set_bucket_acl("public-read-write"));
  as(other_account);
  In<op::CreateMultipartUpload> in;
  in.bucket = "photos";
  in.key = "k";
  ASSERT_TRUE(allowed(asks_of_create_upload(*s3, context, in)));
  std::string id = *run(create_multipart_upload, in)->upload_id;
  auto may_abort = [&] {
    return allowed(ask_upload(*s3, context, "s3:AbortMultipartUpload", "photos", "k", id));
  };
  EXPECT_TRUE(may_abort());
  as("777788889999");
  EXPECT_FALSE(may_abort());
  as_nobody();
  EXPECT_FALSE(may_abort());
  as(owner_account);
  EXPECT_TRUE(may_abort());
}

TEST_F(AclTest, WhatTheGateSawIsJudgedAgainByWhatIsThere) {
  ASSERT_TRUE(set_bucket_acl("public-read"));
  In<op::GetObject> in;
  in.bucket = "photos";
  in.key = "k";
  as_nobody();
  // The gate lets a lister ask for what is not there; meanwhile it comes to be, and is private.
  EXPECT_TRUE(allowed(
      asks_of_object<"s3:GetObject", "s3:GetObjectVersion", In<op::GetObject>>(*s3, context, in)));
  EXPECT_ERROR(run(get_object, in), "NoSuchKey");
  as(owner_account);
  ASSERT_TRUE(may_put("k"));
  as_nobody();
  EXPECT_ERROR(run(get_object, in), "AccessDenied");
}

TEST_F(AclTest, EachPermissionGrantsItsActionsAndNoOther) {
  ASSERT_TRUE(may_put("k"));
  const std::map<std::string, std::string> bucket_action = {{"READ", "s3:ListBucket"},
                                                            {"WRITE", "s3:PutObject"},
                                                            {"READ_ACP", "s3:GetBucketAcl"},
                                                            {"WRITE_ACP", "s3:PutBucketAcl"}};
  for (const auto& [granted, unused] : bucket_action) {
    In<op::PutBucketAcl> in;
    in.bucket = "photos";
    auto& policy = in.access_control_policy.emplace();
    policy.owner.emplace().id = canonical_id(owner_account);
    auto& grant = policy.grants.emplace().emplace_back();
    grant.permission = granted;
    grant.grantee.emplace().id = canonical_id(other_account);
    grant.grantee->type = "CanonicalUser";
    as(owner_account);
    ASSERT_TRUE(run(put_bucket_acl, in));
    as(other_account);
    for (const auto& [permission, action] : bucket_action) {
      bool may = action == "s3:PutObject" ? allowed(ask_key(*s3, action, "photos", "n"))
                                          : allowed(ask_bucket(*s3, action, "photos"));
      EXPECT_EQ(may, permission == granted) << granted << " " << action;
    }
    EXPECT_FALSE(allowed(ask_bucket(*s3, "s3:DeleteBucket", "photos")));
    EXPECT_FALSE(allowed(ask_bucket(*s3, "s3:PutBucketPolicy", "photos")));
    EXPECT_FALSE(may_get("k"));
  }
}

TEST_F(AclTest, ListsAreToldAsTheyWereGivenGroupsFirst) {
  In<op::PutObject> in = put_input("k", "bytes");
  in.grant_full_control = "id=" + canonical_id(other_account);
  in.grant_read =
      "id=\"" + canonical_id(owner_account) + "\", uri=\"" + std::string(group::all_users) + "\"";
  ASSERT_TRUE(run(put_object, in));
  Answer<op::GetObjectAcl> told = list_of("k");
  ASSERT_TRUE(told);
  EXPECT_EQ(told->owner->id, canonical_id(owner_account));
  ASSERT_EQ(told->grants->size(), 3U);
  EXPECT_EQ(told->grants->at(0).grantee->uri, group::all_users);
  EXPECT_EQ(told->grants->at(0).grantee->type, "Group");
  EXPECT_EQ(told->grants->at(1).permission, "READ");
  EXPECT_EQ(told->grants->at(2).grantee->id, canonical_id(other_account));
  EXPECT_EQ(told->grants->at(2).permission, "FULL_CONTROL");
}

TEST_F(AclTest, WhatIsNoListIsRefusedByName) {
  ASSERT_TRUE(may_put("k"));
  In<op::PutObjectAcl> in;
  in.bucket = "photos";
  in.key = "k";
  EXPECT_ERROR(run(put_object_acl, in), "MissingSecurityHeader");
  in.acl = "open-to-all";
  EXPECT_ERROR(run(put_object_acl, in), "InvalidArgument");
  in.acl = "private";
  in.grant_read = "id=" + canonical_id(other_account);
  EXPECT_ERROR(run(put_object_acl, in), "InvalidRequest");
  in.acl.reset();
  in.grant_read = "emailAddress=ada@example.com";
  EXPECT_ERROR(run(put_object_acl, in), "UnresolvableGrantByEmailAddress");
  in.grant_read = "id=" + std::string(64, 'a');
  EXPECT_ERROR(run(put_object_acl, in), "InvalidArgument");
  in.grant_read = "uri=http://example.com/everybody";
  EXPECT_ERROR(run(put_object_acl, in), "InvalidArgument");
  in.grant_read.reset();
  auto& policy = in.access_control_policy.emplace();
  EXPECT_ERROR(run(put_object_acl, in), "MalformedACLError");
  policy.owner.emplace().id = canonical_id(other_account);
  EXPECT_ERROR(run(put_object_acl, in), "AccessDenied");
}

TEST_F(AclTest, ANewClosedBucketHasNoListsAndAllPublicAccessBlocked) {
  s3->new_buckets = NewBuckets::closed;
  make_bucket("closed");
  In<op::GetPublicAccessBlock> in;
  in.bucket = "closed";
  EXPECT_EQ(run(get_public_access_block, in)->public_access_block_configuration->block_public_acls,
            true);
  In<op::CreateBucket> other;
  other.bucket = "other";
  other.acl = "public-read";
  EXPECT_ERROR(run(create_bucket, other), "InvalidBucketAclWithObjectOwnership");
  other.object_ownership = "ObjectWriter";
  EXPECT_ERROR(run(create_bucket, other), "InvalidBucketAclWithBlockPublicAccessError");
  other.acl = "private";
  EXPECT_TRUE(run(create_bucket, other));
}

TEST_F(AclTest, NobodyMayGiveAListToWhatHeMayWriteByTheBucketsList) {
  as_nobody();
  EXPECT_FALSE(may_put("k", "public-read"));
  as(owner_account);
  ASSERT_TRUE(set_bucket_acl("public-read-write"));
  as_nobody();
  EXPECT_TRUE(may_put("k", "public-read"));
}

TEST_F(AclTest, WhoSetsAListWithAnObjectNeedsTheRightTo) {
  In<op::PutObject> in = put_input("k", "bytes");
  in.acl = "public-read";
  Result<Asks> asks = asks_of_put_object(*s3, context, in);
  ASSERT_EQ(asks->size(), 2U);
  EXPECT_EQ(asks->at(1).action, "s3:PutObjectAcl");
  EXPECT_EQ(asks->at(1).conditions.at("s3:x-amz-acl").at(0), "public-read");
}

}  // namespace
}  // namespace wolke::s3
