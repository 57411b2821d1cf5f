#include "wolke/store/blob_file_reader.h"

#include <fmt/core.h>

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/store/blob_format.h"

namespace wolke::store {

namespace {

using namespace blob_format;

Error wrong_key(const BlobRef& ref, std::uint32_t key) {
  return {.code = "WrongKey",
          .status = 500,
          .message = fmt::format(
              "Blob {} is encrypted with a key that is not {}.", ref.id,
              key == key_customer ? "the one given" : "this installation's (identity.key)")};
}

/// Everything about a blob that its file says outside of the data.
struct Envelope {
  std::uint32_t key = key_none;
  std::string body_key;  // empty: not encrypted
  std::string table;
};

Result<std::string> read_exactly(const BlobRef& ref, File& file, std::uint64_t offset,
                                 std::size_t length) {
  std::string bytes(length, '\0');
  TRY(const std::size_t got, file.read_at(offset, bytes));
  if (got != length) return fail(corrupt_blob(ref.id));
  return bytes;
}

Result<std::string> read_body_key(const BlobRef& ref, File& file, const Keyring& keys,
                                  std::string_view header, KeyChoice choice) {
  TRY(const std::string bytes, read_exactly(ref, file, header_bytes, key_block_bytes));
  const auto block = decode_key_block(bytes, header);
  if (!block) return fail(corrupt_blob(ref.id));
  choice.account = block->account;
  const std::uint32_t key = decode_header(header)->key;
  if (key == key_customer && choice.customer_key.empty()) return fail(wrong_key(ref, key));
  if (key == key_account) choice.customer_key.clear();
  std::string body_key = keys.body_key(choice, *from_hex(ref.id));
  if (!equal_constant_time(key_check(body_key), block->check)) return fail(wrong_key(ref, key));
  return body_key;
}

Result<Envelope> read_envelope(const BlobRef& ref, File& file, const Keyring& keys,
                               std::string_view customer_key) {
  const std::string raw_id = *from_hex(ref.id);
  TRY(const std::string bytes, read_exactly(ref, file, 0, header_bytes));
  const auto header = decode_header(bytes);
  if (!header || header->id != raw_id) return fail(corrupt_blob(ref.id));
  const bool plain = header->version == version_plain && header->key == key_none;
  const bool encrypted =
      header->version == version && (header->key == key_account || header->key == key_customer);
  if (!plain && !encrypted) return fail(corrupt_blob(ref.id));
  Envelope envelope{.key = header->key, .body_key = {}, .table = {}};
  const std::uint64_t table_bytes = chunk_count(ref.size) * entry_bytes(header->key);
  const std::uint64_t table_at = data_begin(header->key) + ref.size;
  // The size is a record's word; what the file has must be as long before we make room for it.
  TRY(const std::uint64_t file_bytes, file.size());
  if (file_bytes != table_at + table_bytes + trailer_bytes) return fail(corrupt_blob(ref.id));
  TRY(envelope.table, read_exactly(ref, file, table_at, table_bytes + trailer_bytes));
  const std::string trailer = envelope.table.substr(table_bytes);
  envelope.table.resize(table_bytes);
  if (decode_trailer(trailer, raw_id, envelope.table) != ref.size) {
    return fail(corrupt_blob(ref.id));
  }
  if (encrypted) {
    TRY(envelope.body_key,
        read_body_key(ref, file, keys, bytes,
                      {.account = {}, .customer_key = std::string(customer_key)}));
  }
  return envelope;
}

class FileBlobReader final : public BlobReader {
 public:
  FileBlobReader(BlobRef ref, std::unique_ptr<File> file, Envelope envelope)
      : ref_(std::move(ref)),
        raw_id_(*from_hex(ref_.id)),
        file_(std::move(file)),
        key_(envelope.key),
        table_(std::move(envelope.table)) {
    if (!envelope.body_key.empty()) cipher_.emplace(envelope.body_key, ChunkCipher::Way::open);
  }

  Result<std::string> read(std::uint64_t offset, std::size_t length) override {
    if (offset > ref_.size || length > ref_.size - offset) {
      return fail(internal_error("read beyond the end of a blob"));
    }
    if (length == 0) return std::string();
    // Whole chunks are read, because only they can be verified.
    const std::uint64_t first = offset / chunk_bytes;
    const std::uint64_t begin = first * chunk_bytes;
    const std::uint64_t end = std::min(ref_.size, chunk_count(offset + length) * chunk_bytes);
    TRY(std::string out, read_exactly(ref_, *file_, data_begin(key_) + begin, end - begin));
    for (std::uint64_t chunk = first; (chunk - first) * chunk_bytes < out.size(); ++chunk) {
      const std::size_t at = (chunk - first) * chunk_bytes;
      if (!open_chunk(chunk, std::span(out).subspan(at, std::min(chunk_bytes, out.size() - at)))) {
        return fail(corrupt_blob(ref_.id));
      }
    }
    out.resize(offset - begin + length);
    out.erase(0, offset - begin);
    return out;
  }

 private:
  /// In place. False when the bytes are not what was sealed.
  bool open_chunk(std::uint64_t chunk, std::span<char> data) {
    if (!cipher_) {
      return crc32c({data.data(), data.size()}, chunk_seed(raw_id_, chunk)) ==
             checksum_at(table_, chunk);
    }
    return cipher_->open({.number = chunk, .last = chunk + 1 == chunk_count(ref_.size)}, data,
                         std::string_view(table_).substr(chunk * tag_bytes, tag_bytes));
  }

  BlobRef ref_;
  std::string raw_id_;
  std::unique_ptr<File> file_;
  std::uint32_t key_;
  std::optional<ChunkCipher> cipher_;
  std::string table_;
};

}  // namespace

Error corrupt_blob(std::string_view id) {
  return {.code = "Corrupt", .status = 500, .message = fmt::format("Blob {} is damaged.", id)};
}

Result<std::unique_ptr<BlobReader>> open_blob_file(const BlobRef& ref, std::unique_ptr<File> file,
                                                   const Keyring& keys,
                                                   std::string_view customer_key) {
  TRY(Envelope envelope, read_envelope(ref, *file, keys, customer_key));
  return std::make_unique<FileBlobReader>(ref, std::move(file), std::move(envelope));
}

}  // namespace wolke::store
