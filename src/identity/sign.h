#pragma once
// The signing side of Signature Version 4: for the product's own command line, for presigned links,
// and for tests. Pure; time comes in. What is signed here verifies with sigv4.h, byte for byte.
// Source: IAM User Guide "Create a signed AWS API request".

#include <chrono>
#include <string>
#include <string_view>

#include "wolke/identity/sigv4.h"

namespace wolke::identity {

struct Credentials {
  std::string access_key_id;
  std::string secret;
  std::string session_token = {};
};

struct SigningScope {
  std::string region;
  std::string service;  // "s3"
};

struct RequestToSign {
  std::string method;
  std::string path;   // percent-encoded as it will be sent
  std::string query;  // as it will be sent
  Headers headers;    // must hold "host"; all of them are signed
};

/// Adds x-amz-date, x-amz-content-sha256, x-amz-security-token and authorization to the headers.
/// `payload_hash` is the body's SHA-256 in hexadecimal or one of the literals of Payload. Returns
/// the signature (the seed of chunks).
std::string sign_header(RequestToSign& request, const Credentials& credentials,
                        const SigningScope& scope, std::string_view payload_hash, Timestamp now);

/// The path and query of a link that works without further headers than `request.headers` until now
/// + lifetime (1 second to 7 days).
std::string presign_url(const RequestToSign& request, const Credentials& credentials,
                        const SigningScope& scope, std::chrono::seconds lifetime, Timestamp now);

}  // namespace wolke::identity
