#include "wolke/sandbox/seccomp.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

using Program = std::vector<sock_filter>;

#if defined(__x86_64__)
constexpr std::uint32_t native_architecture = AUDIT_ARCH_X86_64;
constexpr std::uint32_t x32_bit = 0x40000000;
#else
#error "the filter's table is written for x86-64"
#endif

// Every flag that makes a namespace, CLONE_NEWTIME (0x80) included: as a clone() flag that bit is
// part of the exit signal, and no program asks for such a signal.
constexpr std::uint32_t namespace_flags = 0x7E020000 | 0x80;
constexpr std::uint32_t signal_mask = 0xff;

constexpr std::uint32_t errno_action(int error) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
}

void emit(Program& out, std::uint16_t code, std::uint32_t k, std::size_t jump_true = 0,
          std::size_t jump_false = 0) {
  ASSERT(jump_true < 256 && jump_false < 256);
  out.push_back(sock_filter{code, static_cast<std::uint8_t>(jump_true),
                            static_cast<std::uint8_t>(jump_false), k});
}

void answer(Program& out, std::uint32_t action) {
  emit(out, BPF_RET | BPF_K, action);
}

/// Loads the low 32 bits of an argument; the high ones are looked at only where the kernel does
/// (load_high).
void load_argument(Program& out, std::uint32_t index, bool high = false) {
  const auto base = static_cast<std::uint32_t>(offsetof(seccomp_data, args));
  emit(out, BPF_LD | BPF_W | BPF_ABS, base + index * 8 + (high ? 4 : 0));
}

/// With the value loaded: `then` when it is one of `values`, else falls through.
void answer_if_any(Program& out, std::span<const std::uint32_t> values, std::uint32_t then) {
  for (std::uint32_t value : values) {
    emit(out, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    answer(out, then);
  }
}

void answer_if_bits(Program& out, std::uint32_t bits, std::uint32_t then) {
  emit(out, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
  answer(out, then);
}

constexpr std::uint32_t allowed = SECCOMP_RET_ALLOW;
constexpr std::uint32_t refused = errno_action(EPERM);

void check_socket(Program& out) {
  const std::uint32_t wrong = errno_action(EAFNOSUPPORT);
  // type without SOCK_NONBLOCK and SOCK_CLOEXEC: stream and datagram, for unix also seqpacket.
  const std::uint32_t type_mask = 0xf;
  load_argument(out, 0);
  const std::size_t unix_jump = out.size();
  emit(out, BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, 0);  // patched: to `allowed`
  const std::size_t netlink_jump = out.size();
  emit(out, BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 0);  // patched
  emit(out, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0);
  emit(out, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0);
  answer(out, wrong);
  load_argument(out, 1);
  emit(out, BPF_ALU | BPF_AND | BPF_K, type_mask);
  emit(out, BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 2, 0);
  emit(out, BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 1, 0);
  answer(out, wrong);
  load_argument(out, 2);
  const std::uint32_t protocols[] = {0, 6 /*TCP*/, 17 /*UDP*/};
  answer_if_any(out, protocols, allowed);
  answer(out, wrong);
  out[netlink_jump].jt = static_cast<std::uint8_t>(out.size() - netlink_jump - 1);
  load_argument(out, 2);
  const std::uint32_t route[] = {0 /*NETLINK_ROUTE*/};
  answer_if_any(out, route, allowed);
  answer(out, wrong);
  out[unix_jump].jt = static_cast<std::uint8_t>(out.size() - unix_jump - 1);
  answer(out, allowed);
}

void check_prctl(Program& out) {
  // Names, death signal, timer slack, THP, subreaper, sub-sandboxing; queries that reveal nothing.
  constexpr std::uint32_t pr_set_vma = 0x53564d41, pr_get_auxv = 0x41555856;
  const std::uint32_t list[] = {PR_SET_NAME,
                                PR_GET_NAME,
                                PR_SET_PDEATHSIG,
                                PR_GET_PDEATHSIG,
                                PR_GET_DUMPABLE,
                                PR_SET_NO_NEW_PRIVS,
                                PR_GET_NO_NEW_PRIVS,
                                PR_SET_SECCOMP,
                                PR_GET_SECCOMP,
                                PR_SET_TIMERSLACK,
                                PR_GET_TIMERSLACK,
                                PR_SET_THP_DISABLE,
                                PR_GET_THP_DISABLE,
                                PR_SET_CHILD_SUBREAPER,
                                PR_GET_CHILD_SUBREAPER,
                                PR_CAPBSET_READ,
                                PR_GET_KEEPCAPS,
                                PR_GET_SECUREBITS,
                                PR_GET_TID_ADDRESS,
                                PR_GET_SPECULATION_CTRL,
                                PR_SET_SPECULATION_CTRL,
                                pr_set_vma,
                                pr_get_auxv};
  load_argument(out, 0);
  answer_if_any(out, list, allowed);
  answer(out, refused);
}

void check_ioctl(Program& out) {
  // Terminal queries (isatty), pipes and sockets, and the read-only interface queries of
  // getifaddrs.
  const std::uint32_t list[] = {TCGETS,         0x802C542A /*TCGETS2*/,
                                TIOCGWINSZ,     TIOCGPGRP,
                                FIONREAD,       FIONBIO,
                                FIOCLEX,        FIONCLEX,
                                FIOASYNC,       TIOCOUTQ,
                                SIOCGIFNAME,    SIOCGIFCONF,
                                SIOCGIFFLAGS,   SIOCGIFADDR,
                                SIOCGIFINDEX,   SIOCGIFHWADDR,
                                SIOCGIFNETMASK, SIOCGIFMTU,
                                0x8905 /*SIOCATMARK*/};
  load_argument(out, 1);
  answer_if_any(out, list, allowed);
  // A terminal setting on what is no terminal: the kernel's own answer is ENOTTY, which programs
  // expect.
  const std::uint32_t quiet[] = {TCSETS, TCSETSW, TCSETSF, TIOCSPGRP, TIOCSWINSZ};
  answer_if_any(out, quiet, errno_action(ENOTTY));
  answer(out, refused);
}

void check_mknod(Program& out, std::uint32_t mode_argument) {
  load_argument(out, mode_argument);
  emit(out, BPF_ALU | BPF_AND | BPF_K, S_IFMT);
  const std::uint32_t kinds[] = {0, S_IFREG, S_IFIFO, S_IFSOCK};
  answer_if_any(out, kinds, allowed);
  answer(out, refused);
}

void check_futex(Program& out) {
  load_argument(out, 1);
  emit(out, BPF_ALU | BPF_AND | BPF_K, 127);  // without PRIVATE and CLOCK_REALTIME
  const std::uint32_t requeue_pi[] = {11, 12};
  answer_if_any(out, requeue_pi, errno_action(ENOSYS));
  answer(out, allowed);
}

void check_seccomp(Program& out) {
  load_argument(out, 0);
  const std::uint32_t query[] = {SECCOMP_SET_MODE_STRICT, SECCOMP_GET_ACTION_AVAIL};
  answer_if_any(out, query, allowed);
  emit(out, BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_SET_MODE_FILTER, 1, 0);
  answer(out, refused);
  load_argument(out, 1);
  answer_if_bits(out, SECCOMP_FILTER_FLAG_NEW_LISTENER, refused);
  answer(out, allowed);
}

void check_clone(Program& out) {
  load_argument(out, 0);
  answer_if_bits(out, namespace_flags & ~signal_mask, refused);
  answer_if_bits(out, namespace_flags & signal_mask, refused);
  answer(out, allowed);
}

void check_out_of_band(Program& out, std::uint32_t flags_argument) {
  load_argument(out, flags_argument);
  answer_if_bits(out, MSG_OOB, errno_action(EINVAL));
  answer(out, allowed);
}

void check_personality(Program& out) {
  load_argument(out, 0);
  const std::uint32_t list[] = {0, 0xffffffff};
  answer_if_any(out, list, allowed);
  answer(out, refused);
}

void emit_verdict(Program& out, Verdict verdict) {
  switch (verdict) {
    case Verdict::allow:
      return answer(out, allowed);
    case Verdict::refuse:
      return answer(out, refused);
    case Verdict::absent:
      return answer(out, errno_action(ENOSYS));
    case Verdict::clone_flags:
      return check_clone(out);
    case Verdict::socket_family:
      return check_socket(out);
    case Verdict::socketpair_unix: {
      const std::uint32_t list[] = {AF_UNIX};
      load_argument(out, 0);
      answer_if_any(out, list, allowed);
      return answer(out, errno_action(EAFNOSUPPORT));
    }
    case Verdict::no_oob_arg3:
      return check_out_of_band(out, 3);
    case Verdict::no_oob_arg2:
      return check_out_of_band(out, 2);
    case Verdict::prctl_list:
      return check_prctl(out);
    case Verdict::seccomp_no_listener:
      return check_seccomp(out);
    case Verdict::futex_no_requeue_pi:
      return check_futex(out);
    case Verdict::ioctl_list:
      return check_ioctl(out);
    case Verdict::personality_none:
      return check_personality(out);
    case Verdict::mknod_arg1:
      return check_mknod(out, 1);
    case Verdict::mknod_arg2:
      return check_mknod(out, 2);
  }
}

/// A run of numbers with one verdict: [first, next interval's first).
struct Interval {
  std::uint32_t first;
  Verdict verdict;
};

std::vector<Interval> intervals_of(std::span<const Rule> rules) {
  std::vector<Interval> out{{0, Verdict::absent}};
  auto add = [&](std::uint32_t first, Verdict verdict) {
    if (out.back().first == first) {
      out.back().verdict = verdict;
      if (out.size() > 1 && out[out.size() - 2].verdict == verdict) out.pop_back();
    } else if (out.back().verdict != verdict) {
      out.push_back({first, verdict});
    }
  };
  for (const Rule& rule : rules) {
    add(rule.number, rule.verdict);
    add(rule.number + 1, Verdict::absent);
  }
  return out;
}

/// The binary search: emits the code for `part`; the accumulator holds the call number.
void emit_search(Program& out, std::span<const Interval> part) {
  if (part.size() == 1) return emit_verdict(out, part[0].verdict);
  const std::size_t middle = part.size() / 2;
  Program left;
  emit_search(left, part.first(middle));
  if (left.size() < 255) {
    emit(out, BPF_JMP | BPF_JGE | BPF_K, part[middle].first, left.size(), 0);
  } else {
    emit(out, BPF_JMP | BPF_JGE | BPF_K, part[middle].first, 0, 1);
    emit(out, BPF_JMP | BPF_JA, static_cast<std::uint32_t>(left.size()));
  }
  out.insert(out.end(), left.begin(), left.end());
  emit_search(out, part.subspan(middle));
}

}  // namespace

std::vector<sock_filter> compile_filter(std::span<const Rule> rules) {
  Program out;
  emit(out, BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
  emit(out, BPF_JMP | BPF_JEQ | BPF_K, native_architecture, 1, 0);
  answer(out, SECCOMP_RET_KILL_PROCESS);
  emit(out, BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  // x32 numbers carry this bit; -1 (a tracer's "skip") has it too and is answered below by ENOSYS
  // as unknown.
  emit(out, BPF_JMP | BPF_JEQ | BPF_K, 0xffffffff, 2, 0);
  emit(out, BPF_JMP | BPF_JSET | BPF_K, x32_bit, 0, 1);
  answer(out, SECCOMP_RET_KILL_PROCESS);
  emit_search(out, intervals_of(rules));
  ASSERT(out.size() <= BPF_MAXINSNS);
  return out;
}

std::uint32_t run_filter(std::span<const sock_filter> program, std::uint32_t architecture,
                         std::uint32_t number, std::span<const std::uint64_t> arguments) {
  std::uint32_t words[sizeof(seccomp_data) / 4] = {number, architecture};
  for (std::size_t i = 0; i < arguments.size() && i < 6; ++i) {
    words[4 + i * 2] = static_cast<std::uint32_t>(arguments[i]);
    words[5 + i * 2] = static_cast<std::uint32_t>(arguments[i] >> 32);
  }
  std::uint32_t a = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& in = program[at];
    switch (in.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        a = words[in.k / 4];
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= in.k;
        break;
      case BPF_JMP | BPF_JA:
        at += in.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += a == in.k ? in.jt : in.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += a >= in.k ? in.jt : in.jf;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        at += (a & in.k) != 0 ? in.jt : in.jf;
        break;
      case BPF_RET | BPF_K:
        return in.k;
      default:
        assert_failed("an instruction that compile_filter emits", __FILE__, __LINE__);
    }
  }
  assert_failed("the filter ends in an answer", __FILE__, __LINE__);
}

Result<void> install_filter(std::span<const sock_filter> program) {
  sock_fprog filter{static_cast<unsigned short>(program.size()),
                    const_cast<sock_filter*>(program.data())};
  // SAFETY: only narrows what this thread and its children may do. TSYNC: there is one thread; the
  // flag asserts it.
  return checked(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter),
      "seccomp filter");
}

}  // namespace wolke::sandbox
