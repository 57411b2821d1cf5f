#include "wolke/cli/syntax.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <vector>

#include "wolke/base/fd.h"
#include "wolke/base/text.h"
#include "wolke/cli/serve.h"

namespace wolke::cli {

namespace {

constexpr auto patience = std::chrono::seconds(5);
constexpr std::size_t told_bytes_max = 64 << 10;
/// Reads and compiles; nothing of the file is executed.
constexpr const char* python_program =
    "import sys\n"
    "try: compile(open(sys.argv[1], 'rb').read(), sys.argv[1], 'exec')\n"
    "except SyntaxError as e: sys.exit(f'SyntaxError: line {e.lineno}: {e.msg}')\n";

/// The interpreter's command for a file; empty when none reads it.
std::vector<std::string> command_for(const std::string& file) {
  Result<runtime::RuntimePaths> paths = find_runtimes("");
  if (!paths) return {};
  if (file.ends_with(".py")) return {paths->python, "-I", "-c", python_program, file};
  if (file.ends_with(".mjs") || file.ends_with(".cjs") || file.ends_with(".js")) {
    return {paths->node_root + "/bin/node", "--check", file};
  }
  return {};
}

/// What the command writes on stderr until it ends or the patience does.
std::string stderr_of(std::vector<std::string> command) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return "";
  Fd read_end(pipe[0]), write_end(pipe[1]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int nothing = ::open("/dev/null", O_RDWR);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(nothing, STDOUT_FILENO);
    ::dup2(write_end.get(), STDERR_FILENO);
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  write_end.reset();
  std::string told;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (pid > 0 && told.size() < told_bytes_max) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waiting{.fd = read_end.get(), .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) break;
    char piece[4096];
    const ssize_t size = ::read(read_end.get(), piece, sizeof piece);
    if (size <= 0) break;
    told.append(piece, static_cast<std::size_t>(size));
  }
  if (pid > 0) ::kill(pid, SIGKILL);  // it has ended, or is not waited for any longer
  while (pid > 0 && ::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return told;
}

}  // namespace

std::string syntax_complaint(std::string_view told) {
  constexpr std::string_view mark = "SyntaxError: ";
  std::string line;
  for (std::string_view text : split(told, '\n')) {
    if (text.starts_with(mark)) {
      std::string complaint(text.substr(mark.size()));
      return line.empty() ? complaint : fmt::format("line {}: {}", line, complaint);
    }
    // Node's first line is "/path/of/file.js:3".
    const std::size_t colon = text.rfind(':');
    if (line.empty() && text.starts_with('/') && colon != std::string_view::npos &&
        parse_u64(text.substr(colon + 1))) {
      line = text.substr(colon + 1);
    }
  }
  return "";
}

Result<void> check_syntax(const std::string& file) {
  std::vector<std::string> command = command_for(file);
  if (command.empty()) return {};
  const std::string complaint = syntax_complaint(stderr_of(std::move(command)));
  if (complaint.empty()) return {};
  return fail({.code = "SyntaxError",
               .status = 400,
               .message = fmt::format("{}, {}; nothing was deployed", file, complaint)});
}

}  // namespace wolke::cli
