#include "wolke/cli/child_server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "wolke/base/fd.h"

namespace wolke::cli {

namespace {

/// The first line that the child writes; empty when it ended or the patience did.
std::string first_line(int fd, std::chrono::steady_clock::time_point deadline) {
  std::string line;
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return "";
    char c;
    if (::read(fd, &c, 1) != 1) return "";
    if (c == '\n') return line;
    line += c;
  }
}

}  // namespace

Result<ChildServer> ChildServer::start(const std::vector<std::string>& arguments,
                                       std::chrono::seconds patience) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return fail(internal_error("pipe"));
  Fd read_end(pipe[0]), write_end(pipe[1]);
  const auto began = std::chrono::steady_clock::now();
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(internal_error("fork"));
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1);
    ::dup2(write_end.get(), STDOUT_FILENO);
    std::vector<std::string> words = {"wolke"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv("/proc/self/exe", argv.data());
    ::_exit(127);
  }
  write_end.reset();
  ChildServer server;
  server.pid_ = pid;
  std::string line = first_line(read_end.get(), began + patience);
  constexpr std::string_view prefix = "ready ";
  if (!line.starts_with(prefix)) {
    return fail({.code = "NotReady",
                 .status = 500,
                 .message = "the server did not start; its own message stands above"});
  }
  server.endpoint_ = line.substr(prefix.size());
  server.took_ = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  return server;
}

ChildServer::ChildServer(ChildServer&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      endpoint_(std::move(other.endpoint_)),
      took_(other.took_) {}

ChildServer::~ChildServer() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  wait();
}

int ChildServer::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace wolke::cli
