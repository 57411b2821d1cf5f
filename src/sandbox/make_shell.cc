#include "wolke/sandbox/make_shell.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sched.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "wolke/sandbox/init_image.h"
#include "wolke/sandbox/sealed.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

Result<Fd> own_network() {
  Fd fd(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return fail(step_failed("network namespace", errno));
  return fd;
}

Result<void> bring_loopback_up() {
  Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return fail(step_failed("loopback", errno));
  ifreq request{};
  wire::copy_text(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return checked(::ioctl(socket.get(), SIOCSIFFLAGS, &request), "loopback");
}

std::uint64_t namespace_flags(std::uint32_t weaken) {
  std::uint64_t flags = CLONE_NEWNS | CLONE_NEWUTS;
  if (!without(weaken, wire::weaken_pid)) flags |= CLONE_NEWPID;
  if (!without(weaken, wire::weaken_user)) flags |= CLONE_NEWUSER;
  if (!without(weaken, wire::weaken_ipc)) flags |= CLONE_NEWIPC;
  return flags;
}

Result<Fd> make_listener(const wire::ListenAddress& address) {
  const int type = address.kind == wire::ListenKind::datagram ? SOCK_DGRAM : SOCK_STREAM;
  Fd socket(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return fail(step_failed("listen", errno));
  if (address.kind == wire::ListenKind::outward) return socket;
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  name.sin_addr.s_addr = address.address;
  TRY(checked(::bind(socket.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), "bind"));
  if (address.kind == wire::ListenKind::stream) {
    TRY(checked(::listen(socket.get(), 128), "listen"));
  }
  return socket;
}

/// A private, restricted copy of what an O_PATH descriptor of the server names.
Result<Fd> detached_copy(int descriptor, std::uint32_t weaken) {
  // SAFETY: the server could open this path itself; the copy is read-only, honours no set-user-id
  // and no device, and inside it is read with the sandbox's own uid.
  Fd tree(::open_tree(descriptor, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
  if (!tree.valid()) return fail(step_failed("mount", errno));
  mount_attr attr{};
  attr.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  if (without(weaken, wire::weaken_read_only)) attr.attr_set &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
  if (without(weaken, wire::weaken_nosuid)) attr.attr_set &= ~std::uint64_t{MOUNT_ATTR_NOSUID};
  attr.propagation = MS_PRIVATE;
  TRY(checked(::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attr, sizeof attr), "mount"));
  return tree;
}

}  // namespace

Result<ShellMaker> ShellMaker::create(Level level, const CgroupLayout& layout,
                                      const std::string& parent) {
  ShellMaker maker(level, Cgroups(layout, parent));
  TRY(maker.cgroups_.make_parents());
  TRY(maker.init_, sealed_memfd("wolke-init", init_program(), true));
  TRY(maker.host_, pack_host(look_at_host()));
#ifdef WOLKE_TEST_WEAKEN
  TRY(maker.host_network_, own_network());
#endif
  if (!has_namespaces(level)) return maker;
  // SAFETY: we need no network ourselves; and from one of our own we may return (setns) at every
  // level.
  TRY(checked(::unshare(CLONE_NEWNET), "own network namespace"));
  TRY(maker.home_network_, own_network());
  return maker;
}

Result<void> ShellMaker::leave_network() const {
  // SAFETY: staying in a sandbox's network would mix sandboxes up: there is no going on from a
  // failure here.
  if (has_namespaces(level_) && ::setns(home_network_.get(), CLONE_NEWNET) < 0) ::abort();
  return {};
}

Result<void> ShellMaker::enter_new_network(Shell& shell) {
  if (!has_namespaces(level_)) return {};
  // SAFETY: made by us, so owned by our user namespace: the sandbox cannot configure it. Left again
  // in leave_network().
  TRY(checked(::unshare(CLONE_NEWNET), "network namespace"));
  TRY(bring_loopback_up());
  TRY(shell.network, own_network());
  return {};
}

Result<void> ShellMaker::fork_into(Shell& shell, std::uint32_t weaken) {
  int pair[2] = {-1, -1};
  TRY(checked(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "socketpair"));
  shell.socket = Fd(pair[0]);
  const Fd theirs(pair[1]);
  TRY(checked(::fcntl(shell.socket.get(), F_SETFL, O_NONBLOCK), "socketpair"));

  clone_args arguments{};
  int pidfd = -1;
  arguments.flags = CLONE_PIDFD | (has_namespaces(level_) ? namespace_flags(weaken) : 0);
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if (shell.group.unified.valid() && !without(weaken, wire::weaken_cgroup)) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(shell.group.unified.get());
  }
  Fd unsealed;
  if (without(weaken, wire::weaken_seals)) {
    TRY(unsealed, sealed_memfd("wolke-init", init_program(), true, false));
  }
  const int image = unsealed.valid() ? unsealed.get() : init_.get();
  // SAFETY: the child has copies of our memory only until it is init, and does nothing before.
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) exec_init(image, theirs.get(), has_namespaces(level_));
  TRY(checked(pid, "clone3"));
  shell.pid = static_cast<pid_t>(pid);
  shell.pidfd = Fd(pidfd);
  return {};
}

Result<void> ShellMaker::map_user(const Shell& shell, std::uint32_t weaken) const {
  // SAFETY: one uid and one gid, of the reserved range (root) or the user's own (rootless); never 0
  // of the host.
  const bool root = ::geteuid() == 0;
  const bool own = root && !without(weaken, wire::weaken_uid_map);
  const uid_t uid = own ? shell.uid : ::geteuid();
  const gid_t gid = own ? shell.uid : ::getegid();
  auto write = [&](const char* file, const std::string& text) {
    return write_file(fmt::format("/proc/{}/{}", shell.pid, file).c_str(), text);
  };
  if (!root) {
    TRY(write("setgroups", "deny"));
  }
  TRY(write("uid_map", fmt::format("{} {} 1", inside_uid, uid)));
  return write("gid_map", fmt::format("{} {} 1", inside_gid, gid));
}

/// Everything outside is set: the shell may build its root.
Result<void> ShellMaker::order_begin(const Shell& shell, std::uint32_t weaken) const {
  wire::ShellBegin begin{};
  begin.kind = wire::OrderKind::begin;
  begin.level = static_cast<std::uint32_t>(level_);
  begin.privileged = ::geteuid() == 0 ? 1 : 0;
  begin.host_uid = shell.uid;
  begin.limits_by_rlimit = cgroups_.layout().can_limit_memory() ? 0 : 1;
  begin.weaken = weaken;
  const int host = host_.get();
  if (wire::send(shell.socket.get(), begin, std::span(&host, 1)) != wire::Transfer::done) {
    return fail(step_failed("begin", EPIPE));
  }
  return {};
}

Result<std::unique_ptr<Shell>> ShellMaker::make(std::uint64_t serial, uid_t uid,
                                                std::uint32_t weaken) {
  auto shell = std::make_unique<Shell>();
  shell->serial = serial;
  shell->uid = uid;
  auto steps = [&]() -> Result<void> {
    TRY(shell->group, cgroups_.make(fmt::format("s{}", serial)));
    auto entered = without(weaken, wire::weaken_network)
                       ? checked(::setns(host_network_.get(), CLONE_NEWNET), "host network")
                       : enter_new_network(*shell);
    auto forked = entered ? fork_into(*shell, weaken) : std::move(entered);
    TRY(leave_network());
    if (!forked) return forked;
    if (has_namespaces(level_) && !without(weaken, wire::weaken_user)) {
      TRY(map_user(*shell, weaken));
    }
    if (!without(weaken, wire::weaken_cgroup)) {
      TRY(cgroups_.attach(shell->group, shell->pid));
    }
    return order_begin(*shell, weaken);
  };
  if (auto done = steps(); !done) {
    if (shell->pid > 0) {
      kill_by_pidfd(shell->pidfd.get());
      siginfo_t ended{};
      (void)::waitid(P_PIDFD, static_cast<id_t>(shell->pidfd.get()), &ended, WEXITED);
    }
    cgroups_.remove(shell->group);
    return fail(std::move(done).error());
  }
  return shell;
}

Result<void> ShellMaker::make_listeners(Shell& shell, const wire::Request& request) const {
  const bool own_network = shell.network.valid();
  if (request.listen_count == 0 || (has_namespaces(level_) && !own_network)) return {};
  // SAFETY: entered only to make sockets; left again before anything else happens.
  if (own_network) {
    TRY(checked(::setns(shell.network.get(), CLONE_NEWNET), "sandbox network"));
  }
  Result<void> made;
  for (std::size_t i = 0; i < request.listen_count && made; ++i) {
    if (request.listen[i].kind == wire::ListenKind::outward && !own_network) {
      made = fail({.code = "SandboxFailed", .message = "an outward socket would be the host's"});
      break;
    }
    auto listener = make_listener(request.listen[i]);
    if (listener)
      shell.listeners.push_back(std::move(*listener));
    else
      made = fail(std::move(listener).error());
  }
  TRY(leave_network());
  return made;
}

Result<void> ShellMaker::hand_over(Shell& shell, const wire::Request& request,
                                   std::vector<Fd>& descriptors) {
  if (!without(request.weaken, wire::weaken_cgroup)) {
    shell.has_quota = cpu_share(request.memory_bytes).quota_us != 0;
    // Without a /tmp of its own the host's is used, which the group does not count or may not grow
    // by.
    const std::uint64_t tmp_bytes = has_namespaces(level_) ? request.tmp_bytes : 0;
    TRY(cgroups_.limit(shell.group, {.memory_bytes = request.memory_bytes,
                                     .tmp_bytes = tmp_bytes,
                                     .pids_max = request.pids_max}));
  }
  TRY(make_listeners(shell, request));
  std::vector<Fd> copies;
  std::vector<int> given;
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    if (i < wire::start_descriptors || !has_namespaces(level_)) {
      given.push_back(descriptors[i].get());
      continue;
    }
    TRY(Fd copy, detached_copy(descriptors[i].get(), request.weaken));
    given.push_back(copy.get());
    copies.push_back(std::move(copy));
  }
  wire::ShellOrder order{};
  order.kind = wire::OrderKind::start;
  order.request = request;
  if (wire::send(shell.socket.get(), order, given) != wire::Transfer::done) {
    return fail(step_failed("start", EPIPE));
  }
  return {};
}

void ShellMaker::kill(const Shell& shell) const {
  cgroups_.kill(shell.group);
  // SAFETY: our own child, which led its session from its start and is not reaped while its Shell
  // exists.
  if (!has_namespaces(level_)) (void)::kill(-shell.pid, SIGKILL);
  // pid 1's death ends its whole PID namespace.
  kill_by_pidfd(shell.pidfd.get());
  // Only now that nothing in it runs on.
  cgroups_.hurry(shell.group);
}

void ShellMaker::terminate(const Shell& shell) const {
  // SAFETY: our own child; init holds the signal blocked and waits for it.
  (void)::syscall(SYS_pidfd_send_signal, shell.pidfd.get(), SIGTERM, nullptr, 0);
}

std::uint32_t ShellMaker::grants(Shell& shell, std::vector<Fd>& out) const {
  std::uint32_t present = wire::present_pidfd;
  const int unified = shell.group.unified.get();
  const int memory = shell.group.legacy_of(Controller::memory).get();
  const int cpu = shell.group.legacy_of(Controller::cpu).get();
  const int cpuacct = shell.group.legacy_of(Controller::cpuacct).get();
  const int freezer = shell.group.legacy_of(Controller::freezer).get();
  const bool v2_memory = cgroups_.layout().unified_has_controllers;
  // In the order of the bits. SAFETY: each is one file of this sandbox's own group: it can be
  // frozen, killed and read through them, and nothing else.
  const struct {
    wire::Present bit;
    int directory;
    const char* file;
    int flags;
  } files[] = {
      {wire::present_kill, unified, "cgroup.kill", O_WRONLY},
      {wire::present_freeze, unified, "cgroup.freeze", O_WRONLY},
      {wire::present_freezer_v1, freezer, "freezer.state", O_WRONLY},
      {wire::present_memory_peak, v2_memory ? unified : memory,
       v2_memory ? "memory.peak" : "memory.max_usage_in_bytes", O_RDONLY},
      {wire::present_memory_stat, v2_memory ? unified : memory, "memory.stat", O_RDONLY},
      {wire::present_cpu_v2, unified, "cpu.stat", O_RDONLY},
      {wire::present_cpu_v1, cpuacct, "cpuacct.usage", O_RDONLY},
      {wire::present_oom, v2_memory ? unified : memory,
       v2_memory ? "memory.events" : "memory.oom_control", O_RDONLY},
      {wire::present_memory_usage, v2_memory ? unified : memory,
       v2_memory ? "memory.current" : "memory.usage_in_bytes", O_RDONLY},
      {wire::present_quota, v2_memory ? unified : cpu, v2_memory ? "cpu.max" : "cpu.cfs_quota_us",
       O_WRONLY},
  };
  for (const auto& file : files) {
    if (file.directory < 0) continue;
    if (file.bit == wire::present_quota && !shell.has_quota) continue;
    Fd fd(::openat(file.directory, file.file, file.flags | O_CLOEXEC));
    if (!fd.valid()) continue;
    present |= file.bit;
    out.push_back(std::move(fd));
  }
  if (shell.tmp.valid()) {
    present |= wire::present_tmp;
    out.push_back(std::move(shell.tmp));
  }
  return present;
}

}  // namespace wolke::sandbox
