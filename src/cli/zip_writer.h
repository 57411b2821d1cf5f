#pragma once
// Makes a zip archive in memory, for code uploads: deflated entries, UTF-8 names, Unix modes, a
// fixed time stamp so that the same files give the same archive (and the same CodeSha256). Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "wolke/base/result.h"

namespace wolke::cli {

struct ZipEntry {
  std::string name;  // "index.mjs", "node_modules/x/y.js"
  std::string bytes;
  bool executable = false;
};

std::string make_zip(const std::vector<ZipEntry>& entries);

}  // namespace wolke::cli
