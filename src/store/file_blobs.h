#pragma once
// Blobs as files: `directory`/<first two hex digits of the id>/<the other thirty>. A file gets its
// final name at once (no rename); until seal() has synced it and its name, nobody outside has its
// id.
//
// collect() removes a file when all of this holds: no record refers to it, no writer of this
// process has it open, and it was sealed (by this process) or created (by an earlier one) longer
// ago than the grace time. The grace time is what an operation has between seal() and its commit;
// who calls settle() at the operation's end gives its room back sooner.
//
// Threads and failure: as in blobs.h. Lifetime: outlives its writers and readers.

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "wolke/base/guarded.h"
#include "wolke/store/blobs.h"
#include "wolke/store/seeded_bugs.h"

namespace wolke::store {

class FileBlobs final : public BlobStore {
 public:
  FileBlobs(Env env, std::string directory, Keyring keys, const SeededBugs& bugs,
            std::uint64_t reserve_bytes = 0)
      : env_(env),
        directory_(std::move(directory)),
        keys_(std::move(keys)),
        bugs_(bugs),
        reserve_bytes_(reserve_bytes) {}

  /// Creates the directory, durably.
  Result<void> open_directory();

  Result<std::unique_ptr<BlobWriter>> create(const KeyChoice& key) override;
  Result<std::unique_ptr<BlobReader>> open(const BlobRef& ref,
                                           std::string_view customer_key = {}) override;
  Result<std::size_t> collect(Store& store, Timestamp now, Millis grace) override;
  Result<std::size_t> collect_at_once(Store& store) override;
  void settle(const BlobRef& ref) override;

 private:
  friend class FileBlobWriter;
  struct State {
    std::set<std::string> writing;  // ids; never collected
    // By this process, until it is settled, a collection sees a reference or the grace is over.
    std::map<std::string, Timestamp> sealed_at;
    std::array<bool, 256> shard_is_durable{};
  };

  std::string shard_directory(std::string_view id) const;
  std::string path_of(std::string_view id) const;
  Result<void> make_shard_durable(std::string_view id);
  Result<void> sealed(const std::string& id);
  void discard(const std::string& id);
  Error poison(Error why);
  Result<void> expect_room() const;
  /// No grace: at once.
  struct Collection {
    Store& store;
    Timestamp now{};
    std::optional<Millis> grace = {};
  };
  Result<std::size_t> collect_all(const Collection& collection);
  Result<std::size_t> collect_shard(const Collection& collection, const std::string& shard);
  Result<bool> is_collectable(const Collection& collection, const std::string& id);
  Result<bool> is_referenced(Store& store, const std::string& id) const;
  std::optional<Timestamp> created_at(const std::string& id);

  Env env_;
  std::string directory_;
  Keyring keys_;
  SeededBugs bugs_;
  std::uint64_t reserve_bytes_;
  std::atomic<bool> poisoned_ = false;
  Guarded<State> state_;
};

}  // namespace wolke::store
