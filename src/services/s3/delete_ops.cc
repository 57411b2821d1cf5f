#include "wolke/services/s3/asks.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/notification.h"
#include "wolke/services/s3/objects.h"
#include "wolke/services/s3/ops.h"
#include "wolke/services/s3/publish.h"

namespace wolke::s3 {
namespace {

constexpr std::size_t deletes_max = 1000;

struct DeleteConditions {
  std::optional<std::string> if_match;
  std::optional<Timestamp> last_modified;
  std::optional<std::int64_t> size;
};

Result<void> check_delete(const DeleteConditions& conditions, const std::optional<Object>& object,
                          const std::string& key) {
  TRY(check_write({conditions.if_match, std::nullopt}, validators_of(object), key));
  if (!object) return {};
  if (conditions.last_modified && whole_seconds(*conditions.last_modified) != object->modified) {
    return fail(precondition_failed("x-amz-if-match-last-modified-time"));
  }
  if (conditions.size && static_cast<std::uint64_t>(*conditions.size) != object->size) {
    return fail(precondition_failed("x-amz-if-match-size"));
  }
  return {};
}

/// Deleting what is not there succeeds.
Result<void> delete_one(Tx& tx, const Context& context, const Bucket& bucket,
                        const std::string& key, const std::optional<Object>& object) {
  if (!object) return {};
  TRY(erase_object(tx, bucket.name, key, *object));
  return publish(tx, context, bucket, {.event = event_delete, .key = key, .size = {}, .etag = {}});
}

/// One item of a batch, judged by itself.
Result<void> delete_item(Tx& tx, const Context& context, const Bucket& bucket,
                         const model::s3::ObjectIdentifier& item) {
  const std::string& key = *item.key;
  TRY(check_key(key));
  TRY(std::optional<Object> object, tx.get<Object>(object_key(bucket.name, key)));
  if (!context.authorizer->allows(ask_delete(bucket, key, object ? object->tags : Tags{}))) {
    return fail(access_denied());
  }
  TRY(check_version_id(item.version_id, key));
  TRY(check_delete({item.etag, item.last_modified_time, item.size}, object, key));
  return delete_one(tx, context, bucket, key, object);
}

}  // namespace

Answer<op::DeleteObject> delete_object(S3&, Tx& tx, const Context& context,
                                       const In<op::DeleteObject>& in) {
  TRY(check_key(*in.key));
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(check_version_id(in.version_id, *in.key));
  TRY(std::optional<Object> object, tx.get<Object>(object_key(bucket.name, *in.key)));
  TRY(check_delete({in.if_match, in.if_match_last_modified_time, in.if_match_size}, object,
                   *in.key));
  TRY(delete_one(tx, context, bucket, *in.key, object));
  return op::DeleteObject::Output{};
}

Answer<op::DeleteObjects> delete_objects(S3&, Tx& tx, const Context& context,
                                         const In<op::DeleteObjects>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  const auto& items = in.delete_->objects;
  if (!items || items->empty() || items->size() > deletes_max) return fail(malformed_xml());
  bool quiet = in.delete_->quiet.value_or(false);
  op::DeleteObjects::Output out;
  for (const auto& item : *items) {
    if (!item.key) return fail(malformed_xml());
    Result<void> done = delete_item(tx, context, bucket, item);
    if (!done) {
      if (done.error().is_server_fault()) return fail(std::move(done).error());
      if (!out.errors) out.errors.emplace();
      auto& error = out.errors->emplace_back();
      error.key = *item.key;
      error.version_id = item.version_id;
      error.code = done.error().code;
      error.message = done.error().message;
    } else if (!quiet) {
      if (!out.deleted) out.deleted.emplace();
      auto& deleted = out.deleted->emplace_back();
      deleted.key = *item.key;
      deleted.version_id = item.version_id;
    }
  }
  return out;
}

}  // namespace wolke::s3
