#include "wolke/store/sqlite_reader.h"

#include <sqlite3.h>

#include <algorithm>

namespace wolke::store {

namespace {

Error too_old() {
  return {.code = "SnapshotTooOld",
          .status = 503,
          .message = "The snapshot was held for too long; read again from a new one."};
}

}  // namespace

Result<void> ReadConnection::open(Vfs& vfs, const std::string& path) {
  TRY(connection.open(vfs, path, Connection::Access::read_only));
  TRY(
      connection.run("PRAGMA query_only=1; PRAGMA temp_store=memory; PRAGMA wal_autocheckpoint=0;"
                     "PRAGMA cache_size=-1024"));
  const auto prepare = [&](Statement& out, const char* sql) -> Result<void> {
    TRY(out, connection.prepare(sql));
    return {};
  };
  TRY(prepare(begin, "BEGIN"));
  TRY(prepare(end, "COMMIT"));
  TRY(prepare(get, "SELECT version, value FROM records WHERE shard=?1 AND key=?2"));
  TRY(prepare(scan_to,
              "SELECT key, version, value FROM records "
              "WHERE shard=?1 AND key>=?2 AND key<?3 ORDER BY key"));
  TRY(prepare(scan_all,
              "SELECT key, version, value FROM records WHERE shard=?1 AND key>=?2 ORDER BY key"));
  TRY(prepare(scan_down_to,
              "SELECT key, version, value FROM records "
              "WHERE shard=?1 AND key>=?2 AND key<?3 ORDER BY key DESC"));
  TRY(prepare(
      scan_down_all,
      "SELECT key, version, value FROM records WHERE shard=?1 AND key>=?2 ORDER BY key DESC"));
  return {};
}

Result<std::optional<Record>> ReadConnection::read(const Key& key) {
  ASSERT(key.shard < shard_count);
  const int rc = get.bind(1, key.shard).bind(2, key.bytes).step();
  std::optional<Record> record;
  if (rc == SQLITE_ROW) record = Record{key.bytes, std::string(get.bytes(1)), get.number(0)};
  get.reset();
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) return fail(connection.error(rc));
  return record;
}

Statement& ReadConnection::statement_for(const Scan& scan) {
  if (scan.reverse) return scan.end.empty() ? scan_down_all : scan_down_to;
  return scan.end.empty() ? scan_all : scan_to;
}

Result<Page> ReadConnection::read(const Scan& scan) {
  ASSERT(scan.shard < shard_count);
  Statement& statement = statement_for(scan);
  statement.bind(1, scan.shard).bind(2, scan.begin);
  if (!scan.end.empty()) statement.bind(3, scan.end);
  Page page;
  std::size_t bytes = 0;
  int rc = statement.step();
  for (; rc == SQLITE_ROW; rc = statement.step()) {
    const bool full = page.records.size() >= std::max<std::size_t>(scan.records_max, 1) ||
                      (bytes >= scan.bytes_max && !page.records.empty());
    if (full) {
      page.more = true;
      break;
    }
    Record record{std::string(statement.bytes(0)), std::string(statement.bytes(2)),
                  statement.number(1)};
    bytes += record.key.size() + record.value.size();
    page.records.push_back(std::move(record));
  }
  statement.reset();
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) return fail(connection.error(rc));
  return page;
}

void ReadConnection::finish() {
  if (!reading) return;
  end.step();
  end.reset();
  connection.roll_back();  // only when COMMIT failed
  reading = false;
}

class SqliteSnapshot final : public Snapshot {
 public:
  SqliteSnapshot(ReadPool& pool, ReadConnection& connection)
      : pool_(pool), connection_(connection) {}
  ~SqliteSnapshot() override { pool_.give_back(connection_); }

  Result<std::optional<Record>> get(const Key& key) override { return read(key); }
  Result<Page> scan(const Scan& scan) override { return read(scan); }

 private:
  ReadPool& pool_;
  ReadConnection& connection_;

  template <class What>
  auto read(const What& what) -> decltype(connection_.read(what)) {
    std::lock_guard guard(connection_.mutex);
    const Monotonic now = pool_.vfs_.env().clock.monotonic();
    if (connection_.expired || now - connection_.taken_at > snapshot_age_max) {
      connection_.expired = true;
      connection_.finish();
      return fail(too_old());
    }
    if (!connection_.reading) {
      const int rc = connection_.begin.step();
      connection_.begin.reset();
      if (rc != SQLITE_DONE) return fail(connection_.connection.error(rc));
      connection_.reading = true;
    }
    return connection_.read(what);
  }
};

ReadPool::~ReadPool() {
  auto state = state_.lock();
  ASSERT(state->idle.size() == state->all.size());  // a snapshot outlived the store
}

Result<std::unique_ptr<Snapshot>> ReadPool::take() {
  auto state = state_.lock();
  if (state->idle.empty()) {
    if (state->all.size() >= read_connections_max) {
      return fail(Error{.code = "TooManySnapshots",
                        .status = 503,
                        .message = "Too many snapshots are open at once."});
    }
    auto connection = std::make_unique<ReadConnection>();
    TRY(connection->open(vfs_, path_));
    state->idle.push_back(connection.get());
    state->all.push_back(std::move(connection));
  }
  ReadConnection& connection = *state->idle.back();
  state->idle.pop_back();
  connection.expired = false;
  connection.taken_at = vfs_.env().clock.monotonic();
  return std::make_unique<SqliteSnapshot>(*this, connection);
}

void ReadPool::give_back(ReadConnection& connection) {
  {
    std::lock_guard guard(connection.mutex);
    connection.finish();
  }
  state_.lock()->idle.push_back(&connection);
}

void ReadPool::end_old_snapshots(Monotonic now) {
  auto state = state_.lock();
  for (auto& connection : state->all) {
    std::lock_guard guard(connection->mutex);
    if (!connection->reading || now - connection->taken_at <= snapshot_age_max) continue;
    connection->expired = true;
    connection->finish();
  }
}

}  // namespace wolke::store
