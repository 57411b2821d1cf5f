#pragma once
// What runtime and handler a piece of code is meant for, from its files. Pure over the collected
// files.

#include <string>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/cli/options.h"
#include "wolke/cli/zip_writer.h"

namespace wolke::cli {

struct CodeKind {
  std::string runtime;  // "nodejs22.x"
  std::string handler;  // "index.handler"
  std::string file;     // that holds the handler, "index.mjs"; empty for a custom runtime
};

/// Given values in `options` win. "UnknownCode": no file that looks like a function.
Result<CodeKind> guess_kind(const std::vector<ZipEntry>& files, const DeployOptions& options);

/// A function name from a path: "thumbnail-node/" -> "thumbnail-node", "resize.mjs" -> "resize".
std::string guess_name(const std::string& path);

}  // namespace wolke::cli
