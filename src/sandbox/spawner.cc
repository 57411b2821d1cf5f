#include "wolke/sandbox/spawner.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <utility>

#include "wolke/sandbox/delegation.h"
#include "wolke/sandbox/make_shell.h"
#include "wolke/sandbox/step.h"
#include "wolke/sandbox/wire.h"

namespace wolke::sandbox {

std::optional<uid_t> UidRange::take(Clock::time_point now) {
  if (taken_ < count_) {
    ++taken_;
    const uid_t uid = next_;
    next_ = next_ + 1 < base_ + count_ ? next_ + 1 : base_;
    return uid;
  }
  if (resting_.empty() || now - resting_.front().since < quarantine) return std::nullopt;
  const uid_t uid = resting_.front().uid;
  resting_.pop_front();
  return uid;
}

namespace {

using Clock = UidRange::Clock;

/// What an epoll event is about: a shell's serial number and which of its two descriptors.
enum class Source : std::uint64_t { channel, lifeline, shell_socket, shell_end };
constexpr std::uint64_t tag(Source source, std::uint64_t serial = 0) {
  return serial << 2 | static_cast<std::uint64_t>(source);
}

class Spawner {
 public:
  Spawner(SpawnerConfig config, ShellMaker maker)
      : config_(std::move(config)),
        maker_(std::move(maker)),
        uids_(config_.first_uid, host_uid_base + host_uid_reserved,
              host_uid_count - host_uid_reserved) {}

  int run();

 private:
  Result<void> watch(int fd, std::uint64_t what);
  bool handle(const epoll_event& event);
  bool read_channel();
  void on_request(const wire::Request& request, std::vector<Fd>& descriptors);
  Result<void> start(const wire::Request& request, std::vector<Fd>& descriptors);
  Result<Shell*> shell_for(const wire::Request& request);
  Result<Shell*> add_shell(std::uint32_t weaken);
  void on_shell_report(Shell& shell);
  void on_shell_end(Shell& shell);
  void reply_started(Shell& shell);
  void reply_failed(std::uint64_t handle, std::string_view what, wire::Cause cause);
  void reply(const wire::Reply& reply, std::span<const int> descriptors = {});
  void kill(const Shell& shell) { maker_.kill(shell); }
  Shell* find_handle(std::uint64_t handle);
  unsigned prepared() const;
  int patience() const;
  void refill();
  void end_everything();

  SpawnerConfig config_;
  ShellMaker maker_;
  UidRange uids_;
  Fd epoll_;
  std::map<std::uint64_t, std::unique_ptr<Shell>> shells_;  // by serial
  std::uint64_t next_serial_ = 1;
  Clock::time_point refill_after_{};
};

Result<void> Spawner::watch(int fd, std::uint64_t what) {
  epoll_event event{EPOLLIN, {.u64 = what}};
  return checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll");
}

int Spawner::run() {
  epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid() || !watch(config_.channel.get(), tag(Source::channel)) ||
      !watch(config_.lifeline.get(), tag(Source::lifeline))) {
    return 1;
  }
  while (true) {
    epoll_event events[32];
    const int count = ::epoll_wait(epoll_.get(), events, 32, patience());
    if (count < 0 && errno != EINTR) break;
    if (count == 0) refill();  // ready shells are made only when nothing waits
    bool alive = true;
    for (int i = 0; i < count && alive; ++i) alive = handle(events[i]);
    if (!alive) break;
  }
  end_everything();
  return 0;
}

unsigned Spawner::prepared() const {
  unsigned count = 0;
  for (const auto& [serial, shell] : shells_) {
    if (shell->state == Shell::State::ready || shell->state == Shell::State::preparing) ++count;
  }
  return count;
}

/// Milliseconds to wait for events: none while shells are to be made, a pause after one could not
/// be.
int Spawner::patience() const {
  if (prepared() >= config_.ready_shells) return -1;
  // A sandbox that is just starting has the processor first.
  for (const auto& [serial, shell] : shells_) {
    if (shell->state == Shell::State::starting) return 20;
  }
  return Clock::now() >= refill_after_ ? 0 : 200;
}

/// False when the server or the launcher is gone.
bool Spawner::handle(const epoll_event& event) {
  const auto source = static_cast<Source>(event.data.u64 & 3);
  if (source == Source::lifeline) return false;
  if (source == Source::channel) return read_channel();
  const auto found = shells_.find(event.data.u64 >> 2);
  if (found == shells_.end()) return true;  // ended earlier in this batch
  if (source == Source::shell_socket)
    on_shell_report(*found->second);
  else
    on_shell_end(*found->second);
  return true;
}

bool Spawner::read_channel() {
  wire::Request request{};
  std::vector<Fd> descriptors;
  switch (wire::receive(config_.channel.get(), request, descriptors)) {
    case wire::Transfer::done:
      on_request(request, descriptors);
      return true;
    case wire::Transfer::would_block:
      return true;
    case wire::Transfer::malformed:
      return true;  // dropped; its sender waits for nothing it may rely on
    case wire::Transfer::closed:
      return false;
  }
  return false;
}

void Spawner::on_request(const wire::Request& request, std::vector<Fd>& descriptors) {
  if (const auto wrong = wire::why_unacceptable(request, descriptors.size()); !wrong.empty()) {
    reply_failed(request.handle, std::string("request: ").append(wrong), wire::Cause::other);
    return;
  }
  if (request.kind == wire::RequestKind::start) {
    if (find_handle(request.handle) != nullptr) {
      reply_failed(request.handle, "request: handle in use", wire::Cause::other);
    } else if (auto started = start(request, descriptors); !started) {
      reply_failed(request.handle, started.error().message, wire::Cause::other);
    }
    return;
  }
  Shell* shell = find_handle(request.handle);
  if (shell == nullptr) return;
  if (request.kind == wire::RequestKind::terminate) return maker_.terminate(*shell);
  kill(*shell);
}

/// Hands the request to a shell; its answer comes as a report.
Result<void> Spawner::start(const wire::Request& request, std::vector<Fd>& descriptors) {
  TRY(Shell* const shell, shell_for(request));
  // From here the shell belongs to this request: whatever fails, it dies.
  shell->state = Shell::State::starting;
  auto begun = maker_.hand_over(*shell, request, descriptors);
  if (!begun) {
    shell->state = Shell::State::doomed;
    kill(*shell);
    return begun;
  }
  shell->handle = request.handle;
  return {};
}

Result<Shell*> Spawner::shell_for(const wire::Request& request) {
  if (request.weaken == 0) {
    for (auto& [serial, shell] : shells_) {
      if (shell->state == Shell::State::ready) return shell.get();
    }
  }
  return add_shell(request.weaken);
}

Result<Shell*> Spawner::add_shell(std::uint32_t weaken) {
  const std::optional<uid_t> uid = uids_.take(Clock::now());
  if (!uid) return fail(step_failed("host uid", EAGAIN));
  const std::uint64_t serial = next_serial_++;
  auto made = maker_.make(serial, *uid, weaken);
  if (!made) {
    uids_.give_back(*uid, Clock::now());
    return fail(std::move(made).error());
  }
  Shell* const shell = made->get();
  shells_.emplace(serial, std::move(*made));
  TRY(watch(shell->socket.get(), tag(Source::shell_socket, serial)));
  TRY(watch(shell->pidfd.get(), tag(Source::shell_end, serial)));
  return shell;
}

void Spawner::on_shell_report(Shell& shell) {
  wire::ShellReport report{};
  std::vector<Fd> brought;
  const wire::Transfer got = wire::receive(shell.socket.get(), report, brought);
  if (got == wire::Transfer::would_block) return;
  if (got != wire::Transfer::done) {
    // Its end is closed: the pidfd tells the rest.
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, shell.socket.get(), nullptr);
    return;
  }
  using enum Shell::State;
  switch (report.kind) {
    case wire::ReportKind::ready:
      if (shell.state == preparing) shell.state = ready;
      return;
    case wire::ReportKind::tmp:
      if (shell.state == starting && brought.size() == 1) shell.tmp = std::move(brought[0]);
      return;
    case wire::ReportKind::started:
      if (shell.state != starting) return;
      shell.state = running;
      reply_started(shell);
      return;
    case wire::ReportKind::failed:
      if (shell.state == starting) {
        reply_failed(shell.handle, wire::text_of(report.what), report.cause);
      } else if (shell.state == preparing) {
        refill_after_ = Clock::now() + std::chrono::seconds(1);
      }
      shell.state = doomed;
      kill(shell);
      return;
    case wire::ReportKind::exited:
      shell.exit_code = report.exit_code;
      shell.exit_signal = report.exit_signal;
      shell.exit_known = true;
      return;
  }
}

/// pid 1 is gone, and with it everything in its PID namespace.
void Spawner::on_shell_end(Shell& shell) {
  // What it said last may still wait in the socket.
  wire::ShellReport report{};
  std::vector<Fd> brought;
  while (wire::receive(shell.socket.get(), report, brought) == wire::Transfer::done) {
    if (report.kind == wire::ReportKind::tmp && brought.size() == 1) {
      shell.tmp = std::move(brought[0]);
    } else if (report.kind == wire::ReportKind::exited) {
      shell.exit_code = report.exit_code;
      shell.exit_signal = report.exit_signal;
      shell.exit_known = true;
    } else if (report.kind == wire::ReportKind::failed && shell.state == Shell::State::starting) {
      reply_failed(shell.handle, wire::text_of(report.what), report.cause);
      shell.state = Shell::State::doomed;
    } else if (report.kind == wire::ReportKind::started && shell.state == Shell::State::starting) {
      shell.state = Shell::State::running;
      reply_started(shell);
    }
  }
  siginfo_t ended{};
  rusage used{};
  (void)::syscall(SYS_waitid, P_PIDFD, shell.pidfd.get(), &ended, WEXITED, &used);
  if (shell.state == Shell::State::running) {
    CgroupUsage usage = maker_.usage(shell);
    // Without control groups: the largest of the processes that init has waited for.
    if (usage.memory_peak_bytes == 0) {
      usage.memory_peak_bytes = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
      const auto micros = [](const timeval& t) { return t.tv_sec * 1'000'000 + t.tv_usec; };
      usage.cpu_microseconds =
          std::max(usage.cpu_microseconds,
                   static_cast<std::uint64_t>(micros(used.ru_utime) + micros(used.ru_stime)));
    }
    wire::Reply exited{};
    exited.kind = wire::ReplyKind::exited;
    exited.handle = shell.handle;
    exited.exit_code = shell.exit_known ? shell.exit_code : 0;
    exited.exit_signal = shell.exit_known ? shell.exit_signal : SIGKILL;
    exited.out_of_memory = usage.out_of_memory;
    exited.memory_peak_bytes = usage.memory_peak_bytes;
    exited.cpu_microseconds = usage.cpu_microseconds;
    reply(exited);
  } else if (shell.state == Shell::State::starting) {
    reply_failed(shell.handle, "the sandbox ended before its program started", wire::Cause::other);
  } else if (shell.state == Shell::State::preparing) {
    refill_after_ = Clock::now() + std::chrono::seconds(1);
  }
  // The server holds a copy of the pidfd, which would keep it in the epoll set, ready for ever.
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, shell.pidfd.get(), nullptr);
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, shell.socket.get(), nullptr);
  maker_.clean(shell);
  uids_.give_back(shell.uid, Clock::now());
  shells_.erase(shell.serial);
}

void Spawner::reply_started(Shell& shell) {
  wire::Reply started{};
  started.kind = wire::ReplyKind::started;
  started.handle = shell.handle;
  started.host_uid = shell.uid;
  std::vector<Fd> held;
  started.present = maker_.grants(shell, held);
  std::vector<int> descriptors = {shell.pidfd.get()};
  for (const Fd& fd : held) descriptors.push_back(fd.get());
  for (const Fd& fd : shell.listeners) descriptors.push_back(fd.get());
  started.listener_count = static_cast<std::uint32_t>(shell.listeners.size());
  reply(started, descriptors);
  shell.listeners.clear();
}

void Spawner::reply_failed(std::uint64_t handle, std::string_view what, wire::Cause cause) {
  wire::Reply failed{};
  failed.kind = wire::ReplyKind::failed;
  failed.handle = handle;
  failed.cause = cause;
  wire::copy_text(failed.what, what);
  reply(failed);
}

void Spawner::reply(const wire::Reply& reply, std::span<const int> descriptors) {
  while (wire::send(config_.channel.get(), reply, descriptors) == wire::Transfer::would_block) {
    pollfd writable{config_.channel.get(), POLLOUT, 0};
    (void)::poll(&writable, 1, 1000);
  }
}

Shell* Spawner::find_handle(std::uint64_t handle) {
  for (auto& [serial, shell] : shells_) {
    const bool used =
        shell->state == Shell::State::starting || shell->state == Shell::State::running;
    if (used && shell->handle == handle) return shell.get();
  }
  return nullptr;
}

/// One shell at a time, so that a request never waits behind more than one.
void Spawner::refill() {
  if (Clock::now() < refill_after_) return;
  if (!add_shell(0)) refill_after_ = Clock::now() + std::chrono::seconds(1);
}

void Spawner::end_everything() {
  for (auto& [serial, shell] : shells_) kill(*shell);
  for (auto& [serial, shell] : shells_) {
    siginfo_t ended{};
    (void)::waitid(P_PIDFD, static_cast<id_t>(shell->pidfd.get()), &ended, WEXITED);
    maker_.clean(*shell);
  }
  shells_.clear();
  maker_.clean_all();
  leave_leaf(config_.cgroups);
}

#ifndef WOLKE_TEST_WEAKEN
/// What root's spawner really uses; the rest is given up, also for whatever it could exec.
constexpr int needed_capabilities[] = {
    CAP_SYS_ADMIN,         // namespaces, mounts from descriptors, control groups
    CAP_SETUID,            // uid maps
    CAP_SETGID,            // gid maps
    CAP_NET_ADMIN,         // bringing a sandbox's loopback up
    CAP_NET_BIND_SERVICE,  // its :443 and :53
    CAP_KILL,              // ending processes of the sandboxes' uids
    CAP_DAC_OVERRIDE,      // the top directories of control group hierarchies are 0555
};

Result<void> keep_needed_capabilities() {
  __user_cap_data_struct kept[2] = {};
  for (int capability : needed_capabilities)
    kept[capability / 32].permitted |= 1U << capability % 32;
  for (auto& part : kept) part.effective = part.permitted;
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    const bool needed = (kept[capability / 32].permitted & 1U << capability % 32) != 0;
    if (!needed) {
      TRY(checked(::prctl(PR_CAPBSET_DROP, capability), "bounding set"));
    }
  }
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  return checked(::syscall(SYS_capset, &head, kept), "capset");
}
#endif

}  // namespace

int run_spawner(SpawnerConfig config) {
  // The terminal's signals are the launcher's business; we end by the lifeline, after cleaning up.
  for (int ignored : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(ignored, SIG_IGN);
  (void)::prctl(PR_SET_NAME, "wolke-spawner");
  // Rootless, a shell's /proc files (its uid map) are ours to write only while they belong to our
  // uid.
  (void)::prctl(PR_SET_DUMPABLE, ::geteuid() == 0 ? 0 : 1);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &files);
  }
#ifndef WOLKE_TEST_WEAKEN  // a control without its layers needs all of root
  if (::geteuid() == 0 && !keep_needed_capabilities()) return 1;
#endif
  auto maker = ShellMaker::create(config.level, config.cgroups, config.cgroup_parent);
  if (!maker) {
    (void)!::write(2, maker.error().message.data(), maker.error().message.size());
    (void)!::write(2, "\n", 1);
    return 1;
  }
  return Spawner(std::move(config), std::move(*maker)).run();
}

}  // namespace wolke::sandbox
