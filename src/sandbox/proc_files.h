#pragma once
// What a sandbox reads in /proc instead of the host's own: files and directories that are covered,
// and the few that runtimes need in a form of their own (os.cpus(), os.totalmem(),
// multiprocessing). Pure.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "wolke/sandbox/shell.h"

namespace wolke::sandbox {

struct ProcFile {
  const char* name;
  std::string text;
};

/// cpuinfo, meminfo, stat and loadavg for this memory size.
std::vector<ProcFile> synthetic_proc_files(const HostView& host, std::uint64_t memory_bytes);

std::span<const char* const> masked_proc_files();
std::span<const char* const> masked_proc_directories();

}  // namespace wolke::sandbox
