#include "wolke/store/tx.h"

#include "wolke/base/hash.h"
#include "wolke/store/blob_reference.h"
#include "wolke/store/counter.h"
#include "wolke/store/keys.h"

namespace wolke::store {

Shard shard_of(std::string_view partition) {
  // FNV-1a's low byte alone is its weakest; the fold lets every byte count.
  std::uint64_t hash = fnv1a64(partition);
  hash ^= hash >> 32;
  hash ^= hash >> 16;
  hash ^= hash >> 8;
  return static_cast<Shard>(hash % shard_count);
}

std::optional<std::int64_t> read_counter(std::string_view value) {
  if (value.size() != 8) return std::nullopt;
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 8; ++i) {
    bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(value[i])) << (8 * i);
  }
  return static_cast<std::int64_t>(bits);
}

std::string write_counter(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  std::string out(8, '\0');
  for (unsigned i = 0; i < 8; ++i) out[i] = static_cast<char>((bits >> (8 * i)) & 0xFF);
  return out;
}

std::string blob_references_prefix(std::string_view blob_id) {
  return KeyBuilder("blob").text(blob_id).build();
}

Key blob_reference_key(std::string_view blob_id, std::string_view owner) {
  return {.shard = shard_of(blob_id),
          .bytes = KeyBuilder("blob").text(blob_id).text(owner).build()};
}

Result<std::optional<std::string>> Tx::get_bytes(const Key& key) {
  if (auto own = written_.find(key); own != written_.end()) return own->second;
  TRY(std::optional<Record> record, snapshot_.get(key));
  if (checked_.insert(key).second) {
    batch_.checks.push_back({.key = key, .expected = record ? record->version : 0});
  }
  if (!record) return std::nullopt;
  return std::move(record->value);
}

Result<std::optional<std::string>> Tx::peek_bytes(const Key& key) {
  if (auto own = written_.find(key); own != written_.end()) return own->second;
  TRY(std::optional<Record> record, snapshot_.get(key));
  if (!record) return std::nullopt;
  return std::move(record->value);
}

void Tx::put_bytes(Key key, std::string value) {
  written_.insert_or_assign(std::move(key), std::move(value));
}

void Tx::erase(const Key& key) {
  written_.insert_or_assign(key, std::nullopt);
}

void Tx::add(Key key, std::int64_t delta) {
  batch_.adds.push_back({.key = std::move(key), .delta = delta});
}

Result<std::int64_t> Tx::counter(const Key& key) {
  TRY(std::optional<Record> record, snapshot_.get(key));
  std::int64_t value = 0;
  if (record) {
    const auto stored = read_counter(record->value);
    if (!stored) return fail(codec::corrupt_record());
    value = *stored;
  }
  for (const Add& own : batch_.adds) {
    if (own.key == key) value += own.delta;
  }
  return value;
}

void Tx::append_bytes(Shard shard, std::string prefix, std::string value) {
  batch_.appends.push_back(
      {.shard = shard, .prefix = std::move(prefix), .value = std::move(value)});
}

void Tx::require_empty(Shard shard, std::string begin, std::string end) {
  batch_.empty_checks.push_back({.shard = shard, .begin = std::move(begin), .end = std::move(end)});
}

void Tx::refer(const BlobRef& blob, std::string_view owner) {
  put_bytes(blob_reference_key(blob.id, owner), std::string());
}

void Tx::release(const BlobRef& blob, std::string_view owner) {
  erase(blob_reference_key(blob.id, owner));
}

Batch Tx::take_batch() {
  while (!written_.empty()) {
    auto node = written_.extract(written_.begin());
    if (node.mapped()) {
      batch_.puts.push_back({.key = std::move(node.key()), .value = *std::move(node.mapped())});
    } else {
      batch_.deletes.push_back(std::move(node.key()));
    }
  }
  checked_.clear();
  return std::move(batch_);
}

}  // namespace wolke::store
