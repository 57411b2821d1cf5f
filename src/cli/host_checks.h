#pragma once
// The host checklist of `wolke doctor`: facts are gathered in one place, judged in another, so that
// the judgement is pure. Each check passes, warns (runs, but something is weaker) or fails (does
// not run), and says what to do.
//
// gather_host_settings() reads files of /proc and /sys; what cannot be read is empty or zero, and
// then passes as "not shown".

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/sandbox/level.h"

namespace wolke::cli {

struct Check {
  enum class Mark { pass, warn, fail };
  std::string name;
  Mark mark = Mark::pass;
  std::string sentence;
  std::string remedy;  // empty when it passes
};
std::string_view mark_name(Check::Mark mark);

/// First lines of the files that they are named after, unless said otherwise.
struct HostSettings {
  std::string user_namespaces_max;           // user.max_user_namespaces
  std::string unprivileged_user_namespaces;  // kernel.unprivileged_userns_clone (Debian)
  std::string apparmor_restricts;  // kernel.apparmor_restrict_unprivileged_userns (Ubuntu)
  std::string core_pattern;
  std::string unprivileged_bpf_disabled;
  std::string overcommit;       // vm.overcommit_memory
  std::string sibling_threads;  // /sys/devices/system/cpu/smt/active
  std::string page_merging;     // /sys/kernel/mm/ksm/run
  bool swap = false;
  std::vector<std::string> vulnerable;  // names in /sys/devices/system/cpu/vulnerabilities
  bool clock_synchronised = true;
  std::uint64_t open_files_max = 0;  // the hard limit
  std::uint64_t processes_max = 0;   // kernel.pid_max
  std::uint64_t memory_available_bytes = 0;
  std::string data_dir;
  std::string file_system;  // of the data directory: "tmpfs", "nfs" or "" for one that keeps data
  std::uint64_t disk_free_bytes = 0;
  std::string runtimes_missing;  // why functions of Node and Python cannot run; "" when they can
  bool aws_command = false;
};
HostSettings gather_host_settings(const std::string& data_dir);

/// The isolation's findings first, then the settings'.
std::vector<Check> host_checks(const std::vector<sandbox::Finding>& isolation,
                               const HostSettings& settings);

}  // namespace wolke::cli
