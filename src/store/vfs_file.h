#pragma once
// One file that SQLite has open through our Vfs: the database, its log, or a rollback journal (only
// while a database is created). Layout of the log, as SQLite writes it: 32-byte header, then frames
// of a 24-byte header and a page.
//
// Threads and lifetime: SQLite's; one connection, one thread at a time. All functions answer SQLite
// result codes.

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "wolke/store/vfs.h"

namespace wolke::store {

enum class FileKind { database, log, journal };

class VfsFile {
 public:
  VfsFile(Vfs& vfs, FileKind kind, std::unique_ptr<File> file, bool is_new)
      : vfs_(vfs), kind_(kind), file_(std::move(file)), name_is_new_(is_new) {}
  ~VfsFile();

  int read(char* out, std::size_t bytes, std::uint64_t offset);
  int write(const char* data, std::size_t bytes, std::uint64_t offset);
  int truncate(std::uint64_t size);
  int sync();
  int size(sqlite3_int64* out);

  Vfs& vfs() { return vfs_; }
  DatabaseLocks::Holder& holder() { return holder_; }

 private:
  int verify_read(std::string_view data, std::uint64_t offset);
  int failed(const Error& error, int code);

  Vfs& vfs_;
  FileKind kind_;
  std::unique_ptr<File> file_;
  bool name_is_new_;
  DatabaseLocks::Holder holder_;
};

const sqlite3_io_methods* vfs_file_methods();

/// What SQLite allocates for each open file.
struct OsFile {
  sqlite3_file base;
  VfsFile* file;
};

}  // namespace wolke::store
