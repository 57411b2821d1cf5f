#pragma once
// Filter patterns over unstructured text: terms that must all be there, -terms that must not,
// ?terms of which one must, "quoted phrases" as terms. Case-sensitive. JSON, space-delimited and
// regular-expression patterns are refused by name. Pure. Source: CloudWatch Logs user guide,
// "Filter pattern syntax".

#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"

namespace wolke::logs {

struct FilterPattern {
  std::vector<std::string> required, excluded, any;
  bool matches(std::string_view message) const;
};

Result<FilterPattern> parse_filter_pattern(std::string_view text);

}  // namespace wolke::logs
