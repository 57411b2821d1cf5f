#pragma once
// Bucket policies as documents: is this one, is it about this bucket, does it open the bucket to
// everybody. What it allows is decided by identity/. Pure functions. Sources: IAM user guide,
// "Policy elements"; S3 user guide, "The meaning of public".

#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/result.h"

namespace wolke::s3 {

inline constexpr std::size_t policy_bytes_max = 20 * 1024;

/// "MalformedPolicy" with S3's texts.
Result<void> check_policy(std::string_view document, std::string_view bucket);

/// The document without what it allows; nullopt when nothing remains.
std::optional<std::string> denials_of_policy(std::string_view document);

/// An Allow for everybody that no condition narrows to accounts, networks or organisations.
bool is_public_policy(std::string_view document);

}  // namespace wolke::s3
