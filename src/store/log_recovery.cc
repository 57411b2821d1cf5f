#include "wolke/store/log_recovery.h"

#include <cstring>
#include <optional>
#include <vector>

#include "wolke/store/log_layout.h"

namespace wolke::store {

namespace {

using namespace log_layout;

constexpr std::size_t frames_at_once = 256;
constexpr std::uint64_t sector_bytes = 512;

/// SQLite's running checksum of the log, over little-endian words.
struct Checksum {
  std::uint32_t one = 0;
  std::uint32_t two = 0;
  bool operator==(const Checksum&) const = default;

  void add(std::string_view bytes) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      std::uint32_t words[2];
      std::memcpy(words, bytes.data() + at, sizeof words);
      one += words[0] + two;
      two += words[1] + one;
    }
  }
};

std::uint32_t big_endian_at(std::string_view bytes, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = (value << 8) | static_cast<unsigned char>(bytes[offset + i]);
  }
  return value;
}

Checksum stored_at(std::string_view bytes, std::size_t offset) {
  return {big_endian_at(bytes, offset), big_endian_at(bytes, offset + 4)};
}

Error damaged_log() {
  return {.code = "Corrupt",
          .status = 500,
          .message = "The log is damaged before its end; acknowledged records cannot be read."};
}

/// Goes through the log's frames in order; notes where its valid part ends and whether it goes on
/// behind that.
class LogScan {
 public:
  explicit LogScan(std::string_view header)
      : salts_(header.substr(header_salt_offset, salt_bytes)),
        stored_(stored_at(header, header_checksum_offset)) {
    computed_.add(header.substr(0, header_checksum_offset));
    header_is_valid_ = computed_ == stored_;
    valid_ = header_is_valid_;
  }

  void add(std::string_view frame) {
    const bool live = frame.substr(frame_salt_offset, salt_bytes) == salts_;
    const Checksum stored = stored_at(frame, frame_checksum_offset);
    const bool follows = sum(stored_, frame) == stored;
    if (first_) {
      // The header was synced before this frame was written.
      damaged_ = !header_is_valid_ && (follows || sum(computed_, frame) == stored);
      first_ = false;
    } else if (!valid_ && live && previous_ends_transaction_) {
      damaged_ |= follows;
    }
    valid_ = valid_ && live && follows;
    any_live_ |= live;
    stored_ = stored;
    // A header that lies across two sectors may be torn: its mark may be of one write and its
    // checksum of another.
    const bool whole = offset_ / sector_bytes == (offset_ + frame_header_bytes - 1) / sector_bytes;
    previous_ends_transaction_ =
        live && (whole || follows) && big_endian_at(frame, frame_commit_offset) != 0;
    offset_ += frame_bytes;
  }

  bool damaged() const { return damaged_; }
  /// True once since the last call when a frame belongs to the log as it is now.
  bool take_any_live() { return std::exchange(any_live_, false); }

 private:
  static Checksum sum(Checksum from, std::string_view frame) {
    from.add(frame.substr(0, frame_salt_offset));
    from.add(frame.substr(frame_header_bytes));
    return from;
  }

  std::string_view salts_;
  Checksum stored_;    // of the frame before, as it says itself
  Checksum computed_;  // of the header
  bool header_is_valid_ = false;
  bool first_ = true;
  bool valid_ = false;  // all frames so far
  bool previous_ends_transaction_ = false;
  bool any_live_ = false;
  std::uint64_t offset_ = header_bytes;  // of the next frame
  bool damaged_ = false;
};

}  // namespace

Result<void> take_over_log(Disk& disk, const std::string& path) {
  TRY(const bool exists, disk.exists(path));
  if (!exists) return {};
  TRY(std::unique_ptr<File> file, disk.open(path, OpenMode::create_or_open));
  std::string header(header_bytes, '\0');
  TRY(const std::size_t header_got, file->read_at(0, header));
  if (header_got == header.size()) {
    TRY(file->write_at(0, header));
    LogScan scan(header);
    std::string piece;
    for (std::uint64_t at = header_bytes;; at += piece.size()) {
      piece.resize(frames_at_once * frame_bytes);
      TRY(const std::size_t got, file->read_at(at, piece));
      piece.resize(got - got % frame_bytes);
      for (std::size_t frame = 0; frame < piece.size(); frame += frame_bytes) {
        scan.add(std::string_view(piece).substr(frame, frame_bytes));
      }
      if (scan.damaged()) return fail(damaged_log());
      // A whole piece without one is of an earlier round of the log.
      if (!scan.take_any_live()) break;
      TRY(file->write_at(at, piece));
    }
  }
  return file->sync();
}

}  // namespace wolke::store
