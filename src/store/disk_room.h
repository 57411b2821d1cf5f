#pragma once
// What is left of the disk for the things that must still work when it is full: deletes, event
// records, checkpoints, a start. New bodies are refused before they eat into it.

#include <cstdint>

#include "wolke/base/result.h"

namespace wolke::store {

/// As long as the log becomes before it is moved into the database.
inline constexpr std::uint64_t disk_reserve_bytes = 16 * 1024 * 1024;
/// Blobs stop earlier: what the log holds when they come near must still find its place.
inline constexpr std::uint64_t blob_reserve_bytes = 2 * disk_reserve_bytes;

/// The gate says it in AWS's words.
inline Error disk_full() {
  return {.code = "DiskFull",
          .status = 500,
          .message = "The disk has no room but what deletes and restarts need."};
}

}  // namespace wolke::store
