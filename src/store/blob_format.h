#pragma once
// The bytes of a blob file, format version 2:
//
//   header    48 bytes: magic, format version, key id, creation time, blob id, checksum
//   key       64 bytes: the account whose key it is, a check value of the blob's key, checksum
//   data      `size` bytes, AES-256-GCM in chunks of chunk_bytes (cipher.h), in place
//   table     the tag of each chunk (16 bytes each)
//   trailer   24 bytes: magic, size, checksum over table, size and id
//
// Version 1 is not encrypted: it has no key block, data as given, and for each chunk a CRC-32C (4
// bytes) bound to the blob's id and the chunk's number. It is read and no longer written.
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

inline constexpr std::uint32_t version_plain = 1;
inline constexpr std::uint32_t version = 2;
/// Key ids: none (version 1), the account's of this installation, one that clients bring.
inline constexpr std::uint32_t key_none = 0;
inline constexpr std::uint32_t key_account = 1;
inline constexpr std::uint32_t key_customer = 2;
inline constexpr std::size_t id_bytes = 16;
inline constexpr std::size_t header_bytes = 48;
inline constexpr std::size_t key_block_bytes = 64;
inline constexpr std::size_t account_bytes_max = 44;
inline constexpr std::size_t key_check_bytes = 16;
inline constexpr std::size_t trailer_bytes = 24;
inline constexpr std::size_t chunk_bytes = 64 * 1024;
inline constexpr std::size_t checksum_bytes = 4;
inline constexpr std::size_t tag_bytes = 16;

struct Header {
  std::uint32_t version = 0;
  std::uint32_t key = key_none;
  Timestamp created;
  std::string id;  // raw
};

std::string encode_header(const Header& header);
/// nullopt when damaged. The version may be one that this build does not read.
std::optional<Header> decode_header(std::string_view bytes);

/// Which key a blob of version 2 needs.
struct KeyBlock {
  std::string account;  // at most account_bytes_max; empty for clients' keys
  std::string check;    // key_check_bytes
};
/// Bound to the encoded header in front of it.
std::string encode_key_block(const KeyBlock& block, std::string_view header);
std::optional<KeyBlock> decode_key_block(std::string_view bytes, std::string_view header);

std::string encode_trailer(std::string_view id, std::string_view table, std::uint64_t size);
/// The size in a good trailer for this id and table.
std::optional<std::uint64_t> decode_trailer(std::string_view bytes, std::string_view id,
                                            std::string_view table);

/// What a chunk's checksum starts from; continue it with crc32c(data, seed).
std::uint32_t chunk_seed(std::string_view id, std::uint64_t chunk);
void append_checksum(std::string& table, std::uint32_t checksum);
std::uint32_t checksum_at(std::string_view table, std::size_t chunk);

/// Where the data begins, and what the table has for each chunk.
constexpr std::size_t data_begin(std::uint32_t key) {
  return key == key_none ? header_bytes : header_bytes + key_block_bytes;
}
constexpr std::size_t entry_bytes(std::uint32_t key) {
  return key == key_none ? checksum_bytes : tag_bytes;
}

constexpr std::uint64_t chunk_count(std::uint64_t size) {
  return (size + chunk_bytes - 1) / chunk_bytes;
}

}  // namespace wolke::store::blob_format
