#pragma once
// The Condition element of a policy statement: operators compiled once, evaluated against a
// request's keys. An answer is yes, no, or broken (a value that is no number, date, address …); a
// broken condition never helps the caller: an Allow with it does not match, a Deny with it does.
//
// Source: IAM User Guide "IAM JSON policy elements: Condition operators", "Condition with multiple
// context keys or values", "Multivalued context keys".

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/identity/pattern.h"
#include "wolke/shape/json.h"

namespace wolke::identity {

enum class Truth : std::uint8_t { no, yes, broken };

class ConditionBlock {
 public:
  ConditionBlock();
  ConditionBlock(ConditionBlock&&) noexcept;
  ConditionBlock& operator=(ConditionBlock&&) noexcept;
  ~ConditionBlock();

  /// `block` is the value of "Condition". Error code "MalformedPolicyDocument".
  static Result<ConditionBlock> compile(const shape::Json& block, bool with_variables);

  /// All operators and keys must hold.
  Truth holds(const Context& context) const;
  bool empty() const { return conditions_.empty(); }

 private:
  struct Condition;
  std::vector<Condition> conditions_;
};

/// True when `pattern` matches the ARN part by part; texts that are no ARNs match as a whole.
Match match_arn(const std::vector<Pattern>& parts, const Pattern& whole, std::string_view arn,
                const Context& context);

}  // namespace wolke::identity
