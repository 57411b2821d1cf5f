#include "wolke/sandbox/step.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "wolke/base/fd.h"

namespace wolke::sandbox {

Error step_failed(std::string_view step, int error) {
  return Error{"SandboxFailed", 500, fmt::format("{}: {}", step, ::strerror(error))};
}

Error check_failed(std::string_view check) {
  return Error{"SandboxRefused", 500, fmt::format("self-check failed: {}", check)};
}

void kill_by_pidfd(int pidfd) {
  // SAFETY: the caller got this pidfd from the clone3 that made the process.
  (void)::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
}

namespace {
Result<void> write_and_close(int fd, const char* path, std::string_view text) {
  if (fd < 0) return fail(step_failed(path, errno));
  Fd owned(fd);
  const ssize_t written = ::write(owned.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) {
    return fail(step_failed(path, written < 0 ? errno : EIO));
  }
  return {};
}
}  // namespace

Result<void> write_file(const char* path, std::string_view text) {
  return write_and_close(::open(path, O_WRONLY | O_CLOEXEC), path, text);
}

Result<void> write_file_at(int directory, const char* path, std::string_view text) {
  return write_and_close(::openat(directory, path, O_WRONLY | O_CLOEXEC), path, text);
}

std::string read_small_fd(int fd, std::size_t max) {
  std::string text;
  char piece[4096];
  while (text.size() < max) {
    const ssize_t got = ::pread(fd, piece, sizeof piece, static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(piece, static_cast<std::size_t>(got));
  }
  if (text.size() > max) text.resize(max);
  return text;
}

std::string read_small_file(const char* path, std::size_t max) {
  Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
  return fd.valid() ? read_small_fd(fd.get(), max) : std::string();
}

}  // namespace wolke::sandbox
