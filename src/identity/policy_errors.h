#pragma once
// MalformedPolicyDocument in AWS's words. Services whose own error has another name (S3:
// MalformedPolicy) change the code and keep the text. Pure factories.

#include <string>

#include "wolke/base/result.h"

namespace wolke::identity {

inline Error malformed_policy(std::string text) {
  return {"MalformedPolicyDocument", 400, std::move(text)};
}
inline Error syntax_error() {
  return malformed_policy("Syntax errors in policy.");
}

}  // namespace wolke::identity
