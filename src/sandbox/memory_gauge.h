#pragma once
// How much memory a sandbox holds, its /tmp apart (docs/decisions/0016-tmp-is-not-memory.md). The
// group's hard limit has room for a full /tmp, so that a write there never fails for memory; what
// the program may hold is less, and is looked at from outside: seldom while it is far from its
// limit, every few milliseconds when it is near. Reading is cheap (1 µs) until the group as a whole
// is above the limit.
//
// Threads: the loop's. Lifetime: owns descriptors of the group's files and of /tmp. Failure: a file
// that cannot be read counts as nothing.

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string_view>

#include "wolke/base/fd.h"

namespace wolke::sandbox {

/// What a group's memory.stat says, of v1 or v2; bytes.
struct MemoryStat {
  std::uint64_t held = 0;    // anonymous; with v2 also what of the kernel's cannot be taken back
  std::uint64_t shared = 0;  // tmpfs and shared memory, /tmp included
  std::uint64_t cached = 0;  // pages of files: the kernel takes them back at need
};
MemoryStat parse_memory_stat(std::string_view text);

/// What the program holds apart from `tmp_bytes` of files in /tmp.
std::uint64_t held_bytes(const MemoryStat& stat, std::uint64_t tmp_bytes);

/// How long `held` bytes can be left alone: not long enough to grow far beyond `limit`.
std::chrono::milliseconds until_next_look(std::uint64_t held, std::uint64_t limit);

/// The kernel counts in batches for each processor: so much of a reading may be old.
std::uint64_t tolerance_bytes(std::uint64_t limit, unsigned cpus);

class MemoryGauge {
 public:
  struct Sources {
    Fd usage;  // memory.current or memory.usage_in_bytes
    Fd peak;   // memory.peak or memory.max_usage_in_bytes
    Fd stat;   // memory.stat
    Fd tmp;    // the directory /tmp; invalid where it is no file system of the sandbox's own
    Fd init;   // pidfd of pid 1
  };
  struct Look {
    bool over = false;
    std::chrono::milliseconds next{0};
  };

  MemoryGauge(Sources sources, std::uint64_t limit_bytes, unsigned cpus);

  /// Whether the limit is ours to watch; else the kernel alone holds it.
  bool watches() const;
  Look look();
  /// The largest size so far, without /tmp and file caches. Without control groups: the sum of what
  /// its processes, now alive, were at most.
  std::uint64_t peak();
  /// The same when all has ended, from the kernel's last word on the group or the program.
  std::uint64_t peak_at_end(std::uint64_t kernel_peak);

 private:
  std::uint64_t tmp_bytes() const;
  bool tmp_was_used();
  void take_peak(std::uint64_t kernel_peak);

  Sources sources_;
  std::uint64_t limit_;
  std::uint64_t tolerance_;
  std::uint64_t peak_ = 0;
  std::uint64_t kernel_peak_ = 0;  // already taken into account
  bool tmp_used_ = false;
  timespec tmp_changed_{};
};

}  // namespace wolke::sandbox
