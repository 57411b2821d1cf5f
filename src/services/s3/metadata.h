#pragma once
// What a client may say about an object beside its bytes: system and user metadata, storage class,
// tags, and the headers that ask for what this service does not do. Pure functions; the templates
// read the members that PutObject, CopyObject and CreateMultipartUpload share. Source: S3 user
// guide, "Working with object metadata", "Categorizing your storage using tags".

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/result.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

inline constexpr std::size_t user_metadata_bytes_max = 2048;
inline constexpr std::size_t object_tags_max = 10;
inline constexpr std::size_t bucket_tags_max = 50;

/// A header's value as S3 tells it again: what is not ASCII is read as ISO 8859-1, as bytes of a
/// header are, and becomes a word of RFC 2047. Source: S3 user guide, "User-defined object
/// metadata", with its example.
std::string mail_safe(std::string_view value);

/// The characters of RFC 9110's token, of which headers' names are made.
bool is_header_name(std::string_view text);
/// Names must be able to travel as headers; "InvalidArgument" (they may come in a link's query).
Result<void> check_user_metadata(const std::map<std::string, std::string>& metadata);
/// "aws-chunked" says how the request came, not what the object is: left out, and nullopt when
/// nothing remains.
std::optional<std::string> stored_content_encoding(const std::optional<std::string>& header);
/// STANDARD when none is given; "InvalidStorageClass" for unknown ones.
Result<std::string> choose_storage_class(const std::optional<std::string>& header);
/// Where a website's request for this object is sent: a path or an URL; "InvalidRedirectLocation".
Result<void> check_redirect_location(const std::optional<std::string>& header);
/// none and AES256; SSE-KMS is refused by name.
Result<void> check_encryption(const std::optional<std::string>& server_side_encryption);
/// "a=1&b=2" of x-amz-tagging.
Result<Tags> parse_tagging_header(const std::optional<std::string>& header);
Result<void> check_tags(const Tags& tags, std::size_t tags_max);

/// Tag sets of request bodies and answers (model::s3::Tag).
template <class Tag>
Result<Tags> tags_of(const std::optional<std::vector<Tag>>& set, std::size_t tags_max) {
  Tags tags;
  if (set) {
    for (const Tag& tag : *set) {
      if (!tag.key || !tag.value) return fail(malformed_xml());
      if (!tags.emplace(*tag.key, *tag.value).second) {
        return fail(invalid_tag("Cannot provide multiple Tags with the same key", *tag.key));
      }
    }
  }
  if (tags.size() > tags_max && tags_max == object_tags_max) {
    return fail(Error{"BadRequest", 400, "Object tags cannot be greater than 10"});
  }
  if (Result<void> checked = check_tags(tags, tags_max); !checked) return fail(checked.error());
  return tags;
}

template <class Tag>
std::vector<Tag> tag_set_of(const Tags& tags) {
  std::vector<Tag> set;
  for (const auto& [key, value] : tags) {
    Tag tag;
    tag.key = key;
    tag.value = value;
    set.push_back(std::move(tag));
  }
  return set;
}

template <class In>
Result<Metadata> metadata_of(const In& in) {
  Metadata metadata;
  metadata.content_type = in.content_type.value_or("");
  if (metadata.content_type.empty()) metadata.content_type = "binary/octet-stream";
  metadata.cache_control = in.cache_control;
  metadata.content_disposition = in.content_disposition;
  metadata.content_encoding = stored_content_encoding(in.content_encoding);
  metadata.content_language = in.content_language;
  metadata.expires = in.expires;
  TRY(check_redirect_location(in.website_redirect_location));
  metadata.website_redirect_location = in.website_redirect_location;
  if (in.metadata) metadata.user = *in.metadata;
  TRY(check_user_metadata(metadata.user));
  for (auto& [name, value] : metadata.user) value = mail_safe(value);
  return metadata;
}

}  // namespace wolke::s3
