#pragma once
// serve, dev and run: the verbs that are a server (or a piece of one) themselves.

#include <string>

#include "wolke/base/result.h"
#include "wolke/cli/options.h"
#include "wolke/runtime/table.h"
#include "wolke/sandbox/level.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::cli {

int serve_verb(const ServeOptions& options);
int run_verb(const ClientOptions& client, const RunOptions& options);

/// Where the runtimes lie: the directory given, else beside the binary (<bin>/../lib/wolke), else
/// the source tree that the binary was built in.
Result<runtime::RuntimePaths> find_runtimes(const std::string& directory);
/// The isolation level: the strongest this host can, or the named one. `process` only by name.
Result<sandbox::Level> choose_level(const std::string& named);
/// The same over given facts. Pure.
Result<sandbox::Level> choose_level(const std::string& named, const sandbox::HostFacts& facts);
/// What to say when functions are less than isolated; empty for full and rootless.
std::string isolation_warning(sandbox::Level level);

}  // namespace wolke::cli
