#include "wolke/identity/sigv4_errors.h"

#include <fmt/format.h>

#include "wolke/base/limits.h"

namespace wolke::identity {
namespace {

constexpr std::string_view token_invalid = "The security token included in the request is invalid.";

/// awsJson services answer 400 where the others answer 403.
int forbidden(Dialect dialect) {
  return dialect == Dialect::json ? 400 : 403;
}

bool is_json(Dialect dialect) {
  return dialect == Dialect::json || dialect == Dialect::rest_json;
}

std::string hex_bytes(std::string_view text) {
  std::string out;
  out.reserve(text.size() * 3);
  for (char c : text) {
    if (!out.empty()) out += ' ';
    out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

Error missing_authentication(Dialect dialect) {
  switch (dialect) {
    case Dialect::s3:
      return {"AccessDenied", 403, "Access Denied"};
    case Dialect::query:
      return {"MissingAuthenticationToken", 403, "Request is missing Authentication Token"};
    case Dialect::json:
      return {"MissingAuthenticationTokenException", 400, "Missing Authentication Token"};
    case Dialect::rest_json:
      break;
  }
  return {"MissingAuthenticationTokenException", 403, "Missing Authentication Token"};
}

Error unknown_access_key(Dialect dialect, std::string_view access_key_id) {
  if (dialect == Dialect::s3) {
    return {"InvalidAccessKeyId",
            403,
            "The AWS Access Key Id you provided does not exist in our records.",
            {{"AWSAccessKeyId", std::string(access_key_id)}}};
  }
  if (dialect == Dialect::query) return {"InvalidClientTokenId", 403, std::string(token_invalid)};
  return {"UnrecognizedClientException", forbidden(dialect), std::string(token_invalid)};
}

Error invalid_token(Dialect dialect) {
  if (dialect == Dialect::s3) {
    return {"InvalidToken", 400, "The provided token is malformed or otherwise invalid."};
  }
  return unknown_access_key(dialect, "");
}

Error expired_token(Dialect dialect) {
  if (dialect == Dialect::s3) return {"ExpiredToken", 400, "The provided token has expired."};
  return {is_json(dialect) ? "ExpiredTokenException" : "ExpiredToken", forbidden(dialect),
          "The security token included in the request is expired"};
}

Error signature_mismatch(Dialect dialect, const Authorization& authorization,
                         std::string_view string_to_sign, std::string_view canonical) {
  if (dialect == Dialect::s3) {
    return {
        "SignatureDoesNotMatch",
        403,
        "The request signature we calculated does not match the signature you provided. Check your "
        "key and signing method.",
        {{"AWSAccessKeyId", authorization.access_key_id},
         {"StringToSign", std::string(string_to_sign)},
         {"SignatureProvided", authorization.signature},
         {"StringToSignBytes", hex_bytes(string_to_sign)},
         {"CanonicalRequest", std::string(canonical)},
         {"CanonicalRequestBytes", hex_bytes(canonical)}}};
  }
  std::string text =
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS "
      "Secret Access Key and signing method. Consult the service documentation for details.";
  if (!is_json(dialect)) return {"SignatureDoesNotMatch", 403, std::move(text)};
  text += fmt::format(
      "\n\nThe Canonical String for this request should have been\n'{}'\n\n"
      "The String-to-Sign should have been\n'{}'\n",
      canonical, string_to_sign);
  return {"InvalidSignatureException", forbidden(dialect), std::move(text)};
}

Error access_denied(Dialect dialect, std::string_view principal_arn, std::string_view action,
                    std::string_view resource, std::string_view why) {
  std::string who = principal_arn.empty() ? "anonymous" : std::string(principal_arn);
  std::string text = fmt::format("User: {} is not authorized to perform: {}", who, action);
  if (!resource.empty() && resource != "*") text += fmt::format(" on resource: {}", resource);
  if (!why.empty()) text += fmt::format("{}{}", why.starts_with("with ") ? " " : " because ", why);
  if (dialect == Dialect::s3) {
    if (principal_arn.empty()) text = "Access Denied";
    return {"AccessDenied", 403, std::move(text)};
  }
  return {is_json(dialect) ? "AccessDeniedException" : "AccessDenied", forbidden(dialect),
          std::move(text)};
}

namespace detail {

Error malformed(Dialect dialect, Carrier carrier, std::string text) {
  if (dialect == Dialect::s3) {
    if (carrier != Carrier::header) {
      return {"AuthorizationQueryParametersError", 400, std::move(text)};
    }
    return {"AuthorizationHeaderMalformed", 400,
            "The authorization header is malformed; " + std::move(text)};
  }
  return {is_json(dialect) ? "IncompleteSignatureException" : "IncompleteSignature", 400,
          std::move(text)};
}

Error wrong_scope(Dialect dialect, Carrier carrier, std::string s3_text, std::string text) {
  if (dialect == Dialect::s3) {
    if (carrier != Carrier::header) {
      s3_text = "Error parsing the X-Amz-Credential parameter; " + s3_text;
    }
    return malformed(dialect, carrier, std::move(s3_text));
  }
  return {is_json(dialect) ? "InvalidSignatureException" : "SignatureDoesNotMatch",
          forbidden(dialect), std::move(text)};
}

Error mechanism_not_supported(Dialect dialect) {
  if (dialect == Dialect::s3) {
    return {"InvalidRequest", 400,
            "The authorization mechanism you have provided is not supported. Please use "
            "AWS4-HMAC-SHA256."};
  }
  return malformed(dialect, Carrier::header,
                   "Unsupported AWS 'algorithm'; only AWS4-HMAC-SHA256 is supported.");
}

Error only_one_mechanism(Dialect dialect) {
  if (dialect == Dialect::s3) {
    return {"InvalidArgument",
            400,
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
            "query "
            "string parameter or the Authorization header should be specified",
            {{"ArgumentName", "Authorization"}}};
  }
  return malformed(
      dialect, Carrier::header,
      "Only one of the Authorization header and the X-Amz-Algorithm query parameter may be "
      "specified.");
}

Error missing_date(Dialect dialect) {
  if (dialect == Dialect::s3) {
    return {"AccessDenied", 403, "AWS authentication requires a valid Date or x-amz-date header"};
  }
  return malformed(dialect, Carrier::header,
                   "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' "
                   "header.");
}

Error skewed(Dialect dialect, const Authorization& authorization, Timestamp now) {
  using std::chrono::duration_cast;
  if (dialect == Dialect::s3) {
    return {"RequestTimeTooSkewed",
            403,
            "The difference between the request time and the current time is too large.",
            {{"RequestTime", authorization.amz_date},
             {"ServerTime", format_iso8601_seconds(now)},
             {"MaxAllowedSkewMilliseconds",
              std::to_string(duration_cast<Millis>(limits::clock_skew_max).count())}}};
  }
  const bool past = authorization.time < now;
  const Timestamp bound = past ? now - limits::clock_skew_max : now + limits::clock_skew_max;
  std::string text =
      past ? fmt::format("Signature expired: {} is now earlier than {} ({} - {} min.)",
                         authorization.amz_date, format_amz_date(bound), format_amz_date(now),
                         limits::clock_skew_max.count())
           : fmt::format("Signature not yet current: {} is still later than {} ({} + {} min.)",
                         authorization.amz_date, format_amz_date(bound), format_amz_date(now),
                         limits::clock_skew_max.count());
  return {is_json(dialect) ? "InvalidSignatureException" : "SignatureDoesNotMatch",
          forbidden(dialect), std::move(text)};
}

Error presigned_expired(Dialect dialect, const Authorization& authorization, Timestamp now) {
  if (dialect != Dialect::s3) return skewed(dialect, authorization, now);
  if (authorization.time > now) return {"AccessDenied", 403, "Request is not valid yet"};
  const auto lifetime = authorization.expires.value_or(std::chrono::seconds(0));
  return {"AccessDenied",
          403,
          "Request has expired",
          {{"X-Amz-Expires", std::to_string(lifetime.count())},
           {"Expires", format_iso8601_seconds(authorization.time + lifetime)},
           {"ServerTime", format_iso8601_seconds(now)}}};
}

Error headers_not_signed(Dialect dialect, std::string_view names) {
  if (dialect == Dialect::s3) {
    return {"AccessDenied",
            403,
            "There were headers present in the request which were not signed",
            {{"HeadersNotSigned", std::string(names)}}};
  }
  return {is_json(dialect) ? "InvalidSignatureException" : "SignatureDoesNotMatch",
          forbidden(dialect),
          fmt::format("'{}' must be a 'SignedHeader' in the AWS Authorization.", names)};
}

Error bad_payload_hash(Dialect dialect, std::string_view value) {
  if (dialect != Dialect::s3) {
    return malformed(dialect, Carrier::header,
                     "The value of 'x-amz-content-sha256' must be the SHA-256 of the body.");
  }
  if (value.empty()) {
    return {"InvalidRequest", 400,
            "Missing required header for this request: x-amz-content-sha256"};
  }
  return {
      "InvalidArgument",
      400,
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid "
      "sha256 value.",
      {{"ArgumentName", "x-amz-content-sha256"}, {"ArgumentValue", std::string(value)}}};
}

Error payload_mismatch(Dialect dialect, std::string_view claimed, std::string_view actual) {
  if (dialect == Dialect::s3) {
    return {"XAmzContentSHA256Mismatch",
            400,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
            {{"ClientComputedContentSHA256", std::string(claimed)},
             {"S3ComputedContentSHA256", std::string(actual)}}};
  }
  return {is_json(dialect) ? "InvalidSignatureException" : "SignatureDoesNotMatch",
          forbidden(dialect),
          "The value of 'x-amz-content-sha256' does not match the SHA-256 of the body."};
}

}  // namespace detail
}  // namespace wolke::identity
