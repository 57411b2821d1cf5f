#include "wolke/base/env.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "wolke/base/fd.h"
#include "wolke/base/hash.h"

namespace wolke {

std::uint64_t Random::u64() {
  std::uint64_t value = 0;
  fill(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  ASSERT(bound > 0);
  // Values from the incomplete last range are drawn again, so that every result is equally likely.
  std::uint64_t limit = ~0ULL - ~0ULL % bound;
  std::uint64_t value = u64();
  while (value >= limit) value = u64();
  return value % bound;
}

std::string Random::hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  fill(std::as_writable_bytes(std::span(raw)));
  return to_hex(raw);
}

std::string Random::uuid() {
  std::string h = hex(16);
  h[12] = '4';
  h[16] = "89ab"[static_cast<unsigned>(h[16] <= '9' ? h[16] - '0' : h[16] - 'a' + 10) & 3];
  return h.substr(0, 8) + "-" + h.substr(8, 4) + "-" + h.substr(12, 4) + "-" + h.substr(16, 4) +
         "-" + h.substr(20);
}

namespace {

std::unexpected<Error> disk_error(const std::string& what, const std::string& path, int error) {
  const char* code = error == ENOENT                      ? "NotFound"
                     : error == ENOSPC || error == EDQUOT ? "DiskFull"
                                                          : "DiskError";
  return fail(Error{
      .code = code, .status = 500, .message = what + " " + path + ": " + std::strerror(error)});
}

class SystemClock final : public Clock {
 public:
  Timestamp wall() override { return std::chrono::floor<Millis>(std::chrono::system_clock::now()); }
  Monotonic monotonic() override { return std::chrono::steady_clock::now(); }
};

class KernelRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override {
    while (!out.empty()) {
      ssize_t got = ::getrandom(out.data(), out.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      ASSERT(got > 0);
      out = out.subspan(static_cast<std::size_t>(got));
    }
  }
};

class SystemFile final : public File {
 public:
  SystemFile(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      ssize_t got = ::pread(fd_.get(), out.data() + done, out.size() - done,
                            static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return disk_error("read", path_, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<void> write_at(std::uint64_t offset, std::string_view data) override {
    while (!data.empty()) {
      ssize_t put = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return disk_error("write", path_, errno);
      offset += static_cast<std::uint64_t>(put);
      data.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
  }

  Result<void> truncate(std::uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0)
      return disk_error("truncate", path_, errno);
    return {};
  }

  Result<void> sync() override {
    if (::fdatasync(fd_.get()) != 0) return disk_error("sync", path_, errno);
    return {};
  }

  Result<std::uint64_t> size() override {
    struct stat info;
    if (::fstat(fd_.get(), &info) != 0) return disk_error("stat", path_, errno);
    return static_cast<std::uint64_t>(info.st_size);
  }

 private:
  Fd fd_;
  std::string path_;
};

class SystemDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC | (mode == OpenMode::read ? O_RDONLY : O_RDWR | O_CREAT);
    if (mode == OpenMode::create_new) flags |= O_EXCL;
    Fd fd(::open(path.c_str(), flags, 0600));
    if (!fd.valid()) return disk_error("open", path, errno);
    return std::make_unique<SystemFile>(std::move(fd), path);
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return disk_error("remove", path, errno);
    return {};
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return disk_error("rename", from, errno);
    return {};
  }

  Result<void> make_directory(const std::string& path) override {
    for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
      std::string part = path.substr(0, slash);
      if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
        return disk_error("make directory", part, errno);
      }
      if (slash == std::string::npos) return {};
    }
  }

  Result<void> sync_directory(const std::string& path) override {
    Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) return disk_error("open", path, errno);
    if (::fsync(fd.get()) != 0) return disk_error("sync", path, errno);
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    DIR* directory = ::opendir(path.c_str());
    if (!directory) return disk_error("list", path, errno);
    std::vector<std::string> names;
    while (dirent* entry = ::readdir(directory)) {
      std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(directory);
    return names;
  }

  Result<bool> exists(const std::string& path) override {
    struct stat info;
    if (::stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return disk_error("stat", path, errno);
  }

  Result<std::uint64_t> free_bytes(const std::string& path) override {
    struct statvfs info;
    if (::statvfs(path.c_str(), &info) != 0) return disk_error("statvfs", path, errno);
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
  }
};

}  // namespace

Env system_env() {
  static SystemClock clock;
  static KernelRandom random;
  static SystemDisk disk;
  return Env{clock, random, disk};
}

}  // namespace wolke
