#pragma once
// One way to turn a failed system call into an Error that names the step. Everything that builds a
// sandbox returns these: code "SandboxFailed", message "<step>: <strerror>". Safe in a forked
// child; allocates only on failure.

#include <cerrno>
#include <string_view>

#include "wolke/base/result.h"

namespace wolke::sandbox {

Error step_failed(std::string_view step, int error);
/// A self-check did not hold: the sandbox is refused, never run "as good as it goes".
Error check_failed(std::string_view check);

/// `rc` is what the call returned; negative means errno tells why.
inline Result<void> checked(long rc, std::string_view step) {
  if (rc < 0) [[unlikely]]
    return fail(step_failed(step, errno));
  return {};
}

/// SIGKILL through a pidfd: never another process that got the same number. A dead one is no
/// failure.
void kill_by_pidfd(int pidfd);

/// Writes all of `text` to the existing file `path` in one write (cgroup, proc and sysctl files
/// want that).
Result<void> write_file(const char* path, std::string_view text);
Result<void> write_file_at(int directory, const char* path, std::string_view text);
/// The whole of a small file (at most `max` bytes); empty when it cannot be read.
std::string read_small_file(const char* path, std::size_t max = 64 * 1024);
std::string read_small_fd(int fd, std::size_t max = 64 * 1024);

}  // namespace wolke::sandbox
