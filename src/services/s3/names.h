#pragma once
// Names of buckets, keys, owners and copy sources: what is allowed and how they are written. Pure
// functions. Sources: S3 user guide, "Bucket naming rules" and "Object key naming"; API reference
// of CopyObject.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/result.h"

namespace wolke::s3 {

inline constexpr std::size_t key_bytes_max = 1024;

/// General purpose bucket rules: 3–63 of a-z 0-9 . -, ends alphanumeric, no "..", no IP address, no
/// reserved affix.
bool is_valid_bucket_name(std::string_view name);
/// 1–1,024 bytes of UTF-8; "KeyTooLongError" or "InvalidURI" otherwise.
Result<void> check_key(std::string_view key);

std::string bucket_arn(std::string_view bucket);
std::string object_arn(std::string_view bucket, std::string_view key);

/// The canonical user id of an account: 64 hexadecimal digits, the same on every node. Of what is
/// no account ("anonymous") it is the id that Amazon gives unsigned requests.
std::string canonical_id(std::string_view account);
/// The account whose canonical user id this is; nullopt for what is the id of none.
std::optional<std::string> account_of_canonical_id(std::string_view id);
/// The id in an event's ownerIdentity: "A" and 13 upper-case digits.
std::string principal_id(std::string_view account);

struct CopySource {
  std::string bucket;
  std::string key;
  std::optional<std::string> version_id;
};
/// "/bucket/key" or "bucket/key", percent-encoded, possibly with ?versionId=…. "InvalidArgument"
/// otherwise.
Result<CopySource> parse_copy_source(std::string_view header);

}  // namespace wolke::s3
