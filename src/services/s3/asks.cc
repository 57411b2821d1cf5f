#include "wolke/services/s3/asks.h"

#include "wolke/base/text.h"
#include "wolke/services/s3/grants.h"
#include "wolke/services/s3/metadata.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/upload_asks.h"
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

Conditions acl_conditions(const AclHeaders& headers) {
  Conditions conditions;
  add(conditions, "s3:x-amz-acl", headers.canned);
  add(conditions, "s3:x-amz-grant-full-control", headers.full_control);
  add(conditions, "s3:x-amz-grant-read", headers.read);
  add(conditions, "s3:x-amz-grant-read-acp", headers.read_acp);
  add(conditions, "s3:x-amz-grant-write", headers.write);
  add(conditions, "s3:x-amz-grant-write-acp", headers.write_acp);
  return conditions;
}

template <class In>
Conditions write_conditions(const Context& context, const In& in) {
  Conditions conditions = acl_conditions(acl_headers(in));
  add_retention(conditions, in.object_lock_mode, in.object_lock_retain_until_date, context.now);
  add(conditions, "s3:object-lock-legal-hold", in.object_lock_legal_hold_status);
  add(conditions, "s3:x-amz-storage-class", in.storage_class);
  add(conditions, "s3:x-amz-server-side-encryption", in.server_side_encryption);
  add(conditions, "s3:x-amz-server-side-encryption-aws-kms-key-id", in.ssekms_key_id);
  add(conditions, "s3:x-amz-server-side-encryption-customer-algorithm", in.sse_customer_algorithm);
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
Result<Asks> asks_of_source(S3& s3, const Context& context, const In& in) {
  TRY(CopySource source, parse_copy_source(*in.copy_source));
  return ask_object(s3, context, source.version_id ? "s3:GetObjectVersion" : "s3:GetObject",
                    source.bucket, source.key, source.version_id);
}

/// Writing an object, and what the request sets of it beside its bytes.
template <class In>
Result<Asks> ask_write(S3& s3, const Context& context, const In& in, const Conditions& conditions,
                       bool tags) {
  TRY(check_key(*in.key));
  TRY(Found found, find(s3, *in.bucket));
  Asks asks;
  auto also = [&](const char* action) {
    asks.push_back(
        ask_of_bucket(found.bucket, action, object_arn(*in.bucket, *in.key), conditions));
  };
  also("s3:PutObject");
  if (tags) also("s3:PutObjectTagging");
  if (in.object_lock_mode || in.object_lock_retain_until_date) also("s3:PutObjectRetention");
  if (in.object_lock_legal_hold_status) also("s3:PutObjectLegalHold");
  std::optional<identity::Ask> acl = ask_of_new_acl(found.bucket, context.principal().account,
                                                    *in.key, acl_headers(in), conditions);
  if (acl) asks.push_back(*std::move(acl));
  return asks;
}

}  // namespace

Result<Asks> ask_bucket(S3& s3, std::string action, const std::string& bucket,
                        Conditions conditions) {
  TRY(Found found, find(s3, bucket));
  return Asks{
      ask_of_bucket(found.bucket, std::move(action), bucket_arn(bucket), std::move(conditions))};
}

Result<std::optional<Object>> object_of_ask(Tx& tx, const std::string& bucket,
                                            const std::string& key,
                                            const std::optional<std::string>& version_id) {
  Result<std::optional<Version>> version = find_version(tx, bucket, key, version_id);
  if (!version && version.error().is_server_fault()) return fail(std::move(version).error());
  if (!version || !*version) return std::nullopt;
  return std::move((*version)->object);
}

Result<Asks> ask_key(S3& s3, std::string action, const std::string& bucket, const std::string& key,
                     Conditions conditions) {
  TRY(check_key(key));
  TRY(Found found, find(s3, bucket));
  return Asks{ask_of_bucket(found.bucket, std::move(action), object_arn(bucket, key),
                            std::move(conditions))};
}

Result<Asks> ask_object(S3& s3, const Context& context, std::string action,
                        const std::string& bucket, const std::string& key,
                        const std::optional<std::string>& version_id, Conditions conditions) {
  TRY(check_key(key));
  TRY(Found found, find(s3, bucket));
  Tx tx(*found.snapshot);
  TRY(std::optional<Object> object, object_of_ask(tx, bucket, key, version_id));
  return Asks{ask_of_version(found.bucket, {.action = std::move(action),
                                            .key = key,
                                            .version_id = version_id,
                                            .object = object ? &*object : nullptr,
                                            .caller = context.principal().account,
                                            .conditions = std::move(conditions)})};
}

Result<Asks> asks_of_create_bucket(S3&, const Context&, const In<op::CreateBucket>& in) {
  AclHeaders acl = acl_headers(in);
  Conditions conditions = acl_conditions(acl);
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
  if (acl.any() && acl.canned != "private") also("s3:PutBucketAcl");
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

void add_preconditions(Conditions& conditions, const std::optional<std::string>& if_match,
                       const std::optional<std::string>& if_none_match) {
  add(conditions, "s3:if-match", if_match);
  add(conditions, "s3:if-none-match", if_none_match);
}

Result<void> ask_match(S3& s3, const Context& context, const std::string& bucket,
                       const std::string& key, const std::optional<std::string>& if_match,
                       Asks& asks) {
  if (!if_match || trim(*if_match) == "*") return {};
  return append(asks, ask_object(s3, context, "s3:GetObject", bucket, key, std::nullopt));
}

Result<Asks> asks_of_put_object(S3& s3, const Context& context, const In<op::PutObject>& in) {
  Conditions conditions = write_conditions(context, in);
  add_preconditions(conditions, in.if_match, in.if_none_match);
  TRY(Asks asks, ask_write(s3, context, in, conditions, in.tagging.has_value()));
  TRY(ask_match(s3, context, *in.bucket, *in.key, in.if_match, asks));
  return asks;
}

Result<Asks> asks_of_delete_object(S3& s3, const Context& context, const In<op::DeleteObject>& in) {
  Conditions conditions;
  add_preconditions(conditions, in.if_match, std::nullopt);
  TRY(Asks asks,
      ask_object(s3, context, in.version_id ? "s3:DeleteObjectVersion" : "s3:DeleteObject",
                 *in.bucket, *in.key, in.version_id, std::move(conditions)));
  TRY(ask_match(s3, context, *in.bucket, *in.key, in.if_match, asks));
  return asks;
}

Result<Asks> asks_of_create_upload(S3& s3, const Context& context,
                                   const In<op::CreateMultipartUpload>& in) {
  return ask_write(s3, context, in, write_conditions(context, in), in.tagging.has_value());
}

Result<Asks> asks_of_copy_object(S3& s3, const Context& context, const In<op::CopyObject>& in) {
  Conditions conditions = write_conditions(context, in);
  add(conditions, "s3:x-amz-metadata-directive", in.metadata_directive);
  add_preconditions(conditions, in.if_match, in.if_none_match);
  TRY(CopySource source, parse_copy_source(*in.copy_source));
  conditions["s3:x-amz-copy-source"] = {source.bucket + "/" + source.key};
  Asks read;
  bool tags = in.tagging && in.tagging_directive == "REPLACE";
  if (in.tagging_directive != "REPLACE") {
    // The source's tags go with it: as if they were read there and written here.
    TRY(Found found, find(s3, source.bucket));
    Tx tx(*found.snapshot);
    TRY(std::optional<Object> copied,
        object_of_ask(tx, source.bucket, source.key, source.version_id));
    tags = copied && !copied->tags.empty();
    if (tags) {
      TRY(read, ask_object(s3, context,
                           source.version_id ? "s3:GetObjectVersionTagging" : "s3:GetObjectTagging",
                           source.bucket, source.key, source.version_id));
    }
  }
  TRY(Asks asks, ask_write(s3, context, in, conditions, tags));
  TRY(append(asks, asks_of_source(s3, context, in)));
  TRY(append(asks, std::move(read)));
  TRY(ask_match(s3, context, *in.bucket, *in.key, in.if_match, asks));
  return asks;
}

Result<Asks> asks_of_upload_part_copy(S3& s3, const Context& context,
                                      const In<op::UploadPartCopy>& in) {
  TRY(CopySource source, parse_copy_source(*in.copy_source));
  Conditions conditions;
  conditions["s3:x-amz-copy-source"] = {source.bucket + "/" + source.key};
  Asks asks;
  TRY(append(asks, ask_upload_write(s3, context, *in.bucket, *in.key, *in.upload_id,
                                    std::move(conditions))));
  TRY(append(asks, asks_of_source(s3, context, in)));
  return asks;
}

Result<Asks> asks_of_put_bucket_acl(S3& s3, const Context&, const In<op::PutBucketAcl>& in) {
  return ask_bucket(s3, "s3:PutBucketAcl", *in.bucket, acl_conditions(acl_headers(in)));
}

Result<Asks> asks_of_put_object_acl(S3& s3, const Context& context,
                                    const In<op::PutObjectAcl>& in) {
  return ask_object(s3, context, in.version_id ? "s3:PutObjectVersionAcl" : "s3:PutObjectAcl",
                    *in.bucket, *in.key, in.version_id, acl_conditions(acl_headers(in)));
}

Result<Asks> asks_of_put_retention(S3& s3, const Context& context,
                                   const In<op::PutObjectRetention>& in) {
  Conditions conditions;
  if (in.retention) {
    add_retention(conditions, in.retention->mode, in.retention->retain_until_date, context.now);
  }
  return ask_object(s3, context, "s3:PutObjectRetention", *in.bucket, *in.key, in.version_id,
                    std::move(conditions));
}

Result<Asks> asks_of_put_legal_hold(S3& s3, const Context& context,
                                    const In<op::PutObjectLegalHold>& in) {
  Conditions conditions;
  if (in.legal_hold) add(conditions, "s3:object-lock-legal-hold", in.legal_hold->status);
  return ask_object(s3, context, "s3:PutObjectLegalHold", *in.bucket, *in.key, in.version_id,
                    std::move(conditions));
}

Result<Asks> asks_of_get_object_attributes(S3& s3, const Context& context,
                                           const In<op::GetObjectAttributes>& in) {
  Asks asks;
  for (const char* action : {"s3:GetObject", "s3:GetObjectAttributes"}) {
    std::string name = action;
    if (in.version_id) name.insert(std::string_view("s3:GetObject").size(), "Version");
    TRY(append(asks, ask_object(s3, context, std::move(name), *in.bucket, *in.key, in.version_id)));
  }
  return asks;
}

Result<Asks> asks_of_delete_objects(S3& s3, const Context&, const In<op::DeleteObjects>& in) {
  TRY(Found found, find(s3, *in.bucket));
  return Asks{};
}

identity::Ask ask_delete(const Context& context, const Bucket& bucket, const std::string& key,
                         const std::optional<std::string>& version_id,
                         const std::optional<std::string>& if_match,
                         const std::optional<Object>& object) {
  Conditions conditions;
  add_preconditions(conditions, if_match, std::nullopt);
  return ask_of_version(bucket,
                        {.action = version_id ? "s3:DeleteObjectVersion" : "s3:DeleteObject",
                         .key = key,
                         .version_id = version_id,
                         .object = object ? &*object : nullptr,
                         .caller = context.principal().account,
                         .conditions = std::move(conditions)});
}

}  // namespace wolke::s3
