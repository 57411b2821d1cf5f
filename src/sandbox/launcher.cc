#include "wolke/sandbox/launcher.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "wolke/base/env.h"
#include "wolke/observe/log.h"
#include "wolke/sandbox/cgroups.h"
#include "wolke/sandbox/delegation.h"
#include "wolke/sandbox/spawner.h"
#include "wolke/sandbox/step.h"
#include "wolke/sandbox/wire.h"

namespace wolke::sandbox {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int exit_config = 78;                          // sysexits(3): EX_CONFIG
constexpr auto steady_after = std::chrono::seconds(10);  // then a crash counts as the first again
// A start costs some 30 ms of one core; a server that dies often must still be back at once.
constexpr unsigned restarts_at_once = 10;
constexpr auto spawner_stop_timeout = std::chrono::seconds(5);
// A new spawner starts its uids elsewhere: the old one's may still be in use for a moment.
constexpr uid_t uids_per_generation = 4096;

void say(observe::Level level, std::string_view message, observe::LogFields fields = {}) {
  observe::log(level, "launcher", message, fields);
}

/// The server's uid: that of its data directory when it is one of ours, else the first reserved
/// one.
uid_t server_uid(const std::string& data_dir) {
  struct stat status{};
  const bool ours = ::stat(data_dir.c_str(), &status) == 0 && status.st_uid >= host_uid_base &&
                    status.st_uid < host_uid_base + host_uid_reserved;
  return ours ? status.st_uid : host_uid_base;
}

bool is_empty_directory(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return false;
  bool empty = true;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") empty = false;
  }
  ::closedir(directory);
  return empty;
}

/// Makes the data directory and gives it to the server. A directory with content that is not the
/// server's is left alone: a mistyped path must never change owners.
Result<void> prepare_data(const std::string& path, uid_t uid, bool privileged) {
  TRY(system_env().disk.make_directory(path));
  struct stat status{};
  TRY(checked(::stat(path.c_str(), &status), path));
  if (!privileged || status.st_uid == uid) return {};
  if (!is_empty_directory(path)) {
    return fail(Error{
        "DataDirectory", 500,
        fmt::format(
            "{} belongs to uid {}, not to the server's own uid {}; choose another directory, or "
            "give it over: chown -R {}:{} {}",
            path, status.st_uid, uid, uid, uid, path)});
  }
  // SAFETY: an empty directory that the operator named as ours.
  TRY(checked(::chown(path.c_str(), uid, uid), path));
  return checked(::chmod(path.c_str(), 0700), path);
}

/// The server gives up everything: groups, uid, capabilities, the way back.
Result<void> drop_rights(uid_t uid) {
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    TRY(checked(::prctl(PR_CAPBSET_DROP, capability), "bounding set"));
  }
  // SAFETY: from root to a uid that owns nothing but the data directory; not reversible.
  TRY(checked(::setgroups(0, nullptr), "setgroups"));
  TRY(checked(::setresgid(uid, uid, uid), "setresgid"));
  TRY(checked(::setresuid(uid, uid, uid), "setresuid"));
  return {};
}

Result<void> drop_capabilities() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  TRY(checked(::syscall(SYS_capset, &head, none), "capset"));
  return checked(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

struct Child {
  pid_t pid = -1;
  Clock::time_point since;
};

class Launcher {
 public:
  Launcher(const LauncherConfig& config, const std::function<int(ServerSide)>& server_main)
      : config_(config), server_main_(server_main) {}
  int run();

 private:
  Result<void> prepare();
  Result<void> start_spawner();
  Result<void> start_server();
  [[noreturn]] void be_server();
  Result<void> new_channel();
  void on_signal(int signal);
  void reap();
  void on_server_end(int status);
  void on_spawner_end();
  void replace_spawner();
  void start_both();
  void wait_and_reap(std::chrono::milliseconds limit);
  void finish();

  const LauncherConfig& config_;
  const std::function<int(ServerSide)>& server_main_;
  const pid_t launcher_ = ::getpid();
  bool privileged_ = false;
  uid_t uid_ = 0;
  CgroupLayout cgroups_;
  Fd signals_;
  sigset_t waited_{};
  Child server_, spawner_;
  std::vector<pid_t> old_spawners_;  // of a dead server, still cleaning up
  Fd lifeline_read_, lifeline_write_;
  Fd to_server_;                         // brings new channels
  Fd server_channel_, spawner_channel_;  // ends for the next forks
  Fd server_control_;
  unsigned generation_ = 0;
  unsigned crashes_ = 0;
  unsigned spawner_crashes_ = 0;
  std::optional<Clock::time_point> restart_at_;
  std::optional<Clock::time_point> spawner_at_;
  std::optional<Clock::time_point> kill_at_;
  std::optional<int> result_;
};

Result<void> Launcher::prepare() {
  privileged_ = ::geteuid() == 0;
  uid_ = privileged_ ? server_uid(config_.data_dir) : ::geteuid();
  if (config_.level == Level::rootless) {
    TRY(enter_nursery());
  }
  TRY(prepare_data(config_.data_dir, uid_, privileged_));
  if (config_.level != Level::process) cgroups_ = detect_cgroups();
  TRY(enter_leaf(cgroups_));
  remove_leftover_cgroups(cgroups_);
  ::sigemptyset(&waited_);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::sigaddset(&waited_, signal);
  TRY(checked(::sigprocmask(SIG_BLOCK, &waited_, nullptr), "signals"));
  signals_ = Fd(::signalfd(-1, &waited_, SFD_CLOEXEC | SFD_NONBLOCK));
  TRY(checked(signals_.get(), "signalfd"));
  return {};
}

Result<void> Launcher::new_channel() {
  int pair[2] = {-1, -1};
  TRY(checked(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "socketpair"));
  server_channel_ = Fd(pair[0]);
  spawner_channel_ = Fd(pair[1]);
  TRY(checked(::fcntl(pair[0], F_SETFL, O_NONBLOCK), "socketpair"));
  return checked(::fcntl(pair[1], F_SETFL, O_NONBLOCK), "socketpair");
}

Result<void> Launcher::start_spawner() {
  int pipe[2] = {-1, -1};
  TRY(checked(::pipe2(pipe, O_CLOEXEC), "pipe"));
  lifeline_read_ = Fd(pipe[0]);
  lifeline_write_ = Fd(pipe[1]);
  const unsigned generation = generation_++;
  const pid_t pid = ::fork();
  if (pid == 0) {
    SpawnerConfig config;
    config.channel = std::move(spawner_channel_);
    config.lifeline = std::move(lifeline_read_);
    config.level = config_.level;
    config.cgroups = cgroups_;
    config.cgroup_parent = cgroup_parent_name(::getpid());
    config.ready_shells = config_.ready_shells;
    config.first_uid = host_uid_base + host_uid_reserved +
                       generation * uids_per_generation % (host_uid_count - host_uid_reserved);
    lifeline_write_.reset();
    server_channel_.reset();
    server_control_.reset();
    to_server_.reset();
    signals_.reset();
    (void)::setpgid(0, 0);  // the terminal's Ctrl-C is for the launcher
    ::sigprocmask(SIG_UNBLOCK, &waited_, nullptr);
    ::_exit(run_spawner(std::move(config)));
  }
  TRY(checked(pid, "fork"));
  spawner_ = {pid, Clock::now()};
  spawner_channel_.reset();
  lifeline_read_.reset();
  return {};
}

void Launcher::be_server() {
  // Everything of the launcher that is not ours closes; the directories are opened while we still
  // may.
  lifeline_write_.reset();
  signals_.reset();
  to_server_.reset();
  ServerSide side;
  side.spawner = std::move(server_channel_);
  side.launcher = std::move(server_control_);
  side.level = config_.level;
  std::vector<std::string> paths = config_.roots;
  paths.push_back(config_.data_dir);
  for (const std::string& path : paths) {
    Fd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (fd.valid()) side.roots.push_back(Root{path, std::move(fd)});
  }
  // From here the data directory is ".": the server's own uid may not pass its parents (a mode-0700
  // folder of root's), a working directory needs none of them.
  const bool inside = ::chdir(config_.data_dir.c_str()) == 0;
  (void)::setpgid(0, 0);
  // The kernel prefers any function to the server; only root may ask for that.
  (void)write_file("/proc/self/oom_score_adj", "-900");
  auto dropped = privileged_ ? drop_rights(uid_) : Result<void>();
  if (dropped) dropped = drop_capabilities();
  // After the change of uid, which clears it.
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != launcher_) ::_exit(exit_config);  // it died before that took hold
  if (!dropped) {
    say(observe::Level::error, dropped.error().message);
    ::_exit(exit_config);
  }
  if (!inside || ::access(".", W_OK | X_OK) != 0) {
    say(observe::Level::error,
        fmt::format("{}: {}. The server runs as uid {} and must be able to write there.",
                    config_.data_dir, step_failed("access", errno).message, uid_));
    ::_exit(exit_config);
  }
  ::sigprocmask(SIG_UNBLOCK, &waited_, nullptr);
  const int code = server_main_(std::move(side));
  std::fflush(nullptr);
  ::_exit(code);
}

Result<void> Launcher::start_server() {
  int pair[2] = {-1, -1};
  TRY(checked(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), "socketpair"));
  to_server_ = Fd(pair[0]);
  server_control_ = Fd(pair[1]);
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) be_server();
  TRY(checked(pid, "fork"));
  server_ = {pid, Clock::now()};
  server_control_.reset();
  server_channel_.reset();
  return {};
}

void Launcher::on_signal(int signal) {
  if (signal == SIGCHLD) return reap();
  if (server_.pid < 0) {
    result_ = 0;  // between two servers: nothing to stop
    return;
  }
  (void)::kill(server_.pid, signal == SIGHUP ? SIGTERM : signal);
  if (!kill_at_) kill_at_ = Clock::now() + config_.stop_timeout;
}

void Launcher::reap() {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == server_.pid)
      on_server_end(status);
    else if (pid == spawner_.pid)
      on_spawner_end();
    std::erase(old_spawners_, pid);
  }
}

void Launcher::on_server_end(int status) {
  const bool steady = Clock::now() - server_.since > steady_after;
  server_.pid = -1;
  to_server_.reset();
  if (WIFEXITED(status) || kill_at_) {
    result_ = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    return;
  }
  crashes_ = steady ? 1 : crashes_ + 1;
  const auto pause = restart_pause(crashes_);
  say(observe::Level::error, "server ended by a signal; starting it again",
      {{"signal", std::to_string(WTERMSIG(status))}, {"pause_ms", std::to_string(pause.count())}});
  restart_at_ = Clock::now() + pause;
  // Its spawner ends its sandboxes by itself: the server's end of the channel is closed.
  if (spawner_.pid > 0) old_spawners_.push_back(std::exchange(spawner_.pid, -1));
}

void Launcher::on_spawner_end() {
  const bool steady = Clock::now() - spawner_.since > steady_after;
  spawner_.pid = -1;
  spawner_crashes_ = steady ? 1 : spawner_crashes_ + 1;
  // Not here: when the server died too, its end is still to be reaped, and both start anew.
  spawner_at_ = Clock::now() + restart_pause(spawner_crashes_);
}

/// The server goes on with a new spawner; without one it cannot work, and both start anew.
void Launcher::replace_spawner() {
  spawner_at_.reset();
  if (server_.pid < 0 || kill_at_) return;
  say(observe::Level::error, "spawner ended; starting a new one");
  // Its sandboxes died with it; what is left of their groups goes by name.
  remove_leftover_cgroups(cgroups_);
  auto started = new_channel();
  if (started) started = start_spawner();
  if (started) {
    const std::uint32_t word = 1;
    const int fd = server_channel_.get();
    if (wire::send(to_server_.get(), word, std::span(&fd, 1)) == wire::Transfer::done) {
      server_channel_.reset();
      return;
    }
  }
  (void)::kill(server_.pid, SIGKILL);
}

/// Starts the server and its spawner; a failure is the end.
void Launcher::start_both() {
  restart_at_.reset();
  spawner_at_.reset();
  auto started = new_channel();
  if (started) started = start_spawner();
  if (started) started = start_server();
  if (started) return;
  say(observe::Level::error, started.error().message);
  result_ = exit_config;
}

void Launcher::wait_and_reap(std::chrono::milliseconds limit) {
  pollfd waiting{signals_.get(), POLLIN, 0};
  (void)::poll(&waiting, 1, static_cast<int>(limit.count()));
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    on_signal(static_cast<int>(info.ssi_signo));
  }
}

/// Nothing of us stays: the spawner ends its sandboxes when its lifeline closes, and is waited for.
void Launcher::finish() {
  lifeline_write_.reset();
  if (spawner_.pid > 0) old_spawners_.push_back(std::exchange(spawner_.pid, -1));
  const auto deadline = Clock::now() + spawner_stop_timeout;
  while (!old_spawners_.empty() && Clock::now() < deadline) {
    reap();
    if (!old_spawners_.empty()) wait_and_reap(std::chrono::milliseconds(50));
  }
  for (pid_t pid : old_spawners_) {
    // SAFETY: our own child, not yet reaped, so the number is still its.
    (void)::kill(pid, SIGKILL);
    (void)::waitpid(pid, nullptr, 0);
  }
  remove_leftover_cgroups(cgroups_);
  leave_leaf(cgroups_);
}

int Launcher::run() {
  if (auto prepared = prepare(); !prepared) {
    say(observe::Level::error, prepared.error().message);
    return exit_config;
  }
  restart_at_ = Clock::now();
  while (!result_) {
    const auto now = Clock::now();
    if (kill_at_ && now >= *kill_at_ && server_.pid > 0) (void)::kill(server_.pid, SIGKILL);
    if (restart_at_ && now >= *restart_at_) start_both();
    if (spawner_at_ && now >= *spawner_at_) replace_spawner();
    auto limit = std::chrono::milliseconds(1000);
    for (const auto& at : {restart_at_, spawner_at_}) {
      if (!at) continue;
      limit = std::clamp(std::chrono::ceil<std::chrono::milliseconds>(*at - Clock::now()),
                         std::chrono::milliseconds(0), limit);
    }
    if (result_) break;
    wait_and_reap(limit);
  }
  finish();
  return *result_;
}

}  // namespace

std::chrono::milliseconds restart_pause(unsigned crashes) {
  using std::chrono::milliseconds;
  if (crashes <= restarts_at_once) return milliseconds(0);
  const unsigned doublings = std::min(crashes - restarts_at_once - 1, 7U);
  return std::min(milliseconds(100 << doublings), milliseconds(10'000));
}

Result<void> enter_nursery() {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (uid == 0) return {};  // root has the rights already, and uids to give
  // SAFETY: only our own ids are mapped: no right over anything that is not the user's already.
  TRY(checked(::unshare(CLONE_NEWUSER | CLONE_NEWNS), "user namespace"));
  TRY(write_file("/proc/self/setgroups", "deny"));
  TRY(write_file("/proc/self/uid_map", fmt::format("{} {} 1", uid, uid)));
  return write_file("/proc/self/gid_map", fmt::format("{} {} 1", gid, gid));
}

int run_launcher(const LauncherConfig& config, const std::function<int(ServerSide)>& server_main) {
  return Launcher(config, server_main).run();
}

}  // namespace wolke::sandbox
