#pragma once
// What SQLite's connections to one database share: file locks, the WAL index ("shared memory") and
// its locks. One process owns the database (DirectoryLock), so all of it is ordinary memory here,
// and a crash leaves nothing behind. The meaning of each lock is SQLite's:
// https://www.sqlite.org/c3ref/io_methods.html, https://www.sqlite.org/walformat.html.
//
// Also the checksums of the pages in the log. SQLite verifies the log's frames only when it
// recovers; after that this table does, for each page read back.
//
// Threads: from any thread. A Holder belongs to one connection.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string_view>
#include <vector>

namespace wolke::store {

class DatabaseLocks {
 public:
  /// One connection's part.
  struct Holder {
    int level = 0;  // SQLITE_LOCK_*
    std::uint16_t shared_slots = 0;
    std::uint16_t exclusive_slots = 0;
  };

  /// False: busy.
  bool lock(Holder& holder, int level);
  void unlock(Holder& holder, int level);
  bool reserved() const;

  /// A region of the WAL index; null when it does not exist and `extend` is false.
  void* map_region(std::size_t index, std::size_t bytes, bool extend);
  bool lock_slots(Holder& holder, unsigned first, unsigned count, bool exclusive);
  void unlock_slots(Holder& holder, unsigned first, unsigned count);
  /// Ends what the connection holds of the WAL index.
  void leave_index(Holder& holder);

  void note_frame(std::size_t frame, std::uint32_t checksum);
  void forget_frame(std::size_t frame);
  std::optional<std::uint32_t> frame_checksum(std::size_t frame) const;

 private:
  static constexpr std::size_t slot_count = 8;  // SQLITE_SHM_NLOCK

  mutable std::mutex mutex_;
  int shared_ = 0;  // connections at SHARED or above
  const Holder* reserved_ = nullptr;
  const Holder* pending_ = nullptr;  // wants or has EXCLUSIVE
  std::array<int, slot_count> slot_shared_{};
  std::array<const Holder*, slot_count> slot_exclusive_{};
  std::vector<std::unique_ptr<char[]>> regions_;

  mutable std::shared_mutex frames_mutex_;
  std::vector<std::uint32_t> frames_;
  std::vector<bool> frame_known_;
};

}  // namespace wolke::store
