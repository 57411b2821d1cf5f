#include "wolke/meter/usage_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "wolke/base/hash.h"

namespace wolke::meter {

namespace {

constexpr std::uint64_t magic = 0x31'47'53'55'4B'4C'4F'57;  // "WOLKUSG1", little-endian
constexpr std::uint64_t format_version = 1;
constexpr std::size_t text_bytes = 192;
constexpr std::uint64_t fault_ahead_bytes_min = 64 * 1024;
constexpr std::uint64_t fault_ahead_bytes_max = 4 * 1024 * 1024;

// Bounds that keep sums of products far from overflow; nothing real comes near them.
constexpr std::uint64_t value_max = 1ULL << 48;
constexpr std::uint64_t billed_ms_max = 1ULL << 32;
constexpr std::uint64_t memory_mb_max = 1ULL << 24;

constexpr std::uint8_t flag_cold = 1;
constexpr std::uint8_t flag_error = 2;

Error disk_error(std::string_view what, const std::string& path) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  return {.code = full ? "DiskFull" : "DiskError",
          .status = 500,
          .message = fmt::format("usage log: {} {}: {}", what, path, std::strerror(errno))};
}

Error corrupt(std::string why) {
  return {.code = "Corrupt",
          .status = 500,
          .message = "The usage log is damaged (" + std::move(why) +
                     "). Move the file away: counting goes on with a new one."};
}

/// True when the file has no header: it is new, or the start that made it ended too early.
Result<bool> is_blank(int fd, const std::string& path) {
  std::array<char, UsageLog::header_bytes> header{};
  if (::pread(fd, header.data(), header.size(), 0) < 0) return fail(disk_error("read", path));
  return std::ranges::all_of(header, [](char c) { return c == 0; });
}

/// The new file's blocks and name are durable when this returns.
Result<void> allocate(int fd, const std::string& path, std::size_t bytes) {
  if (::ftruncate(fd, 0) != 0) return fail(disk_error("empty", path));
  if (const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes)); error != 0) {
    errno = error;
    return fail(disk_error("allocate", path));
  }
  if (::fdatasync(fd) != 0) return fail(disk_error("sync", path));
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const Fd directory(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_CLOEXEC));
  if (!directory.valid() || ::fsync(directory.get()) != 0) {
    return fail(disk_error("sync the directory of", path));
  }
  return {};
}

/// Text of one slot, filled from the front.
struct Text {
  char* at;
  std::size_t left;
  std::size_t put(std::string_view text) {
    const std::size_t size = text.copy(at, left);
    at += size;
    left -= size;
    return size;
  }
};

/// A name too long for its slot keeps its beginning and gets a digest of the whole, so that two
/// long names stay two.
std::size_t put_shortened(Text& text, const UsageRecord& record) {
  const std::string whole = fmt::format("{}:{}", record.resource, record.qualifier);
  const std::string digest = fmt::format("~{:016x}", fnv1a64(whole));
  const std::size_t room = text.left - digest.size();
  return text.put(std::string_view(whole).substr(0, room)) + text.put(digest);
}

std::size_t put_resource(Text& text, const UsageRecord& record) {
  const bool qualified = !record.qualifier.empty();
  if (record.resource.size() + record.qualifier.size() + (qualified ? 1 : 0) > text.left) {
    return put_shortened(text, record);
  }
  std::size_t size = text.put(record.resource);
  if (qualified) size += text.put(":") + text.put(record.qualifier);
  return size;
}

}  // namespace

struct UsageLog::Header {
  std::uint64_t magic;
  std::uint64_t format;
  std::uint64_t slot_bytes;
  std::uint64_t slots;
  std::uint64_t checksum;    // of the four above
  std::uint64_t overflowed;  // changes; not under the checksum
  char unused[UsageLog::slot_bytes - 48];

  std::uint64_t computed() const {
    return crc32c({reinterpret_cast<const char*>(this), offsetof(Header, checksum)});
  }
};

struct UsageLog::Slot {
  std::uint32_t checksum;  // of everything after it, to the end of the text
  std::uint32_t memory_mb;
  std::uint64_t sequence;
  std::int64_t at_ms;
  std::uint64_t billed_ms;
  std::uint64_t duration_us;
  std::uint64_t bytes_in;
  std::uint64_t bytes_out;
  std::uint16_t status;
  std::uint8_t kind;
  std::uint8_t flags;
  std::uint8_t account_bytes;
  std::uint8_t resource_bytes;
  std::uint8_t request_bytes;
  std::uint8_t unused;
  char text[text_bytes];  // account, resource, request id

  std::size_t used_text() const {
    return std::size_t{account_bytes} + resource_bytes + request_bytes;
  }
  std::uint32_t computed() const {
    const auto* bytes = reinterpret_cast<const char*>(this);
    return crc32c({bytes + sizeof checksum, offsetof(Slot, text) + used_text() - sizeof checksum});
  }
  void fill(const UsageRecord& record);
};

void UsageLog::Slot::fill(const UsageRecord& record) {
  at_ms = std::max<std::int64_t>(to_millis(record.at), 0);
  billed_ms = std::min(record.billed_ms, billed_ms_max);
  memory_mb = static_cast<std::uint32_t>(std::min(record.memory_mb, memory_mb_max));
  duration_us = std::min(record.duration_us, value_max);
  bytes_in = std::min(record.bytes_in, value_max);
  bytes_out = std::min(record.bytes_out, value_max);
  status = static_cast<std::uint16_t>(std::clamp(record.status, 0, 65535));
  kind = static_cast<std::uint8_t>(record.kind);
  flags =
      static_cast<std::uint8_t>((record.cold ? flag_cold : 0) | (record.error ? flag_error : 0));
  unused = 0;
  // The request id comes last: it is not summed, so it is what gives way.
  Text room{text, text_bytes};
  account_bytes = static_cast<std::uint8_t>(room.put(record.account));
  resource_bytes = static_cast<std::uint8_t>(put_resource(room, record));
  request_bytes = static_cast<std::uint8_t>(room.put(record.request_id));
}

UsageLog::UsageLog(std::span<std::byte> memory, Fd file) : memory_(memory), file_(std::move(file)) {
  static_assert(sizeof(Header) == header_bytes && sizeof(Slot) == slot_bytes);
  header_ = reinterpret_cast<Header*>(memory_.data());
  ring_ = reinterpret_cast<Slot*>(memory_.data() + header_bytes);
  slots_ = (memory_.size() - header_bytes) / slot_bytes;
}

UsageLog::~UsageLog() {
  if (file_.valid()) ::munmap(memory_.data(), memory_.size());
}

Result<std::unique_ptr<UsageLog>> UsageLog::open(const std::string& path, const Watermark& drained,
                                                 std::size_t bytes) {
  ASSERT(bytes >= header_bytes + 2 * slot_bytes);
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return fail(disk_error("open", path));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail({.code = "AlreadyRunning",
                 .status = 500,
                 .message = "Another process writes to the usage log " + path + "."});
  }
  TRY(const bool blank, is_blank(file.get(), path));
  if (blank) {
    TRY(allocate(file.get(), path, bytes));
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail(disk_error("look at", path));
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < header_bytes + 2 * slot_bytes) return fail(corrupt("it is too short"));
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED) return fail(disk_error("map", path));
  std::unique_ptr<UsageLog> log(
      new UsageLog({static_cast<std::byte*>(mapped), size}, std::move(file)));
  TRY(log->resume(drained));
  log->fault_ahead(0);
  return log;
}

Result<std::unique_ptr<UsageLog>> UsageLog::over(std::span<std::byte> memory,
                                                 const Watermark& drained) {
  ASSERT(memory.size() >= header_bytes + 2 * slot_bytes);
  std::unique_ptr<UsageLog> log(new UsageLog(memory, Fd()));
  TRY(log->resume(drained));
  return log;
}

Result<void> UsageLog::resume(const Watermark& drained) {
  const auto blank = [](std::byte b) { return b == std::byte{0}; };
  if (std::ranges::all_of(memory_.first(header_bytes), blank)) format();
  if (header_->magic != magic || header_->checksum != header_->computed()) {
    return fail(corrupt("its header"));
  }
  if (header_->format != format_version || header_->slot_bytes != slot_bytes) {
    return fail(corrupt("it has another format"));
  }
  if (header_->slots != slots_) return fail(corrupt("its length"));
  recover(drained);
  return {};
}

void UsageLog::format() {
  Header fresh{};
  fresh.magic = magic;
  fresh.format = format_version;
  fresh.slot_bytes = slot_bytes;
  fresh.slots = slots_;
  fresh.checksum = fresh.computed();
  std::memcpy(header_, &fresh, sizeof fresh);
  if (file_.valid()) ::msync(header_, 4096, MS_SYNC);
}

void UsageLog::recover(const Watermark& drained) {
  std::uint64_t head = drained.next;
  for (std::uint64_t i = 0; i < slots_; ++i) {
    if (is_whole(ring_[i])) head = std::max(head, ring_[i].sequence + 1);
  }
  // A kill inside append() leaves the next sequence under a wrong checksum; it takes its place in
  // the order, so that it is counted as torn once. Several, when several starts ended so.
  while (slot(head).sequence == head && !is_whole(slot(head))) ++head;
  head_ = head;
  tail_ = std::max(drained.next, head > slots_ ? head - slots_ : 1);
  header_->overflowed = std::max(header_->overflowed, drained.overflowed);
}

UsageLog::Slot& UsageLog::slot(std::uint64_t sequence) const {
  return ring_[sequence % slots_];
}

bool UsageLog::is_whole(const Slot& slot) {
  return slot.sequence != 0 && slot.used_text() <= text_bytes && slot.checksum == slot.computed();
}

Appended UsageLog::append(const UsageRecord& record) {
  const std::uint64_t sequence = head_.load(std::memory_order_relaxed);
  const std::uint64_t waiting = sequence - tail_.load(std::memory_order_acquire);
  if (waiting >= slots_ || record.account.size() > account_bytes_max) {
    std::atomic_ref<std::uint64_t>(header_->overflowed).fetch_add(1, std::memory_order_relaxed);
    return Appended::dropped;
  }
  Slot& target = slot(sequence);
  // A kill stops the stores in the order of the program; the fences hold the compiler to it.
  target.sequence = sequence;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  target.fill(record);
  const std::uint32_t checksum = target.computed();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  target.checksum = checksum;
  head_.store(sequence + 1, std::memory_order_release);
  return waiting + 1 >= slots_ / 2 ? Appended::nearly_full : Appended::stored;
}

UsageLog::Pending UsageLog::pending() const {
  return {.first = tail_.load(std::memory_order_relaxed),
          .last = head_.load(std::memory_order_acquire)};
}

UsageLog::Read UsageLog::read(std::uint64_t sequence, const SeededBugs& bugs) const {
  const Slot& from = slot(sequence);
  if (from.sequence != sequence) return {Found::missing};
  if (!is_whole(from) && (!bugs.ignore_checksum || from.used_text() > text_bytes)) {
    return {Found::torn};
  }
  const std::string_view text(from.text, from.used_text());
  const std::size_t resource_end = std::size_t{from.account_bytes} + from.resource_bytes;
  return {Found::record,
          {.kind = static_cast<Kind>(from.kind),
           .account = text.substr(0, from.account_bytes),
           .resource = text.substr(from.account_bytes, from.resource_bytes),
           .request_id = text.substr(resource_end),
           .at = from_millis(from.at_ms),
           .billed_ms = from.billed_ms,
           .memory_mb = from.memory_mb,
           .duration_us = from.duration_us,
           .bytes_in = from.bytes_in,
           .bytes_out = from.bytes_out,
           .status = from.status,
           .cold = (from.flags & flag_cold) != 0,
           .error = (from.flags & flag_error) != 0}};
}

void UsageLog::release(std::uint64_t next) {
  ASSERT(next <= head_.load(std::memory_order_acquire));
  if (next > tail_.load(std::memory_order_relaxed)) tail_.store(next, std::memory_order_release);
}

std::uint64_t UsageLog::overflowed() const {
  return std::atomic_ref<std::uint64_t>(header_->overflowed).load(std::memory_order_relaxed);
}

void UsageLog::fault_ahead(std::uint64_t records) const {
  if (!file_.valid()) return;
  constexpr std::uint64_t page = 4096;
  const auto populate = [this](std::uint64_t begin, std::uint64_t end) {
    begin -= begin % page;
    // Kernels before 5.14 refuse; appends then fault page by page.
    ::madvise(memory_.data() + begin, std::min<std::uint64_t>(end, memory_.size()) - begin,
              MADV_POPULATE_WRITE);
  };
  const std::uint64_t begin =
      header_bytes + head_.load(std::memory_order_acquire) % slots_ * slot_bytes;
  const std::uint64_t end =
      begin + std::clamp(records * slot_bytes, fault_ahead_bytes_min, fault_ahead_bytes_max);
  populate(begin, end);
  if (end > memory_.size()) populate(0, std::min(end - memory_.size(), begin));
}

}  // namespace wolke::meter
