#include "wolke/store/sqlite.h"

#include <fmt/core.h>
#include <sqlite3.h>

namespace wolke::store {

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  return *this;
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement& Statement::bind(int place, std::string_view bytes) {
  // A null pointer would bind NULL instead of no bytes.
  const char* data = bytes.empty() ? "" : bytes.data();
  const int rc = sqlite3_bind_blob64(statement_, place, data, bytes.size(), SQLITE_STATIC);
  ASSERT(rc == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int place, std::uint64_t number) {
  const int rc = sqlite3_bind_int64(statement_, place, static_cast<sqlite3_int64>(number));
  ASSERT(rc == SQLITE_OK);
  return *this;
}

int Statement::step() {
  return sqlite3_step(statement_);
}

void Statement::reset() {
  sqlite3_reset(statement_);
}

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string_view()
                         : std::string_view(data, static_cast<std::size_t>(size));
}

std::uint64_t Statement::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
}

Connection::~Connection() {
  close();
}

void Connection::close() {
  if (db_ == nullptr) return;
  // Statements are gone by now; a checkpoint is the writer's decision, not close()'s.
  const int rc = sqlite3_close(db_);
  ASSERT(rc == SQLITE_OK);
  db_ = nullptr;
}

Result<void> Connection::open(Vfs& vfs, const std::string& path, Access access) {
  vfs_ = &vfs;
  const int flags = SQLITE_OPEN_NOMUTEX |
                    (access == Access::read_only ? SQLITE_OPEN_READONLY
                                                 : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  const int rc = sqlite3_open_v2(path.c_str(), &db_, flags, vfs.name());
  if (rc != SQLITE_OK) {
    Error why = error(rc);
    close();
    return fail(std::move(why));
  }
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return {};
}

Result<void> Connection::run(const char* sql) {
  const int rc = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return fail(error(rc));
  return {};
}

Result<Statement> Connection::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int rc = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (rc != SQLITE_OK) return fail(error(rc));
  return Statement(statement);
}

void Connection::roll_back() {
  if (!sqlite3_get_autocommit(db_)) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Error Connection::error(int code) const {
  const std::string disk = vfs_ != nullptr ? vfs_->last_error() : std::string();
  const std::string message = fmt::format("{} ({}) {}", sqlite3_errstr(code), code, disk);
  if (code == SQLITE_IOERR_DATA || code == SQLITE_IOERR_CORRUPTFS) {
    return {.code = "Corrupt", .status = 500, .message = message};
  }
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return {.code = "DiskFull", .status = 500, .message = message};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {.code = "Corrupt", .status = 500, .message = message};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {.code = "DatabaseBusy", .status = 503, .message = message};
    default:
      return {.code = "DiskError", .status = 500, .message = message};
  }
}

}  // namespace wolke::store
