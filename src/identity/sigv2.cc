#include "wolke/identity/sigv2.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <map>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/base/virtual_host.h"
#include "wolke/identity/sigv4_errors.h"

namespace wolke::identity::detail {
namespace {

constexpr std::string_view key_parameter = "AWSAccessKeyId";
constexpr std::string_view signature_parameter = "Signature";
constexpr std::string_view expires_parameter = "Expires";
constexpr std::int64_t expires_max = 253'402'300'799;  // the year 9999

/// Ordered, for the search.
constexpr std::string_view signed_parameters[] = {
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
};

/// They choose a part of a listing and name no operation.
constexpr std::string_view unsigned_parameters[] = {
    "continuation-token", "delimiter", "encoding-type", "fetch-owner",      "key-marker",
    "list-type",          "marker",    "max-keys",      "max-parts",        "max-uploads",
    "part-number-marker", "prefix",    "start-after",   "upload-id-marker", "version-id-marker",
};

template <std::size_t N>
bool holds(const std::string_view (&names)[N], std::string_view name) {
  return std::binary_search(std::begin(names), std::end(names), name);
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

/// "a&versionId=b" as one value would sign like two parameters.
bool hides_parameter(std::string_view value) {
  for (std::size_t at = value.find('&'); at != std::string_view::npos; at = value.find('&')) {
    value.remove_prefix(at + 1);
    if (holds(signed_parameters, value.substr(0, value.find_first_of("&=")))) return true;
  }
  return false;
}

Error link_refused(std::string text) {
  return {"AccessDenied", 403, std::move(text)};
}

/// What the link carries in place of headers; a header of that name comes before it.
struct Signed {
  std::map<std::string, std::string> amz;  // x-amz-*, lower case
  std::string content_md5;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> resource;
};

void append(std::map<std::string, std::string>& out, std::string name, std::string_view value) {
  const auto [it, added] = out.emplace(std::move(name), trim(value));
  if (added) return;
  it->second += ',';
  it->second += trim(value);
}

/// False: the parameter cannot be part of such a link.
bool take_parameter(const std::string& name, const std::string& value, Signed& from_query,
                    Signed& out) {
  if (has_control(value) || has_control(name)) return false;
  if (name == key_parameter || name == signature_parameter || name == expires_parameter)
    return true;
  const std::string lower = to_lower(name);
  if (lower.starts_with("x-amz-")) {
    if (lower.find(':') != std::string::npos) return false;
    append(from_query.amz, lower, value);
    return true;
  }
  if (name == "content-md5" || name == "content-type") {
    std::string& slot = name == "content-md5" ? from_query.content_md5 : from_query.content_type;
    if (!slot.empty()) return false;
    slot = value;
    return true;
  }
  if (holds(signed_parameters, name)) {
    if (hides_parameter(value)) return false;
    out.resource.emplace_back(name, value);
    return true;
  }
  return holds(unsigned_parameters, name) || lower.starts_with("x-");
}

std::optional<Signed> collect(const RawRequest& request) {
  const std::optional<QueryPairs> pairs = parse_query(request.query);
  if (!pairs) return std::nullopt;
  Signed out;
  Signed from_query;
  for (const auto& [name, value] : *request.headers) {
    if (name.starts_with("x-amz-")) append(out.amz, name, value);
    std::string* slot = name == "content-md5"    ? &out.content_md5
                        : name == "content-type" ? &out.content_type
                                                 : nullptr;
    if (slot == nullptr) continue;
    if (!slot->empty()) return std::nullopt;  // two of them: which one counts is not signed
    *slot = trim(value);
  }
  for (const auto& [name, value] : *pairs) {
    if (!take_parameter(name, value, from_query, out)) return std::nullopt;
  }
  out.amz.merge(from_query.amz);
  if (out.content_md5.empty()) out.content_md5 = from_query.content_md5;
  if (out.content_type.empty()) out.content_type = from_query.content_type;
  std::stable_sort(out.resource.begin(), out.resource.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return out;
}

Result<const std::string*> single(const QueryPairs& pairs, std::string_view name) {
  const std::string* found = nullptr;
  for (const auto& [key, value] : pairs) {
    if (key != name) continue;
    if (found != nullptr)
      return fail(link_refused(fmt::format("more than one {} parameter.", name)));
    found = &value;
  }
  return found;
}

Result<std::string> find_token(const QueryPairs& pairs, const Headers& headers) {
  const std::string* found = nullptr;
  auto take = [&found](const std::string& value) -> Result<void> {
    if (found != nullptr)
      return fail(link_refused("more than one x-amz-security-token parameter."));
    found = &value;
    return {};
  };
  for (const auto& [name, value] : headers) {
    if (name == "x-amz-security-token") {
      TRY(take(value));
    }
  }
  if (found != nullptr) return *found;
  for (const auto& [name, value] : pairs) {
    if (iequals(name, "x-amz-security-token")) {
      TRY(take(value));
    }
  }
  return found != nullptr ? *found : std::string();
}

/// The path with the bucket in front. `bare` is the other way in which clients write a bucket
/// without a key: with or without the slash at its end.
struct CanonicalPaths {
  std::string path;
  std::string bare;
};

CanonicalPaths canonical_paths(const RawRequest& request) {
  CanonicalPaths out;
  for (const auto& [name, value] : *request.headers) {
    if (name != "host") continue;
    const std::string bucket = virtual_host_bucket(value);
    if (!bucket.empty()) out.path = "/" + bucket;
    break;
  }
  out.path += request.path.empty() ? std::string_view("/") : request.path;
  const std::size_t slash = out.path.find('/', 1);
  if (out.path == "/") return out;
  if (slash == std::string::npos) out.bare = out.path + "/";
  if (slash == out.path.size() - 1) out.bare = out.path.substr(0, slash);
  return out;
}

}  // namespace

bool names_sigv2(const QueryPairs& pairs) {
  return find_query(pairs, key_parameter) != nullptr ||
         find_query(pairs, signature_parameter) != nullptr;
}

Result<Authorization> parse_sigv2(const QueryPairs& pairs, const Headers& headers) {
  TRY(const std::string* key, single(pairs, key_parameter));
  TRY(const std::string* signature, single(pairs, signature_parameter));
  TRY(const std::string* expires, single(pairs, expires_parameter));
  if (key == nullptr || signature == nullptr || expires == nullptr) {
    return fail(
        link_refused("Query-string authentication requires the Signature, Expires and "
                     "AWSAccessKeyId parameters"));
  }
  const std::optional<std::int64_t> seconds = parse_i64(*expires);
  if (!seconds || *seconds < 0 || *seconds > expires_max) {
    return fail(link_refused(
        fmt::format("Invalid date (should be seconds since epoch): {}", printable(*expires))));
  }
  Authorization out;
  out.carrier = Carrier::query;
  out.version = SignatureVersion::v2;
  out.access_key_id = *key;
  out.time = from_millis(*seconds * 1000);
  out.signature = *signature;
  TRY(out.security_token, find_token(pairs, headers));
  return out;
}

Result<void> check_sigv2_lifetime(const Authorization& authorization, Timestamp now) {
  if (now <= authorization.time) return {};
  Error error = link_refused("Request has expired");
  error.fields = {{"Expires", format_iso8601_seconds(authorization.time)},
                  {"ServerTime", format_iso8601_seconds(now)}};
  return fail(std::move(error));
}

std::optional<std::string> sigv2_string_to_sign(const RawRequest& request, std::string_view path) {
  const std::optional<Signed> what = collect(request);
  const std::optional<QueryPairs> pairs = parse_query(request.query);
  if (!what || !pairs) return std::nullopt;
  const std::string* expires = find_query(*pairs, expires_parameter);
  if (expires == nullptr) return std::nullopt;
  std::string out = fmt::format("{}\n{}\n{}\n{}\n", request.method, what->content_md5,
                                what->content_type, *expires);
  for (const auto& [name, value] : what->amz) out += fmt::format("{}:{}\n", name, value);
  out += path;
  char separator = '?';
  for (const auto& [name, value] : what->resource) {
    out += separator;
    out += name;
    if (!value.empty()) out += "=" + value;
    separator = '&';
  }
  return out;
}

std::string sigv2_signature(std::string_view secret, std::string_view string_to_sign) {
  std::array<unsigned char, 20> mac{};
  unsigned size = 0;
  const auto* made = ::HMAC(::EVP_sha1(), secret.data(), static_cast<int>(secret.size()),
                            reinterpret_cast<const unsigned char*>(string_to_sign.data()),
                            string_to_sign.size(), mac.data(), &size);
  ASSERT(made != nullptr && size == mac.size());
  return to_base64({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

Result<void> verify_sigv2(const Authorization& authorization, std::string_view secret,
                          const RawRequest& request, Timestamp now) {
  TRY(check_sigv2_lifetime(authorization, now));
  const CanonicalPaths paths = canonical_paths(request);
  const std::optional<std::string> to_sign = sigv2_string_to_sign(request, paths.path);
  if (!to_sign) return fail(signature_mismatch(Dialect::s3, authorization, "", ""));
  if (equal_constant_time(sigv2_signature(secret, *to_sign), authorization.signature)) return {};
  if (!paths.bare.empty()) {
    const std::string other = sigv2_string_to_sign(request, paths.bare).value_or("");
    if (equal_constant_time(sigv2_signature(secret, other), authorization.signature)) return {};
  }
  return fail(signature_mismatch(Dialect::s3, authorization, *to_sign, ""));
}

}  // namespace wolke::identity::detail
