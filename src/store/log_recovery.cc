#include "wolke/store/log_recovery.h"

#include <algorithm>

#include "wolke/store/log_layout.h"

namespace wolke::store {

namespace {

using namespace log_layout;

/// How many of the frames in `piece` carry the salts of the log's header.
std::size_t live_frames(std::string_view piece, std::string_view salts) {
  std::size_t frames = 0;
  while (piece.size() >= (frames + 1) * frame_bytes &&
         piece.substr(frames * frame_bytes + frame_salt_offset, salt_bytes) == salts) {
    ++frames;
  }
  return frames;
}

}  // namespace

Result<void> rewrite_log(Disk& disk, const std::string& path) {
  TRY(const bool exists, disk.exists(path));
  if (!exists) return {};
  TRY(std::unique_ptr<File> file, disk.open(path, OpenMode::create_or_open));
  std::string header(header_bytes, '\0');
  TRY(const std::size_t got, file->read_at(0, header));
  if (got == header.size()) {
    const std::string_view salts = std::string_view(header).substr(header_salt_offset, salt_bytes);
    TRY(file->write_at(0, header));
    constexpr std::size_t frames_at_once = 256;
    std::string piece;
    for (std::uint64_t at = header_bytes;; at += piece.size()) {
      piece.resize(frames_at_once * frame_bytes);
      TRY(const std::size_t piece_got, file->read_at(at, piece));
      const std::size_t live = live_frames(std::string_view(piece).substr(0, piece_got), salts);
      piece.resize(live * frame_bytes);
      TRY(file->write_at(at, piece));
      if (live < frames_at_once) break;
    }
  }
  return file->sync();
}

}  // namespace wolke::store
