#include "wolke/sandbox/process_sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include "wolke/base/text.h"

namespace wolke::sandbox {
namespace {

constexpr int control_descriptor = 3;
constexpr int address_tries_max = 64;

Error failed(std::string_view step) {
  return {.code = "SandboxFailed", .message = fmt::format("{}: {}", step, std::strerror(errno))};
}

// ---- rewriting

struct Replacement {
  std::string from, to;
};

/// Replaces whole paths and addresses: what stands before is a separator, and what follows ends the
/// name or goes deeper.
std::string rewritten(std::string text, const std::vector<Replacement>& replacements) {
  for (const Replacement& r : replacements) {
    for (std::size_t at = 0; (at = text.find(r.from, at)) != std::string::npos;) {
      std::size_t end = at + r.from.size();
      bool starts = at == 0 || std::strchr("=:/ ,", text[at - 1]) != nullptr;
      if (starts && at > 0 && text[at - 1] == '/' && r.from.starts_with('/')) starts = false;
      bool ends = end == text.size() || std::strchr("/: ,", text[end]) != nullptr;
      if (!starts || !ends) {
        at = end;
        continue;
      }
      text.replace(at, r.from.size(), r.to);
      at += r.to.size();
    }
  }
  return text;
}

std::vector<std::string> rewritten(std::vector<std::string> texts,
                                   const std::vector<Replacement>& replacements) {
  for (std::string& text : texts) text = rewritten(std::move(text), replacements);
  return texts;
}

Result<std::vector<Replacement>> mount_replacements(const std::vector<ReadOnlyMount>& mounts) {
  std::vector<Replacement> out;
  for (const ReadOnlyMount& mount : mounts) {
    bool twice = std::ranges::any_of(
        out, [&](const Replacement& known) { return known.from == mount.inside_path; });
    if (twice) {
      errno = ENOTSUP;
      return fail(failed("two directories at " + mount.inside_path + " at level process"));
    }
    out.push_back({mount.inside_path, mount.host_path});
  }
  return out;
}

// ---- listening sockets

Fd bound_and_listening(std::uint32_t address, std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  int one = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in name{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(address)}};
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) return Fd();
  if (::listen(fd.get(), 64) != 0) return Fd();
  return fd;
}

std::string dotted(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, (address >> 16) & 0xff, (address >> 8) & 0xff,
                     address & 0xff);
}

struct Listeners {
  std::vector<Fd> fds;
  std::vector<Replacement> replacements;
};

/// One loopback address for all of them, so that each instance has its ports for itself.
Result<Listeners> listen_all(const std::vector<std::string>& wanted, std::uint32_t& next_address) {
  for (int attempt = 0; attempt < address_tries_max; ++attempt) {
    std::uint32_t address = (127U << 24) | (64U << 16) | ((next_address++ & 0x1fffff) << 1) | 1U;
    Listeners out;
    bool taken = false;
    for (const std::string& host_port : wanted) {
      auto port = parse_u64(host_port.substr(host_port.rfind(':') + 1)).value_or(0);
      Fd fd = bound_and_listening(address, static_cast<std::uint16_t>(port));
      taken = taken || (!fd.valid() && errno == EADDRINUSE);
      out.fds.push_back(std::move(fd));
      out.replacements.push_back({host_port, fmt::format("{}:{}", dotted(address), port)});
    }
    if (!taken) return out;
  }
  return fail(failed("listen"));
}

// ---- the child

struct Pipes {
  Fd control_ours, control_theirs;
  Fd stdout_ours, stdout_theirs;
  Fd stderr_ours, stderr_theirs;
  Fd failure_ours, failure_theirs;  // closes at exec; else carries errno
};

Result<Pipes> make_pipes() {
  Pipes pipes;
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail(failed("socketpair"));
  }
  pipes.control_ours = Fd(pair[0]);
  pipes.control_theirs = Fd(pair[1]);
  auto pipe = [&](Fd& ours, Fd& theirs) {
    if (::pipe2(pair.data(), O_CLOEXEC) != 0) return false;
    ours = Fd(pair[0]);
    theirs = Fd(pair[1]);
    return true;
  };
  if (!pipe(pipes.stdout_ours, pipes.stdout_theirs) ||
      !pipe(pipes.stderr_ours, pipes.stderr_theirs) ||
      !pipe(pipes.failure_ours, pipes.failure_theirs)) {
    return fail(failed("pipe"));
  }
  for (const Fd* fd : {&pipes.control_ours, &pipes.stdout_ours, &pipes.stderr_ours}) {
    ::fcntl(fd->get(), F_SETFL, O_NONBLOCK);
  }
  return pipes;
}

struct Program {
  std::vector<std::string> argv, environment;
  std::string directory;
  std::uint32_t files_max;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// After fork: only async-signal-safe calls, as other threads may have held any lock.
[[noreturn]] void run_child(const Pipes& pipes, char* const* argv, char* const* environment,
                            const char* directory, rlimit files) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Above the targets first, so that no dup2 overwrites a source.
  int control = ::fcntl(pipes.control_theirs.get(), F_DUPFD, 10);
  int out = ::fcntl(pipes.stdout_theirs.get(), F_DUPFD, 10);
  int err = ::fcntl(pipes.stderr_theirs.get(), F_DUPFD, 10);
  int failure = ::fcntl(pipes.failure_theirs.get(), F_DUPFD_CLOEXEC, 10);
  ::dup2(::open("/dev/null", O_RDONLY), 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  ::dup2(control, control_descriptor);
  ::dup2(failure, control_descriptor + 1);
  ::fcntl(control_descriptor + 1, F_SETFD, FD_CLOEXEC);
  ::syscall(SYS_close_range, control_descriptor + 2, ~0U, 0);
  ::setrlimit(RLIMIT_NOFILE, &files);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (::chdir(directory) == 0) ::execve(argv[0], argv, environment);
  int error = errno;
  [[maybe_unused]] auto n = ::write(control_descriptor + 1, &error, sizeof error);
  ::_exit(127);
}

Result<pid_t> spawn(Pipes& pipes, Program program) {
  std::vector<char*> argv = pointers(program.argv);
  std::vector<char*> environment = pointers(program.environment);
  rlimit files{program.files_max, program.files_max};
  pid_t pid = ::fork();
  if (pid < 0) return fail(failed("fork"));
  if (pid == 0) run_child(pipes, argv.data(), environment.data(), program.directory.c_str(), files);
  pipes.control_theirs.reset();
  pipes.stdout_theirs.reset();
  pipes.stderr_theirs.reset();
  pipes.failure_theirs.reset();
  int error = 0;
  if (::read(pipes.failure_ours.get(), &error, sizeof error) == sizeof error) {
    ::waitpid(pid, nullptr, 0);
    errno = error;
    Error not_executable = failed("exec " + program.argv.front());
    not_executable.code = "NotExecutable";
    return fail(std::move(not_executable));
  }
  return pid;
}

// ---- the instance

std::uint64_t peak_bytes_of(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  std::string line;
  while (std::getline(status, line)) {
    if (!line.starts_with("VmHWM:")) continue;
    std::string_view digits = line;
    digits = trim(digits.substr(6, digits.rfind(' ') - 6));
    return parse_u64(digits).value_or(0) * 1024;
  }
  return 0;
}

class ProcessInstance final : public Instance {
 public:
  ProcessInstance(async::Loop& loop, pid_t pid, Pipes pipes, std::vector<Fd> listeners)
      : loop_(loop),
        pid_(pid),
        pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
        pipes_(std::move(pipes)),
        listeners_(std::move(listeners)) {}

  ~ProcessInstance() override {
    kill();
    reap(0);
    for (int fd : {control_fd(), stdout_fd(), stderr_fd(), pidfd_.get()}) loop_.forget(fd);
  }

  int control_fd() const override { return pipes_.control_ours.get(); }
  int stdout_fd() const override { return pipes_.stdout_ours.get(); }
  int stderr_fd() const override { return pipes_.stderr_ours.get(); }
  std::vector<Fd> take_listeners() override { return std::move(listeners_); }
  Result<void> freeze() override { return signal_group(SIGSTOP); }
  Result<void> thaw() override { return signal_group(SIGCONT); }
  void throttle() override {}
  void terminate() override {
    if (!exit_) (void)::kill(pid_, SIGTERM);
  }
  void kill() override {
    if (!exit_) ::kill(-pid_, SIGKILL);
  }

  Usage usage() override {
    if (!exit_) {
      usage_.memory_peak_bytes = std::max(usage_.memory_peak_bytes, peak_bytes_of(pid_));
    }
    return usage_;
  }

  async::Task<std::optional<Exit>> exited(Monotonic deadline) override {
    while (!exit_) {
      if (co_await loop_.readable(pidfd_.get(), deadline) != async::Wake::ready) break;
      reap(WNOHANG);
    }
    co_return exit_;
  }

 private:
  Result<void> signal_group(int signal) {
    if (!exit_ && ::kill(-pid_, signal) != 0) return fail(failed("kill"));
    return {};
  }

  void reap(int options) {
    if (exit_) return;
    int status = 0;
    rusage used{};
    if (::wait4(pid_, &status, options, &used) != pid_) return;
    // What the program left behind in its group goes with it; the group's number is free only after
    // that.
    ::kill(-pid_, SIGKILL);
    exit_ =
        WIFSIGNALED(status) ? Exit{.signal = WTERMSIG(status)} : Exit{.code = WEXITSTATUS(status)};
    auto peak = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
    usage_.memory_peak_bytes = std::max(usage_.memory_peak_bytes, peak);
    auto micros = [](const timeval& t) { return t.tv_sec * 1'000'000 + t.tv_usec; };
    usage_.cpu = std::chrono::microseconds(micros(used.ru_utime) + micros(used.ru_stime));
  }

  async::Loop& loop_;
  pid_t pid_;
  Fd pidfd_;
  Pipes pipes_;
  std::vector<Fd> listeners_;
  std::optional<Exit> exit_;
  Usage usage_;
};

class ProcessSandboxes final : public Sandboxes {
 public:
  explicit ProcessSandboxes(async::Loop& loop)
      : loop_(loop), next_address_(static_cast<std::uint32_t>(::getpid()) * 64) {}

  Level level() const override { return Level::process; }

  async::Task<Result<std::unique_ptr<Instance>>> start(Spec spec) override {
    co_return start_now(std::move(spec));
  }

 private:
  Result<std::unique_ptr<Instance>> start_now(Spec spec) {
    TRY(std::vector<Replacement> replacements, mount_replacements(spec.mounts));
    Listeners listeners;
    if (!spec.listen.empty()) {
      TRY(listeners, listen_all(spec.listen, next_address_));
    }
    for (Replacement& r : listeners.replacements) replacements.push_back(std::move(r));
    TRY(Pipes pipes, make_pipes());
    Program program{.argv = rewritten(std::move(spec.argv), replacements),
                    .environment = rewritten(std::move(spec.environment), replacements),
                    .directory = rewritten(std::move(spec.working_directory), replacements),
                    .files_max = spec.files_max};
    TRY(pid_t pid, spawn(pipes, std::move(program)));
    return std::make_unique<ProcessInstance>(loop_, pid, std::move(pipes),
                                             std::move(listeners.fds));
  }

  async::Loop& loop_;
  std::uint32_t next_address_;
};

}  // namespace

std::unique_ptr<Sandboxes> make_process_sandboxes(async::Loop& loop) {
  return std::make_unique<ProcessSandboxes>(loop);
}

}  // namespace wolke::sandbox
