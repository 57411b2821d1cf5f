#include "wolke/services/s3/metadata.h"

#include <algorithm>
#include <array>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/base/uri.h"

namespace wolke::s3 {
namespace {

constexpr std::size_t tag_key_chars_max = 128;
constexpr std::size_t tag_value_chars_max = 256;

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Letters, digits and spaces of any script, and + - = . _ : / @. Other scripts' punctuation is let
/// through.
bool has_tag_characters_only(std::string_view text) {
  return is_valid_utf8(text) && std::ranges::all_of(text, [](char c) {
           auto u = static_cast<unsigned char>(c);
           bool alphanumeric =
               (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z');
           return u >= 0x80 || alphanumeric ||
                  std::string_view(" +-=._:/@").find(c) != std::string_view::npos;
         });
}

}  // namespace

bool is_header_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return alphanumeric || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

std::string mail_safe(std::string_view value) {
  auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::ranges::all_of(value, is_ascii)) return std::string(value);
  std::string utf8;
  for (char c : value) {
    auto u = static_cast<unsigned char>(c);
    if (u >= 0x80) utf8 += static_cast<char>(0xC0 | (u >> 6));
    utf8 += u >= 0x80 ? static_cast<char>(0x80 | (u & 0x3F)) : c;
  }
  return "=?UTF-8?B?" + to_base64(utf8) + "?=";
}

Result<void> check_user_metadata(const std::map<std::string, std::string>& metadata) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : metadata) {
    if (!is_header_name(name)) {
      return fail(invalid_argument("A metadata name must be a header's name", "x-amz-meta-", name));
    }
  }
  for (const auto& [name, value] : metadata) bytes += name.size() + value.size();
  if (bytes > user_metadata_bytes_max) return fail(metadata_too_large(bytes));
  return {};
}

std::optional<std::string> stored_content_encoding(const std::optional<std::string>& header) {
  if (!header) return std::nullopt;
  std::string kept;
  for (std::string_view coding : split(*header, ',')) {
    coding = trim(coding);
    if (coding.empty() || iequals(coding, "aws-chunked")) continue;
    if (!kept.empty()) kept += ", ";
    kept += coding;
  }
  if (kept.empty()) return std::nullopt;
  return kept;
}

Result<std::string> choose_storage_class(const std::optional<std::string>& header) {
  constexpr std::array<std::string_view, 8> known = {
      "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
      "GLACIER",  "GLACIER_IR",         "DEEP_ARCHIVE"};
  if (!header) return "STANDARD";
  if (std::ranges::find(known, *header) == known.end()) return fail(invalid_storage_class(*header));
  return *header;
}

Result<void> check_redirect_location(const std::optional<std::string>& header) {
  if (!header || header->starts_with('/') || header->starts_with("http://") ||
      header->starts_with("https://")) {
    return {};
  }
  return fail(invalid_redirect_location());
}

Result<void> check_encryption(const std::optional<std::string>& server_side_encryption) {
  if (!server_side_encryption || *server_side_encryption == "AES256") return {};
  if (server_side_encryption->starts_with("aws:")) {
    return fail(not_implemented("encryption with KMS keys (SSE-KMS)"));
  }
  return fail(invalid_argument("The encryption method specified is not supported",
                               "x-amz-server-side-encryption", *server_side_encryption));
}

Result<Tags> parse_tagging_header(const std::optional<std::string>& header) {
  Tags tags;
  if (!header || header->empty()) return tags;
  constexpr const char* shape =
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
      "without tag name "
      "duplicates.";
  std::optional<QueryPairs> pairs = parse_query(*header);
  if (!pairs) return fail(invalid_argument(shape, "x-amz-tagging", *header));
  for (auto& [key, value] : *pairs) {
    if (!tags.emplace(key, value).second) {
      return fail(invalid_argument(shape, "x-amz-tagging", *header));
    }
  }
  if (tags.size() > object_tags_max) {
    return fail(Error{"BadRequest", 400, "Object tags cannot be greater than 10"});
  }
  TRY(check_tags(tags, object_tags_max));
  return tags;
}

Result<void> check_tags(const Tags& tags, std::size_t tags_max) {
  if (tags.size() > tags_max) {
    return fail(Error{"BadRequest", 400, "The tag set exceeds the maximum number of tags"});
  }
  for (const auto& [key, value] : tags) {
    if (key.empty() || characters(key) > tag_key_chars_max || !has_tag_characters_only(key)) {
      return fail(invalid_tag("The TagKey you have provided is invalid", key));
    }
    if (characters(value) > tag_value_chars_max || !has_tag_characters_only(value)) {
      return fail(invalid_tag("The TagValue you have provided is invalid", key));
    }
    if (key.starts_with("aws:")) {
      return fail(invalid_tag("System tags cannot be added/updated by requester", key));
    }
  }
  return {};
}

}  // namespace wolke::s3
