#pragma once
// Is an invocation's payload JSON? A scan without a tree, for payloads of megabytes on the warm
// path. Pure. Source: RFC 8259; depth ≤ limits::document_depth_max does not hold here, the
// function's own parser decides.

#include <optional>
#include <string>
#include <string_view>

namespace wolke::lambda {

/// Nullopt: good. Else what is wrong, in the words that SDK users know from Lambda.
std::optional<std::string> json_problem(std::string_view text);

}  // namespace wolke::lambda
