#pragma once
// demo: the thumbnail story on a server of its own. Two buckets, the function, a photograph; then
// what came out, where it lies and what to try next. On a terminal the server stays until Ctrl-C.

#include <string>

#include "wolke/cli/options.h"

namespace wolke::cli {

int demo_verb(const ServeOptions& options, const std::string& photo,
              const std::string& function_directory);

}  // namespace wolke::cli
