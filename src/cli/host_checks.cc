#include "wolke/cli/host_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "wolke/base/limits.h"
#include "wolke/base/text.h"

namespace wolke::cli {

namespace {

using enum Check::Mark;

constexpr std::uint64_t mebibyte = 1 << 20, gibibyte = 1 << 30;
constexpr std::uint64_t namespaces_min = 1'000, processes_min = 32'768;
/// A connection and a sandbox take descriptors; below this the server refuses before its own limit.
constexpr std::uint64_t open_files_min = 2 * limits::http_connections_max;

Check check(std::string name, bool holds, Check::Mark otherwise, std::string good, std::string bad,
            std::string remedy) {
  return Check{.name = std::move(name),
               .mark = holds ? pass : otherwise,
               .sentence = holds ? std::move(good) : std::move(bad),
               .remedy = holds ? "" : std::move(remedy)};
}

/// What to do about a finding of the isolation, by its name.
std::string isolation_remedy(const std::string& name) {
  constexpr std::pair<std::string_view, std::string_view> remedies[] = {
      {"isolation level", "see the checks below that do not pass"},
      {"root", "start the server as root: it gives up its rights itself"},
      {"namespaces", "sysctl kernel.unprivileged_userns_clone=1; in a container: allow unshare"},
      {"procfs", "run on the host, or in a container whose /proc is not masked"},
      {"overlayfs", "a kernel of 5.11 or newer with overlayfs"},
      {"seccomp", "a kernel with CONFIG_SECCOMP_FILTER"},
      {"landlock", "kernel parameter lsm=landlock,… (5.13 or newer)"},
      {"control groups",
       "as root: a writable /sys/fs/cgroup; else systemd-run --user --scope -p "
       "Delegate=yes"},
      {"freezing", "as for control groups"},
  };
  for (const auto& [known, remedy] : remedies) {
    if (known == name) return std::string(remedy);
  }
  return "";
}

void add_isolation(std::vector<Check>& out, const std::vector<sandbox::Finding>& isolation) {
  for (const sandbox::Finding& finding : isolation) {
    const Check::Mark mark = finding.mark == sandbox::Finding::Mark::ok     ? pass
                             : finding.mark == sandbox::Finding::Mark::warn ? warn
                                                                            : fail;
    out.push_back({.name = finding.name,
                   .mark = mark,
                   .sentence = finding.sentence,
                   .remedy = mark == pass ? "" : isolation_remedy(finding.name)});
  }
}

void add_kernel(std::vector<Check>& out, const HostSettings& host) {
  const auto spaces = parse_u64(host.user_namespaces_max);
  out.push_back(check("user.max_user_namespaces", !spaces || *spaces >= namespaces_min, warn,
                      "Enough user namespaces for many sandboxes.",
                      fmt::format("Only {} user namespaces may exist; each sandbox needs one.",
                                  host.user_namespaces_max),
                      "sysctl user.max_user_namespaces=15000"));
  out.push_back(check("userns_clone", host.unprivileged_user_namespaces != "0", warn,
                      "Ordinary users may make user namespaces.",
                      "Only root may make user namespaces.",
                      "start the server as root, or sysctl kernel.unprivileged_userns_clone=1"));
  out.push_back(check("apparmor userns", host.apparmor_restricts != "1", warn,
                      "AppArmor does not restrict user namespaces.",
                      "AppArmor restricts user namespaces of ordinary users.",
                      "start the server as root, or sysctl "
                      "kernel.apparmor_restrict_unprivileged_userns=0"));
  out.push_back(check("core dumps", !host.core_pattern.starts_with('|'), warn,
                      "Core dumps are not piped to a program.",
                      "The kernel pipes core dumps to a program outside the sandbox that died.",
                      "sysctl kernel.core_pattern=core"));
  out.push_back(check("bpf", host.unprivileged_bpf_disabled != "0", warn,
                      "Ordinary users have no bpf.",
                      "Ordinary users may load bpf programs; functions are kept from it by the "
                      "filter alone.",
                      "sysctl kernel.unprivileged_bpf_disabled=1"));
  std::string names;
  for (const std::string& name : host.vulnerable) names += (names.empty() ? "" : ", ") + name;
  out.push_back(check("processor", host.vulnerable.empty(), warn,
                      "The kernel names no processor flaw without a mitigation.",
                      fmt::format("The kernel calls this processor vulnerable: {}.", names),
                      "newer microcode and kernel; no mitigations=off; trust among accounts"));
}

void add_sharing(std::vector<Check>& out, const HostSettings& host) {
  out.push_back(check("hyper-threading", host.sibling_threads != "1", warn,
                      "Sibling hardware threads are off or not shown.",
                      "Sibling hardware threads are on: code of two accounts may share a core.",
                      "echo off > /sys/devices/system/cpu/smt/control, or kernel parameter nosmt"));
  out.push_back(check("page merging", host.page_merging.empty() || host.page_merging == "0", warn,
                      "KSM is off.",
                      "KSM is on: equal pages of two accounts can be told by their timing.",
                      "echo 2 > /sys/kernel/mm/ksm/run"));
  out.push_back(check("swap", !host.swap, warn, "No swap.",
                      "Swap is on: what a function held in memory may reach the disk.",
                      "swapoff -a, or encrypted swap"));
}

void add_room(std::vector<Check>& out, const HostSettings& host) {
  out.push_back(check("open files", host.open_files_max >= open_files_min, warn,
                      fmt::format("Up to {} open files.", host.open_files_max),
                      fmt::format("Only {} open files: fewer connections and sandboxes than the "
                                  "server's own limits.",
                                  host.open_files_max),
                      fmt::format("ulimit -n {} (systemd: LimitNOFILE=)", open_files_min)));
  out.push_back(check("processes", host.processes_max == 0 || host.processes_max >= processes_min,
                      warn, "Enough process ids.",
                      fmt::format("Only {} process ids.", host.processes_max),
                      fmt::format("sysctl kernel.pid_max={}", processes_min)));
  const std::uint64_t memory = host.memory_available_bytes;
  out.push_back(check("memory", memory == 0 || memory >= gibibyte, warn,
                      fmt::format("{} MiB of memory are free.", memory / mebibyte),
                      fmt::format("Only {} MiB of memory are free.", memory / mebibyte),
                      "stop something else, or give functions less memory"));
  out.push_back(check("overcommit", host.overcommit != "2", warn,
                      "Memory is given when it is touched.",
                      "vm.overcommit_memory=2: sandboxes may be refused memory they never touch.",
                      "sysctl vm.overcommit_memory=0"));
}

void add_data(std::vector<Check>& out, const HostSettings& host) {
  out.push_back(check("data directory", host.file_system.empty(), warn,
                      fmt::format("{} is on a disk.", host.data_dir),
                      fmt::format("{} is on {}: what is acknowledged there may not last.",
                                  host.data_dir, host.file_system),
                      "--data-dir on a local disk"));
  const std::uint64_t free = host.disk_free_bytes;
  out.push_back(check("disk", free >= gibibyte, free < 100 * mebibyte ? fail : warn,
                      fmt::format("{} MiB are free for data.", free / mebibyte),
                      fmt::format("Only {} MiB are free for data.", free / mebibyte),
                      "make room, or --data-dir on another disk"));
  out.push_back(check("clock", host.clock_synchronised, warn, "The clock is synchronised.",
                      "The clock is not synchronised: signatures more than 15 minutes off are "
                      "refused.",
                      "systemd-timesyncd or chrony"));
}

}  // namespace

std::string_view mark_name(Check::Mark mark) {
  switch (mark) {
    case pass:
      return "pass";
    case warn:
      return "warn";
    case fail:
      return "fail";
  }
  return "";
}

std::vector<Check> host_checks(const std::vector<sandbox::Finding>& isolation,
                               const HostSettings& settings) {
  std::vector<Check> out;
  add_isolation(out, isolation);
  add_kernel(out, settings);
  add_sharing(out, settings);
  add_room(out, settings);
  add_data(out, settings);
  out.push_back(check("runtimes", settings.runtimes_missing.empty(), fail,
                      "Node and Python for functions are there.", settings.runtimes_missing,
                      "./dev setup, or --runtimes DIRECTORY"));
  out.push_back(check("aws command", settings.aws_command, warn, "`wolke aws` has an aws command.",
                      "There is no aws command: `wolke aws` and the script of `deploy --show` need "
                      "one.",
                      "apt install awscli"));
  return out;
}

}  // namespace wolke::cli
