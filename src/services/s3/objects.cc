#include "wolke/services/s3/objects.h"

#include "wolke/services/s3/encryption.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/grants.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/publish.h"

namespace wolke::s3 {

Timestamp whole_seconds(Timestamp t) {
  return std::chrono::floor<std::chrono::seconds>(t);
}

Error missing_key(const operation::Context& context, const Bucket& bucket, const std::string& key) {
  identity::Ask list =
      ask_of_bucket(bucket, "s3:ListBucket", bucket_arn(bucket.name), {{"s3:prefix", {key}}});
  return context.authorizer->allows(list) ? no_such_key(key) : access_denied();
}

Result<Version> find_object(store::Tx& tx, const operation::Context& context, const Bucket& bucket,
                            const std::string& key, const std::optional<std::string>& version_id) {
  TRY(std::optional<Version> version, find_version(tx, bucket.name, key, version_id));
  if (!version) {
    Error missing = missing_key(context, bucket, key);
    bool hidden = missing.code == "AccessDenied";
    return fail(version_id && !hidden ? no_such_version(key, *version_id) : std::move(missing));
  }
  const Object& object = version->object;
  if (!object.delete_marker) return *std::move(version);
  if (version_id) return fail(is_delete_marker(told_version_id(object), object.modified));
  Error missing = missing_key(context, bucket, key);
  missing.headers = {{"x-amz-delete-marker", "true"},
                     {"x-amz-version-id", told_version_id(object)}};
  return fail(std::move(missing));
}

Result<Version> find_permitted(store::Tx& tx, const operation::Context& context,
                               const Bucket& bucket, const std::string& key,
                               const std::optional<std::string>& version_id,
                               std::string_view action) {
  TRY(Version version, find_object(tx, context, bucket, key, version_id));
  if (acls_disabled(bucket)) return version;
  identity::Ask ask = ask_of_version(bucket, {.action = std::string(action),
                                              .key = key,
                                              .version_id = version_id,
                                              .object = &version.object,
                                              .caller = context.principal().account});
  if (!context.authorizer->allows(ask)) return fail(access_denied());
  return version;
}

Validators validators_of(const Object& object) {
  return {object.etag, object.modified};
}

std::optional<Validators> validators_of(const std::optional<Object>& object) {
  if (!object) return std::nullopt;
  return validators_of(*object);
}

Result<Object> replace_object(store::Tx& tx, const operation::Context& context,
                              const Bucket& bucket, const std::string& key,
                              const std::optional<Object>& current, Object object, Content content,
                              std::string_view event, const Layout* layout) {
  object.modified = whole_seconds(context.now);
  ObjectChange change{
      .event = event, .key = key, .size = size_of(content), .etag = object.etag, .version_id = {}};
  TRY(Object written, add_version(tx, context, bucket, key, current, std::move(object),
                                  std::move(content), layout));
  change.version_id = told_version_id(bucket, written);
  TRY(publish(tx, context, bucket, change));
  return written;
}

Bypass bypass_of(const operation::Context& context, const Bucket& bucket, const std::string& key,
                 const std::optional<bool>& asked) {
  if (!asked.value_or(false)) return Bypass::no;
  identity::Ask ask{.action = "s3:BypassGovernanceRetention",
                    .resource = object_arn(bucket.name, key),
                    .conditions = {},
                    .resource_account = bucket.account};
  return context.authorizer->allows(ask) ? Bypass::yes : Bypass::no;
}

std::string checksum_suffix(const Object& object) {
  return object.checksum_type == "COMPOSITE" ? "-" + std::to_string(object.parts) : std::string();
}

}  // namespace wolke::s3
