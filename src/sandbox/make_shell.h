#pragma once
// How the spawner makes a shell and hands it a request: namespaces, control groups, uid map,
// network namespace, listening sockets, mounts from descriptors. This is the privileged half;
// shell.h is what then runs inside.
//
// Threads: the spawner's. Failure: Result naming the step; a half-made shell is taken down before
// it returns.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wolke/base/fd.h"
#include "wolke/base/result.h"
#include "wolke/sandbox/cgroups.h"
#include "wolke/sandbox/sandbox.h"
#include "wolke/sandbox/shell.h"
#include "wolke/sandbox/wire.h"

namespace wolke::sandbox {

struct Shell {
  enum class State : std::uint8_t { preparing, ready, starting, running, doomed };
  std::uint64_t serial = 0;
  State state = State::preparing;
  std::uint64_t handle = 0;  // of the request, from `starting` on
  uid_t uid = 0;             // on the host
  pid_t pid = -1;
  Fd pidfd;
  Fd socket;
  Fd network;
  Cgroup group;
  std::vector<Fd> listeners;
  Fd tmp;                  // its /tmp, from its report until it is granted
  bool has_quota = false;  // its share is a processor or more
  bool exit_known = false;
  int exit_code = 0;
  int exit_signal = 0;
};

class ShellMaker {
 public:
  static Result<ShellMaker> create(Level level, const CgroupLayout& layout,
                                   const std::string& parent);

  Result<std::unique_ptr<Shell>> make(std::uint64_t serial, uid_t uid, std::uint32_t weaken);
  /// Limits, listeners, mounts; then the order. `descriptors` as wire::Request says; they stay the
  /// caller's.
  Result<void> hand_over(Shell& shell, const wire::Request& request, std::vector<Fd>& descriptors);
  /// The control group files that the server gets, opened; returns the bits of wire::Present.
  std::uint32_t grants(Shell& shell, std::vector<Fd>& out) const;
  CgroupUsage usage(const Shell& shell) const { return cgroups_.usage(shell.group); }
  void kill(const Shell& shell) const;
  /// SIGTERM to init, which passes it to the program.
  void terminate(const Shell& shell) const;
  void clean(Shell& shell) const { cgroups_.remove(shell.group); }
  void clean_all() const { cgroups_.remove_parents(); }

 private:
  ShellMaker(Level level, Cgroups cgroups) : level_(level), cgroups_(std::move(cgroups)) {}

  Result<void> enter_new_network(Shell& shell);
  Result<void> leave_network() const;
  Result<void> fork_into(Shell& shell, std::uint32_t weaken);
  Result<void> map_user(const Shell& shell, std::uint32_t weaken) const;
  Result<void> order_begin(const Shell& shell, std::uint32_t weaken) const;
  Result<void> make_listeners(Shell& shell, const wire::Request& request) const;

  Level level_;
  Cgroups cgroups_;
  Fd init_;          // the sealed executable of every pid 1
  Fd host_;          // the HostView, sealed
  Fd home_network_;  // our own, empty one
  Fd host_network_;  // test builds only: for the control that shares it
};

}  // namespace wolke::sandbox
