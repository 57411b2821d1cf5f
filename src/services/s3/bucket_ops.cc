#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/services/s3/acl.h"
#include "wolke/services/s3/configuration.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/metadata.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/objects.h"
#include "wolke/services/s3/ops.h"

namespace wolke::s3 {
namespace {

constexpr std::string_view classic_region = "us-east-1";
constexpr std::size_t uploads_deleted_max = 100;  // with a bucket, in one transaction

bool looks_like_region(std::string_view name) {
  return name.size() >= 9 && name.size() <= 20 && name.back() >= '0' && name.back() <= '9' &&
         std::ranges::count(name, '-') >= 2 && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

/// The region a new bucket lies in. The classic endpoint may create anywhere, a regional one only
/// at home.
Result<std::string> choose_region(const Context& context, const In<op::CreateBucket>& in) {
  std::optional<std::string> asked;
  if (in.create_bucket_configuration) asked = in.create_bucket_configuration->location_constraint;
  if (!asked || asked->empty()) return context.region;
  if (*asked == "EU") asked = "eu-west-1";
  if (*asked == classic_region || !looks_like_region(*asked)) {
    return fail(invalid_location_constraint(*asked));
  }
  if (context.region != classic_region && *asked != context.region) {
    return fail(illegal_location_constraint(*asked));
  }
  return *asked;
}

/// Ownership, list and public access of a new bucket: as asked, else as such buckets are made.
Result<void> set_access(const S3& s3, const In<op::CreateBucket>& in, Bucket& bucket) {
  const bool closed = s3.new_buckets == NewBuckets::closed;
  bucket.object_ownership =
      in.object_ownership.value_or(std::string(closed ? ownership::enforced : ownership::none));
  if (in.object_ownership) {
    TRY(check_ownership(*in.object_ownership));
  }
  TRY(bucket.acl,
      acl_of_headers(acl_headers(in), AclSubject::bucket, {bucket.account, bucket.account}));
  if (acls_disabled(bucket)) {
    if (is_shared(bucket.acl, bucket.account)) return fail(acl_with_ownership());
    bucket.acl.reset();
  }
  if (!closed) return {};
  if (is_public(bucket.acl)) {
    return fail(Error{"InvalidBucketAclWithBlockPublicAccessError", 400,
                      "Bucket cannot have public ACLs set with BlockPublicAccess enabled"});
  }
  PublicAccess& blocked = bucket.public_access.emplace();
  blocked.block_public_acls = true;
  blocked.ignore_public_acls = true;
  blocked.block_public_policy = true;
  blocked.restrict_public_buckets = true;
  return {};
}

/// Making a bucket again resets its list, to the one that is asked for now. Source: API reference,
/// CreateBucket, "BucketAlreadyOwnedByYou".
Result<void> reset_list(const In<op::CreateBucket>& in, Bucket& bucket) {
  if (acls_disabled(bucket)) return {};
  TRY(bucket.acl,
      acl_of_headers(acl_headers(in), AclSubject::bucket, {bucket.account, bucket.account}));
  return check_public_acl(bucket, bucket.acl);
}

Result<std::size_t> owned_buckets(Tx& tx, const std::string& account, std::size_t up_to) {
  KeyRange range = owned_range(account);
  std::size_t count = 0;
  std::string begin = range.begin;
  bool more = true;
  while (more && count < up_to) {
    TRY(store::Page page, tx.scan({.shard = range.shard, .begin = begin, .end = range.end}));
    count += page.records.size();
    more = page.more && !page.records.empty();
    if (more) begin = page.records.back().key + '\0';
  }
  return count;
}

Result<void> erase_uploads(Tx& tx, const std::string& bucket) {
  KeyRange range = uploads_range(bucket, "");
  TRY(store::Page page, tx.scan({.shard = range.shard,
                                 .begin = range.begin,
                                 .end = range.end,
                                 .records_max = uploads_deleted_max}));
  if (page.more) return fail(bucket_not_empty(bucket));
  for (const store::Record& record : page.records) {
    UploadName name = upload_name(record.key);
    TRY(erase_upload(tx, bucket, name.key, name.upload_id));
  }
  return {};
}

}  // namespace

Answer<op::CreateBucket> create_bucket(S3& s3, Tx& tx, const Context& context,
                                       const In<op::CreateBucket>& in) {
  if (!is_valid_bucket_name(*in.bucket)) return fail(invalid_bucket_name(*in.bucket));
  TRY(std::string region, choose_region(context, in));
  const std::string& account = context.principal().account;
  const std::string& name = *in.bucket;
  op::CreateBucket::Output out;
  out.location = "/" + name;

  TRY(std::optional<Bucket> existing, tx.get<Bucket>(bucket_key(name)));
  if (existing) {
    if (existing->account != account) return fail(bucket_already_exists(name));
    // In us-east-1 S3 answers success; everywhere else the error.
    if (existing->region == classic_region && region == classic_region) {
      TRY(reset_list(in, *existing));
      tx.put(bucket_key(name), *existing);
      return out;
    }
    return fail(bucket_already_owned_by_you(name));
  }
  TRY(std::size_t count, owned_buckets(tx, account, s3.limits.buckets));
  if (count >= s3.limits.buckets) return fail(too_many_buckets());

  Bucket bucket;
  bucket.name = name;
  bucket.account = account;
  bucket.created = context.now;
  bucket.region = region;
  if (in.object_lock_enabled_for_bucket.value_or(false)) {
    bucket.versioning = "Enabled";
    bucket.lock.emplace();
  }
  TRY(set_access(s3, in, bucket));
  if (in.create_bucket_configuration) {
    TRY(bucket.tags, tags_of(in.create_bucket_configuration->tags, bucket_tags_max));
  }
  tx.put(bucket_key(name), bucket);
  Owned owned;
  owned.created = bucket.created;
  owned.region = bucket.region;
  tx.put(owned_key(account, name), owned);
  return out;
}

Answer<op::HeadBucket> head_bucket(S3&, Tx& tx, const Context&, const In<op::HeadBucket>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  op::HeadBucket::Output out;
  out.bucket_region = bucket.region;
  out.access_point_alias = false;
  return out;
}

Answer<op::ListBuckets> list_buckets(S3&, Tx& tx, const Context& context,
                                     const In<op::ListBuckets>& in) {
  constexpr std::int32_t buckets_max = 10'000;
  std::int32_t wanted = in.max_buckets.value_or(buckets_max);
  if (wanted < 1 || wanted > buckets_max) {
    return fail(invalid_argument("Argument max-buckets must be an integer between 1 and 10000",
                                 "max-buckets", std::to_string(wanted)));
  }
  const std::string& account = context.principal().account;
  KeyRange range = owned_range(account);
  std::string begin = range.begin;
  if (in.continuation_token) {
    std::optional<std::string> last = from_base64(*in.continuation_token);
    if (!last) {
      return fail(invalid_argument("The continuation token provided is incorrect",
                                   "continuation-token", *in.continuation_token));
    }
    begin = owned_key(account, *last).bytes + '\0';
  }

  op::ListBuckets::Output out;
  out.owner.emplace().id = canonical_id(account);
  out.owner->display_name = account;
  out.prefix = in.prefix;
  auto& buckets = out.buckets.emplace();
  bool more = true;
  while (more) {
    TRY(store::Page page, tx.scan({.shard = range.shard, .begin = begin, .end = range.end}));
    for (const store::Record& record : page.records) {
      std::string name = last_text(record.key);
      if (in.prefix && !name.starts_with(*in.prefix)) continue;
      TRY(Owned owned, store::decode<Owned>(record.value, record.key));
      if (in.bucket_region && *in.bucket_region != owned.region) continue;
      if (buckets.size() == static_cast<std::size_t>(wanted)) {
        out.continuation_token = to_base64(*buckets.back().name);
        return out;
      }
      model::s3::Bucket bucket;
      bucket.name = name;
      bucket.creation_date = whole_seconds(owned.created);
      bucket.bucket_region = owned.region;
      buckets.push_back(std::move(bucket));
    }
    more = page.more && !page.records.empty();
    if (more) begin = page.records.back().key + '\0';
  }
  return out;
}

Answer<op::DeleteBucket> delete_bucket(S3&, Tx& tx, const Context&,
                                       const In<op::DeleteBucket>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  KeyRange objects = objects_range(bucket.name, "");
  TRY(store::Page page,
      tx.scan(
          {.shard = objects.shard, .begin = objects.begin, .end = objects.end, .records_max = 1}));
  if (!page.records.empty()) return fail(bucket_not_empty(bucket.name));
  tx.require_empty(objects.shard, objects.begin, objects.end);
  TRY(erase_uploads(tx, bucket.name));
  tx.erase(bucket_key(bucket.name));
  tx.erase(owned_key(bucket.account, bucket.name));
  tx.erase(sequence_key(bucket.name));
  erase_documents(tx, bucket.name);
  return op::DeleteBucket::Output{};
}

Answer<op::GetBucketLocation> get_bucket_location(S3&, Tx& tx, const Context&,
                                                  const In<op::GetBucketLocation>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  op::GetBucketLocation::Output out;
  // The oldest region has no name here.
  if (bucket.region != classic_region) out.location_constraint = bucket.region;
  return out;
}

}  // namespace wolke::s3
