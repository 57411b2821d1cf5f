#include "wolke/services/s3/objects.h"

#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/publish.h"

namespace wolke::s3 {

Timestamp whole_seconds(Timestamp t) {
  return std::chrono::floor<std::chrono::seconds>(t);
}

Error missing_key(const operation::Context& context, const Bucket& bucket, const std::string& key) {
  identity::Ask list{.action = "s3:ListBucket",
                     .resource = bucket_arn(bucket.name),
                     .conditions = {{"s3:prefix", {key}}},
                     .resource_account = bucket.account};
  return context.authorizer->allows(list) ? no_such_key(key) : access_denied();
}

Result<Object> find_object(store::Tx& tx, const operation::Context& context, const Bucket& bucket,
                           const std::string& key) {
  TRY(std::optional<Object> object, tx.peek<Object>(object_key(bucket.name, key)));
  if (!object) return fail(missing_key(context, bucket, key));
  return *std::move(object);
}

Validators validators_of(const Object& object) {
  return {object.etag, object.modified};
}

std::optional<Validators> validators_of(const std::optional<Object>& object) {
  if (!object) return std::nullopt;
  return validators_of(*object);
}

Result<void> replace_object(store::Tx& tx, const operation::Context& context, const Bucket& bucket,
                            const std::string& key, const std::optional<Object>& old, Object object,
                            Body content, std::string_view event, const Layout* layout) {
  object.modified = whole_seconds(context.now);
  ObjectChange change{.event = event, .key = key, .size = content.size(), .etag = object.etag};
  TRY(write_object(tx, bucket.name, key, old, std::move(object), std::move(content), layout));
  return publish(tx, context, bucket, change);
}

std::string checksum_suffix(const Object& object) {
  return object.checksum_type == "COMPOSITE" ? "-" + std::to_string(object.parts) : std::string();
}

}  // namespace wolke::s3
