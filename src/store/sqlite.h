#pragma once
// SQLite as values: a connection and its prepared statements, errors as wolke's. Only sqlite_*.cc
// include this.
//
// Threads: a Connection and its Statements by one thread at a time (opened without SQLite's own
// mutexes). Bound bytes are borrowed until the next reset(). Failure: "DiskFull", "DiskError" (also
// after poisoning), "Corrupt", "DatabaseBusy".

#include <cstdint>
#include <string>
#include <string_view>

#include "wolke/base/result.h"
#include "wolke/store/vfs.h"

struct sqlite3;
struct sqlite3_stmt;

namespace wolke::store {

class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  Statement& bind(int place, std::string_view bytes);
  Statement& bind(int place, std::uint64_t number);
  /// SQLITE_ROW, SQLITE_DONE or an error code.
  int step();
  void reset();
  std::string_view bytes(int column) const;
  std::uint64_t number(int column) const;

 private:
  sqlite3_stmt* statement_ = nullptr;
};

class Connection {
 public:
  enum class Access { read_write, read_only };

  Connection() = default;
  Connection(Connection&&) = delete;
  ~Connection();

  Result<void> open(Vfs& vfs, const std::string& path, Access access);
  void close();
  Result<void> run(const char* sql);
  Result<Statement> prepare(const char* sql);
  /// What the result code means for our caller.
  Error error(int code) const;
  /// Rolls back whatever is open; never fails visibly.
  void roll_back();
  sqlite3* get() const { return db_; }

 private:
  Vfs* vfs_ = nullptr;
  sqlite3* db_ = nullptr;
};

}  // namespace wolke::store
