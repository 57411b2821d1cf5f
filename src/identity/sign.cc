#include "wolke/identity/sign.h"

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/base/uri.h"

namespace wolke::identity {
namespace {

std::vector<std::string> names_of(const Headers& headers) {
  std::vector<std::string> names;
  names.reserve(headers.size());
  for (const auto& [name, value] : headers) names.push_back(name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += ';';
    out += name;
  }
  return out;
}

std::string signature_of(const RequestToSign& request, const Credentials& credentials,
                         const SigningScope& scope, const std::vector<std::string>& names,
                         std::string_view payload_hash, std::string_view amz_date) {
  const RawRequest raw{request.method, request.path, request.query, &request.headers};
  const std::optional<std::string> canonical =
      canonical_request(raw, names, payload_hash, scope.service);
  ASSERT(canonical.has_value());
  const std::string_view date = amz_date.substr(0, 8);
  const std::string scope_text =
      std::string(date) + "/" + scope.region + "/" + scope.service + "/aws4_request";
  const std::string key = derive_signing_key(credentials.secret, date, scope.region, scope.service);
  return to_hex(hmac_sha256(key, string_to_sign(amz_date, scope_text, *canonical)));
}

}  // namespace

std::string sign_header(RequestToSign& request, const Credentials& credentials,
                        const SigningScope& scope, std::string_view payload_hash, Timestamp now) {
  const std::string amz_date = format_amz_date(now);
  request.headers.emplace_back("x-amz-date", amz_date);
  if (scope.service == "s3") request.headers.emplace_back("x-amz-content-sha256", payload_hash);
  if (!credentials.session_token.empty()) {
    request.headers.emplace_back("x-amz-security-token", credentials.session_token);
  }
  const std::vector<std::string> names = names_of(request.headers);
  std::string signature = signature_of(request, credentials, scope, names, payload_hash, amz_date);
  request.headers.emplace_back(
      "authorization", std::string(sigv4_algorithm) + " Credential=" + credentials.access_key_id +
                           "/" + amz_date.substr(0, 8) + "/" + scope.region + "/" + scope.service +
                           "/aws4_request, SignedHeaders=" + joined(names) +
                           ", Signature=" + signature);
  return signature;
}

std::string presign_url(const RequestToSign& request, const Credentials& credentials,
                        const SigningScope& scope, std::chrono::seconds lifetime, Timestamp now) {
  const std::string amz_date = format_amz_date(now);
  const std::vector<std::string> names = names_of(request.headers);
  RequestToSign signed_request = request;
  std::string& query = signed_request.query;
  auto add = [&query](std::string_view name, std::string_view value) {
    if (!query.empty()) query += '&';
    query += name;
    query += '=';
    query += percent_encode(value);
  };
  add("X-Amz-Algorithm", sigv4_algorithm);
  add("X-Amz-Credential", credentials.access_key_id + "/" + amz_date.substr(0, 8) + "/" +
                              scope.region + "/" + scope.service + "/aws4_request");
  add("X-Amz-Date", amz_date);
  add("X-Amz-Expires", std::to_string(lifetime.count()));
  if (!credentials.session_token.empty()) add("X-Amz-Security-Token", credentials.session_token);
  add("X-Amz-SignedHeaders", joined(names));
  const std::string_view payload_hash = scope.service == "s3" ? "UNSIGNED-PAYLOAD" : empty_sha256;
  add("X-Amz-Signature",
      signature_of(signed_request, credentials, scope, names, payload_hash, amz_date));
  return request.path + "?" + query;
}

}  // namespace wolke::identity
