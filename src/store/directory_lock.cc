#include "wolke/store/directory_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "wolke/base/text.h"

namespace wolke::store {

namespace {

constexpr std::size_t note_bytes_max = 512;

Error lock_error(const std::string& path, int error) {
  return {.code = "DiskError",
          .status = 500,
          .message = fmt::format("lock {}: {}", path, std::strerror(error))};
}

}  // namespace

Result<DirectoryLock> DirectoryLock::take(const std::string& directory, const std::string& note) {
  const std::string path = directory + "/lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return fail(lock_error(path, errno));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail(lock_error(path, errno));
    std::array<char, note_bytes_max> first;
    const ssize_t got = ::pread(fd.get(), first.data(), first.size(), 0);
    const std::string_view text(first.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    return fail(Error{.code = "AlreadyRunning",
                      .status = 500,
                      .message = fmt::format("Another server uses {}: {}", directory,
                                             text.empty() ? "just started" : printable(text))});
  }
  const std::string text = note.substr(0, note_bytes_max);
  struct stat status{};
  // Cut only when the note before was longer: that may wait for the file system's journal.
  if (::pwrite(fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::fstat(fd.get(), &status) != 0 ||
      (status.st_size > static_cast<off_t>(text.size()) &&
       ::ftruncate(fd.get(), static_cast<off_t>(text.size())) != 0)) {
    return fail(lock_error(path, errno));
  }
  return DirectoryLock(std::move(fd));
}

}  // namespace wolke::store
