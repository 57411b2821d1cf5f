#pragma once
// The inside of a sandbox before the program runs. A shell is a process that the spawner cloned
// into new namespaces and that is our init executable from its first step on (init_image.h): it
// builds the root, waits for an order, finishes (limits, mounts, files of this very request), locks
// itself down, checks that the lock holds, and then is pid 1: it starts the program, reaps, and
// ends with it.
//
//   begin → identity → root → [ready] → start → files and mounts → lockdown → self-check → program
//   → reap
//
// Everything here runs in init, single-threaded, with no memory of the spawner's. It has no right
// outside its own namespaces from the first step on. Failure: a ShellReport that names the step,
// then exit.

#include <linux/filter.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "wolke/base/fd.h"
#include "wolke/base/result.h"
#include "wolke/sandbox/sandbox.h"
#include "wolke/sandbox/wire.h"

namespace wolke::sandbox {

// The user that a program is: Lambda's own numbers, so that what packages assume of them holds.
inline constexpr uid_t inside_uid = 993;
inline constexpr gid_t inside_gid = 990;

inline constexpr std::array<const char*, 7> namespace_names = {"user", "mnt", "pid",   "net",
                                                               "ipc",  "uts", "cgroup"};

/// What a shell knows of the host, read once by the spawner (host_view.cc).
struct HostView {
  std::string cpuinfo;
  std::uint64_t boot_time_seconds = 0;
  unsigned cpus = 1;
  std::array<std::uint64_t, namespace_names.size()> namespaces{};  // inode numbers
  std::vector<sock_filter> filter;
  int landlock_abi = 0;
};
HostView look_at_host();
/// As a sealed memfd, and back.
Result<Fd> pack_host(const HostView& host);
Result<HostView> unpack_host(int fd);

struct ShellSetup {
  const HostView* host = nullptr;
  int socket = -1;  // ours to the spawner
  Level level = Level::full;
  bool privileged = false;        // the spawner is root of the host: groups can be dropped
  uid_t host_uid = 0;             // this sandbox's own, when privileged
  bool limits_by_rlimit = false;  // there is no memory control group
  std::uint32_t weaken = 0;
};

/// True in test builds when a test left this layer out; constant false in the product.
inline bool without([[maybe_unused]] std::uint32_t weaken, [[maybe_unused]] wire::Weaken layer) {
#ifdef WOLKE_TEST_WEAKEN
  return (weaken & layer) != 0;
#else
  return false;
#endif
}

/// Levels with a root and namespaces of their own.
inline bool has_namespaces(Level level) {
  return level == Level::full || level == Level::rootless;
}

/// `socket` is the one to the spawner.
[[noreturn]] void run_shell(int socket);

/// The program and its files as the server packed them (wire::ProgramHead).
struct Program {
  std::string bytes;
  std::string working_directory;
  std::string hosts;
  std::vector<char*> arguments;    // into bytes, ended by nullptr
  std::vector<char*> environment;  // into bytes, ended by nullptr
  std::string
      temporary;  // a directory that init removes at the end; levels without a root of their own
};
Result<void> unpack_program(std::string bytes, Program& program);

// The steps, each in its own file.

/// rootfs.cc: a tmpfs root with the host's /usr, our /etc, /proc, /dev; then the old root is gone.
Result<void> build_root(const ShellSetup& setup);
/// rootfs.cc: what depends on the request: /tmp, mounts, hosts, synthetic /proc files; then the
/// root is read-only.
Result<void> finish_root(const ShellSetup& setup, const wire::Request& request,
                         std::vector<Fd>& mounts, std::string_view hosts);
/// lockdown.cc: capabilities, no_new_privs, landlock, seccomp, limits.
Result<void> lock_down(const ShellSetup& setup, const wire::Request& request);
/// lockdown.cc: the limits alone.
Result<void> set_limits(const ShellSetup& setup, const wire::Request& request);
/// self_check.cc: what must hold now, or the sandbox is refused.
Result<void> check_self(const ShellSetup& setup, const wire::Request& request);
/// init.cc: starts the program and waits; returns only by exit.
[[noreturn]] void run_init(const ShellSetup& setup, Program& program);

}  // namespace wolke::sandbox
