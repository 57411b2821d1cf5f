#include "wolke/store/vfs_file.h"

#include <array>
#include <cstring>
#include <optional>
#include <thread>

#include "wolke/base/hash.h"
#include "wolke/store/log_layout.h"

namespace wolke::store {

namespace {

using log_layout::frame_bytes;
using log_layout::frame_header_bytes;
constexpr std::uint64_t log_header_bytes = log_layout::header_bytes;
constexpr std::size_t checked_bytes = page_bytes - page_reserved_bytes;

bool is_database_page(std::size_t bytes, std::uint64_t offset) {
  return bytes == page_bytes && offset % page_bytes == 0;
}

/// Bound to the place, so that a page written to or read from the wrong place is noticed too.
std::uint32_t page_checksum(const char* page, std::uint64_t offset) {
  const std::uint64_t number = offset / page_bytes;
  std::array<char, sizeof number> place;
  std::memcpy(place.data(), &number, sizeof number);
  return crc32c({page, checked_bytes}, crc32c({place.data(), place.size()}));
}

/// The frame whose page lies at `offset` of the log.
std::optional<std::size_t> frame_with_page_at(std::uint64_t offset) {
  if (offset < log_header_bytes + frame_header_bytes) return std::nullopt;
  const std::uint64_t in_frames = offset - log_header_bytes - frame_header_bytes;
  if (in_frames % frame_bytes != 0) return std::nullopt;
  return in_frames / frame_bytes;
}

}  // namespace

VfsFile::~VfsFile() {
  if (kind_ == FileKind::database) vfs_.locks().unlock(holder_, SQLITE_LOCK_NONE);
}

int VfsFile::failed(const Error& error, int code) {
  vfs_.note(error);
  return error.code == "DiskFull" ? SQLITE_FULL : code;
}

int VfsFile::verify_read(std::string_view data, std::uint64_t offset) {
  if (kind_ == FileKind::database && is_database_page(data.size(), offset)) {
    std::uint32_t stored = 0;
    std::memcpy(&stored, data.data() + checked_bytes, sizeof stored);
    return stored == page_checksum(data.data(), offset) ? SQLITE_OK : SQLITE_IOERR_DATA;
  }
  if (kind_ != FileKind::log) return SQLITE_OK;
  if (data.size() == page_bytes) {
    const auto frame = frame_with_page_at(offset);
    if (!frame) return SQLITE_OK;
    const auto known = vfs_.locks().frame_checksum(*frame);
    return !known || *known == crc32c(data) ? SQLITE_OK : SQLITE_IOERR_DATA;
  }
  if (data.size() == frame_bytes) {
    // Recovery reads whole frames and verifies them itself; from now on we do.
    const auto frame = frame_with_page_at(offset + frame_header_bytes);
    if (frame) vfs_.locks().note_frame(*frame, crc32c(data.substr(frame_header_bytes)));
  }
  return SQLITE_OK;
}

int VfsFile::read(char* out, std::size_t bytes, std::uint64_t offset) {
  const auto got = file_->read_at(offset, {out, bytes});
  if (!got) return failed(got.error(), SQLITE_IOERR_READ);
  if (*got < bytes) {
    std::memset(out + *got, 0, bytes - *got);
    return SQLITE_IOERR_SHORT_READ;
  }
  const int rc = verify_read({out, bytes}, offset);
  if (rc != SQLITE_OK) vfs_.note({.code = "Corrupt", .message = "A stored page is damaged."});
  return rc;
}

int VfsFile::write(const char* data, std::size_t bytes, std::uint64_t offset) {
  std::array<char, page_bytes> page;
  std::string_view out(data, bytes);
  if (kind_ == FileKind::database && is_database_page(bytes, offset)) {
    std::memcpy(page.data(), data, checked_bytes);
    const std::uint32_t sum = page_checksum(data, offset);
    std::memset(page.data() + checked_bytes, 0, page_reserved_bytes);
    std::memcpy(page.data() + checked_bytes, &sum, sizeof sum);
    out = {page.data(), page.size()};
  } else if (kind_ == FileKind::log && offset >= log_header_bytes) {
    const auto frame = frame_with_page_at(offset);
    if (frame && bytes == page_bytes) {
      vfs_.locks().note_frame(*frame, crc32c(out));
    } else {
      // A frame's header, or a page in pieces: unknown until it is written whole again.
      vfs_.locks().forget_frame((offset - log_header_bytes) / frame_bytes);
    }
  }
  if (auto done = file_->write_at(offset, out); !done) {
    return failed(done.error(), SQLITE_IOERR_WRITE);
  }
  return SQLITE_OK;
}

int VfsFile::truncate(std::uint64_t size) {
  if (auto done = file_->truncate(size); !done) return failed(done.error(), SQLITE_IOERR_TRUNCATE);
  return SQLITE_OK;
}

int VfsFile::sync() {
  if (vfs_.bugs().acknowledge_before_sync && kind_ == FileKind::log) return SQLITE_OK;
  Result<void> done = file_->sync();
  if (done && name_is_new_) {
    done = vfs_.sync_directory();
    if (done) name_is_new_ = false;
  }
  if (done || vfs_.bugs().acknowledge_after_failed_sync) return SQLITE_OK;
  vfs_.poison();
  vfs_.note(done.error());
  return SQLITE_IOERR_FSYNC;
}

int VfsFile::size(sqlite3_int64* out) {
  const auto bytes = file_->size();
  if (!bytes) return failed(bytes.error(), SQLITE_IOERR_FSTAT);
  *out = static_cast<sqlite3_int64>(*bytes);
  return SQLITE_OK;
}

namespace {

VfsFile& file_of(sqlite3_file* file) {
  return *reinterpret_cast<OsFile*>(file)->file;
}

int on_close(sqlite3_file* file) {
  delete reinterpret_cast<OsFile*>(file)->file;
  return SQLITE_OK;
}
int on_read(sqlite3_file* file, void* out, int bytes, sqlite3_int64 offset) {
  return file_of(file).read(static_cast<char*>(out), static_cast<std::size_t>(bytes),
                            static_cast<std::uint64_t>(offset));
}
int on_write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
  return file_of(file).write(static_cast<const char*>(data), static_cast<std::size_t>(bytes),
                             static_cast<std::uint64_t>(offset));
}
int on_truncate(sqlite3_file* file, sqlite3_int64 size) {
  return file_of(file).truncate(static_cast<std::uint64_t>(size));
}
int on_sync(sqlite3_file* file, int) {
  return file_of(file).sync();
}
int on_size(sqlite3_file* file, sqlite3_int64* out) {
  return file_of(file).size(out);
}

int on_lock(sqlite3_file* file, int level) {
  VfsFile& f = file_of(file);
  return f.vfs().locks().lock(f.holder(), level) ? SQLITE_OK : SQLITE_BUSY;
}
int on_unlock(sqlite3_file* file, int level) {
  VfsFile& f = file_of(file);
  f.vfs().locks().unlock(f.holder(), level);
  return SQLITE_OK;
}
int on_check_reserved(sqlite3_file* file, int* out) {
  *out = file_of(file).vfs().locks().reserved();
  return SQLITE_OK;
}
int on_control(sqlite3_file*, int operation, void* argument) {
  if (operation == SQLITE_FCNTL_PERSIST_WAL) {
    // The log stays when the last connection closes: its blocks are reused, its name stays durable.
    *static_cast<int*>(argument) = 1;
    return SQLITE_OK;
  }
  return SQLITE_NOTFOUND;
}
int on_sector_size(sqlite3_file*) {
  return static_cast<int>(page_bytes);
}
int on_characteristics(sqlite3_file*) {
  // A write interrupted by a power cut damages no bytes outside of it (disks write whole sectors).
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int on_shm_map(sqlite3_file* file, int index, int bytes, int extend, void volatile** out) {
  *out = file_of(file).vfs().locks().map_region(static_cast<std::size_t>(index),
                                                static_cast<std::size_t>(bytes), extend != 0);
  return SQLITE_OK;
}
int on_shm_lock(sqlite3_file* file, int first, int count, int flags) {
  VfsFile& f = file_of(file);
  const auto from = static_cast<unsigned>(first);
  const auto slots = static_cast<unsigned>(count);
  if (flags & SQLITE_SHM_UNLOCK) {
    f.vfs().locks().unlock_slots(f.holder(), from, slots);
    return SQLITE_OK;
  }
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  return f.vfs().locks().lock_slots(f.holder(), from, slots, exclusive) ? SQLITE_OK : SQLITE_BUSY;
}
void on_shm_barrier(sqlite3_file*) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}
int on_shm_unmap(sqlite3_file* file, int) {
  VfsFile& f = file_of(file);
  f.vfs().locks().leave_index(f.holder());
  return SQLITE_OK;
}

}  // namespace

const sqlite3_io_methods* vfs_file_methods() {
  static constexpr sqlite3_io_methods methods = {
      .iVersion = 2,
      .xClose = on_close,
      .xRead = on_read,
      .xWrite = on_write,
      .xTruncate = on_truncate,
      .xSync = on_sync,
      .xFileSize = on_size,
      .xLock = on_lock,
      .xUnlock = on_unlock,
      .xCheckReservedLock = on_check_reserved,
      .xFileControl = on_control,
      .xSectorSize = on_sector_size,
      .xDeviceCharacteristics = on_characteristics,
      .xShmMap = on_shm_map,
      .xShmLock = on_shm_lock,
      .xShmBarrier = on_shm_barrier,
      .xShmUnmap = on_shm_unmap,
  };
  return &methods;
}

}  // namespace wolke::store
