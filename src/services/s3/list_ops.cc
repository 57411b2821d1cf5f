#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/base/uri.h"
#include "wolke/services/s3/acl.h"
#include "wolke/services/s3/checksums.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/listing.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/ops.h"
#include "wolke/services/s3/version_listing.h"
#include "wolke/services/s3/versions.h"

namespace wolke::s3 {
namespace {

/// encoding-type=url: keys and what is made of keys are percent-encoded, because XML cannot say
/// every byte.
struct Encoding {
  bool url = false;
  std::string operator()(const std::string& text) const {
    return url ? percent_encode(text, true) : text;
  }
  std::optional<std::string> operator()(const std::optional<std::string>& text) const {
    if (!text) return std::nullopt;
    return (*this)(*text);
  }
};

Result<Encoding> encoding_of(const std::optional<std::string>& encoding_type) {
  if (!encoding_type || encoding_type->empty()) return Encoding{};
  if (*encoding_type != "url") {
    return fail(invalid_argument("Invalid Encoding Method specified in Request", "encoding-type",
                                 *encoding_type));
  }
  return Encoding{true};
}

template <class Told>
void tell(Told& told, const std::string& key, const Object& object, const Encoding& encoded) {
  told.key = encoded(key);
  told.last_modified = object.modified;
  told.etag = quoted_etag(object.etag);
  told.size = static_cast<std::int64_t>(object.size);
  told.storage_class = object.storage_class;
  if (!object.checksums.empty()) {
    const ChecksumAlgorithm* algorithm = find_checksum_algorithm(object.checksums.begin()->first);
    if (algorithm != nullptr) told.checksum_algorithm = {std::string(algorithm->name)};
    told.checksum_type = object.checksum_type;
  }
}

template <class Told>
void tell_version(Told& told, const Bucket& bucket, const ListedVersion& listed) {
  told.version_id = told_version_id(listed.object);
  told.is_latest = listed.latest;
  told.owner = told_owner(owner_of(bucket, listed.object));
}

/// What the three answers have in common.
template <class In, class Walked, class Out>
void tell_request(const In& in, const Walked& listing, std::int32_t keys_max,
                  const Encoding& encoded, Out& out) {
  out.name = *in.bucket;
  out.prefix = encoded(in.prefix.value_or(""));
  if (in.delimiter && !in.delimiter->empty()) out.delimiter = encoded(*in.delimiter);
  if (encoded.url) out.encoding_type = "url";
  out.max_keys = keys_max;
  out.is_truncated = listing.truncated;
  if (!listing.common_prefixes.empty()) {
    auto& prefixes = out.common_prefixes.emplace();
    for (const std::string& prefix : listing.common_prefixes) {
      prefixes.emplace_back().prefix = encoded(prefix);
    }
  }
}

template <class In>
Result<Listing> walk(Tx& tx, const In& in, std::int32_t keys_max, std::string after) {
  return list_bucket(tx, {.bucket = *in.bucket,
                          .prefix = in.prefix.value_or(""),
                          .delimiter = in.delimiter.value_or(""),
                          .after = std::move(after),
                          .keys_max = static_cast<std::size_t>(keys_max)});
}

Result<std::string> decode_token(const std::string& token) {
  std::optional<std::string> last = from_base64(token);
  if (!last || last->empty()) {
    return fail(invalid_argument("The continuation token provided is incorrect",
                                 "continuation-token", token));
  }
  return *std::move(last);
}

}  // namespace

Answer<op::ListObjects> list_objects(S3&, Tx& tx, const Context&, const In<op::ListObjects>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(Encoding encoded, encoding_of(in.encoding_type));
  TRY(std::int32_t keys_max, page_size(in.max_keys, "maxKeys"));
  TRY(Listing listing, walk(tx, in, keys_max, in.marker.value_or("")));
  op::ListObjects::Output out;
  tell_request(in, listing, keys_max, encoded, out);
  out.prefix = in.prefix.value_or("");  // version 1 alone tells it as it came
  out.marker = encoded(in.marker.value_or(""));
  if (listing.truncated && out.delimiter) out.next_marker = encoded(listing.last);
  if (!listing.objects.empty()) out.contents.emplace();
  for (const ListedObject& listed : listing.objects) {
    auto& told = out.contents->emplace_back();
    tell(told, listed.key, listed.object, encoded);
    told.owner = told_owner(owner_of(bucket, listed.object));
  }
  return out;
}

Answer<op::ListObjectsV2> list_objects_v2(S3&, Tx& tx, const Context&,
                                          const In<op::ListObjectsV2>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(Encoding encoded, encoding_of(in.encoding_type));
  TRY(std::int32_t keys_max, page_size(in.max_keys, "maxKeys"));
  std::string after = in.start_after.value_or("");
  if (in.continuation_token && !in.continuation_token->empty()) {
    TRY(after, decode_token(*in.continuation_token));
  }
  TRY(Listing listing, walk(tx, in, keys_max, std::move(after)));
  op::ListObjectsV2::Output out;
  tell_request(in, listing, keys_max, encoded, out);
  out.start_after = encoded(in.start_after);
  out.continuation_token = in.continuation_token;
  if (listing.truncated) out.next_continuation_token = to_base64(listing.last);
  out.key_count =
      static_cast<std::int32_t>(listing.objects.size() + listing.common_prefixes.size());
  if (!listing.objects.empty()) out.contents.emplace();
  for (const ListedObject& listed : listing.objects) {
    auto& told = out.contents->emplace_back();
    tell(told, listed.key, listed.object, encoded);
    if (in.fetch_owner.value_or(false)) told.owner = told_owner(owner_of(bucket, listed.object));
  }
  return out;
}

Answer<op::ListObjectVersions> list_object_versions(S3&, Tx& tx, const Context&,
                                                    const In<op::ListObjectVersions>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(Encoding encoded, encoding_of(in.encoding_type));
  TRY(std::int32_t keys_max, page_size(in.max_keys, "maxKeys"));
  if (in.version_id_marker && !in.version_id_marker->empty() && !in.key_marker) {
    return fail(invalid_argument("A version-id marker cannot be specified without a key marker.",
                                 "version-id-marker", *in.version_id_marker));
  }
  TRY(VersionListing listing,
      list_versions(tx, {.bucket = *in.bucket,
                         .prefix = in.prefix.value_or(""),
                         .delimiter = in.delimiter.value_or(""),
                         .key_marker = in.key_marker.value_or(""),
                         .version_id_marker = in.version_id_marker.value_or(""),
                         .keys_max = static_cast<std::size_t>(keys_max)}));
  op::ListObjectVersions::Output out;
  tell_request(in, listing, keys_max, encoded, out);
  out.key_marker = encoded(in.key_marker.value_or(""));
  out.version_id_marker = in.version_id_marker.value_or("");
  if (listing.truncated) {
    out.next_key_marker = encoded(listing.last_key);
    if (!listing.last_version_id.empty()) out.next_version_id_marker = listing.last_version_id;
  }
  for (const ListedVersion& listed : listing.versions) {
    if (listed.object.delete_marker) {
      if (!out.delete_markers) out.delete_markers.emplace();
      auto& told = out.delete_markers->emplace_back();
      told.key = encoded(listed.key);
      told.last_modified = listed.object.modified;
      tell_version(told, bucket, listed);
    } else {
      if (!out.versions) out.versions.emplace();
      auto& told = out.versions->emplace_back();
      tell(told, listed.key, listed.object, encoded);
      tell_version(told, bucket, listed);
    }
  }
  return out;
}

}  // namespace wolke::s3
