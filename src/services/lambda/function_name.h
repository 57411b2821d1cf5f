#pragma once
// How callers name a function: NAME, NAME:QUALIFIER, ACCOUNT:function:NAME[:QUALIFIER] or the whole
// ARN, and a Qualifier parameter beside it. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/result.h"

namespace wolke::lambda {

inline constexpr std::string_view latest = "$LATEST";
inline constexpr std::size_t function_name_max = 64;

struct FunctionRef {
  std::string account;
  std::string region;
  std::string name;
  std::string qualifier;  // empty: none was given

  std::string arn() const;            // unqualified
  std::string qualified_arn() const;  // with the qualifier, if there is one
  bool operator==(const FunctionRef&) const = default;
};

/// `account` and `region` are the caller's and fill what the name leaves out. Errors:
/// "ValidationException" for a name of another form, "ResourceNotFoundException" for another
/// region, "InvalidParameterValueException" for two qualifiers.
Result<FunctionRef> parse_function(std::string_view name,
                                   const std::optional<std::string>& qualifier,
                                   std::string_view account, std::string_view region);

/// A version number; nullopt for $LATEST and aliases.
std::optional<std::uint64_t> version_number(std::string_view qualifier);

}  // namespace wolke::lambda
