#pragma once
// The one writing connection: creates and opens the database, applies groups of batches,
// checkpoints the log. A group is one SQLite transaction and so one sync; each batch's checks are
// evaluated at its place in the group, before any of its writes. When a write fails, the group is
// rolled back and each of its batches is tried alone, so that a bad batch spoils only itself.
//
// Threads: one at a time (the store's writer thread). Failure: per batch; poisoned for good after a
// failed sync.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "wolke/store/sqlite.h"
#include "wolke/store/store.h"

namespace wolke::store {

inline constexpr std::uint64_t database_format = 1;

struct GroupMember {
  Batch* batch = nullptr;
  CommitResult result;
};

class SqliteWriter {
 public:
  explicit SqliteWriter(Vfs& vfs) : vfs_(vfs) {}
  /// "NewerFormat" when a newer wolke wrote the database.
  Result<void> open(const std::string& path);
  /// Fills in every result.
  void commit(std::span<GroupMember> group);
  /// Moves the log's pages into the database file as far as readers allow.
  void checkpoint();
  /// Empties the log when nothing reads any more, so that the next start need not read it.
  void checkpoint_for_close();
  /// Pages in the log that are not yet known to be in the database file.
  int log_pages() const { return log_pages_; }
  Version last_version() const { return last_version_; }
  /// Of pages in the database that hold nothing.
  std::uint64_t free_bytes();

 private:
  Result<void> use_log();
  Result<void> create_or_check();
  Result<std::uint64_t> meta(std::string_view name);
  Result<void> prepare_statements();
  Result<void> transact(std::span<GroupMember> group);
  /// A transaction that failed may lie in the log all the same, whole, and come back after a crash.
  /// (even one that was torn, when a later torn write happens to mend it). This writes over it, so
  /// that its batches may be judged again. False: it may still come back.
  bool bury();
  /// True: all checks hold.
  Result<bool> checks_hold(const Batch& batch);
  Result<Version> version_of(const Key& key);
  Result<void> write(const Batch& batch, Version version);
  Result<void> write_adds(const Batch& batch, Version version);
  Result<void> put(Shard shard, std::string_view key, std::string_view value, Version version);
  Result<void> step(Statement& statement);

  Vfs& vfs_;
  Connection connection_;
  Statement begin_, commit_, save_version_, count_burial_;
  Statement select_version_, select_any_from_, select_any_between_, select_value_;
  Statement put_, delete_, count_free_pages_;
  Version last_version_ = 0;
  int log_pages_ = 0;
};

}  // namespace wolke::store
