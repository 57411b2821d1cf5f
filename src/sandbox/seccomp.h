#pragma once
// The system-call filter of a sandbox, written as a table (seccomp_rules.cc: who needs each call)
// and compiled to a classic BPF program: a binary search over the call numbers, so that a call
// costs some eight comparisons wherever it stands. i386 and x32 entries kill the process; a number
// not in the table answers ENOSYS, so that libraries fall back; a call that is refused by decision
// answers EPERM. Pure but for install_filter().

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"

namespace wolke::sandbox {

/// What the filter answers for one call.
enum class Verdict : std::uint8_t {
  allow,
  refuse,         // EPERM
  absent,         // ENOSYS
  clone_flags,    // allowed without CLONE_NEW*
  socket_family,  // unix, inet and inet6 stream/datagram, netlink route; else EAFNOSUPPORT
  socketpair_unix,
  no_oob_arg3,  // flags in argument 3 without MSG_OOB, else EINVAL
  no_oob_arg2,
  prctl_list,
  seccomp_no_listener,
  futex_no_requeue_pi,
  ioctl_list,
  personality_none,
  mknod_arg1,  // regular files, FIFOs and sockets only
  mknod_arg2,
};

struct Rule {
  std::uint32_t number;
  Verdict verdict;
  std::string_view who;  // who needs it, or why it is refused
};

/// The table, sorted by number, each number once.
std::span<const Rule> seccomp_rules();

/// Compiles the table; at most BPF_MAXINSNS instructions.
std::vector<sock_filter> compile_filter(std::span<const Rule> rules);

/// What the program answers (SECCOMP_RET_*), by interpreting it: for tests.
std::uint32_t run_filter(std::span<const sock_filter> program, std::uint32_t architecture,
                         std::uint32_t number, std::span<const std::uint64_t> arguments);

/// Puts the filter on this thread for ever. Needs no_new_privs.
Result<void> install_filter(std::span<const sock_filter> program);

}  // namespace wolke::sandbox
