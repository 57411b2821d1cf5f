#include "wolke/services/s3/asks.h"

#include "wolke/base/text.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/metadata.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/versions.h"

namespace wolke::s3 {
namespace {

using identity::Conditions;

void add(Conditions& conditions, std::string_view key, const std::optional<std::string>& value) {
  if (value) conditions[std::string(key)] = {*value};
}

void add_tags(Conditions& conditions, std::string_view prefix, const Tags& tags) {
  for (const auto& [key, value] : tags) conditions[to_lower(std::string(prefix) + key)] = {value};
}

/// A malformed header is told by the operation; here it just has no tags.
void add_request_tags(Conditions& conditions, const std::optional<std::string>& header) {
  Result<Tags> tags = parse_tagging_header(header);
  if (!tags || tags->empty()) return;
  add_tags(conditions, "s3:RequestObjectTag/", *tags);
  std::vector<std::string>& keys = conditions["s3:requestobjecttagkeys"];
  for (const auto& [key, value] : *tags) keys.push_back(key);
}

void add_retention(Conditions& conditions, const std::optional<std::string>& mode,
                   const std::optional<Timestamp>& until, Timestamp now) {
  add(conditions, "s3:object-lock-mode", mode);
  if (!until) return;
  conditions["s3:object-lock-retain-until-date"] = {format_iso8601(*until)};
  auto days = std::chrono::ceil<std::chrono::days>(*until - now).count();
  conditions["s3:object-lock-remaining-retention-days"] = {std::to_string(days)};
}

template <class In>
Conditions write_conditions(const Context& context, const In& in) {
  Conditions conditions;
  add_retention(conditions, in.object_lock_mode, in.object_lock_retain_until_date, context.now);
  add(conditions, "s3:object-lock-legal-hold", in.object_lock_legal_hold_status);
  add(conditions, "s3:x-amz-acl", in.acl);
  add(conditions, "s3:x-amz-grant-full-control", in.grant_full_control);
  add(conditions, "s3:x-amz-grant-read", in.grant_read);
  add(conditions, "s3:x-amz-grant-read-acp", in.grant_read_acp);
  add(conditions, "s3:x-amz-grant-write-acp", in.grant_write_acp);
  add(conditions, "s3:x-amz-storage-class", in.storage_class);
  add(conditions, "s3:x-amz-server-side-encryption", in.server_side_encryption);
  add(conditions, "s3:x-amz-server-side-encryption-aws-kms-key-id", in.ssekms_key_id);
  add(conditions, "s3:x-amz-website-redirect-location", in.website_redirect_location);
  add_request_tags(conditions, in.tagging);
  return conditions;
}

template <class In>
Conditions list_conditions(const In& in) {
  Conditions conditions;
  add(conditions, "s3:prefix", in.prefix);
  add(conditions, "s3:delimiter", in.delimiter);
  if (in.max_keys) conditions["s3:max-keys"] = {std::to_string(*in.max_keys)};
  return conditions;
}

struct Found {
  std::unique_ptr<store::Snapshot> snapshot;
  Bucket bucket;
};

Result<Found> find(S3& s3, const std::string& bucket) {
  TRY(std::unique_ptr<store::Snapshot> snapshot, s3.store.snapshot());
  Tx tx(*snapshot);
  TRY(Bucket found, require_bucket(tx, bucket));
  return Found{std::move(snapshot), std::move(found)};
}

Result<void> append(Asks& asks, Result<Asks> more) {
  if (!more) return fail(std::move(more).error());
  for (identity::Ask& ask : *more) asks.push_back(std::move(ask));
  return {};
}

template <class In>
Result<Asks> asks_of_source(S3& s3, const In& in) {
  TRY(CopySource source, parse_copy_source(*in.copy_source));
  return ask_object(s3, source.version_id ? "s3:GetObjectVersion" : "s3:GetObject", source.bucket,
                    source.key, source.version_id);
}

/// Writing an object, and what the request sets of it beside its bytes.
template <class In>
Result<Asks> ask_write(S3& s3, const In& in, const Conditions& conditions, bool tags) {
  Asks asks;
  TRY(append(asks, ask_key(s3, "s3:PutObject", *in.bucket, *in.key, conditions)));
  auto also = [&](const char* action) {
    return append(asks, ask_key(s3, action, *in.bucket, *in.key, conditions));
  };
  if (tags) {
    TRY(also("s3:PutObjectTagging"));
  }
  if (in.object_lock_mode || in.object_lock_retain_until_date) {
    TRY(also("s3:PutObjectRetention"));
  }
  if (in.object_lock_legal_hold_status) {
    TRY(also("s3:PutObjectLegalHold"));
  }
  return asks;
}

}  // namespace

Result<Asks> ask_bucket(S3& s3, std::string action, const std::string& bucket,
                        Conditions conditions) {
  TRY(Found found, find(s3, bucket));
  return Asks{{.action = std::move(action),
               .resource = bucket_arn(bucket),
               .conditions = std::move(conditions),
               .resource_account = found.bucket.account}};
}

Result<Tags> tags_of_version(Tx& tx, const std::string& bucket, const std::string& key,
                             const std::optional<std::string>& version_id) {
  Result<std::optional<Version>> version = find_version(tx, bucket, key, version_id);
  if (!version && version.error().is_server_fault()) return fail(std::move(version).error());
  if (!version || !*version) return Tags{};
  return std::move((*version)->object.tags);
}

Result<Asks> ask_key(S3& s3, std::string action, const std::string& bucket, const std::string& key,
                     Conditions conditions) {
  TRY(check_key(key));
  TRY(Found found, find(s3, bucket));
  return Asks{{.action = std::move(action),
               .resource = object_arn(bucket, key),
               .conditions = std::move(conditions),
               .resource_account = found.bucket.account}};
}

Result<Asks> ask_object(S3& s3, std::string action, const std::string& bucket,
                        const std::string& key, const std::optional<std::string>& version_id,
                        Conditions conditions) {
  TRY(check_key(key));
  TRY(Found found, find(s3, bucket));
  add(conditions, "s3:versionid", version_id);
  Tx tx(*found.snapshot);
  TRY(Tags tags, tags_of_version(tx, bucket, key, version_id));
  add_tags(conditions, "s3:ExistingObjectTag/", tags);
  return Asks{{.action = std::move(action),
               .resource = object_arn(bucket, key),
               .conditions = std::move(conditions),
               .resource_account = found.bucket.account}};
}

Result<Asks> asks_of_create_bucket(S3&, const Context&, const In<op::CreateBucket>& in) {
  Conditions conditions;
  add(conditions, "s3:x-amz-acl", in.acl);
  add(conditions, "s3:x-amz-object-ownership", in.object_ownership);
  if (in.create_bucket_configuration) {
    add(conditions, "s3:locationconstraint", in.create_bucket_configuration->location_constraint);
  }
  Asks asks;
  auto also = [&](std::string action) {
    asks.push_back({.action = std::move(action),
                    .resource = bucket_arn(*in.bucket),
                    .conditions = conditions});
  };
  also("s3:CreateBucket");
  if (in.object_lock_enabled_for_bucket.value_or(false)) {
    also("s3:PutBucketObjectLockConfiguration");
    also("s3:PutBucketVersioning");
  }
  if (in.object_ownership) also("s3:PutBucketOwnershipControls");
  return asks;
}

Result<Asks> asks_of_list_buckets(S3&, const Context&, const In<op::ListBuckets>&) {
  return Asks{{.action = "s3:ListAllMyBuckets", .resource = "arn:aws:s3:::*"}};
}

Result<Asks> asks_of_list_objects(S3& s3, const Context&, const In<op::ListObjects>& in) {
  return ask_bucket(s3, "s3:ListBucket", *in.bucket, list_conditions(in));
}

Result<Asks> asks_of_list_objects_v2(S3& s3, const Context&, const In<op::ListObjectsV2>& in) {
  return ask_bucket(s3, "s3:ListBucket", *in.bucket, list_conditions(in));
}

Result<Asks> asks_of_list_object_versions(S3& s3, const Context&,
                                          const In<op::ListObjectVersions>& in) {
  return ask_bucket(s3, "s3:ListBucketVersions", *in.bucket, list_conditions(in));
}

Result<Asks> asks_of_put_object(S3& s3, const Context& context, const In<op::PutObject>& in) {
  Conditions conditions = write_conditions(context, in);
  add(conditions, "s3:if-match", in.if_match);
  add(conditions, "s3:if-none-match", in.if_none_match);
  return ask_write(s3, in, conditions, in.tagging.has_value());
}

Result<Asks> asks_of_create_upload(S3& s3, const Context& context,
                                   const In<op::CreateMultipartUpload>& in) {
  return ask_write(s3, in, write_conditions(context, in), in.tagging.has_value());
}

Result<Asks> asks_of_copy_object(S3& s3, const Context& context, const In<op::CopyObject>& in) {
  Conditions conditions = write_conditions(context, in);
  add(conditions, "s3:x-amz-metadata-directive", in.metadata_directive);
  TRY(CopySource source, parse_copy_source(*in.copy_source));
  conditions["s3:x-amz-copy-source"] = {source.bucket + "/" + source.key};
  Asks read;
  bool tags = in.tagging && in.tagging_directive == "REPLACE";
  if (in.tagging_directive != "REPLACE") {
    // The source's tags go with it: as if they were read there and written here.
    TRY(Found found, find(s3, source.bucket));
    Tx tx(*found.snapshot);
    TRY(Tags copied, tags_of_version(tx, source.bucket, source.key, source.version_id));
    tags = !copied.empty();
    if (tags) {
      TRY(read,
          ask_object(s3, source.version_id ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging",
                     source.bucket, source.key, source.version_id));
    }
  }
  TRY(Asks asks, ask_write(s3, in, conditions, tags));
  TRY(append(asks, asks_of_source(s3, in)));
  TRY(append(asks, std::move(read)));
  return asks;
}

Result<Asks> asks_of_upload_part_copy(S3& s3, const Context&, const In<op::UploadPartCopy>& in) {
  TRY(CopySource source, parse_copy_source(*in.copy_source));
  Conditions conditions;
  conditions["s3:x-amz-copy-source"] = {source.bucket + "/" + source.key};
  Asks asks;
  TRY(append(asks, ask_key(s3, "s3:PutObject", *in.bucket, *in.key, std::move(conditions))));
  TRY(append(asks, asks_of_source(s3, in)));
  return asks;
}

Result<Asks> asks_of_put_retention(S3& s3, const Context& context,
                                   const In<op::PutObjectRetention>& in) {
  Conditions conditions;
  if (in.retention) {
    add_retention(conditions, in.retention->mode, in.retention->retain_until_date, context.now);
  }
  return ask_object(s3, "s3:PutObjectRetention", *in.bucket, *in.key, in.version_id,
                    std::move(conditions));
}

Result<Asks> asks_of_put_legal_hold(S3& s3, const Context&, const In<op::PutObjectLegalHold>& in) {
  Conditions conditions;
  if (in.legal_hold) add(conditions, "s3:object-lock-legal-hold", in.legal_hold->status);
  return ask_object(s3, "s3:PutObjectLegalHold", *in.bucket, *in.key, in.version_id,
                    std::move(conditions));
}

Result<Asks> asks_of_get_object_attributes(S3& s3, const Context&,
                                           const In<op::GetObjectAttributes>& in) {
  Asks asks;
  for (const char* action : {"s3:GetObject", "s3:GetObjectAttributes"}) {
    std::string name = action;
    if (in.version_id) name.insert(std::string_view("s3:GetObject").size(), "Version");
    TRY(append(asks, ask_object(s3, std::move(name), *in.bucket, *in.key, in.version_id)));
  }
  return asks;
}

Result<Asks> asks_of_delete_objects(S3& s3, const Context&, const In<op::DeleteObjects>& in) {
  TRY(Found found, find(s3, *in.bucket));
  return Asks{};
}

identity::Ask ask_delete(const Bucket& bucket, const std::string& key,
                         const std::optional<std::string>& version_id, const Tags& existing_tags) {
  Conditions conditions;
  add(conditions, "s3:versionid", version_id);
  add_tags(conditions, "s3:ExistingObjectTag/", existing_tags);
  return {.action = version_id ? "s3:DeleteObjectVersion" : "s3:DeleteObject",
          .resource = object_arn(bucket.name, key),
          .conditions = std::move(conditions),
          .resource_account = bucket.account};
}

}  // namespace wolke::s3
