#include "wolke/services/s3/acl.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/metadata.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/ops.h"
#include "wolke/services/s3/policy.h"

namespace wolke::s3 {
namespace {

/// Reads the bucket, lets `change` edit it, writes it.
template <class Op, class Change>
Answer<Op> edit_bucket(Tx& tx, const In<Op>& in, Change change) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(change(bucket));
  tx.put(bucket_key(bucket.name), bucket);
  return typename Op::Output{};
}

}  // namespace

Answer<op::GetBucketPolicy> get_bucket_policy(S3&, Tx& tx, const Context&,
                                              const In<op::GetBucketPolicy>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  if (!bucket.policy) {
    return fail(
        not_configured("NoSuchBucketPolicy", "The bucket policy does not exist", bucket.name));
  }
  op::GetBucketPolicy::Output out;
  out.policy = *bucket.policy;
  return out;
}

Answer<op::PutBucketPolicy> put_bucket_policy(S3&, Tx& tx, const Context&,
                                              const In<op::PutBucketPolicy>& in) {
  return edit_bucket<op::PutBucketPolicy>(tx, in, [&](Bucket& bucket) -> Result<void> {
    TRY(check_policy(*in.policy, bucket.name));
    if (bucket.public_access && bucket.public_access->block_public_policy &&
        is_public_policy(*in.policy)) {
      return fail(access_denied());
    }
    bucket.policy = *in.policy;
    return {};
  });
}

Answer<op::DeleteBucketPolicy> delete_bucket_policy(S3&, Tx& tx, const Context&,
                                                    const In<op::DeleteBucketPolicy>& in) {
  return edit_bucket<op::DeleteBucketPolicy>(tx, in, [](Bucket& bucket) -> Result<void> {
    bucket.policy.reset();
    return {};
  });
}

Answer<op::GetBucketPolicyStatus> get_bucket_policy_status(
    S3&, Tx& tx, const Context&, const In<op::GetBucketPolicyStatus>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  if (!bucket.policy) {
    return fail(
        not_configured("NoSuchBucketPolicy", "The bucket policy does not exist", bucket.name));
  }
  op::GetBucketPolicyStatus::Output out;
  out.policy_status.emplace().is_public = is_public_policy(*bucket.policy);
  return out;
}

Answer<op::GetBucketTagging> get_bucket_tagging(S3&, Tx& tx, const Context&,
                                                const In<op::GetBucketTagging>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  if (bucket.tags.empty()) {
    return fail(not_configured("NoSuchTagSet", "The TagSet does not exist", bucket.name));
  }
  op::GetBucketTagging::Output out;
  out.tag_set = tag_set_of<model::s3::Tag>(bucket.tags);
  return out;
}

Answer<op::PutBucketTagging> put_bucket_tagging(S3&, Tx& tx, const Context&,
                                                const In<op::PutBucketTagging>& in) {
  return edit_bucket<op::PutBucketTagging>(tx, in, [&](Bucket& bucket) -> Result<void> {
    TRY(bucket.tags, tags_of(in.tagging->tag_set, bucket_tags_max));
    return {};
  });
}

Answer<op::DeleteBucketTagging> delete_bucket_tagging(S3&, Tx& tx, const Context&,
                                                      const In<op::DeleteBucketTagging>& in) {
  return edit_bucket<op::DeleteBucketTagging>(tx, in, [](Bucket& bucket) -> Result<void> {
    bucket.tags.clear();
    return {};
  });
}

Answer<op::GetPublicAccessBlock> get_public_access_block(S3&, Tx& tx, const Context&,
                                                         const In<op::GetPublicAccessBlock>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  if (!bucket.public_access) {
    return fail(not_configured("NoSuchPublicAccessBlockConfiguration",
                               "The public access block configuration was not found", bucket.name));
  }
  op::GetPublicAccessBlock::Output out;
  auto& told = out.public_access_block_configuration.emplace();
  told.block_public_acls = bucket.public_access->block_public_acls;
  told.ignore_public_acls = bucket.public_access->ignore_public_acls;
  told.block_public_policy = bucket.public_access->block_public_policy;
  told.restrict_public_buckets = bucket.public_access->restrict_public_buckets;
  return out;
}

Answer<op::PutPublicAccessBlock> put_public_access_block(S3&, Tx& tx, const Context&,
                                                         const In<op::PutPublicAccessBlock>& in) {
  return edit_bucket<op::PutPublicAccessBlock>(tx, in, [&](Bucket& bucket) -> Result<void> {
    const auto& asked = *in.public_access_block_configuration;
    PublicAccess& set = bucket.public_access.emplace();
    set.block_public_acls = asked.block_public_acls.value_or(false);
    set.ignore_public_acls = asked.ignore_public_acls.value_or(false);
    set.block_public_policy = asked.block_public_policy.value_or(false);
    set.restrict_public_buckets = asked.restrict_public_buckets.value_or(false);
    return {};
  });
}

Answer<op::DeletePublicAccessBlock> delete_public_access_block(
    S3&, Tx& tx, const Context&, const In<op::DeletePublicAccessBlock>& in) {
  return edit_bucket<op::DeletePublicAccessBlock>(tx, in, [](Bucket& bucket) -> Result<void> {
    bucket.public_access.reset();
    return {};
  });
}

Answer<op::GetBucketOwnershipControls> get_bucket_ownership_controls(
    S3&, Tx& tx, const Context&, const In<op::GetBucketOwnershipControls>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  if (bucket.object_ownership == ownership::none) {
    return fail(not_configured("OwnershipControlsNotFoundError",
                               "The bucket ownership controls were not found", bucket.name));
  }
  op::GetBucketOwnershipControls::Output out;
  auto& rule = out.ownership_controls.emplace().rules.emplace().emplace_back();
  rule.object_ownership =
      bucket.object_ownership.empty() ? ownership::enforced : bucket.object_ownership;
  return out;
}

Answer<op::PutBucketOwnershipControls> put_bucket_ownership_controls(
    S3&, Tx& tx, const Context&, const In<op::PutBucketOwnershipControls>& in) {
  return edit_bucket<op::PutBucketOwnershipControls>(tx, in, [&](Bucket& bucket) -> Result<void> {
    const auto& rules = in.ownership_controls->rules;
    if (!rules || rules->size() != 1 || !rules->front().object_ownership)
      return fail(malformed_xml());
    const std::string& wanted = *rules->front().object_ownership;
    TRY(check_ownership(wanted));
    if (wanted == ownership::enforced && is_shared(bucket.acl, bucket.account)) {
      return fail(acl_with_ownership());
    }
    bucket.object_ownership = wanted;
    return {};
  });
}

Answer<op::DeleteBucketOwnershipControls> delete_bucket_ownership_controls(
    S3&, Tx& tx, const Context&, const In<op::DeleteBucketOwnershipControls>& in) {
  return edit_bucket<op::DeleteBucketOwnershipControls>(tx, in, [](Bucket& bucket) -> Result<void> {
    bucket.object_ownership = ownership::none;
    return {};
  });
}

}  // namespace wolke::s3
