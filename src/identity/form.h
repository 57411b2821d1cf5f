#pragma once
// The authentication of a form that a browser posts to a bucket (S3's POST Object): its fields
// carry who signed it, and the signature covers one of them, the policy document, as it was sent.
// Version 4 (x-amz-algorithm, x-amz-credential, x-amz-date, x-amz-signature) and Version 2
// (AWSAccessKeyId, signature). parse_authorization() and verify() of sigv4.h call these, so that
// callers see one kind of claim.
//
// Nothing else of the request is signed: whoever takes such a form must hold every field against
// the policy document, and its end is the document's expiration. Threads: all pure. Source: S3 API
// Reference "Authenticating requests: browser-based uploads using POST".

#include <optional>
#include <string_view>

#include "wolke/identity/sigv4.h"

namespace wolke::identity::detail {

/// nullopt: no field names a signer. Of a claim every part must be there ("InvalidArgument").
Result<std::optional<Authorization>> parse_form(const Headers& fields);

/// Scope and signature (constant time).
Result<void> verify_form(const Authorization& authorization, std::string_view secret,
                         const Headers& fields, const Expected& expected);

/// "AKID/20261123/us-east-1/s3/aws4_request".
Result<void> parse_credential(std::string_view text, Dialect dialect, Authorization& out);
/// The credential's scope is the one of its date, of this region and of this service.
Result<void> check_scope(const Authorization& authorization, const Expected& expected);

}  // namespace wolke::identity::detail
