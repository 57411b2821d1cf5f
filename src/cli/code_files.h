#pragma once
// The files of a function, from a directory or one file. Links are followed, as `zip -r` does; a
// link to a directory that holds it is not. Left out: hidden files and directories (.git, .env,
// .venv …), __pycache__, and what is no regular file (sockets, pipes), which is named.
//
// Failure, each naming the path: "NotFound", "AccessDenied" (403), "CodeTooLarge" beyond 250 MB or
// 100,000 files (before it is read), "Usage" for a zip, a link to nothing, a name that is no UTF-8.

#include <string>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/cli/zip_writer.h"

namespace wolke::cli {

struct Code {
  std::vector<ZipEntry> files;  // sorted by name
  std::vector<std::string> left_out;
};

Result<Code> collect_files(const std::string& path);

}  // namespace wolke::cli
