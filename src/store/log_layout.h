#pragma once
// The layout of SQLite's write-ahead log (https://www.sqlite.org/fileformat2.html#walformat): a
// header, then frames of a header and a page. A frame belongs to the log as it is now when its
// salts are the header's.

#include <cstddef>

#include "wolke/store/vfs.h"

namespace wolke::store::log_layout {

inline constexpr std::size_t header_bytes = 32;
inline constexpr std::size_t header_salt_offset = 16;
inline constexpr std::size_t header_checksum_offset = 24;
inline constexpr std::size_t frame_header_bytes = 24;
inline constexpr std::size_t frame_commit_offset = 4;  // not zero: the last of a transaction
inline constexpr std::size_t frame_salt_offset = 8;
inline constexpr std::size_t salt_bytes = 8;
inline constexpr std::size_t frame_checksum_offset = 16;
inline constexpr std::size_t frame_bytes = frame_header_bytes + page_bytes;

}  // namespace wolke::store::log_layout
