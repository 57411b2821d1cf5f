// The canonical request and what is derived from it (sigv4.h).

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/base/uri.h"
#include "wolke/identity/sigv4.h"

namespace wolke::identity {
namespace {

/// RFC 3986 dot segments removed, empty segments dropped, a trailing '/' kept. Not for S3.
std::string normalise_path(std::string_view path) {
  std::vector<std::string_view> kept;
  for (std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!kept.empty()) kept.pop_back();
      continue;
    }
    kept.push_back(part);
  }
  std::string out;
  for (std::string_view part : kept) {
    out += '/';
    out += part;
  }
  if (out.empty() || path.ends_with('/')) out += '/';
  return out;
}

std::string canonical_path(std::string_view path, std::string_view service) {
  if (path.empty()) return "/";
  if (service == "s3") return std::string(path);
  return percent_encode(normalise_path(path), true);
}

std::optional<std::string> canonical_query(std::string_view query) {
  std::optional<QueryPairs> pairs = parse_query(query);
  if (!pairs) return std::nullopt;
  std::vector<std::pair<std::string, std::string>> encoded;
  encoded.reserve(pairs->size());
  for (const auto& [name, value] : *pairs) {
    if (name == "X-Amz-Signature") continue;
    encoded.emplace_back(percent_encode(name), percent_encode(value));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out += name;
    out += '=';
    out += value;
  }
  return out;
}

/// Trimmed, inner runs of spaces folded into one.
void append_folded(std::string& out, std::string_view value) {
  value = trim(value);
  bool space = false;
  for (char c : value) {
    const bool is_space = c == ' ' || c == '\t';
    if (is_space && space) continue;
    space = is_space;
    out += is_space ? ' ' : c;
  }
}

/// False when the request has no such header: a signature over a header that is gone proves
/// nothing.
bool append_header(std::string& out, const Headers& headers, std::string_view name) {
  bool found = false;
  for (const auto& [key, value] : headers) {
    if (key != name) continue;
    if (found) {
      out += ',';
    } else {
      out += name;
      out += ':';
    }
    append_folded(out, value);
    found = true;
  }
  if (found) out += '\n';
  return found;
}

}  // namespace

std::optional<std::string> canonical_request(const RawRequest& request,
                                             const std::vector<std::string>& signed_headers,
                                             std::string_view payload_hash,
                                             std::string_view service) {
  const std::optional<std::string> query = canonical_query(request.query);
  if (!query) return std::nullopt;
  std::string out;
  out.reserve(512);
  out += request.method;
  out += '\n';
  out += canonical_path(request.path, service);
  out += '\n';
  out += *query;
  out += '\n';
  for (const std::string& name : signed_headers) {
    if (!append_header(out, *request.headers, name)) return std::nullopt;
  }
  out += '\n';
  for (std::size_t i = 0; i < signed_headers.size(); ++i) {
    if (i > 0) out += ';';
    out += signed_headers[i];
  }
  out += '\n';
  out += payload_hash;
  return out;
}

std::string string_to_sign(std::string_view amz_date, std::string_view scope,
                           std::string_view canonical) {
  std::string out(sigv4_algorithm);
  out += '\n';
  out += amz_date;
  out += '\n';
  out += scope;
  out += '\n';
  out += to_hex(sha256(canonical));
  return out;
}

std::string derive_signing_key(std::string_view secret, std::string_view date,
                               std::string_view region, std::string_view service) {
  std::string key = "AWS4";
  key += secret;
  key = hmac_sha256(key, date);
  key = hmac_sha256(key, region);
  key = hmac_sha256(key, service);
  return hmac_sha256(key, "aws4_request");
}

}  // namespace wolke::identity
