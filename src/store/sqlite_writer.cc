#include "wolke/store/sqlite_writer.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include "wolke/store/batch.h"
#include "wolke/store/counter.h"

namespace wolke::store {

namespace {

// A WITHOUT ROWID table is one B-tree ordered by its primary key. The version lies before the
// value, so that a check never walks a long value's overflow pages.
constexpr const char* schema =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE records(shard INTEGER NOT NULL, key BLOB NOT NULL,"
    " version INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY(shard, key)) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('format', 1);"  // database_format
    "INSERT INTO meta VALUES('version', 0);"
    "COMMIT;";

int on_log_grew(void* out, sqlite3*, const char*, int pages) {
  *static_cast<int*>(out) = pages;
  return SQLITE_OK;
}

Error poisoned_error() {
  return {.code = "DiskError",
          .status = 500,
          .message = "A sync failed; nothing is acknowledged until the server is started again."};
}

}  // namespace

Result<void> SqliteWriter::open(const std::string& path) {
  TRY(connection_.open(vfs_, path, Connection::Access::read_write));
  // Takes effect when the database is created; an existing one keeps what it was created with.
  int reserved = static_cast<int>(page_reserved_bytes);
  sqlite3_file_control(connection_.get(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  const std::string page_size = fmt::format("PRAGMA page_size={}", page_bytes);
  TRY(connection_.run(page_size.c_str()));
  TRY(use_log());
  TRY(connection_.run(
      "PRAGMA temp_store=memory; PRAGMA synchronous=full; PRAGMA wal_autocheckpoint=0;"
      "PRAGMA secure_delete=fast; PRAGMA cache_size=-65536; PRAGMA journal_size_limit=67108864"));
  sqlite3_wal_hook(connection_.get(), on_log_grew, &log_pages_);
  TRY(create_or_check());
  TRY(prepare_statements());
  // Before anyone sees the store: what an earlier server left behind the log's end stays behind it.
  if (!bury()) return fail(connection_.error(SQLITE_IOERR));
  return {};
}

Result<void> SqliteWriter::use_log() {
  TRY(Statement use, connection_.prepare("PRAGMA journal_mode=wal"));
  const int rc = use.step();
  if (rc != SQLITE_ROW) return fail(connection_.error(rc));
  if (use.bytes(0) != "wal") return fail(connection_.error(SQLITE_IOERR));
  return {};
}

Result<std::uint64_t> SqliteWriter::meta(std::string_view name) {
  TRY(Statement select, connection_.prepare("SELECT number FROM meta WHERE name=CAST(?1 AS TEXT)"));
  const int rc = select.bind(1, name).step();
  if (rc == SQLITE_ROW) return select.number(0);
  return fail(connection_.error(rc == SQLITE_DONE ? SQLITE_CORRUPT : rc));
}

Result<void> SqliteWriter::create_or_check() {
  {
    TRY(Statement tables, connection_.prepare("SELECT count(*) FROM sqlite_schema"));
    const int rc = tables.step();
    if (rc != SQLITE_ROW) return fail(connection_.error(rc));
    const bool is_new = tables.number(0) == 0;
    tables.reset();
    if (is_new) {
      if (auto created = connection_.run(schema); !created) {
        connection_.roll_back();
        return created;
      }
    }
  }
  TRY(const std::uint64_t format, meta("format"));
  if (format > database_format) {
    return fail(Error{.code = "NewerFormat",
                      .status = 500,
                      .message = fmt::format("The store has format {}; this build reads up to {}. "
                                             "Use the wolke that wrote it, or a newer one.",
                                             format, database_format)});
  }
  TRY(last_version_, meta("version"));
  return {};
}

Result<void> SqliteWriter::prepare_statements() {
  const auto prepare = [&](Statement& out, const char* sql) -> Result<void> {
    TRY(out, connection_.prepare(sql));
    return {};
  };
  TRY(prepare(begin_, "BEGIN IMMEDIATE"));
  TRY(prepare(commit_, "COMMIT"));
  TRY(prepare(save_version_, "UPDATE meta SET number=?1 WHERE name='version'"));
  // The value must change: SQLite writes no page for an update that changes nothing.
  TRY(prepare(
      count_burial_,
      "INSERT INTO meta VALUES('buried', 1) ON CONFLICT(name) DO UPDATE SET number=number+1"));
  TRY(prepare(select_version_, "SELECT version FROM records WHERE shard=?1 AND key=?2"));
  TRY(prepare(select_value_, "SELECT value FROM records WHERE shard=?1 AND key=?2"));
  TRY(prepare(select_any_from_, "SELECT 1 FROM records WHERE shard=?1 AND key>=?2 LIMIT 1"));
  TRY(prepare(select_any_between_,
              "SELECT 1 FROM records WHERE shard=?1 AND key>=?2 AND key<?3 LIMIT 1"));
  TRY(prepare(put_, "INSERT OR REPLACE INTO records(shard, key, version, value) VALUES(?,?,?,?)"));
  TRY(prepare(delete_, "DELETE FROM records WHERE shard=?1 AND key=?2"));
  TRY(prepare(count_free_pages_, "PRAGMA freelist_count"));
  return {};
}

Result<void> SqliteWriter::step(Statement& statement) {
  const int rc = statement.step();
  statement.reset();
  if (rc != SQLITE_DONE) return fail(connection_.error(rc));
  return {};
}

Result<Version> SqliteWriter::version_of(const Key& key) {
  const int rc = select_version_.bind(1, key.shard).bind(2, key.bytes).step();
  const Version version = rc == SQLITE_ROW ? select_version_.number(0) : 0;
  select_version_.reset();
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) return fail(connection_.error(rc));
  return version;
}

Result<bool> SqliteWriter::checks_hold(const Batch& batch) {
  std::size_t evaluated = batch.checks.size();
  if (vfs_.bugs().skip_last_check && evaluated > 0) --evaluated;
  for (std::size_t i = 0; i < evaluated; ++i) {
    TRY(const Version version, version_of(batch.checks[i].key));
    if (version != batch.checks[i].expected) return false;
  }
  for (const EmptyCheck& check : batch.empty_checks) {
    Statement& any = check.end.empty() ? select_any_from_ : select_any_between_;
    any.bind(1, check.shard).bind(2, check.begin);
    if (!check.end.empty()) any.bind(3, check.end);
    const int rc = any.step();
    any.reset();
    if (rc == SQLITE_ROW) return false;
    if (rc != SQLITE_DONE) return fail(connection_.error(rc));
  }
  return true;
}

Result<void> SqliteWriter::put(Shard shard, std::string_view key, std::string_view value,
                               Version version) {
  ASSERT(shard < shard_count);
  put_.bind(1, shard).bind(2, key).bind(3, version).bind(4, value);
  return step(put_);
}

Result<void> SqliteWriter::write_adds(const Batch& batch, Version version) {
  for (const Add& add : batch.adds) {
    const int rc = select_value_.bind(1, add.key.shard).bind(2, add.key.bytes).step();
    const auto before = rc == SQLITE_ROW ? read_counter(select_value_.bytes(0)) : 0;
    select_value_.reset();
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return fail(connection_.error(rc));
    if (!before) return fail(not_a_counter());
    if (vfs_.bugs().lose_second_add && version % 16 == 0) continue;
    TRY(put(add.key.shard, add.key.bytes, write_counter(*before + add.delta), version));
  }
  return {};
}

Result<void> SqliteWriter::write(const Batch& batch, Version version) {
  for (const Key& key : batch.deletes) {
    delete_.bind(1, key.shard).bind(2, key.bytes);
    TRY(step(delete_));
  }
  for (const Put& one : batch.puts) {
    TRY(put(one.key.shard, one.key.bytes, one.value, version));
  }
  if (vfs_.bugs().commit_half_a_batch && version % 4 == 0) {
    TRY(step(commit_));
    TRY(step(begin_));
  }
  TRY(write_adds(batch, version));
  std::uint32_t index = 0;
  for (const Append& append : batch.appends) {
    const std::string key = append_key(append.prefix, version, index++);
    TRY(put(append.shard, key, append.value, version));
  }
  return {};
}

Result<void> SqliteWriter::transact(std::span<GroupMember> group) {
  TRY(step(begin_));
  Version version = last_version_;
  for (GroupMember& member : group) {
    TRY(const bool hold, checks_hold(*member.batch));
    if (!hold) {
      member.result = conflict();
      continue;
    }
    if (!member.batch->writes_nothing()) {
      TRY(write(*member.batch, ++version));
    }
    member.result = committed(version);
  }
  if (version != last_version_) {
    save_version_.bind(1, version);
    TRY(step(save_version_));
  }
  TRY(step(commit_));
  last_version_ = version;
  return {};
}

bool SqliteWriter::bury() {
  Result<void> done = step(begin_);
  if (done) done = step(count_burial_);
  if (done) done = step(commit_);
  if (!done) connection_.roll_back();
  return done.has_value();
}

void SqliteWriter::commit(std::span<GroupMember> group) {
  Error why = poisoned_error();
  if (!vfs_.poisoned()) {
    Result<void> done = transact(group);
    if (done) return;
    why = std::move(done).error();
    connection_.roll_back();
    if (group.size() > 1 && !vfs_.poisoned() && bury()) {
      for (GroupMember& member : group) commit({&member, 1});
      return;
    }
  }
  for (GroupMember& member : group) member.result = failed(why);
}

std::uint64_t SqliteWriter::free_bytes() {
  const int rc = count_free_pages_.step();
  const std::uint64_t pages = rc == SQLITE_ROW ? count_free_pages_.number(0) : 0;
  count_free_pages_.reset();
  return pages * page_bytes;
}

void SqliteWriter::checkpoint() {
  if (vfs_.poisoned()) return;
  int in_log = 0;
  int moved = 0;
  // Passive: never waits for readers. What cannot be moved now (readers, no space) is moved later;
  // the log has it.
  const int rc = sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                           &in_log, &moved);
  if (rc == SQLITE_OK) log_pages_ = in_log - moved;
}

void SqliteWriter::checkpoint_for_close() {
  if (vfs_.poisoned() || connection_.get() == nullptr) return;
  sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                            nullptr);
}

}  // namespace wolke::store
