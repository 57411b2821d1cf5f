#pragma once
// What the operations on objects share: finding one, telling about one, replacing one.

#include <cstdint>
#include <optional>
#include <string>

#include "wolke/operation/operation.h"
#include "wolke/services/s3/checksums.h"
#include "wolke/services/s3/conditions.h"
#include "wolke/services/s3/lock.h"
#include "wolke/services/s3/state.h"
#include "wolke/services/s3/versions.h"

namespace wolke::s3 {

/// S3's times have whole seconds.
Timestamp whole_seconds(Timestamp t);

/// NoSuchKey for who may list the bucket, AccessDenied for who may not know what is in it.
Error missing_key(const operation::Context& context, const Bucket& bucket, const std::string& key);
/// The version that is asked for, with a check. missing_key() or NoSuchVersion when there is none;
/// a delete marker is not found, or MethodNotAllowed when it is named.
Result<Version> find_object(store::Tx& tx, const operation::Context& context, const Bucket& bucket,
                            const std::string& key, const std::optional<std::string>& version_id);

/// find_object(), and where lists are in force, judged by what was found: the gate may have seen
/// another object under this name, or none.
Result<Version> find_permitted(store::Tx& tx, const operation::Context& context,
                               const Bucket& bucket, const std::string& key,
                               const std::optional<std::string>& version_id,
                               std::string_view action);

Validators validators_of(const Object& object);
std::optional<Validators> validators_of(const std::optional<Object>& object);

/// Stores `object` with `content` as the newest version (`current` was the newest) and publishes
/// `event`. `object.modified` is set here. Gives the version as it was written.
Result<Object> replace_object(store::Tx& tx, const operation::Context& context,
                              const Bucket& bucket, const std::string& key,
                              const std::optional<Object>& current, Object object, Content content,
                              std::string_view event, const Layout* layout = nullptr);

/// Whether the caller asked to go past governance retentions, and may.
Bypass bypass_of(const operation::Context& context, const Bucket& bucket, const std::string& key,
                 const std::optional<bool>& asked);

/// "-3" for a composite checksum of three parts.
std::string checksum_suffix(const Object& object);

/// The checksum in the members of an answer.
template <class Shape>
void tell_checksum(const Object& object, Shape& shape) {
  if (object.checksums.empty()) return;
  tell_checksums(object.checksums, shape, checksum_suffix(object));
  shape.checksum_type = object.checksum_type;
}

/// Metadata of an object in the members that GetObject and HeadObject share.
template <class Out>
void tell_object(const Object& object, Out& out) {
  const Metadata& metadata = object.metadata;
  out.etag = quoted_etag(object.etag);
  out.last_modified = object.modified;
  out.accept_ranges = "bytes";
  out.content_type = metadata.content_type;
  out.cache_control = metadata.cache_control;
  out.content_disposition = metadata.content_disposition;
  out.content_encoding = metadata.content_encoding;
  out.content_language = metadata.content_language;
  out.expires = metadata.expires;
  out.website_redirect_location = metadata.website_redirect_location;
  if (!metadata.user.empty()) out.metadata = metadata.user;
  if (object.storage_class != "STANDARD") out.storage_class = object.storage_class;
  if (!object.tags.empty()) out.tag_count = static_cast<std::int32_t>(object.tags.size());
  tell_lock(object.lock, out);
}

}  // namespace wolke::s3
