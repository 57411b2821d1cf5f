#pragma once
// Snapshots of the SQLite engine: each borrows a read-only connection from a pool for as long as it
// lives. The prefix of the commit order that it sees is fixed at its first read.
//
// A snapshot that lives long keeps the log from being reset, so its time is capped: after
// snapshot_age_max its reads fail with "SnapshotTooOld" (503), and the writer may end its read
// transaction from outside (end_old_snapshots).
//
// Threads: take() and end_old_snapshots() from any thread; a snapshot by one. Lifetime: the pool
// outlives its snapshots.

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "wolke/base/guarded.h"
#include "wolke/store/sqlite.h"
#include "wolke/store/store.h"

namespace wolke::store {

inline constexpr auto snapshot_age_max = std::chrono::seconds(10);
inline constexpr std::size_t read_connections_max = 64;

/// One connection with its statements, at most one read transaction at a time. The mutex is there
/// because the writer may end an old transaction; otherwise one thread uses it.
struct ReadConnection {
  std::mutex mutex;
  Connection connection;
  Statement begin, end, get;
  Statement scan_to, scan_all, scan_down_to, scan_down_all;
  bool reading = false;  // a read transaction is open
  bool expired = false;  // the snapshot that has it may not read any more
  Monotonic taken_at;

  Result<void> open(Vfs& vfs, const std::string& path);
  Result<std::optional<Record>> read(const Key& key);
  Result<Page> read(const Scan& scan);
  void finish();

 private:
  Statement& statement_for(const Scan& scan);
};

class ReadPool {
 public:
  ReadPool(Vfs& vfs, std::string path) : vfs_(vfs), path_(std::move(path)) {}
  ~ReadPool();
  /// "TooManySnapshots" (503) when read_connections_max are out.
  Result<std::unique_ptr<Snapshot>> take();
  /// Ends the read transactions of snapshots older than snapshot_age_max.
  void end_old_snapshots(Monotonic now);

 private:
  friend class SqliteSnapshot;
  struct State {
    std::vector<std::unique_ptr<ReadConnection>> all;
    std::vector<ReadConnection*> idle;
  };
  void give_back(ReadConnection& connection);

  Vfs& vfs_;
  std::string path_;
  Guarded<State> state_;
};

}  // namespace wolke::store
