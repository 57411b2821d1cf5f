#pragma once
// The policy document of a form (S3's POST Object): what its signer lets the bearer upload, and
// until when. It is the only thing that the signature covers, so every field of the form must meet
// a condition, and no field may be there that no condition names. Pure. Source: S3 API Reference
// "POST policy"; the texts are those that S3 answers.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/base/time.h"
#include "wolke/gateway/form.h"

namespace wolke::gateway {

/// Bytes of the file, both ends included.
struct SizeRange {
  std::uint64_t min = 0;
  std::uint64_t max = UINT64_MAX;
};

struct FormCondition {
  enum class Kind : std::uint8_t {
    equals,
    starts_with,
    never,  // names no field, or a size that is no number
  };
  Kind kind = Kind::never;
  std::string field;  // lower case, without '$'
  std::string value;
  std::string text;  // as errors tell it: ["eq", "$acl", "private"]
};

struct FormPolicy {
  Timestamp expiration{};
  std::vector<FormCondition> conditions;
  SizeRange size;  // of all content-length-range conditions together
};

/// `base64` as sent. "InvalidPolicyDocument" for what is no such document.
Result<FormPolicy> parse_form_policy(std::string_view base64);

/// "AccessDenied" when it has expired, a condition does not hold, or a field is not named. `fields`
/// have the key as it will be written; `bucket` is the one that the form was posted to.
Result<void> check_form_policy(const FormPolicy& policy, const FormFields& fields,
                               std::string_view bucket, Timestamp now);

/// The file's size; `EntityTooSmall`, `EntityTooLarge`.
Result<void> check_size(const SizeRange& range, std::uint64_t bytes);

}  // namespace wolke::gateway
