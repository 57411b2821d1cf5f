#pragma once
// Env: the four things of the operating system that a seeded simulation must own: wall time,
// monotonic time, randomness, disk. Everything in store, deliver, invoke and identity gets them
// from here, never from the system. system_env() is the real machine; sim/ in tests has a manual
// clock, a seeded random and a faulty disk.
//
// Threads: Clock and Random may be called from any thread. A File may be used by one thread at a
// time unless it says otherwise; read_at may be called concurrently. Failure: every disk call
// returns an Error with code "DiskError", "DiskFull" (ENOSPC, EDQUOT) or "NotFound"; nothing
// throws.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/base/time.h"

namespace wolke {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp wall() = 0;
  virtual Monotonic monotonic() = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  /// Fills `out` with random bytes; the real one is the kernel's CSPRNG.
  virtual void fill(std::span<std::byte> out) = 0;

  std::uint64_t u64();
  /// Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  /// RFC 4122 version 4, lower case.
  std::string uuid();
  /// 2·bytes lower-case hexadecimal digits.
  std::string hex(std::size_t bytes);
};

class File {
 public:
  virtual ~File() = default;
  /// Reads up to out.size() bytes at `offset`; fewer only at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) = 0;
  virtual Result<void> write_at(std::uint64_t offset, std::string_view data) = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;
  /// Data and size are on stable storage when this returns (fdatasync). After a failure the file is
  /// poisoned: what it holds is unknown, and the caller must stop acknowledging.
  virtual Result<void> sync() = 0;
  virtual Result<std::uint64_t> size() = 0;
};

enum class OpenMode { read, create_or_open, create_new };

class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> make_directory(
      const std::string& path) = 0;  // parents too; existing is fine
  /// Names of new, renamed and removed entries of the directory are durable when this returns.
  virtual Result<void> sync_directory(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
};

struct Env {
  Clock& clock;
  Random& random;
  Disk& disk;
};

/// The real machine. The objects live as long as the process.
Env system_env();

}  // namespace wolke
