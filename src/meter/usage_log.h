#pragma once
// UsageLog: a ring of fixed-size records in a shared mapping of a file. append() copies one record
// into the next slot: no lock, no system call, no allocation. What was appended is the kernel's
// page cache, so it survives the process (kill -9); a power cut may lose what was not drained yet.
//
// Each record has a sequence number that is never used twice and a checksum. The sequence is
// written first and the checksum last, so a record that a kill cut short is noticed ("torn"),
// skipped and counted. Which records were already counted is not said here but in the store
// (Watermark); open() is told and goes on from there.
//
// Threads: append() on one thread, the producer's. pending(), read(), release(), fault_ahead() on
// one other thread at a time, the drainer's. A slot is written again only after release().
// Lifetime: the views that read() gives hold until release(). Failure: a full ring drops the
// record and counts it in the file; a damaged header is "Corrupt", a second process
// "AlreadyRunning".

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "wolke/base/fd.h"
#include "wolke/base/result.h"
#include "wolke/base/time.h"
#include "wolke/meter/seeded_bugs.h"

namespace wolke::meter {

enum class Kind : std::uint8_t { invocation = 1, operation = 2 };

/// What one invocation or one API operation used. The resource is named by two parts, joined by
/// ':' in the ring: function ARN and version, or service and operation.
struct UsageRecord {
  Kind kind = Kind::invocation;
  std::string_view account;
  std::string_view resource;
  std::string_view qualifier = {};
  std::string_view request_id = {};
  Timestamp at{};
  std::uint64_t billed_ms = 0;
  std::uint64_t memory_mb = 0;
  std::uint64_t duration_us = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  int status = 0;  // HTTP status of an operation
  bool cold = false;
  bool error = false;
};

/// What the store says of a log: every sequence below `next` is accounted for. The other three
/// count what was lost, ever: dropped because the ring was full, torn, and not found.
struct Watermark {
  std::uint64_t next = 1;
  std::uint64_t overflowed = 0;
  std::uint64_t torn = 0;
  std::uint64_t missing = 0;
  bool operator==(const Watermark&) const = default;
};

enum class Appended {
  stored,
  nearly_full,  // stored, and at least half the ring waits: run the drainer
  dropped       // not stored: the ring is full or the account's name too long; counted
};

class UsageLog {
 public:
  /// 16 MiB, 65,535 records; pages are made as the ring moves over them.
  static constexpr std::size_t bytes_default = 16 * 1024 * 1024;
  static constexpr std::size_t slot_bytes = 256;
  static constexpr std::size_t header_bytes = slot_bytes;
  static constexpr std::size_t account_bytes_max = 48;

  /// Makes the file when it is not there (its blocks are allocated, so a full disk fails here and
  /// not in append()); an existing file keeps its size.
  static Result<std::unique_ptr<UsageLog>> open(const std::string& path, const Watermark& drained,
                                                std::size_t bytes = bytes_default);
  /// The same over memory of the caller's, 8-byte aligned, that outlives the log (simulation).
  static Result<std::unique_ptr<UsageLog>> over(std::span<std::byte> memory,
                                                const Watermark& drained);
  ~UsageLog();
  UsageLog(const UsageLog&) = delete;
  UsageLog& operator=(const UsageLog&) = delete;

  Appended append(const UsageRecord& record);

  /// Sequences [first, last) wait to be drained.
  struct Pending {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };
  Pending pending() const;

  enum class Found { record, torn, missing };
  struct Read {
    Found found = Found::missing;
    UsageRecord record = {};  // resource is joined, qualifier empty
  };
  Read read(std::uint64_t sequence, const SeededBugs& bugs = {}) const;

  /// Everything below `next` may be written over.
  void release(std::uint64_t next);
  /// Records dropped, ever.
  std::uint64_t overflowed() const;
  /// Makes the pages of about the next `records` appends writable, so that none waits for one.
  void fault_ahead(std::uint64_t records) const;
  std::uint64_t capacity() const { return slots_; }

 private:
  struct Header;
  struct Slot;
  UsageLog(std::span<std::byte> memory, Fd file);
  Result<void> resume(const Watermark& drained);
  void format();
  void recover(const Watermark& drained);
  Slot& slot(std::uint64_t sequence) const;
  static bool is_whole(const Slot& slot);

  std::span<std::byte> memory_;
  Fd file_;  // locked while open; none when the memory is the caller's
  Header* header_ = nullptr;
  Slot* ring_ = nullptr;
  std::uint64_t slots_ = 0;
  alignas(64) std::atomic<std::uint64_t> head_ = 1;  // the next sequence to append
  alignas(64) std::atomic<std::uint64_t> tail_ = 1;  // the oldest that must be kept
};

}  // namespace wolke::meter
