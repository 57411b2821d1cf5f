#pragma once
// Tags that a resource of Lambda may carry: at most 50, none of them AWS's own ("aws:…"). Pure
// functions, any thread.

#include <map>
#include <string>

#include "wolke/base/result.h"

namespace wolke::lambda {

using Tags = std::map<std::string, std::string>;

/// Adds or replaces; `tags` is undefined after an error.
Result<void> add_tags(Tags& tags, const Tags& more);

}  // namespace wolke::lambda
