#include "wolke/sandbox/shell.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "wolke/base/text.h"
#include "wolke/sandbox/landlock.h"
#include "wolke/sandbox/plain.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

constexpr int socket_number = 128;  // where our own socket waits, above all that the program gets
constexpr int host_root_number = 100;  // test builds only

[[noreturn]] void give_up(const ShellSetup& setup, const Error& error) {
  wire::ShellReport report{};
  report.kind = wire::ReportKind::failed;
  report.cause = error.code == "SandboxRefused" ? wire::Cause::refused : wire::Cause::other;
  wire::copy_text(report.what, error.message);
  (void)wire::send(setup.socket, report);
  ::_exit(125);
}

/// Waits for the first order: from here the uid map and the control groups are set.
HostView await_begin(ShellSetup& setup) {
  wire::ShellBegin order{};
  std::vector<Fd> descriptors;
  if (wire::receive(setup.socket, order, descriptors) != wire::Transfer::done ||
      order.kind != wire::OrderKind::begin || descriptors.size() != 1) {
    ::_exit(125);
  }
  setup.level = static_cast<Level>(order.level);
  setup.privileged = order.privileged != 0;
  setup.host_uid = order.host_uid;
  setup.limits_by_rlimit = order.limits_by_rlimit != 0;
  setup.weaken = order.weaken;
  auto host = unpack_host(descriptors[0].get());
  if (!host) give_up(setup, host.error());
  return *std::move(host);
}

/// Waits for the spawner's next order; a spawner that is gone ends us.
wire::ShellOrder await_order(const ShellSetup& setup, wire::OrderKind kind,
                             std::vector<Fd>& descriptors) {
  wire::ShellOrder order{};
  if (wire::receive(setup.socket, order, descriptors) != wire::Transfer::done ||
      order.kind != kind) {
    ::_exit(125);
  }
  return order;
}

/// Only our socket stays.
Result<void> close_everything_else(int socket) {
  if (socket > 0) {
    TRY(checked(::close_range(0, static_cast<unsigned>(socket) - 1, 0), "close"));
  }
  return checked(::close_range(static_cast<unsigned>(socket) + 1, ~0U, 0), "close");
}

Result<void> become_the_user(const ShellSetup& setup) {
  // Before the uid changes, while /proc/self is still ours to write: chosen by the kernel before
  // anything of the host.
  TRY(write_file("/proc/self/oom_score_adj", "500"));
  if (!without(setup.weaken, wire::weaken_user)) {
    // SAFETY: the ids are those of our own user namespace; outside they are the sandbox's reserved
    // uid.
    if (setup.privileged) {
      TRY(checked(::setgroups(0, nullptr), "setgroups"));
    }
    TRY(checked(::setresgid(inside_gid, inside_gid, inside_gid), "setresgid"));
    TRY(checked(::setresuid(inside_uid, inside_uid, inside_uid), "setresuid"));
  }
  // After the change of uid, which would clear it.
  TRY(checked(::prctl(PR_SET_PDEATHSIG, SIGKILL), "death signal"));
  TRY(checked(::setsid(), "setsid"));
  if (!without(setup.weaken, wire::weaken_keyring)) {
    // A new, empty session keyring; a kernel without keyrings has nothing to leak.
    if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS) {
      return fail(step_failed("session keyring", errno));
    }
  }
  // SAFETY: only now, after the v1 groups were joined: what we are in becomes "/" of
  // /proc/self/cgroup.
  return checked(::unshare(CLONE_NEWCGROUP), "cgroup namespace");
}

Result<void> begin(const ShellSetup& setup) {
  TRY(close_everything_else(setup.socket));
  if (without(setup.weaken, wire::weaken_descriptors)) {
    Fd root(::open("/", O_PATH | O_DIRECTORY));
    TRY(checked(::fcntl(root.get(), F_DUPFD, host_root_number), "host root"));
  }
  if (!has_namespaces(setup.level)) {
    TRY(checked(::prctl(PR_SET_PDEATHSIG, SIGKILL), "death signal"));
    TRY(checked(::prctl(PR_SET_CHILD_SUBREAPER, 1), "subreaper"));
    return checked(::setsid(), "setsid");
  }
  TRY(become_the_user(setup));
  return build_root(setup);
}

/// The program's descriptors: /dev/null, stdout, stderr, control. The rest closes here or at exec.
Result<void> place_descriptors(const ShellSetup& setup, std::vector<Fd>& given) {
  Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null.valid()) return fail(step_failed("/dev/null", errno));
  // First all up out of the way of 0..3, then down to their places.
  std::array<int, 4> source = {null.get(), given[0].get(), given[1].get(), given[2].get()};
  for (int& fd : source) {
    fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 64);
    if (fd < 0) return fail(step_failed("descriptors", errno));
  }
  (void)null.release();
  for (Fd& fd : given) (void)fd.release();
  TRY(checked(::close_range(0, 63, 0), "close"));
  for (int target = 0; target < 4; ++target) {
    TRY(checked(::dup2(source[static_cast<std::size_t>(target)], target), "descriptors"));
  }
  unsigned first_free = 4;
  if (without(setup.weaken, wire::weaken_descriptors)) {
    TRY(checked(::dup2(host_root_number, 7), "host root"));
    first_free = 8;
  }
  const auto socket = static_cast<unsigned>(setup.socket);
  TRY(checked(::close_range(first_free, socket - 1, 0), "close"));
  return checked(::close_range(socket + 1, ~0U, 0), "close");
}

Result<void> finish(const ShellSetup& setup, const wire::Request& request,
                    std::vector<Fd>& descriptors, Program& program) {
  TRY(unpack_program(read_small_fd(descriptors[3].get(), wire::program_bytes_max), program));
  std::vector<Fd> mounts;
  for (std::size_t i = wire::start_descriptors; i < descriptors.size(); ++i) {
    mounts.push_back(std::move(descriptors[i]));
  }
  if (!has_namespaces(setup.level)) {
    TRY(program.temporary, finish_plain(setup, request, mounts, program));
    mounts.clear();
    return place_descriptors(setup, descriptors);
  }
  TRY(finish_root(setup, request, mounts, program.hosts));
  mounts.clear();
  TRY(place_descriptors(setup, descriptors));
  if (!without(setup.weaken, wire::weaken_working_directory)) {
    TRY(checked(::chdir(program.working_directory.c_str()), "working directory"));
  }
  TRY(lock_down(setup, request));
  return check_self(setup, request);
}

}  // namespace

void run_shell(int socket) {
  ShellSetup setup;
  setup.socket = ::fcntl(socket, F_DUPFD_CLOEXEC, socket_number);
  if (setup.socket < 0) ::_exit(125);
  const HostView host = await_begin(setup);
  setup.host = &host;
  std::vector<Fd> descriptors;
  if (auto begun = begin(setup); !begun) give_up(setup, begun.error());
  wire::ShellReport ready{};
  ready.kind = wire::ReportKind::ready;
  if (wire::send(setup.socket, ready) != wire::Transfer::done) ::_exit(125);

  const wire::ShellOrder order = await_order(setup, wire::OrderKind::start, descriptors);
  Program program;
  if (auto done = finish(setup, order.request, descriptors, program); !done) {
    give_up(setup, done.error());
  }
  run_init(setup, program);
}

Result<void> unpack_program(std::string bytes, Program& program) {
  const Error malformed = step_failed("program", EBADMSG);
  wire::ProgramHead head{};
  if (bytes.size() < sizeof head) return fail(malformed);
  std::memcpy(&head, bytes.data(), sizeof head);
  if (bytes.size() != sizeof head + std::size_t{head.strings_bytes} + head.hosts_bytes) {
    return fail(malformed);
  }
  program.bytes = std::move(bytes);
  program.hosts = program.bytes.substr(sizeof head + head.strings_bytes);
  std::vector<char*> strings;
  char* at = program.bytes.data() + sizeof head;
  char* const end = at + head.strings_bytes;
  while (at < end) {
    char* const stop =
        static_cast<char*>(std::memchr(at, '\0', static_cast<std::size_t>(end - at)));
    if (stop == nullptr) return fail(malformed);
    strings.push_back(at);
    at = stop + 1;
  }
  const std::size_t arguments = head.argument_count;
  if (arguments == 0 || strings.size() != 1 + arguments + head.environment_count) {
    return fail(malformed);
  }
  program.working_directory = strings[0];
  program.arguments.assign(strings.begin() + 1,
                           strings.begin() + 1 + static_cast<std::ptrdiff_t>(arguments));
  program.environment.assign(strings.begin() + 1 + static_cast<std::ptrdiff_t>(arguments),
                             strings.end());
  program.arguments.push_back(nullptr);
  program.environment.push_back(nullptr);
  return {};
}

}  // namespace wolke::sandbox
