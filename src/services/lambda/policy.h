#pragma once
// A function's resource policy: the JSON that AWS shows, and the question whether a service may
// invoke. Pure.

#include <string>
#include <string_view>

#include "wolke/services/lambda/state.h"

namespace wolke::lambda {

/// `resource` is the function's ARN with the policy's qualifier.
std::string statement_json(const Statement& statement, const std::string& resource);
std::string policy_json(const Policy& policy, const std::string& resource);

/// A service that wants to invoke on behalf of a resource of its own.
struct ServiceCaller {
  std::string service;         // "s3.amazonaws.com"
  std::string source_arn;      // "arn:aws:s3:::photos"
  std::string source_account;  // owner of that resource
};

/// ArnLike: six parts compared one by one, each with * and ?.
bool arn_like(std::string_view pattern, std::string_view arn);
bool permits_invoke(const Policy& policy, const ServiceCaller& caller);

inline constexpr std::size_t policy_bytes_max =
    20 * 1024;  // Lambda: function resource-based policy

}  // namespace wolke::lambda
