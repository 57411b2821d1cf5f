#pragma once
// The two engines. Both pass the same conformance tests (store_conformance_test.cc).

#include <cstdint>
#include <memory>
#include <string>

#include "wolke/base/env.h"
#include "wolke/store/store.h"

namespace wolke::store {

/// In memory, no durability: tests and simulation. Commits complete before commit() returns.
std::unique_ptr<Store> open_memory_store();

/// SQLite in WAL mode, synchronous=FULL, group commit, all I/O through `env.disk` (our own VFS).
/// Takes an exclusive lock on the directory: a second server gets "AlreadyRunning" naming the pid
/// and address in the lock file.
struct SqliteOptions {
  std::string directory;
  std::string lock_note;            // what a second server is told about the first, e.g. "pid 17,
                                    // http://127.0.0.1:4566"
  std::uint64_t reserve_bytes = 0;  // with less room, batches with large values are "DiskFull"
};
Result<std::unique_ptr<Store>> open_sqlite_store(Env env, SqliteOptions options);

}  // namespace wolke::store
