#include "wolke/identity/link.h"

#include <fmt/format.h>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"

namespace wolke::identity {
namespace {

constexpr std::string_view content_path = "/_wolke/content/";

std::string signed_text(std::string_view blob, std::string_view size, std::string_view expires) {
  return fmt::format("content {}\n{}\n{}", blob, size, expires);
}

Error changed() {
  return {"SignatureDoesNotMatch", 403,
          "The request signature we calculated does not match the signature you provided. Check "
          "your key and signing method."};
}

}  // namespace

std::string make_content_link(const Seal& seal, const BlobRef& blob, Timestamp now) {
  const std::string size = std::to_string(blob.size);
  const std::string expires = std::to_string(to_millis(now + content_link_lifetime) / 1000);
  return fmt::format("{}{}?Size={}&Expires={}&Signature={}", content_path, blob.id, size, expires,
                     seal.link_signature(signed_text(blob.id, size, expires)));
}

bool is_content_link(std::string_view path) {
  return path.starts_with(content_path);
}

Result<BlobRef> open_content_link(const Seal& seal, std::string_view path, const QueryPairs& query,
                                  Timestamp now) {
  const std::string* size = find_query(query, "Size");
  const std::string* expires = find_query(query, "Expires");
  const std::string* signature = find_query(query, "Signature");
  if (!is_content_link(path) || !size || !expires || !signature)
    return fail({"AccessDenied", 403, "Access Denied"});
  const std::string_view blob = path.substr(content_path.size());
  const std::string expected = seal.link_signature(signed_text(blob, *size, *expires));
  if (!equal_constant_time(expected, *signature)) return fail(changed());
  // From here every part is as we wrote it.
  const std::optional<std::uint64_t> bytes = parse_u64(*size);
  const std::optional<std::uint64_t> seconds = parse_u64(*expires);
  if (!bytes || !seconds) return fail(changed());
  const Timestamp end = from_millis(static_cast<std::int64_t>(*seconds) * 1000);
  if (now >= end) {
    return fail(
        {"AccessDenied",
         403,
         "Request has expired",
         {{"Expires", format_iso8601_seconds(end)}, {"ServerTime", format_iso8601_seconds(now)}}});
  }
  return BlobRef{.id = std::string(blob), .size = *bytes};
}

}  // namespace wolke::identity
