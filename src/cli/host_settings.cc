#include <sys/resource.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "wolke/base/text.h"
#include "wolke/cli/host_checks.h"
#include "wolke/cli/serve.h"

namespace wolke::cli {

namespace {

namespace fs = std::filesystem;

// man 2 statfs
constexpr unsigned long tmpfs_magic = 0x01021994, ramfs_magic = 0x858458f6, nfs_magic = 0x6969;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return std::string(trim(line));
}

/// The directory itself, or the nearest above it that is there: where the data would lie.
fs::path existing(fs::path path) {
  std::error_code error;
  path = fs::absolute(path, error);
  while (!fs::exists(path, error) && path.has_relative_path()) path = path.parent_path();
  return path;
}

void read_disk(HostSettings& out) {
  const std::string place = existing(out.data_dir).string();
  struct statfs system{};
  if (::statfs(place.c_str(), &system) == 0) {
    const auto type = static_cast<unsigned long>(system.f_type) & 0xFFFFFFFFUL;
    if (type == tmpfs_magic || type == ramfs_magic) out.file_system = "tmpfs";
    if (type == nfs_magic) out.file_system = "nfs";
    out.disk_free_bytes =
        static_cast<std::uint64_t>(system.f_bavail) * static_cast<std::uint64_t>(system.f_bsize);
  }
}

std::vector<std::string> vulnerable_parts() {
  std::vector<std::string> out;
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator("/sys/devices/system/cpu/vulnerabilities", error)) {
    if (first_line(entry.path()).starts_with("Vulnerable")) {
      out.push_back(entry.path().filename().string());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::uint64_t memory_available() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("MemAvailable:")) continue;
    std::string_view value = trim(std::string_view(line).substr(13));
    return parse_u64(value.substr(0, value.find(' '))).value_or(0) * 1024;
  }
  return 0;
}

bool has_aws_command() {
  const char* path = std::getenv("PATH");
  if (::access("/usr/bin/aws", X_OK) == 0) return true;
  for (std::string_view directory : split(path ? path : "", ':')) {
    if (::access((std::string(directory) + "/aws").c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace

HostSettings gather_host_settings(const std::string& data_dir) {
  HostSettings out;
  const fs::path sysctl = "/proc/sys";
  out.user_namespaces_max = first_line(sysctl / "user/max_user_namespaces");
  out.unprivileged_user_namespaces = first_line(sysctl / "kernel/unprivileged_userns_clone");
  out.apparmor_restricts = first_line(sysctl / "kernel/apparmor_restrict_unprivileged_userns");
  out.core_pattern = first_line(sysctl / "kernel/core_pattern");
  out.unprivileged_bpf_disabled = first_line(sysctl / "kernel/unprivileged_bpf_disabled");
  out.overcommit = first_line(sysctl / "vm/overcommit_memory");
  out.sibling_threads = first_line("/sys/devices/system/cpu/smt/active");
  out.page_merging = first_line("/sys/kernel/mm/ksm/run");
  std::ifstream swaps("/proc/swaps");
  out.swap = std::count(std::istreambuf_iterator<char>(swaps), {}, '\n') > 1;
  out.vulnerable = vulnerable_parts();
  timex clock{};
  const int state = ::adjtimex(&clock);
  out.clock_synchronised = state < 0 || (state != TIME_ERROR && (clock.status & STA_UNSYNC) == 0);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) out.open_files_max = files.rlim_max;
  out.processes_max = parse_u64(first_line(sysctl / "kernel/pid_max")).value_or(0);
  out.memory_available_bytes = memory_available();
  out.data_dir = data_dir;
  read_disk(out);
  if (auto runtimes = find_runtimes(""); !runtimes) {
    out.runtimes_missing = runtimes.error().message;
  }
  out.aws_command = has_aws_command();
  return out;
}

}  // namespace wolke::cli
