#pragma once
// Tx: what an operation sees of the store. It reads one snapshot and collects checks, writes,
// events, usage; it never waits for a disk and may be run again from the start on a conflict, so an
// operation has no other side effect.
//
// get() adds a check: the commit conflicts when the record changed meanwhile. peek() and scan() do
// not; an operation whose decision rests on a range being empty calls require_empty(). Reads see
// the Tx's own puts and deletes (get, peek; not scan).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/body.h"
#include "wolke/store/record.h"
#include "wolke/store/store.h"

namespace wolke::store {

class Tx {
 public:
  explicit Tx(Snapshot& snapshot) : snapshot_(snapshot) {}
  Tx(const Tx&) = delete;
  Tx& operator=(const Tx&) = delete;

  Result<std::optional<std::string>> get_bytes(const Key& key);
  Result<std::optional<std::string>> peek_bytes(const Key& key);
  Result<Page> scan(const Scan& scan) { return snapshot_.scan(scan); }
  void put_bytes(Key key, std::string value);
  void erase(const Key& key);
  void add(Key key, std::int64_t delta);
  Result<std::int64_t> counter(const Key& key);  // without a check
  void append_bytes(Shard shard, std::string prefix, std::string value);
  void require_empty(Shard shard, std::string begin, std::string end);

  template <RecordType T>
  Result<std::optional<T>> get(const Key& key) {
    return typed<T>(key, get_bytes(key));
  }
  template <RecordType T>
  Result<std::optional<T>> peek(const Key& key) {
    return typed<T>(key, peek_bytes(key));
  }
  template <RecordType T>
  void put(const Key& key, const T& record) {
    put_bytes(key, encode(record, key.bytes));
  }
  /// The key of an appended record is known only at commit, so its checksum is bound to the prefix.
  template <RecordType T>
  void append(Shard shard, const std::string& prefix, const T& record) {
    append_bytes(shard, prefix, encode(record, prefix));
  }

  /// Blob references (blobs.h): a blob lives while one owner refers to it. `owner` is any stable
  /// text, e.g. the bytes of the record's key.
  void refer(const BlobRef& blob, std::string_view owner);
  void release(const BlobRef& blob, std::string_view owner);

  /// Takes everything collected; the Tx is spent.
  Batch take_batch();

 private:
  template <RecordType T>
  Result<std::optional<T>> typed(const Key& key, Result<std::optional<std::string>> bytes) {
    if (!bytes) return fail(std::move(bytes).error());
    if (!*bytes) return std::optional<T>();
    TRY(T record, decode<T>(**bytes, key.bytes));
    return std::optional<T>(std::move(record));
  }

  struct KeyLess {
    bool operator()(const Key& a, const Key& b) const {
      return a.shard != b.shard ? a.shard < b.shard : a.bytes < b.bytes;
    }
  };

  Snapshot& snapshot_;
  std::map<Key, std::optional<std::string>, KeyLess> written_;  // nullopt: deleted
  std::set<Key, KeyLess> checked_;
  Batch batch_;
};

}  // namespace wolke::store
