#include "wolke/store/vfs.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <thread>

#include "wolke/store/vfs_file.h"

namespace wolke::store {

namespace {

constexpr auto pause_max = std::chrono::microseconds(100'000);
constexpr int path_bytes_max = 4096;
// Julian day 2440587.5 is the Unix epoch; SQLite counts milliseconds of Julian days.
constexpr sqlite3_int64 unix_epoch_julian_millis = 210866760000000;

Vfs& vfs_of(sqlite3_vfs* vfs) {
  return *static_cast<Vfs*>(vfs->pAppData);
}

int on_open(sqlite3_vfs* handle, const char* name, sqlite3_file* out, int flags, int* flags_out) {
  Vfs& vfs = vfs_of(handle);
  auto* os_file = reinterpret_cast<OsFile*>(out);
  os_file->base.pMethods = nullptr;             // says "not open" until we succeed
  if (name == nullptr) return SQLITE_CANTOPEN;  // temporary files: kept in memory instead
  FileKind kind = FileKind::journal;
  if (flags & SQLITE_OPEN_MAIN_DB) kind = FileKind::database;
  if (flags & SQLITE_OPEN_WAL) kind = FileKind::log;
  const bool create = (flags & SQLITE_OPEN_CREATE) != 0;
  const auto exists = vfs.env().disk.exists(name);
  if (!exists || (!*exists && !create)) return SQLITE_CANTOPEN;
  auto file = vfs.env().disk.open(
      name, flags & SQLITE_OPEN_READWRITE ? OpenMode::create_or_open : OpenMode::read);
  if (!file) {
    vfs.note(file.error());
    return SQLITE_CANTOPEN;
  }
  os_file->file = new VfsFile(vfs, kind, *std::move(file), !*exists);
  os_file->base.pMethods = vfs_file_methods();
  if (flags_out) *flags_out = flags;
  return SQLITE_OK;
}

int on_delete(sqlite3_vfs* handle, const char* name, int sync_directory) {
  Vfs& vfs = vfs_of(handle);
  if (auto removed = vfs.env().disk.remove(name); !removed) {
    vfs.note(removed.error());
    return removed.error().code == "NotFound" ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
  }
  if (!sync_directory) return SQLITE_OK;
  if (auto synced = vfs.sync_directory(); !synced) {
    vfs.poison();
    vfs.note(synced.error());
    return SQLITE_IOERR_DIR_FSYNC;
  }
  return SQLITE_OK;
}

int on_access(sqlite3_vfs* handle, const char* name, int, int* out) {
  const auto exists = vfs_of(handle).env().disk.exists(name);
  if (!exists) return SQLITE_IOERR_ACCESS;
  *out = *exists;
  return SQLITE_OK;
}

int on_full_path(sqlite3_vfs*, const char* name, int out_bytes, char* out) {
  sqlite3_snprintf(out_bytes, out, "%s", name);
  return SQLITE_OK;
}

int on_randomness(sqlite3_vfs* handle, int bytes, char* out) {
  const std::span<char> span(out, static_cast<std::size_t>(bytes));
  vfs_of(handle).env().random.fill(std::as_writable_bytes(span));
  return bytes;
}

int on_sleep(sqlite3_vfs*, int micros) {
  // Only a reader that met the log's reset comes here. The other side is a few instructions long,
  // but it may wait for a processor; SQLite asks for longer pauses each time and gives up after
  // 100.
  std::this_thread::sleep_for(std::min(std::chrono::microseconds(micros), pause_max));
  return micros;
}

int on_time_millis(sqlite3_vfs* handle, sqlite3_int64* out) {
  *out = unix_epoch_julian_millis + to_millis(vfs_of(handle).env().clock.wall());
  return SQLITE_OK;
}

int on_time_days(sqlite3_vfs* handle, double* out) {
  sqlite3_int64 millis = 0;
  on_time_millis(handle, &millis);
  *out = static_cast<double>(millis) / 86'400'000.0;
  return SQLITE_OK;
}

int on_last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

}  // namespace

Vfs::Vfs(Env env, std::string directory, const SeededBugs& bugs)
    : env_(env),
      directory_(std::move(directory)),
      bugs_(bugs),
      name_(fmt::format("wolke-{}", static_cast<const void*>(this))),
      vfs_(std::make_unique<sqlite3_vfs>()) {
  *vfs_ = {.iVersion = 2,
           .szOsFile = sizeof(OsFile),
           .mxPathname = path_bytes_max,
           .zName = name_.c_str(),
           .pAppData = this,
           .xOpen = on_open,
           .xDelete = on_delete,
           .xAccess = on_access,
           .xFullPathname = on_full_path,
           .xRandomness = on_randomness,
           .xSleep = on_sleep,
           .xCurrentTime = on_time_days,
           .xGetLastError = on_last_error,
           .xCurrentTimeInt64 = on_time_millis};
  ASSERT(sqlite3_vfs_register(vfs_.get(), 0) == SQLITE_OK);
}

Vfs::~Vfs() {
  sqlite3_vfs_unregister(vfs_.get());
}

Result<void> Vfs::sync_directory() {
  if (bugs_.skip_directory_sync) return {};
  return env_.disk.sync_directory(directory_);
}

}  // namespace wolke::store
