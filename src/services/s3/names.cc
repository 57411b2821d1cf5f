#include "wolke/services/s3/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/base/uri.h"
#include "wolke/services/s3/errors.h"

namespace wolke::s3 {
namespace {

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool looks_like_ip_address(std::string_view name) {
  std::vector<std::string_view> parts = split(name, '.');
  return parts.size() == 4 && std::ranges::all_of(parts, [](std::string_view part) {
           std::optional<std::uint64_t> number = parse_u64(part);
           return number && *number <= 255;
         });
}

// An id is a hash of the account, of which the last 40 bits are the account under a mask made of
// the rest: so an id tells its account, and a made-up one tells none.
constexpr std::size_t account_digits = 12;
constexpr std::size_t id_head_digits = 54;
constexpr std::string_view anonymous_id = "65a011a29cdf8ec533ec3d1ccaae921c";

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

std::uint64_t id_mask(std::string_view head) {
  return big_endian(sha256(head).substr(0, 5));
}

}  // namespace

bool is_valid_bucket_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  if (!is_lower_or_digit(name.front()) || !is_lower_or_digit(name.back())) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (!is_lower_or_digit(c) && c != '-' && c != '.') return false;
    if (c == '.' && name[i + 1] == '.') return false;  // the last character is no dot
  }
  for (std::string_view prefix : {"xn--", "sthree-", "amzn-s3-demo-"}) {
    if (name.starts_with(prefix)) return false;
  }
  for (std::string_view suffix : {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}) {
    if (name.ends_with(suffix)) return false;
  }
  return !looks_like_ip_address(name);
}

Result<void> check_key(std::string_view key) {
  if (key.size() > key_bytes_max) return fail(key_too_long(key.size()));
  if (key.empty() || !is_valid_utf8(key)) {
    return fail(Error{"InvalidURI", 400, "Couldn't parse the specified URI."});
  }
  return {};
}

std::string bucket_arn(std::string_view bucket) {
  return "arn:aws:s3:::" + std::string(bucket);
}

std::string object_arn(std::string_view bucket, std::string_view key) {
  return bucket_arn(bucket) + "/" + std::string(key);
}

std::string canonical_id(std::string_view account) {
  std::optional<std::uint64_t> number = parse_u64(account);
  if (!number || account.size() != account_digits) return std::string(anonymous_id);
  std::string head = to_hex(sha256("canonical user of account " + std::string(account)));
  head.resize(id_head_digits);
  return head + fmt::format("{:010x}", *number ^ id_mask(head));
}

std::optional<std::string> account_of_canonical_id(std::string_view id) {
  if (id.size() != 64) return std::nullopt;
  std::string_view head = id.substr(0, id_head_digits);
  std::optional<std::string> tail = from_hex(id.substr(id_head_digits));
  if (!tail) return std::nullopt;
  std::string account =
      fmt::format("{:0{}}", big_endian(*tail) ^ id_mask(head), std::size_t{account_digits});
  if (canonical_id(account) != id) return std::nullopt;
  return account;
}

std::string principal_id(std::string_view account) {
  std::string id = "A" + canonical_id(account).substr(0, 13);
  std::ranges::transform(id, id.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
  return id;
}

Result<CopySource> parse_copy_source(std::string_view header) {
  auto bad = [&](const char* message) {
    return fail(invalid_argument(message, "x-amz-copy-source", header));
  };
  constexpr const char* shape =
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
  constexpr std::string_view version_mark = "?versionId=";
  std::string_view path = header;
  // The version follows the last '?', which an encoded key cannot contain.
  std::optional<std::string> version_id;
  if (std::size_t mark = path.rfind(version_mark); mark != std::string_view::npos) {
    version_id = percent_decode(path.substr(mark + version_mark.size()));
    if (!version_id) return bad("Invalid version id specified");
    path = path.substr(0, mark);
  }
  if (path.starts_with('/')) path.remove_prefix(1);
  std::optional<std::string> decoded = percent_decode(path);
  if (!decoded) return bad(shape);
  std::string_view text = *decoded;
  if (text.starts_with('/')) text.remove_prefix(1);  // the slash itself may come encoded
  std::size_t slash = text.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == text.size()) return bad(shape);
  CopySource source{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1)),
                    std::move(version_id)};
  if (source.bucket.starts_with("arn:"))
    return bad("Access point ARNs are not served as copy sources");
  TRY(check_key(source.key));
  return source;
}

}  // namespace wolke::s3
