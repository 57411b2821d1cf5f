#include "wolke/identity/sigv4.h"

#include <fmt/format.h>

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/base/limits.h"
#include "wolke/base/text.h"
#include "wolke/base/uri.h"
#include "wolke/identity/form.h"
#include "wolke/identity/sigv2.h"
#include "wolke/identity/sigv4_errors.h"

namespace wolke::identity {
namespace {

using detail::malformed;

constexpr std::string_view terminator_text = "aws4_request";
constexpr std::string_view credential_form =
    "expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
constexpr auto presign_default =
    std::chrono::seconds(900);  // services other than S3, when not said

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// A header that authentication reads; more than one of it is an error of its own.
Result<const std::string*> single_header(const Headers& headers, std::string_view name,
                                         Dialect dialect) {
  const std::string* found = nullptr;
  for (const auto& [key, value] : headers) {
    if (key != name) continue;
    if (found != nullptr) {
      return fail(
          malformed(dialect, Carrier::header, fmt::format("more than one '{}' header.", name)));
    }
    found = &value;
  }
  return found;
}

Result<const std::string*> single_query(const QueryPairs& pairs, std::string_view name,
                                        Dialect dialect) {
  const std::string* found = nullptr;
  for (const auto& [key, value] : pairs) {
    if (key != name) continue;
    if (found != nullptr) {
      return fail(
          malformed(dialect, Carrier::query, fmt::format("more than one {} parameter.", name)));
    }
    found = &value;
  }
  return found;
}

}  // namespace

namespace detail {

Result<void> parse_credential(std::string_view text, Dialect dialect, Authorization& out) {
  std::vector<std::string_view> parts = split(text, '/');
  const bool empty_part = std::any_of(parts.begin(), parts.end(), [](auto p) { return p.empty(); });
  if (parts.size() != 5 || empty_part) {
    if (dialect != Dialect::s3) {
      return fail(
          malformed(dialect, out.carrier,
                    fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                                "keyid/date/region/service/term, got '{}'",
                                text)));
    }
    const char* what =
        out.carrier == Carrier::query ? "Error parsing the X-Amz-Credential parameter; " : "";
    return fail(
        malformed(dialect, out.carrier,
                  fmt::format("{}the Credential is mal-formed; {}", what, credential_form)));
  }
  out.access_key_id = parts[0];
  out.date = parts[1];
  out.region = parts[2];
  out.service = parts[3];
  out.terminator = parts[4];
  if (out.date.size() != 8 || !is_digits(out.date)) {
    return fail(malformed(
        dialect, out.carrier,
        fmt::format(
            "incorrect date format \"{}\". This date in the credential must be in the format "
            "\"yyyyMMdd\".",
            out.date)));
  }
  return {};
}

}  // namespace detail

namespace {

/// Lower case, strictly ascending: one request has one canonical form.
Result<void> parse_signed_headers(std::string_view text, Dialect dialect, Authorization& out) {
  for (std::string_view name : split(text, ';')) {
    const bool ascending = out.signed_headers.empty() || out.signed_headers.back() < name;
    const bool clean = !name.empty() && std::none_of(name.begin(), name.end(), [](char c) {
      return c <= ' ' || c == ',' || c == ':' || (c >= 'A' && c <= 'Z') ||
             static_cast<unsigned char>(c) > 126;
    });
    if (!ascending || !clean) {
      return fail(
          malformed(dialect, out.carrier,
                    "SignedHeaders must be lower-case header names in ascending order, separated "
                    "by ';'."));
    }
    out.signed_headers.emplace_back(name);
  }
  return {};
}

Result<void> parse_signature(std::string_view text, Dialect dialect, Authorization& out) {
  if (text.size() != 64 || !is_lower_hex(text)) {
    return fail(
        malformed(dialect, out.carrier, "the Signature must be 64 lower-case hexadecimal digits."));
  }
  out.signature = text;
  return {};
}

Result<void> set_payload(const std::string* value, Dialect dialect, Authorization& out) {
  if (value == nullptr) {
    if (out.carrier == Carrier::query && dialect == Dialect::s3) {
      out.payload = Payload::unsigned_payload;
      out.payload_hash = "UNSIGNED-PAYLOAD";
      return {};
    }
    if (dialect == Dialect::s3) return fail(detail::bad_payload_hash(dialect, ""));
    return {};
  }
  out.payload_hash = *value;
  if (value->size() == 64 && is_lower_hex(*value)) {
    out.payload = Payload::literal;
    return {};
  }
  if (dialect != Dialect::s3) return fail(detail::bad_payload_hash(dialect, *value));
  if (*value == "UNSIGNED-PAYLOAD") {
    out.payload = Payload::unsigned_payload;
  } else if (*value == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") {
    out.payload = Payload::streaming_signed;
  } else if (*value == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
    out.payload = Payload::streaming_signed_trailer;
  } else if (*value == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    out.payload = Payload::streaming_unsigned_trailer;
  } else {
    return fail(detail::bad_payload_hash(dialect, *value));
  }
  // The chunk signatures go on from a header signature; a presigned URL has none to go on from.
  if (out.carrier == Carrier::query && is_streaming(out.payload)) {
    return fail(detail::bad_payload_hash(dialect, *value));
  }
  return {};
}

Result<void> parse_time(const Headers& headers, Dialect dialect, Authorization& out) {
  TRY(const std::string* amz_date, single_header(headers, "x-amz-date", dialect));
  TRY(const std::string* date, single_header(headers, "date", dialect));
  std::optional<Timestamp> time;
  if (amz_date != nullptr) {
    time = parse_amz_date(*amz_date);
  } else if (date != nullptr) {
    time = parse_amz_date(*date);
    if (!time) time = parse_rfc1123(*date);
  }
  if (!time) return fail(detail::missing_date(dialect));
  out.time = *time;
  out.amz_date = format_amz_date(*time);
  return {};
}

/// "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…"
Result<void> parse_header_parts(std::string_view text, Dialect dialect, Authorization& out) {
  std::optional<std::string_view> credential;
  std::optional<std::string_view> signed_headers;
  std::optional<std::string_view> signature;
  for (std::string_view part : split(text, ',')) {
    part = trim(part);
    const std::size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    std::optional<std::string_view>* slot = name == "Credential"      ? &credential
                                            : name == "SignedHeaders" ? &signed_headers
                                            : name == "Signature"     ? &signature
                                                                      : nullptr;
    if (slot == nullptr || slot->has_value() || equals == std::string_view::npos) {
      return fail(
          malformed(dialect, Carrier::header,
                    fmt::format("'{}' is not a valid key=value pair (missing equal-sign, repeated "
                                "or unknown) in Authorization header.",
                                part)));
    }
    *slot = part.substr(equals + 1);
  }
  if (!credential || !signed_headers || !signature) {
    if (dialect == Dialect::s3) {
      return fail(malformed(dialect, Carrier::header,
                            "the authorization header requires three components: Credential, "
                            "SignedHeaders, and Signature."));
    }
    std::string text_out;
    if (!credential) text_out += "Authorization header requires 'Credential' parameter. ";
    if (!signature) text_out += "Authorization header requires 'Signature' parameter. ";
    if (!signed_headers) text_out += "Authorization header requires 'SignedHeaders' parameter. ";
    return fail(malformed(dialect, Carrier::header, std::string(trim(text_out))));
  }
  TRY(detail::parse_credential(*credential, dialect, out));
  TRY(parse_signed_headers(*signed_headers, dialect, out));
  TRY(parse_signature(*signature, dialect, out));
  return {};
}

Result<Authorization> parse_header_form(const std::string& value, const Headers& headers,
                                        Dialect dialect) {
  Authorization out;
  out.carrier = Carrier::header;
  const std::size_t space = value.find(' ');
  const std::string_view algorithm = std::string_view(value).substr(0, space);
  if (algorithm != sigv4_algorithm || space == std::string::npos) {
    return fail(detail::mechanism_not_supported(dialect));
  }
  TRY(parse_header_parts(std::string_view(value).substr(space + 1), dialect, out));
  TRY(parse_time(headers, dialect, out));
  TRY(const std::string* token, single_header(headers, "x-amz-security-token", dialect));
  if (token != nullptr) out.security_token = *token;
  TRY(const std::string* hash, single_header(headers, "x-amz-content-sha256", dialect));
  TRY(set_payload(hash, dialect, out));
  return out;
}

Result<void> parse_expires(const std::string* text, Dialect dialect, Authorization& out) {
  if (text == nullptr) {  // S3 has refused this before
    out.expires = presign_default;
    return {};
  }
  const std::optional<std::int64_t> seconds = parse_i64(*text);
  if (!seconds) return fail(malformed(dialect, out.carrier, "X-Amz-Expires should be a number"));
  if (*seconds < 0)
    return fail(malformed(dialect, out.carrier, "X-Amz-Expires must be non-negative"));
  if (*seconds == 0)
    return fail(malformed(dialect, out.carrier, "X-Amz-Expires must be at least 1 second"));
  if (*seconds > limits::presign_lifetime_max.count()) {
    return fail(malformed(dialect, out.carrier,
                          "X-Amz-Expires must be less than a week (in seconds); that is, the given "
                          "X-Amz-Expires must be less than 604800 seconds"));
  }
  out.expires = std::chrono::seconds(*seconds);
  return {};
}

Result<Authorization> parse_query_form(const QueryPairs& pairs, const Headers& headers,
                                       Dialect dialect) {
  Authorization out;
  out.carrier = Carrier::query;
  TRY(const std::string* algorithm, single_query(pairs, "X-Amz-Algorithm", dialect));
  TRY(const std::string* credential, single_query(pairs, "X-Amz-Credential", dialect));
  TRY(const std::string* signature, single_query(pairs, "X-Amz-Signature", dialect));
  TRY(const std::string* date, single_query(pairs, "X-Amz-Date", dialect));
  TRY(const std::string* signed_headers, single_query(pairs, "X-Amz-SignedHeaders", dialect));
  TRY(const std::string* expires, single_query(pairs, "X-Amz-Expires", dialect));
  TRY(const std::string* token, single_query(pairs, "X-Amz-Security-Token", dialect));
  const bool expires_missing = expires == nullptr && dialect == Dialect::s3;
  if (!algorithm || !credential || !signature || !date || !signed_headers || expires_missing) {
    return fail(malformed(dialect, out.carrier,
                          "Query-string authentication version 4 requires the X-Amz-Algorithm, "
                          "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
                          "X-Amz-Expires parameters."));
  }
  if (*algorithm != sigv4_algorithm) {
    return fail(
        malformed(dialect, out.carrier, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
  }
  TRY(detail::parse_credential(*credential, dialect, out));
  const std::optional<Timestamp> time = parse_amz_date(*date);
  if (!time) {
    return fail(
        malformed(dialect, out.carrier,
                  "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""));
  }
  out.time = *time;
  out.amz_date = *date;
  TRY(parse_expires(expires, dialect, out));
  TRY(parse_signed_headers(*signed_headers, dialect, out));
  TRY(parse_signature(*signature, dialect, out));
  if (token != nullptr) out.security_token = *token;
  TRY(const std::string* hash, single_header(headers, "x-amz-content-sha256", dialect));
  if (hash == nullptr) {
    TRY(hash, single_query(pairs, "X-Amz-Content-Sha256", dialect));
  }
  TRY(set_payload(hash, dialect, out));
  return out;
}

Result<void> check_signed_headers(const Authorization& authorization, const RawRequest& request,
                                  Dialect dialect) {
  const auto& names = authorization.signed_headers;
  auto is_signed = [&names](std::string_view name) {
    return std::binary_search(names.begin(), names.end(), name, std::less<>());
  };
  if (!is_signed("host")) {
    if (dialect == Dialect::s3) return fail(detail::headers_not_signed(dialect, "host"));
    return fail(detail::headers_not_signed(dialect, "Host' or ':authority"));
  }
  std::string missing;
  for (const auto& [name, value] : *request.headers) {
    if (!name.starts_with("x-amz-") || is_signed(name)) continue;
    if (!missing.empty()) missing += ", ";
    missing += name;
  }
  if (!missing.empty()) return fail(detail::headers_not_signed(dialect, missing));
  return {};
}

}  // namespace

namespace detail {

Result<void> check_scope(const Authorization& authorization, const Expected& expected) {
  const Dialect dialect = expected.dialect;
  const Carrier carrier = authorization.carrier;
  const std::string day = authorization.amz_date.substr(0, 8);
  if (authorization.date != day) {
    return fail(detail::wrong_scope(
        dialect, carrier,
        fmt::format(
            "Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{}\".",
            authorization.date, day),
        fmt::format(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            "HTTP: '{}' != '{}', from '{}'.",
            authorization.date, day, authorization.amz_date)));
  }
  if (!expected.region.empty() && authorization.region != expected.region) {
    Error error =
        detail::wrong_scope(dialect, carrier,
                            fmt::format("the region '{}' is wrong; expecting '{}'",
                                        authorization.region, expected.region),
                            fmt::format("Credential should be scoped to a valid region, not '{}'. ",
                                        authorization.region));
    if (dialect == Dialect::s3) error.fields = {{"Region", std::string(expected.region)}};
    return fail(std::move(error));
  }
  if (authorization.service != expected.service) {
    return fail(detail::wrong_scope(
        dialect, carrier,
        fmt::format("incorrect service \"{}\". This endpoint belongs to \"{}\".",
                    authorization.service, expected.service),
        fmt::format("Credential should be scoped to correct service: '{}'. ", expected.service)));
  }
  if (authorization.terminator != terminator_text) {
    return fail(detail::wrong_scope(
        dialect, carrier,
        fmt::format("incorrect terminal \"{}\". This endpoint uses \"aws4_request\".",
                    authorization.terminator),
        fmt::format(
            "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'.",
            authorization.terminator)));
  }
  return {};
}

}  // namespace detail

namespace {

bool names_query_authentication(const QueryPairs& pairs) {
  return std::any_of(pairs.begin(), pairs.end(), [](const auto& pair) {
    return pair.first == "X-Amz-Algorithm" || pair.first == "X-Amz-Credential" ||
           pair.first == "X-Amz-Signature" || pair.first == "X-Amz-SignedHeaders";
  });
}

}  // namespace

Result<std::optional<Authorization>> parse_authorization(const RawRequest& request,
                                                         Dialect dialect) {
  TRY(const std::string* header, single_header(*request.headers, "authorization", dialect));
  const std::optional<QueryPairs> pairs = parse_query(request.query);
  if (!pairs) {
    if (dialect == Dialect::s3) {
      return fail(Error{"InvalidURI", 400, "Couldn't parse the specified URI."});
    }
    return fail(malformed(dialect, Carrier::query, "The query string has an invalid escape."));
  }
  const bool in_query = names_query_authentication(*pairs);
  const bool version2 = dialect == Dialect::s3 ? detail::names_sigv2(*pairs)
                                               : find_query(*pairs, "AWSAccessKeyId") != nullptr &&
                                                     find_query(*pairs, "Signature") != nullptr;
  if ((header != nullptr) + in_query + version2 > 1)
    return fail(detail::only_one_mechanism(dialect));
  if (request.form != nullptr) {
    if (header != nullptr || in_query || version2) return fail(detail::only_one_mechanism(dialect));
    return detail::parse_form(*request.form);
  }
  if (header != nullptr) {
    TRY(Authorization out, parse_header_form(*header, *request.headers, dialect));
    return std::optional<Authorization>(std::move(out));
  }
  if (in_query) {
    TRY(Authorization out, parse_query_form(*pairs, *request.headers, dialect));
    return std::optional<Authorization>(std::move(out));
  }
  if (!version2) return std::optional<Authorization>();
  if (dialect != Dialect::s3) return fail(detail::mechanism_not_supported(dialect));
  TRY(Authorization out, detail::parse_sigv2(*pairs, *request.headers));
  TRY(const std::string* hash, single_header(*request.headers, "x-amz-content-sha256", dialect));
  TRY(set_payload(hash, dialect, out));
  return std::optional<Authorization>(std::move(out));
}

Result<void> check_lifetime(const Authorization& authorization, Dialect dialect, Timestamp now) {
  if (authorization.carrier == Carrier::form) return {};  // its policy document says when it ends
  if (authorization.version == SignatureVersion::v2) {
    return detail::check_sigv2_lifetime(authorization, now);
  }
  if (authorization.carrier == Carrier::query) {
    const bool early = authorization.time > now + limits::clock_skew_max;
    const bool late =
        now > authorization.time + authorization.expires.value_or(std::chrono::seconds(0));
    if (early || late) return fail(detail::presigned_expired(dialect, authorization, now));
    return {};
  }
  const bool skewed = authorization.time > now + limits::clock_skew_max ||
                      authorization.time < now - limits::clock_skew_max;
  if (skewed) return fail(detail::skewed(dialect, authorization, now));
  return {};
}

Result<Verified> verify(const Authorization& authorization, std::string_view secret,
                        const RawRequest& request, const Expected& expected, Timestamp now) {
  if (authorization.carrier == Carrier::form) {
    ASSERT(expected.dialect == Dialect::s3 && request.form != nullptr);
    TRY(detail::verify_form(authorization, secret, *request.form, expected));
    return Verified{};
  }
  if (authorization.version == SignatureVersion::v2) {
    ASSERT(expected.dialect == Dialect::s3);
    TRY(detail::verify_sigv2(authorization, secret, request, now));
    return Verified{};
  }
  TRY(detail::check_scope(authorization, expected));
  TRY(check_lifetime(authorization, expected.dialect, now));
  TRY(check_signed_headers(authorization, request, expected.dialect));
  std::string_view payload_hash = authorization.payload_hash;
  if (authorization.payload == Payload::absent) {
    if (expected.body_sha256.size() != 64)
      return fail(detail::bad_payload_hash(expected.dialect, ""));
    payload_hash = expected.body_sha256;
  }
  const std::optional<std::string> canonical =
      canonical_request(request, authorization.signed_headers, payload_hash, authorization.service);
  if (!canonical) return fail(signature_mismatch(expected.dialect, authorization, "", ""));
  const std::string to_sign =
      string_to_sign(authorization.amz_date, authorization.scope(), *canonical);
  Verified out;
  out.signing_key =
      derive_signing_key(secret, authorization.date, authorization.region, authorization.service);
  out.signature = to_hex(hmac_sha256(out.signing_key, to_sign));
  if (!equal_constant_time(out.signature, authorization.signature)) {
    return fail(signature_mismatch(expected.dialect, authorization, to_sign, *canonical));
  }
  return out;
}

Result<void> check_payload(const Authorization& authorization, std::string_view body_sha256,
                           Dialect dialect) {
  if (authorization.payload != Payload::literal) return {};
  if (equal_constant_time(authorization.payload_hash, body_sha256)) return {};
  return fail(detail::payload_mismatch(dialect, authorization.payload_hash, body_sha256));
}

}  // namespace wolke::identity
