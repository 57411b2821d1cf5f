#include "wolke/services/s3/cors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wolke/base/text.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/metadata.h"
#include "wolke/shape/json_codec.h"

namespace wolke::s3 {
namespace {

using model::s3::CORSConfiguration;
using model::s3::CORSRule;
using Texts = std::optional<std::vector<std::string>>;

constexpr std::array<std::string_view, 5> methods = {"GET", "PUT", "POST", "DELETE", "HEAD"};

bool has_one_wildcard(std::string_view text) {
  return std::ranges::count(text, '*') <= 1;
}

/// `pattern` has at most one '*'.
bool matches_wildcard(std::string_view pattern, std::string_view text) {
  std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  std::string_view head = pattern.substr(0, star);
  std::string_view tail = pattern.substr(star + 1);
  return text.size() >= head.size() + tail.size() && text.starts_with(head) && text.ends_with(tail);
}

bool contains(const Texts& texts, std::string_view text) {
  return texts && std::ranges::find(*texts, text) != texts->end();
}

/// The rule's origin that fits; nullptr when none does.
const std::string* origin_of(const CORSRule& rule, const std::string& origin) {
  if (!rule.allowed_origins) return nullptr;
  for (const std::string& one : *rule.allowed_origins) {
    if (matches_wildcard(one, origin)) return &one;
  }
  return nullptr;
}

bool allows_headers(const CORSRule& rule, const std::vector<std::string>& asked) {
  return std::ranges::all_of(asked, [&](const std::string& header) {
    return rule.allowed_headers &&
           std::ranges::any_of(*rule.allowed_headers, [&](const std::string& allowed) {
             return matches_wildcard(to_lower(allowed), header);
           });
  });
}

std::string joined(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

Result<void> check_cors(const CORSConfiguration& configuration) {
  if (!configuration.cors_rules || configuration.cors_rules->empty() ||
      configuration.cors_rules->size() > cors_rules_max) {
    return fail(malformed_xml());
  }
  if (shape::to_json(configuration).size() > cors_bytes_max) {
    return fail(invalid_request("The CORS configuration is larger than 64 KB."));
  }
  for (const CORSRule& rule : *configuration.cors_rules) {
    if (!rule.allowed_methods || rule.allowed_methods->empty() || !rule.allowed_origins ||
        rule.allowed_origins->empty()) {
      return fail(malformed_xml());
    }
    for (const std::string& method : *rule.allowed_methods) {
      if (std::ranges::find(methods, method) == methods.end()) {
        return fail(invalid_request(fmt::format(
            "Found unsupported HTTP method in CORS config. Unsupported method is {}", method)));
      }
    }
    for (const std::string& origin : *rule.allowed_origins) {
      if (!has_one_wildcard(origin)) {
        return fail(invalid_request(
            fmt::format("AllowedOrigin \"{}\" can not have more than one wildcard.", origin)));
      }
    }
    for (const std::string& header : rule.expose_headers.value_or(std::vector<std::string>())) {
      if (!is_header_name(header)) {
        return fail(
            invalid_request(fmt::format("ExposeHeader \"{}\" is not a header's name.", header)));
      }
    }
    for (const std::string& header : rule.allowed_headers.value_or(std::vector<std::string>())) {
      if (!is_header_name(header)) {
        return fail(
            invalid_request(fmt::format("AllowedHeader \"{}\" is not a header's name.", header)));
      }
      if (!has_one_wildcard(header)) {
        return fail(invalid_request(
            fmt::format("AllowedHeader \"{}\" can not have more than one wildcard.", header)));
      }
    }
  }
  return {};
}

std::optional<std::vector<std::pair<std::string, std::string>>> cors_headers(
    const CORSConfiguration& configuration, const CrossOrigin& asked) {
  if (!configuration.cors_rules) return std::nullopt;
  for (const CORSRule& rule : *configuration.cors_rules) {
    const std::string* origin = origin_of(rule, asked.origin);
    if (origin == nullptr || !contains(rule.allowed_methods, asked.method)) continue;
    if (!allows_headers(rule, asked.headers)) continue;
    std::vector<std::pair<std::string, std::string>> headers;
    bool anybody = *origin == "*";
    headers.emplace_back("access-control-allow-origin", anybody ? "*" : asked.origin);
    headers.emplace_back("access-control-allow-methods", joined(*rule.allowed_methods));
    if (asked.preflight && !asked.headers.empty()) {
      headers.emplace_back("access-control-allow-headers", joined(asked.headers));
    }
    if (rule.expose_headers && !rule.expose_headers->empty()) {
      headers.emplace_back("access-control-expose-headers", joined(*rule.expose_headers));
    }
    if (rule.max_age_seconds) {
      headers.emplace_back("access-control-max-age", std::to_string(*rule.max_age_seconds));
    }
    if (!anybody) headers.emplace_back("access-control-allow-credentials", "true");
    headers.emplace_back("vary",
                         "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
    return headers;
  }
  return std::nullopt;
}

}  // namespace wolke::s3
