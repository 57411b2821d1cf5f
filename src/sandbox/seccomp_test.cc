#include "wolke/sandbox/seccomp.h"

#include <asm/unistd.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace wolke::sandbox {
namespace {

class FilterTest : public ::testing::Test {
 protected:
  std::uint32_t ask(std::uint32_t number, std::vector<std::uint64_t> arguments = {},
                    std::uint32_t architecture = AUDIT_ARCH_X86_64) const {
    return run_filter(program_, architecture, number, arguments);
  }
  static constexpr std::uint32_t allow = SECCOMP_RET_ALLOW;
  static std::uint32_t error(int number) {
    return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(number);
  }
  std::vector<sock_filter> program_ = compile_filter(seccomp_rules());
};

TEST_F(FilterTest, every_rule_of_the_table_answers_as_it_says) {
  for (const Rule& rule : seccomp_rules()) {
    if (rule.verdict == Verdict::allow) EXPECT_EQ(ask(rule.number), allow) << rule.number;
    if (rule.verdict == Verdict::refuse) EXPECT_EQ(ask(rule.number), error(EPERM)) << rule.number;
    if (rule.verdict == Verdict::absent) EXPECT_EQ(ask(rule.number), error(ENOSYS)) << rule.number;
    EXPECT_FALSE(rule.who.empty());
  }
}

TEST_F(FilterTest, every_number_outside_the_table_answers_that_there_is_no_such_call) {
  const auto rules = seccomp_rules();
  for (std::uint32_t number = 0; number < 2000; ++number) {
    const bool known =
        std::any_of(rules.begin(), rules.end(), [&](const Rule& r) { return r.number == number; });
    if (!known) EXPECT_EQ(ask(number), error(ENOSYS)) << number;
  }
  EXPECT_EQ(ask(0xffffffff), error(ENOSYS));
  for (std::uint32_t number : {__NR_io_uring_setup, __NR_io_setup, __NR_memfd_secret}) {
    EXPECT_EQ(ask(number), error(ENOSYS));
  }
}

TEST_F(FilterTest, at_most_250_calls_are_allowed) {
  std::size_t allowed = 0;
  for (const Rule& rule : seccomp_rules()) {
    if (rule.verdict != Verdict::refuse && rule.verdict != Verdict::absent) ++allowed;
  }
  EXPECT_LE(allowed, 250u);
}

TEST_F(FilterTest, x32_and_i386_entries_kill) {
  EXPECT_EQ(ask(__NR_read | 0x40000000), SECCOMP_RET_KILL_PROCESS);
  EXPECT_EQ(ask(__NR_read, {}, AUDIT_ARCH_I386), SECCOMP_RET_KILL_PROCESS);
}

TEST_F(FilterTest, clone_makes_threads_but_no_namespaces) {
  EXPECT_EQ(ask(__NR_clone, {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND}), allow);
  EXPECT_EQ(ask(__NR_clone, {17 /*SIGCHLD*/}), allow);
  for (std::uint64_t flag : {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC,
                             CLONE_NEWUTS, CLONE_NEWCGROUP, CLONE_NEWTIME}) {
    EXPECT_EQ(ask(__NR_clone, {flag | 17}), error(EPERM)) << flag;
  }
  EXPECT_EQ(ask(__NR_clone3), error(ENOSYS));
}

TEST_F(FilterTest, sockets_are_unix_inet_and_route_netlink_only) {
  EXPECT_EQ(ask(__NR_socket, {AF_UNIX, SOCK_SEQPACKET, 0}), allow);
  EXPECT_EQ(ask(__NR_socket, {AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 6}), allow);
  EXPECT_EQ(ask(__NR_socket, {AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 17}), allow);
  EXPECT_EQ(ask(__NR_socket, {AF_NETLINK, SOCK_RAW, 0}), allow);
  const std::uint32_t no = error(EAFNOSUPPORT);
  EXPECT_EQ(ask(__NR_socket, {AF_INET, SOCK_RAW, 1}), no);
  EXPECT_EQ(ask(__NR_socket, {AF_INET, SOCK_DGRAM, 1}), no);     // ping
  EXPECT_EQ(ask(__NR_socket, {AF_INET, SOCK_STREAM, 132}), no);  // SCTP
  EXPECT_EQ(ask(__NR_socket, {AF_INET, SOCK_STREAM, 262}), no);  // MPTCP
  EXPECT_EQ(ask(__NR_socket, {AF_INET, SOCK_SEQPACKET, 0}), no);
  EXPECT_EQ(ask(__NR_socket, {AF_NETLINK, SOCK_RAW, 6}), no);  // xfrm
  for (std::uint64_t family : {AF_PACKET, AF_VSOCK, AF_ALG, AF_CAN, AF_KEY, AF_XDP, 0}) {
    EXPECT_EQ(ask(__NR_socket, {family, SOCK_DGRAM, 0}), no) << family;
  }
  EXPECT_EQ(ask(__NR_socketpair, {AF_UNIX, SOCK_STREAM}), allow);
  EXPECT_EQ(ask(__NR_socketpair, {AF_INET, SOCK_STREAM}), no);
}

TEST_F(FilterTest, out_of_band_data_is_an_invalid_argument) {
  EXPECT_EQ(ask(__NR_sendto, {3, 0, 0, MSG_OOB}), error(EINVAL));
  EXPECT_EQ(ask(__NR_recvfrom, {3, 0, 0, MSG_OOB}), error(EINVAL));
  EXPECT_EQ(ask(__NR_sendmsg, {3, 0, MSG_OOB}), error(EINVAL));
  EXPECT_EQ(ask(__NR_recvmmsg, {3, 0, 0, MSG_OOB}), error(EINVAL));
  EXPECT_EQ(ask(__NR_sendmsg, {3, 0, MSG_NOSIGNAL}), allow);
}

TEST_F(FilterTest, dangerous_arguments_of_common_calls_are_refused) {
  EXPECT_EQ(ask(__NR_prctl, {PR_SET_NAME}), allow);
  for (std::uint64_t option :
       {PR_SET_MM, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_SET_KEEPCAPS}) {
    EXPECT_EQ(ask(__NR_prctl, {option}), error(EPERM)) << option;
  }
  EXPECT_EQ(ask(__NR_prctl, {PR_SET_PTRACER}), error(EPERM));
  EXPECT_EQ(ask(__NR_ioctl, {0, TCGETS}), allow);
  EXPECT_EQ(ask(__NR_ioctl, {0, TIOCSTI}), error(EPERM));
  EXPECT_EQ(ask(__NR_ioctl, {0, 0x40049409 /*FICLONE*/}), error(EPERM));
  EXPECT_EQ(ask(__NR_futex, {0, 0}), allow);
  EXPECT_EQ(ask(__NR_futex, {0, 11 | 128}), error(ENOSYS));
  EXPECT_EQ(ask(__NR_futex, {0, 12}), error(ENOSYS));
  EXPECT_EQ(ask(__NR_seccomp, {1, 0}), allow);
  EXPECT_EQ(ask(__NR_seccomp, {1, 8}), error(EPERM));
  EXPECT_EQ(ask(__NR_personality, {0xffffffff}), allow);
  EXPECT_EQ(ask(__NR_personality, {0x0040000}), error(EPERM));
  EXPECT_EQ(ask(__NR_mknodat, {0, 0, S_IFIFO | 0600}), allow);
  EXPECT_EQ(ask(__NR_mknodat, {0, 0, S_IFCHR | 0600}), error(EPERM));
  EXPECT_EQ(ask(__NR_mknod, {0, S_IFBLK | 0600}), error(EPERM));
}

}  // namespace
}  // namespace wolke::sandbox
