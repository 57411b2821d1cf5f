#pragma once
// The authentication errors, each in the words of the dialect that the caller's SDK speaks. Pure
// factories. Source: S3 API Reference "Error responses"; IAM API Reference "Common Errors";
// recorded answers of the services.

#include <string>
#include <string_view>

#include "wolke/base/result.h"
#include "wolke/identity/sigv4.h"

namespace wolke::identity {

Error missing_authentication(Dialect dialect);
/// The access key id is not known (or is disabled, or its account is not here).
Error unknown_access_key(Dialect dialect, std::string_view access_key_id);
/// The session token does not belong to the key or was not made here.
Error invalid_token(Dialect dialect);
Error expired_token(Dialect dialect);
Error signature_mismatch(Dialect dialect, const Authorization& authorization,
                         std::string_view string_to_sign, std::string_view canonical);
/// "User: ARN is not authorized to perform: ACTION on resource: R because …", or S3's plain "Access
/// Denied".
Error access_denied(Dialect dialect, std::string_view principal_arn, std::string_view action,
                    std::string_view resource, std::string_view why);

namespace detail {
/// The Authorization header or the X-Amz-* query parameters have the wrong form.
Error malformed(Dialect dialect, Carrier carrier, std::string text);
/// The scope or the signed headers are well formed but wrong.
Error wrong_scope(Dialect dialect, Carrier carrier, std::string s3_text, std::string text);
Error mechanism_not_supported(Dialect dialect);
Error only_one_mechanism(Dialect dialect);
Error missing_date(Dialect dialect);
Error skewed(Dialect dialect, const Authorization& authorization, Timestamp now);
Error presigned_expired(Dialect dialect, const Authorization& authorization, Timestamp now);
Error headers_not_signed(Dialect dialect, std::string_view names);
Error bad_payload_hash(Dialect dialect, std::string_view value);
Error payload_mismatch(Dialect dialect, std::string_view claimed, std::string_view actual);
}  // namespace detail

}  // namespace wolke::identity
