#pragma once
// The embedded engine: a queue of batches, one writer thread, read snapshots from a pool. The group
// that the writer commits is whatever arrived during the last sync; no timer and no added delay, so
// a lone client pays nothing for it. Opening is in engines.h; this class is here for tests, which
// also own the writer's pace and may seed bugs.
//
// Threads: as Store says. Lifetime: the destructor commits what is queued, then stops; all
// snapshots are gone by then.

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "wolke/store/directory_lock.h"
#include "wolke/store/engines.h"
#include "wolke/store/seeded_bugs.h"
#include "wolke/store/sqlite_reader.h"
#include "wolke/store/sqlite_writer.h"
#include "wolke/store/watchers.h"

namespace wolke::store {

inline constexpr std::size_t queue_bytes_max = 64 * 1024 * 1024;
inline constexpr std::size_t group_bytes_max = 8 * 1024 * 1024;
inline constexpr std::size_t group_batches_max = 1024;
/// Values of a batch that are no body: it is let in when the disk is full.
inline constexpr std::size_t small_values_bytes = 4096;

/// Where the writer runs: on its own thread, or inside commit() and release() (simulation: same
/// seed, same run).
enum class WriterPace { own_thread, in_caller };
enum class DirectoryLocking { exclusive, none };

struct SqliteTesting {
  WriterPace pace = WriterPace::own_thread;
  DirectoryLocking locking = DirectoryLocking::exclusive;
  SeededBugs bugs;
};

class SqliteStore final : public Store {
 public:
  static Result<std::unique_ptr<SqliteStore>> open(Env env, SqliteOptions options,
                                                   SqliteTesting testing);
  ~SqliteStore() override;

  Result<std::unique_ptr<Snapshot>> snapshot() override { return readers_.take(); }
  void commit(Batch batch, std::function<void(CommitResult)> done) override;
  std::uint64_t watch(std::string prefix, std::function<void()> hint) override {
    return watchers_.add(std::move(prefix), std::move(hint));
  }
  void unwatch(std::uint64_t token) override { watchers_.remove(token); }

  /// Between hold() and release() batches only queue up, so that they are committed in one group.
  void hold();
  void release();
  void checkpoint_for_test() { checkpoint(); }

 private:
  struct Queued {
    Batch batch;
    std::function<void(CommitResult)> done;
    std::size_t bytes = 0;
  };

  SqliteStore(Env env, const SqliteOptions& options, const SqliteTesting& testing);
  void write_until_stopped();
  std::vector<Queued> take_group();  // with mutex_ held
  bool is_short_of_room();
  void commit_group(std::vector<Queued> group);
  void checkpoint();
  void drain();

  Env env_;
  std::string directory_;
  std::uint64_t reserve_bytes_;
  SqliteTesting testing_;
  std::optional<DirectoryLock> lock_;
  Vfs vfs_;
  SqliteWriter writer_;
  ReadPool readers_;
  Watchers watchers_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable work_;
  std::vector<Queued> queue_;
  std::size_t queued_bytes_ = 0;
  bool held_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wolke::store
