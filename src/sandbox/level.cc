#include "wolke/sandbox/level.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "wolke/sandbox/landlock.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {

std::string_view level_name(Level level) {
  switch (level) {
    case Level::full:
      return "full";
    case Level::rootless:
      return "rootless";
    case Level::limited:
      return "limited";
    case Level::process:
      return "process";
  }
  return "";
}

namespace {

enum ProbeBit { probe_user = 1, probe_all = 2, probe_proc = 4, probe_overlay = 8 };

/// Runs in a child of its own, so that nothing of it can stay.
[[noreturn]] void probe_namespaces() {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  int found = 0;
  // SAFETY: a throw-away child; what it makes dies with it.
  if (::unshare(CLONE_NEWUSER) != 0) ::_exit(found);
  (void)write_file("/proc/self/setgroups", "deny");
  if (write_file("/proc/self/uid_map", fmt::format("{} {} 1", uid, uid)) &&
      write_file("/proc/self/gid_map", fmt::format("{} {} 1", gid, gid))) {
    found |= probe_user;
  }
  if (::unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                CLONE_NEWCGROUP) != 0) {
    ::_exit(found);
  }
  found |= probe_all;
  const pid_t inner = ::fork();  // a procfs belongs to the PID namespace of its mounter
  if (inner == 0) {
    int inside = 0;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        ::mount("probe", "/tmp", "tmpfs", 0, nullptr) == 0) {
      (void)::mkdir("/tmp/a", 0700);
      (void)::mkdir("/tmp/b", 0700);
      (void)::mkdir("/tmp/c", 0700);
      if (::mount("proc", "/tmp/a", "proc", MS_RDONLY, nullptr) == 0) inside |= probe_proc;
      if (::mount("probe", "/tmp/b", "overlay", MS_RDONLY, "lowerdir=/usr:/tmp/c") == 0) {
        inside |= probe_overlay;
      }
    }
    ::_exit(inside);
  }
  int status = 0;
  if (inner > 0 && ::waitpid(inner, &status, 0) == inner && WIFEXITED(status)) {
    found |= WEXITSTATUS(status);
  }
  ::_exit(found);
}

int found_by_probe() {
  const pid_t child = ::fork();
  if (child == 0) probe_namespaces();
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 0;
  return WEXITSTATUS(status);
}

bool has_admin_capability() {
  const std::string status = read_small_file("/proc/self/status");
  const std::size_t at = status.find("CapEff:\t");
  if (at == std::string::npos) return false;
  const unsigned long long bits = std::strtoull(status.c_str() + at + 8, nullptr, 16);
  constexpr unsigned long long admin = 1ULL << 21, setuid = 1ULL << 7, setgid = 1ULL << 6;
  return (bits & admin) != 0 && (bits & setuid) != 0 && (bits & setgid) != 0;
}

bool has_mount_api() {
  const int fd = ::open_tree(AT_FDCWD, "/", OPEN_TREE_CLOEXEC);
  if (fd < 0) return false;
  ::close(fd);
  // An empty change: only asks whether the call is there.
  mount_attr none{};
  return ::mount_setattr(AT_FDCWD, "/", 0, &none, sizeof none) == 0 || errno != ENOSYS;
}

}  // namespace

HostFacts gather_facts() {
  HostFacts facts;
  facts.root = ::geteuid() == 0 && has_admin_capability();
  const int found = found_by_probe();
  facts.user_namespaces = (found & probe_user) != 0;
  facts.all_namespaces = (found & probe_all) != 0;
  facts.proc_mountable = (found & probe_proc) != 0;
  facts.overlay_mountable = (found & probe_overlay) != 0;
  const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  facts.seccomp = ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
  facts.landlock_abi = landlock_abi();
  facts.mount_api = has_mount_api();
  facts.cgroups = detect_cgroups();
  return facts;
}

Level decide_level(const HostFacts& facts) {
  const bool spaces = facts.user_namespaces && facts.all_namespaces && facts.proc_mountable &&
                      facts.overlay_mountable && facts.mount_api && facts.seccomp;
  if (spaces && facts.root && facts.cgroups.can_limit_memory() && facts.cgroups.can_limit_pids() &&
      facts.cgroups.can_freeze()) {
    return Level::full;
  }
  if (spaces) return Level::rootless;
  if (facts.seccomp && facts.landlock_abi > 0) return Level::limited;
  return Level::process;
}

namespace {

using enum Finding::Mark;

Finding finding(std::string name, bool holds, Finding::Mark otherwise, std::string good,
                std::string bad) {
  return Finding{std::move(name), holds ? ok : otherwise, holds ? std::move(good) : std::move(bad)};
}

}  // namespace

std::vector<Finding> findings(const HostFacts& facts) {
  const Level level = decide_level(facts);
  std::vector<Finding> out;
  out.push_back(finding(
      "isolation level", level == Level::full || level == Level::rootless, fail,
      fmt::format("Functions run at level {}.", level_name(level)),
      fmt::format("Only level {} is possible here; `serve` refuses it.", level_name(level))));
  out.push_back(finding("root", facts.root, warn, "Each sandbox gets a host uid of its own.",
                        "Not root: all sandboxes share your uid outside their namespaces."));
  out.push_back(finding("namespaces", facts.user_namespaces && facts.all_namespaces, fail,
                        "User and all other namespaces can be made.",
                        "User namespaces are refused (kernel.unprivileged_userns_clone, "
                        "user.max_user_namespaces, or an AppArmor profile)."));
  out.push_back(finding("procfs", facts.proc_mountable, fail, "A sandbox can have its own /proc.",
                        "A new /proc cannot be mounted: this host's /proc is masked, as in an "
                        "unprivileged container."));
  out.push_back(finding("overlayfs", facts.overlay_mountable, fail,
                        "overlayfs can be mounted in a user namespace.",
                        "overlayfs cannot be mounted in a user namespace (kernel 5.11 or newer)."));
  out.push_back(finding("seccomp", facts.seccomp, fail, "System-call filters are there.",
                        "The kernel has no seccomp filters."));
  out.push_back(finding("landlock", facts.landlock_abi >= 1, warn,
                        fmt::format("landlock ABI {}.", facts.landlock_abi),
                        "No landlock: one layer less on files (kernel parameter lsm=landlock,…)."));
  out.push_back(finding(
      "control groups", facts.cgroups.can_limit_memory() && facts.cgroups.can_limit_pids(), warn,
      fmt::format("Layout {}: memory and processes are limited.", facts.cgroups.kind()),
      "No writable memory and pids groups: only per-process limits hold."));
  out.push_back(finding("freezing", facts.cgroups.can_freeze(), warn, "Idle sandboxes are frozen.",
                        "No freezer: background work goes on between invocations."));
  return out;
}

}  // namespace wolke::sandbox
