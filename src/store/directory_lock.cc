#include "wolke/store/directory_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "wolke/base/text.h"

namespace wolke::store {

namespace {

constexpr std::size_t note_bytes_max = 512;
// A killed server whose threads wait for the disk holds its lock until the last of them has ended.
constexpr auto dying_server_timeout = std::chrono::seconds(10);
constexpr auto dying_server_pause = std::chrono::milliseconds(5);

Error lock_error(const std::string& path, int error) {
  return {.code = "DiskError",
          .status = 500,
          .message = fmt::format("lock {}: {}", path, std::strerror(error))};
}

std::string read_note(int fd) {
  std::array<char, note_bytes_max> text;
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  return {text.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

/// Whether the process that a note names ("pid 17, …") has ended, but for threads on their way out:
/// then its main thread is a zombie or gone.
bool has_ended(std::string_view note) {
  constexpr std::string_view prefix = "pid ";
  if (!note.starts_with(prefix)) return false;
  note.remove_prefix(prefix.size());
  const auto pid = parse_u64(note.substr(0, note.find(',')));
  if (!pid) return false;
  std::ifstream file(fmt::format("/proc/{}/stat", *pid));
  const std::string stat(std::istreambuf_iterator<char>(file), {});
  // pid (name) state …, where the name may hold anything
  const std::size_t name_end = stat.rfind(") ");
  return name_end == std::string::npos || stat.compare(name_end + 2, 1, "Z") == 0 ||
         stat.compare(name_end + 2, 1, "X") == 0;
}

/// Takes the lock, waiting only for a server that has ended already.
Result<void> lock_file(int fd, const std::string& path, const std::string& directory) {
  const auto deadline = std::chrono::steady_clock::now() + dying_server_timeout;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail(lock_error(path, errno));
    const std::string first = read_note(fd);
    if (!has_ended(first) || std::chrono::steady_clock::now() > deadline) {
      return fail(Error{.code = "AlreadyRunning",
                        .status = 500,
                        .message = fmt::format("Another server uses {}: {}", directory,
                                               first.empty() ? "just started" : printable(first))});
    }
    std::this_thread::sleep_for(dying_server_pause);
  }
  return {};
}

}  // namespace

Result<DirectoryLock> DirectoryLock::take(const std::string& directory, const std::string& note) {
  const std::string path = directory + "/lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return fail(lock_error(path, errno));
  TRY(lock_file(fd.get(), path, directory));
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
