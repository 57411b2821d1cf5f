#include "wolke/store/blob_format.h"

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/base/result.h"

namespace wolke::store::blob_format {

namespace {

constexpr std::string_view header_magic = "wolkblob";
constexpr std::string_view trailer_magic = "blobseal";

void append_number(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
}

std::uint64_t number_at(std::string_view bytes, std::size_t offset, unsigned width) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[offset + i])) << (8 * i);
  }
  return value;
}

std::uint32_t trailer_checksum(std::string_view head, std::string_view id, std::string_view table) {
  return crc32c(table, crc32c(id, crc32c(head)));
}

}  // namespace

std::string encode_header(const Header& header) {
  ASSERT(header.id.size() == id_bytes);
  std::string out(header_magic);
  append_number(out, header.version, 4);
  append_number(out, header.key, 4);
  append_number(out, static_cast<std::uint64_t>(to_millis(header.created)), 8);
  out.append(header.id);
  append_number(out, 0, 4);
  append_number(out, crc32c(out), 4);
  ASSERT(out.size() == header_bytes);
  return out;
}

std::optional<Header> decode_header(std::string_view bytes) {
  if (bytes.size() != header_bytes || !bytes.starts_with(header_magic)) return std::nullopt;
  if (number_at(bytes, header_bytes - 4, 4) != crc32c(bytes.substr(0, header_bytes - 4))) {
    return std::nullopt;
  }
  Header header;
  header.version = static_cast<std::uint32_t>(number_at(bytes, 8, 4));
  header.key = static_cast<std::uint32_t>(number_at(bytes, 12, 4));
  header.created = from_millis(static_cast<std::int64_t>(number_at(bytes, 16, 8)));
  header.id = bytes.substr(24, id_bytes);
  return header;
}

std::string encode_key_block(const KeyBlock& block, std::string_view header) {
  ASSERT(block.account.size() <= account_bytes_max && block.check.size() == key_check_bytes);
  std::string out = block.account;
  out.resize(account_bytes_max, '\0');
  out.append(block.check);
  append_number(out, crc32c(out, crc32c(header)), 4);
  ASSERT(out.size() == key_block_bytes);
  return out;
}

std::optional<KeyBlock> decode_key_block(std::string_view bytes, std::string_view header) {
  if (bytes.size() != key_block_bytes) return std::nullopt;
  const std::string_view covered = bytes.substr(0, key_block_bytes - 4);
  if (number_at(bytes, covered.size(), 4) != crc32c(covered, crc32c(header))) return std::nullopt;
  const std::string_view account = covered.substr(0, account_bytes_max);
  return KeyBlock{
      .account = std::string(account.substr(0, std::min(account.find('\0'), account.size()))),
      .check = std::string(covered.substr(account_bytes_max))};
}

std::string encode_trailer(std::string_view id, std::string_view table, std::uint64_t size) {
  std::string out(trailer_magic);
  append_number(out, size, 8);
  append_number(out, 0, 4);
  append_number(out, trailer_checksum(out, id, table), 4);
  ASSERT(out.size() == trailer_bytes);
  return out;
}

std::optional<std::uint64_t> decode_trailer(std::string_view bytes, std::string_view id,
                                            std::string_view table) {
  if (bytes.size() != trailer_bytes || !bytes.starts_with(trailer_magic)) return std::nullopt;
  const std::string_view head = bytes.substr(0, trailer_bytes - 4);
  if (number_at(bytes, trailer_bytes - 4, 4) != trailer_checksum(head, id, table)) {
    return std::nullopt;
  }
  return number_at(bytes, 8, 8);
}

std::uint32_t chunk_seed(std::string_view id, std::uint64_t chunk) {
  std::string bound(id);
  append_number(bound, chunk, 8);
  return crc32c(bound);
}

void append_checksum(std::string& table, std::uint32_t checksum) {
  append_number(table, checksum, checksum_bytes);
}

std::uint32_t checksum_at(std::string_view table, std::size_t chunk) {
  return static_cast<std::uint32_t>(number_at(table, chunk * checksum_bytes, checksum_bytes));
}

}  // namespace wolke::store::blob_format
