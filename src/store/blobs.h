#pragma once
// Blobs: immutable bodies beside the records. A blob is written to a staging file, sealed (checksum
// per chunk, header with format version and key id, synced, its directory entry synced) and only
// then has a BlobRef that an operation may commit. It stays while a reference record exists
// (Tx::refer); collect() removes sealed blobs without one and staging files of before the start,
// both older than `grace`. Ids are random; no rename or append is assumed of the back end. Every
// blob is encrypted (cipher.h), by an account's key or by one that its client brings each time.
//
// Threads: BlobStore from any thread; a Writer or Reader by one thread at a time. All calls may
// block on the disk: use them on a pool thread. After a failed sync the store is poisoned: seal()
// fails from then on.

#include <cstdint>
#include <memory>
#include <string_view>

#include "wolke/base/body.h"
#include "wolke/base/env.h"
#include "wolke/store/cipher.h"
#include "wolke/store/store.h"

namespace wolke::store {

class BlobWriter {
 public:
  virtual ~BlobWriter() = default;  // an unsealed blob is discarded
  virtual Result<void> write(std::string_view bytes) = 0;
  /// Durable when this returns.
  virtual Result<BlobRef> seal() = 0;
};

class BlobReader {
 public:
  virtual ~BlobReader() = default;
  /// Exactly `length` bytes from `offset`, verified; "Corrupt" when they are not what was written.
  virtual Result<std::string> read(std::uint64_t offset, std::size_t length) = 0;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  virtual Result<std::unique_ptr<BlobWriter>> create(const KeyChoice& key) = 0;
  /// `customer_key` where the blob was created with one. "WrongKey": it is another one, or the
  /// installation's root key is.
  virtual Result<std::unique_ptr<BlobReader>> open(const BlobRef& ref,
                                                   std::string_view customer_key = {}) = 0;
  /// Returns the number of blobs removed.
  virtual Result<std::size_t> collect(Store& store, Timestamp now, Millis grace) = 0;
  /// When room is short: every blob that no record refers to, however young; but for those that
  /// were sealed by this process, are not settled and have not been seen referred to.
  virtual Result<std::size_t> collect_at_once(Store& store) = 0;
  /// The operation that the blob was sealed for has ended, with a commit that refers to it or
  /// without one: from here the references alone decide. Never blocks.
  virtual void settle(const BlobRef& ref) = 0;
};

/// Files under `directory` of the Env's disk. "DiskFull" when less than `reserve_bytes` would be
/// left.
Result<std::unique_ptr<BlobStore>> open_file_blobs(Env env, std::string directory, Keyring keys,
                                                   std::uint64_t reserve_bytes = 0);

/// Reads a whole Body (inline or blobs) of at most `bytes_max`; "EntityTooLarge" beyond.
Result<std::string> read_body(BlobStore& blobs, const Body& body, std::size_t bytes_max);

}  // namespace wolke::store
