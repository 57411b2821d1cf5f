// pid 1 of a sandbox: starts the program, passes it the signals that it gets, reaps whatever is
// orphaned, and ends when the program ends, which ends everything else in the PID namespace. It
// holds no secret and no right.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "wolke/sandbox/shell.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

constexpr int forwarded_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

[[noreturn]] void report_and_exit(const ShellSetup& setup, const wire::ShellReport& report) {
  (void)wire::send(setup.socket, report);
  ::_exit(report.kind == wire::ReportKind::exited ? report.exit_code : 125);
}

/// The program's side of the fork. `failed` closes at exec; what is written to it is the errno of a
/// failed one.
[[noreturn]] void execute(const ShellSetup& setup, Program& program, int failed) {
  ::close(setup.socket);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int signal = 1; signal < 32; ++signal) ::signal(signal, SIG_DFL);
  // Without a PID namespace the spawner kills by process group: the program stays in init's.
  if (has_namespaces(setup.level)) ::setsid();
  ::execve(program.arguments[0], program.arguments.data(), program.environment.data());
  const int error = errno;
  (void)!::write(failed, &error, sizeof error);
  ::_exit(127);
}

/// 0 when the exec succeeded, else its errno.
int wait_for_exec(int started) {
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(started, &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  return got == sizeof error ? error : 0;
}

/// Removes what the program left in its temporary directory; what cannot go stays. Never follows a
/// link. Takes the descriptor over.
void empty_directory(int fd, int depth) {
  DIR* directory = fd < 0 || depth > 64 ? nullptr : ::fdopendir(fd);
  if (directory == nullptr) {
    if (fd >= 0) ::close(fd);
    return;
  }
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (::unlinkat(fd, entry->d_name, 0) == 0) continue;
    const int below = ::openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    empty_directory(below, depth + 1);
    (void)::unlinkat(fd, entry->d_name, AT_REMOVEDIR);
  }
  ::closedir(directory);
}

[[noreturn]] void reap_until_end(const ShellSetup& setup, pid_t program,
                                 const std::string& temporary) {
  sigset_t waited;
  ::sigemptyset(&waited);
  for (int signal : forwarded_signals) ::sigaddset(&waited, signal);
  ::sigaddset(&waited, SIGCHLD);
  while (true) {
    int status = 0;
    for (pid_t ended; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended != program) continue;
      wire::ShellReport report{};
      report.kind = wire::ReportKind::exited;
      report.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
      report.exit_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      if (!temporary.empty()) {
        empty_directory(::open(temporary.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0);
        (void)::rmdir(temporary.c_str());
      }
      report_and_exit(setup, report);
    }
    const int signal = ::sigwaitinfo(&waited, nullptr);
    if (signal > 0 && signal != SIGCHLD) ::kill(program, signal);
  }
}

}  // namespace

void run_init(const ShellSetup& setup, Program& program) {
  // Blocked here and waited for in reap_until_end(), so that none is lost between the fork and the
  // wait.
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  int pipe[2] = {-1, -1};
  wire::ShellReport report{};
  report.kind = wire::ReportKind::failed;
  if (::pipe2(pipe, O_CLOEXEC) < 0) {
    wire::copy_text(report.what, step_failed("pipe", errno).message);
    report_and_exit(setup, report);
  }
  const pid_t child = ::fork();
  if (child == 0) execute(setup, program, pipe[1]);
  ::close(pipe[1]);
  if (child < 0) {
    wire::copy_text(report.what, step_failed("fork", errno).message);
    report_and_exit(setup, report);
  }
  if (const int error = wait_for_exec(pipe[0]); error != 0) {
    const std::string step = fmt::format("exec {}", program.arguments[0]);
    wire::copy_text(report.what, step_failed(step, error).message);
    report.cause = wire::Cause::not_executable;
    report_and_exit(setup, report);
  }
  ::close(pipe[0]);
  for (int fd = 0; fd < 4; ++fd) ::close(fd);  // the pipes end when the program's own ends close
  report.kind = wire::ReportKind::started;
  (void)wire::send(setup.socket, report);
  reap_until_end(setup, child, program.temporary);
}

}  // namespace wolke::sandbox
