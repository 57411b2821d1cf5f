#pragma once
// The bytes of a blob file:
//
//   header    48 bytes: magic, format version, key id, creation time, blob id, checksum
//   data      `size` bytes, as given
//   table     CRC-32C of each chunk of chunk_bytes (4 bytes each), bound to the blob's id and the
//   chunk's number trailer   24 bytes: magic, size, checksum over table, size and id
//
// Numbers are little-endian. The header is written first and the rest follows in order, so a back
// end needs neither rename nor append; a file without a good trailer was never sealed. Pure
// functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/time.h"

namespace wolke::store::blob_format {

inline constexpr std::uint32_t version = 1;
/// Blobs are not encrypted.
inline constexpr std::uint32_t key_none = 0;
inline constexpr std::size_t id_bytes = 16;
inline constexpr std::size_t header_bytes = 48;
inline constexpr std::size_t trailer_bytes = 24;
inline constexpr std::size_t chunk_bytes = 64 * 1024;
inline constexpr std::size_t checksum_bytes = 4;

struct Header {
  std::uint32_t version = 0;
  std::uint32_t key = key_none;
  Timestamp created;
  std::string id;  // raw
};

std::string encode_header(const Header& header);
/// nullopt when damaged. The version may be one that this build does not read.
std::optional<Header> decode_header(std::string_view bytes);

std::string encode_trailer(std::string_view id, std::string_view table, std::uint64_t size);
/// The size in a good trailer for this id and table.
std::optional<std::uint64_t> decode_trailer(std::string_view bytes, std::string_view id,
                                            std::string_view table);

/// What a chunk's checksum starts from; continue it with crc32c(data, seed).
std::uint32_t chunk_seed(std::string_view id, std::uint64_t chunk);
void append_checksum(std::string& table, std::uint32_t checksum);
std::uint32_t checksum_at(std::string_view table, std::size_t chunk);

constexpr std::uint64_t chunk_count(std::uint64_t size) {
  return (size + chunk_bytes - 1) / chunk_bytes;
}

}  // namespace wolke::store::blob_format
