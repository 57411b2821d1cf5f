#pragma once
// Whether an interpreter can read a source file: asked of the interpreter itself, which reads it
// and runs none of it. So that a slip is told when it is typed, not by the function's first
// invocation.

#include <string>
#include <string_view>

#include "wolke/base/result.h"

namespace wolke::cli {

/// "SyntaxError" naming file and line. An interpreter that is not here, or does not end within
/// seconds, has no objection. `file` is a path on this machine.
Result<void> check_syntax(const std::string& file);

/// The sentence in what an interpreter wrote on stderr, "line 3: invalid syntax"; "" when there is
/// no syntax error in it. Pure.
std::string syntax_complaint(std::string_view told);

}  // namespace wolke::cli
