#pragma once
// Identifiers as IAM makes them. An access key id carries its account, so that a key is found
// without an index over all accounts: after the prefix, base32 of ten bytes whose bits 1–40 are the
// account and whose rest is random. Pure, but for the randomness passed in.

#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/env.h"

namespace wolke::identity {

/// "AKIA" (long-term) or "ASIA" (session) and 16 characters.
std::string make_access_key_id(std::string_view prefix, std::string_view account, Random& random);
/// 12 digits; nullopt when it is no key id of this form.
std::optional<std::string> account_of_access_key(std::string_view access_key_id);

/// "AROA", "AIDA", "ANPA", "AGPA", "AIPA" and 17 characters.
std::string make_unique_id(std::string_view prefix, Random& random);
/// 40 characters of base64 from 30 random bytes.
std::string make_secret(Random& random);
/// Random, never starting with 0.
std::string make_account_id(Random& random);
bool is_account_id(std::string_view text);

struct IamArn {
  std::string account;
  std::string type;  // "role", "user", "policy", "group", "instance-profile"
  std::string path;  // "/" or "/service-role/"
  std::string name;
};
/// arn:aws:iam::ACCOUNT:TYPE/path/NAME; account is empty or "aws" for AWS's own policies.
std::optional<IamArn> parse_iam_arn(std::string_view arn);
/// `path` begins and ends with '/'.
std::string iam_arn(std::string_view account, std::string_view type, std::string_view path,
                    std::string_view name);

}  // namespace wolke::identity
