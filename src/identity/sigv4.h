#pragma once
// AWS Signature Version 4, the verifying side: pure functions from what was sent to who claims to
// have sent it and whether the claim holds. The raw path and query are used byte for byte as they
// came over the wire, so that no decoder stands between what was signed and what is verified.
// Service "s3" takes the path as sent; every other service normalises it and encodes it a second
// time.
//
// Steps: parse_authorization() (form only; no secret) -> the caller looks up the secret -> verify()
// (scope, time, signed headers, signature). Errors carry the names and texts that each dialect's
// SDKs know. Threads: all pure. Source: IAM User Guide "Create a signed AWS API request"; S3 API
// Reference "Authenticating Requests".

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/base/time.h"

namespace wolke::identity {

/// How a service names its authentication errors: S3; query (IAM, STS, SNS …); awsJson (Logs …);
/// restJson (Lambda …).
enum class Dialect : std::uint8_t { s3, query, json, rest_json };

/// Names lower case, values trimmed, in the order sent, duplicates kept (the same type as
/// net::HeaderList).
using Headers = std::vector<std::pair<std::string, std::string>>;

/// A request as it came over the wire.
struct RawRequest {
  std::string_view method;
  std::string_view path;   // before '?', percent-encoded as sent
  std::string_view query;  // after '?', as sent
  const Headers* headers = nullptr;
  /// The fields of a form that a browser posted (S3), names lower case; nullptr: it is no form.
  const Headers* form = nullptr;
};

enum class Carrier : std::uint8_t { header, query, form };

/// v2: links (sigv2.h) and forms (form.h) of S3 only.
enum class SignatureVersion : std::uint8_t { v4, v2 };

/// What the signature says about the body (x-amz-content-sha256).
enum class Payload : std::uint8_t {
  literal,                     // the body's SHA-256; the gateway compares (check_payload)
  unsigned_payload,            // UNSIGNED-PAYLOAD
  streaming_signed,            // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
  streaming_signed_trailer,    // STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
  streaming_unsigned_trailer,  // STREAMING-UNSIGNED-PAYLOAD-TRAILER
  absent,                      // no statement: verify() needs the body's hash (never for S3)
};

/// True when the body is aws-chunked and goes through ChunkedDecoder (chunked.h).
constexpr bool is_streaming(Payload payload) {
  return payload == Payload::streaming_signed || payload == Payload::streaming_signed_trailer ||
         payload == Payload::streaming_unsigned_trailer;
}

/// A claim, not yet verified.
struct Authorization {
  Carrier carrier = Carrier::header;
  SignatureVersion version = SignatureVersion::v4;
  std::string access_key_id;
  std::string date;    // credential scope: "20261123"
  std::string region;  // v2 has none: Directory::identify() puts the server's
  std::string service;
  std::string terminator;  // "aws4_request"
  std::string amz_date;    // "20261123T095113Z"
  Timestamp time;          // v2: when the link ends
  std::vector<std::string> signed_headers;
  std::string signature;  // 64 hexadecimal digits; v2: base64
  std::string security_token;
  std::optional<std::chrono::seconds> expires;  // query form
  Payload payload = Payload::absent;
  std::string payload_hash;  // as it enters the canonical request; empty when absent

  std::string scope() const { return date + "/" + region + "/" + service + "/" + terminator; }
};

/// nullopt: the request carries no authentication at all. Two mechanisms at once, SigV2 other than
/// in a link of S3, SigV4A and every malformed part are errors.
Result<std::optional<Authorization>> parse_authorization(const RawRequest& request,
                                                         Dialect dialect);

struct Expected {
  Dialect dialect = Dialect::query;
  std::string_view service;  // the signing name: "s3"
  std::string_view region =
      {};  // empty: any region of the credential scope is taken as the request's region
  /// Lower-case hexadecimal SHA-256 of the whole body; needed when payload is `absent`.
  std::string_view body_sha256 = {};
  /// The operation takes requests without a signature: what they carry stands for it.
  bool unsigned_allowed = false;
};

/// What the streaming decoder goes on from; empty for v2.
struct Verified {
  std::string signing_key;
  std::string signature;
};

/// Scope, date, skew or expiry, signed headers, signature (constant time).
Result<Verified> verify(const Authorization& authorization, std::string_view secret,
                        const RawRequest& request, const Expected& expected, Timestamp now);

/// The part of verify() that needs no secret: skew, or expiry of a link.
Result<void> check_lifetime(const Authorization& authorization, Dialect dialect, Timestamp now);

/// For Payload::literal: the body that came is the body that was signed.
Result<void> check_payload(const Authorization& authorization, std::string_view body_sha256,
                           Dialect dialect);

// The pieces, shared with the signing side (sign.h) and the streaming decoder.

/// The string whose hash is signed; nullopt when the query has a bad escape or a signed header is
/// missing.
std::optional<std::string> canonical_request(const RawRequest& request,
                                             const std::vector<std::string>& signed_headers,
                                             std::string_view payload_hash,
                                             std::string_view service);
std::string string_to_sign(std::string_view amz_date, std::string_view scope,
                           std::string_view canonical);
std::string derive_signing_key(std::string_view secret, std::string_view date,
                               std::string_view region, std::string_view service);
/// SHA-256 of nothing, hexadecimal.
inline constexpr std::string_view empty_sha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
inline constexpr std::string_view sigv4_algorithm = "AWS4-HMAC-SHA256";

}  // namespace wolke::identity
