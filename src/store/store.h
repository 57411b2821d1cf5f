#pragma once
// The store port. Keys lie in shards; a snapshot reads, a batch commits. Engines: memory_store
// (tests, simulation), sqlite_store (embedded). What an acknowledgement means: when `done` says
// committed, the batch is on stable storage; after a failed sync the engine is poisoned and every
// later commit fails.
//
// Consistency: commits are applied one after the other in one order (the engine's writer). A
// snapshot sees a prefix of that order. A batch's checks are evaluated at its place in the order,
// so a transaction whose reads are all checks is serializable.
//
// Threads: snapshot() and commit() from any thread. A Snapshot belongs to one thread; which prefix
// it sees is fixed at its first read at the latest, and it is short-lived: an engine may end it
// after a time ("SnapshotTooOld", 503). `done` is called once, on the engine's writer thread, or
// inside commit() when the batch is refused at once (too large, queue full); it must be short (post
// to a loop).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/limits.h"
#include "wolke/base/result.h"

namespace wolke::store {

/// One of `shard_count`; everything that must commit together cheaply has the same partition text.
using Shard = std::uint16_t;
inline constexpr Shard shard_count = 256;
Shard shard_of(std::string_view partition);

/// Bytes compare as unsigned char; build them with KeyBuilder (keys.h) so that order and prefixes
/// are what they seem.
struct Key {
  Shard shard = 0;
  std::string bytes;
  bool operator==(const Key&) const = default;
};

/// The commit's place in the one order; grows by one per batch. 0 is "no such record".
using Version = std::uint64_t;

struct Record {
  std::string key;
  std::string value;
  Version version = 0;
};

struct Scan {
  Shard shard = 0;
  std::string begin;     // inclusive
  std::string end;       // exclusive; empty: to the end of the shard
  bool reverse = false;  // from end downwards
  std::size_t records_max = 1000;
  std::size_t bytes_max = limits::scan_bytes_default;
};

struct Page {
  std::vector<Record> records;
  /// True when a limit ended the scan; go on from after (before, in reverse) the last record's key.
  bool more = false;
};

class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual Result<std::optional<Record>> get(const Key& key) = 0;
  virtual Result<Page> scan(const Scan& scan) = 0;
};

struct Check {
  Key key;
  Version expected = 0;
};

/// No record in [begin, end) of the shard, or the commit is a conflict.
struct EmptyCheck {
  Shard shard = 0;
  std::string begin;
  std::string end;
};

struct Put {
  Key key;
  std::string value;
};

/// A counter: 8 bytes little-endian, created at 0; adds never conflict.
struct Add {
  Key key;
  std::int64_t delta = 0;
};

/// The record's key is prefix || version (8 bytes big-endian) || index within the batch (4 bytes
/// big-endian): append order is commit order.
struct Append {
  Shard shard = 0;
  std::string prefix;
  std::string value;
};

struct ShardEpoch {
  Shard shard = 0;
  std::uint64_t epoch = 0;
};

/// Within a batch: checks, then deletes, puts, adds, appends. A key is in one of deletes, puts and
/// adds.
struct Batch {
  std::vector<ShardEpoch> epochs;  // empty: this node owns all shards (embedded)
  std::vector<Check> checks;
  std::vector<EmptyCheck> empty_checks;
  std::vector<Put> puts;
  std::vector<Key> deletes;
  std::vector<Add> adds;
  std::vector<Append> appends;

  bool writes_nothing() const {
    return puts.empty() && deletes.empty() && adds.empty() && appends.empty();
  }
};

enum class CommitStatus { committed, conflict, failed };

struct CommitResult {
  CommitStatus status = CommitStatus::failed;
  Version version = 0;
  Error error;  // when failed: "DiskFull", "DiskError", "FencedOff"
};

class Store {
 public:
  virtual ~Store() = default;
  virtual Result<std::unique_ptr<Snapshot>> snapshot() = 0;
  virtual void commit(Batch batch, std::function<void(CommitResult)> done) = 0;
  /// `hint` is called after a commit that touched a key with this prefix, before it is acknowledged
  /// (writer thread; may be spurious, never lost while registered). Returns a token for unwatch.
  virtual std::uint64_t watch(std::string prefix, std::function<void()> hint) = 0;
  virtual void unwatch(std::uint64_t token) = 0;
};

/// For threads that may block (tests, start-up, the operation runner's thread).
CommitResult commit_and_wait(Store& store, Batch batch);

}  // namespace wolke::store
