#pragma once
// AWS Signature Version 2 in the query of an S3 link: AWSAccessKeyId, Expires, Signature. Some
// clients presign this way by default; nothing else of Version 2 is served. parse_authorization()
// and verify() of sigv4.h call these, so that callers see one kind of claim.
//
// The signature covers the method, Content-MD5, Content-Type, Expires, every x-amz-* (header, or
// parameter of the query), the path as sent with the bucket in front, and the sub-resources. What
// it would leave open is refused instead: a parameter that is neither signed nor known to be
// harmless (listing options, x-…), so that no link turns into another operation. Threads: all pure.
// Source: S3 User Guide "Signing and authenticating REST requests".

#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/uri.h"
#include "wolke/identity/sigv4.h"

namespace wolke::identity::detail {

/// The query has a part of such a signature.
bool names_sigv2(const QueryPairs& pairs);

/// Form only; `region` and `service` of the result are for the caller to fill in.
Result<Authorization> parse_sigv2(const QueryPairs& pairs, const Headers& headers);

Result<void> check_sigv2_lifetime(const Authorization& authorization, Timestamp now);

/// Expiry and signature (constant time).
Result<void> verify_sigv2(const Authorization& authorization, std::string_view secret,
                          const RawRequest& request, Timestamp now);

/// nullopt: something of the request cannot be signed unambiguously. `path`: with the bucket.
std::optional<std::string> sigv2_string_to_sign(const RawRequest& request, std::string_view path);
/// Base64 of HMAC-SHA1.
std::string sigv2_signature(std::string_view secret, std::string_view string_to_sign);

}  // namespace wolke::identity::detail
