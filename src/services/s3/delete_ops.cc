#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/services/s3/asks.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/grants.h"
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

/// What a deletion asks for, of DeleteObject or of one item of a batch.
struct Deletion {
  const std::string& key;
  const std::optional<std::string>& version_id;
  DeleteConditions conditions;
  std::optional<bool> bypass;
};

/// What it did: the version that was taken away or the marker that was added, where there are
/// versions.
struct Deleted {
  bool delete_marker = false;
  std::optional<std::string> version_id;
};

/// The key vanishes: behind a delete marker where the bucket keeps versions. What is not there is
/// deleted with success.
Result<Deleted> delete_key(Tx& tx, const Context& context, const Bucket& bucket,
                           const Deletion& deletion) {
  const std::string& key = deletion.key;
  TRY(std::optional<Object> current, current_version(tx, bucket.name, key));
  TRY(check_delete(deletion.conditions, visible(current), key));
  ObjectChange change{.event = event_delete, .key = key, .size = {}, .etag = {}, .version_id = {}};
  if (bucket.versioning.empty()) {
    if (!current) return Deleted{};
    Version version{*std::move(current), object_key(bucket.name, key), true};
    TRY(remove_version(tx, bucket.name, key, version));
    TRY(publish(tx, context, bucket, change));
    return Deleted{};
  }
  Object marker;
  marker.delete_marker = true;
  marker.modified = whole_seconds(context.now);
  TRY(Object written, add_version(tx, context, bucket, key, current, std::move(marker), Content{}));
  change.event = event_marker;
  change.version_id = told_version_id(bucket, written);
  TRY(publish(tx, context, bucket, change));
  return Deleted{true, change.version_id};
}

Result<Deleted> delete_version(Tx& tx, const Context& context, const Bucket& bucket,
                               const Deletion& deletion) {
  const std::string& key = deletion.key;
  TRY(std::optional<Version> version, find_version(tx, bucket.name, key, deletion.version_id));
  std::optional<Object> object;
  if (version) object = version->object;
  TRY(check_delete(deletion.conditions, object, key));
  Deleted deleted;
  deleted.version_id = deletion.version_id;
  if (!version) return deleted;
  TRY(check_unlocked(object->lock, context.now, bypass_of(context, bucket, key, deletion.bypass)));
  TRY(remove_version(tx, bucket.name, key, *version));
  TRY(publish(tx, context, bucket,
              {.event = event_delete,
               .key = key,
               .size = {},
               .etag = {},
               .version_id = told_version_id(bucket, *object)}));
  deleted.delete_marker = object->delete_marker;
  return deleted;
}

Result<Deleted> delete_one(Tx& tx, const Context& context, const Bucket& bucket,
                           const Deletion& deletion) {
  return deletion.version_id ? delete_version(tx, context, bucket, deletion)
                             : delete_key(tx, context, bucket, deletion);
}

/// One item of a batch, judged by itself.
Result<Deleted> delete_item(Tx& tx, const Context& context, const Bucket& bucket,
                            const model::s3::ObjectIdentifier& item,
                            const std::optional<bool>& bypass) {
  const std::string& key = *item.key;
  TRY(check_key(key));
  TRY(std::optional<Object> object, object_of_ask(tx, bucket.name, key, item.version_id));
  identity::Ask ask = ask_delete(context, bucket, key, item.version_id, item.etag, object);
  if (!context.authorizer->allows(ask)) return fail(access_denied());
  if (item.etag && trim(*item.etag) != "*") {
    identity::Ask read = ask_of_version(bucket, {.action = "s3:GetObject",
                                                 .key = key,
                                                 .version_id = std::nullopt,
                                                 .object = object ? &*object : nullptr,
                                                 .caller = context.principal().account});
    if (!context.authorizer->allows(read)) return fail(access_denied());
  }
  return delete_one(tx, context, bucket,
                    {.key = key,
                     .version_id = item.version_id,
                     .conditions = {item.etag, item.last_modified_time, item.size},
                     .bypass = bypass});
}

/// A batch must say what its document is, so that no damaged one deletes.
Result<void> require_digest(const Context& context) {
  if (context.headers == nullptr) return {};
  bool has = std::ranges::any_of(*context.headers, [](const auto& header) {
    return header.first == "content-md5" || header.first.starts_with("x-amz-checksum-");
  });
  if (has) return {};
  return fail(
      invalid_request("Missing required header for this request: Content-MD5 OR x-amz-checksum-*"));
}

}  // namespace

Answer<op::DeleteObject> delete_object(S3&, Tx& tx, const Context& context,
                                       const In<op::DeleteObject>& in) {
  TRY(check_key(*in.key));
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(Deleted deleted,
      delete_one(tx, context, bucket,
                 {.key = *in.key,
                  .version_id = in.version_id,
                  .conditions = {in.if_match, in.if_match_last_modified_time, in.if_match_size},
                  .bypass = in.bypass_governance_retention}));
  op::DeleteObject::Output out;
  out.version_id = deleted.version_id;
  if (deleted.delete_marker) out.delete_marker = true;
  return out;
}

Answer<op::DeleteObjects> delete_objects(S3&, Tx& tx, const Context& context,
                                         const In<op::DeleteObjects>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(require_digest(context));
  const auto& items = in.delete_->objects;
  if (!items || items->empty() || items->size() > deletes_max) return fail(malformed_xml());
  bool quiet = in.delete_->quiet.value_or(false);
  op::DeleteObjects::Output out;
  for (const auto& item : *items) {
    if (!item.key) return fail(malformed_xml());
    Result<Deleted> done = delete_item(tx, context, bucket, item, in.bypass_governance_retention);
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
      if (done->delete_marker) {
        deleted.delete_marker = true;
        deleted.delete_marker_version_id = done->version_id;
      }
    }
  }
  return out;
}

}  // namespace wolke::s3
