#pragma once
// SQLite's file layer over Env: every byte, sync and directory entry of the database goes through
// env.disk, time and randomness come from env, so that a simulation owns them. What it adds to
// plain files:
//
// - each page of the database file ends with a checksum bound to its page number (SQLite's reserved
// bytes), written on
//   the way out and verified on the way in; pages of the log are verified from a table in memory
//   (DatabaseLocks);
// - the name of a new file is made durable by its first sync;
// - after a failed sync the Vfs is poisoned for good: nobody knows what the disk holds.
//
// Threads: SQLite calls it from any thread that uses a connection. Lifetime: outlives every
// connection opened with it.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "wolke/base/env.h"
#include "wolke/base/guarded.h"
#include "wolke/store/database_locks.h"
#include "wolke/store/seeded_bugs.h"

struct sqlite3_vfs;

namespace wolke::store {

inline constexpr std::size_t page_bytes = 4096;
/// Reserved at the end of each page: CRC-32C, then four zero bytes.
inline constexpr std::size_t page_reserved_bytes = 8;

class Vfs {
 public:
  /// For the one database in `directory`.
  Vfs(Env env, std::string directory, const SeededBugs& bugs);
  ~Vfs();
  Vfs(const Vfs&) = delete;
  Vfs& operator=(const Vfs&) = delete;

  /// The name under which SQLite knows it.
  const char* name() const { return name_.c_str(); }
  bool poisoned() const { return poisoned_.load(std::memory_order_acquire); }
  /// The last thing the disk said, for messages.
  std::string last_error() const { return last_error_.lock()->message; }

  // The rest is for the callbacks in vfs.cc and vfs_file.cc.
  Env& env() { return env_; }
  DatabaseLocks& locks() { return locks_; }
  const SeededBugs& bugs() const { return bugs_; }
  const std::string& directory() const { return directory_; }
  void note(const Error& error) { *last_error_.lock() = error; }
  void poison() { poisoned_.store(true, std::memory_order_release); }
  Result<void> sync_directory();

 private:
  Env env_;
  std::string directory_;
  SeededBugs bugs_;
  std::string name_;
  DatabaseLocks locks_;
  std::atomic<bool> poisoned_ = false;
  mutable Guarded<Error> last_error_;  // mutable: reading it takes its lock
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace wolke::store
