#pragma once
// Links to content: whoever has one can GET one blob until it expires, without any other
// credentials, as with the presigned links in which AWS Lambda gives out code. The link is signed
// with a key of this installation over the blob's name, its size and the expiry; it names nothing
// else, so it cannot be turned into a link to anything else.
//
//   /_wolke/content/<blob>?Size=…&Expires=<seconds since 1970>&Signature=<HMAC-SHA256, hex>
//
// Errors are S3's: "AccessDenied" for what has no signature or has expired, "SignatureDoesNotMatch"
// for what was changed. Threads: pure.

#include <chrono>
#include <string>
#include <string_view>

#include "wolke/base/body.h"
#include "wolke/base/result.h"
#include "wolke/base/time.h"
#include "wolke/base/uri.h"
#include "wolke/identity/seal.h"

namespace wolke::identity {

/// As long as AWS's: "The presigned URL is valid for 10 minutes" (Lambda API Reference,
/// FunctionCodeLocation).
inline constexpr auto content_link_lifetime = std::chrono::minutes(10);

/// Path and query.
std::string make_content_link(const Seal& seal, const BlobRef& blob, Timestamp now);

bool is_content_link(std::string_view path);

Result<BlobRef> open_content_link(const Seal& seal, std::string_view path, const QueryPairs& query,
                                  Timestamp now);

}  // namespace wolke::identity
