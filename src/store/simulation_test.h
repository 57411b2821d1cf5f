#pragma once
// A seeded simulation of the store: random batches in groups, blobs, collections, checkpoints,
// faults, kills and power cuts on a faulty disk, in one thread, so that a seed always gives the
// same run. After each restart the whole store is compared with a model:
//
// - every acknowledged batch is there whole; one whose outcome is unknown is there whole or not at
// all;
// - a batch was acknowledged only if its checks held at its place, and refused only if one did not;
// - counters add up, appends lie in commit order, every object's blob is there byte for byte.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wolke/sim/faulty_disk.h"
#include "wolke/sim/manual_clock.h"
#include "wolke/store/file_blobs.h"
#include "wolke/store/sqlite_store.h"

namespace wolke::store {

struct SimulationCounts {
  std::uint64_t runs = 0;
  std::uint64_t power_cuts = 0;
  std::uint64_t kills = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t unknown = 0;
  std::uint64_t blobs_read = 0;
  std::uint64_t collected = 0;
  std::uint64_t trace = 0;  // digest of everything that was answered
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, const SeededBugs& bugs, SimulationCounts& counts);
  /// The first broken promise, or nothing.
  std::optional<std::string> run();

 private:
  using Place = std::pair<Shard, std::string>;
  struct Stored {
    std::string value;
    Version version = 0;
    bool operator==(const Stored&) const = default;
  };
  using Contents = std::map<Place, Stored>;
  struct Submitted {
    std::uint64_t number = 0;
    Batch batch;
    std::optional<CommitResult> result;
  };

  void live();
  void step();
  void commit_some();
  Batch random_batch(std::uint64_t number);
  void add_object(Batch& batch);
  void judge(const Submitted& submitted);
  void collect();
  void plan_fault();
  void restart();
  bool open();
  void verify();
  void settle_unknown(const Contents& found);
  void compare(const Contents& found);
  void verify_objects();
  Contents read_all();
  void apply(const Batch& batch, Version version);
  bool checks_hold(const Batch& batch) const;
  void broken(std::string what);
  void trace(std::uint64_t value);
  bool one_in(std::uint64_t n) { return random_.one_in(n); }
  std::string object_bytes(std::uint64_t seed, std::size_t size) const;
  static std::string marker(std::uint64_t number);

  SeededBugs bugs_;
  SimulationCounts& counts_;
  sim::FaultyDisk disk_;
  sim::ManualClock clock_;
  sim::SeededRandom random_;      // the simulation's own choices
  sim::SeededRandom env_random_;  // the store's
  Env env_{clock_, env_random_, disk_};
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<FileBlobs> blobs_;
  Contents model_;
  std::vector<Submitted> unknown_;  // since the last restart
  Version last_version_ = 0;
  std::uint64_t next_number_ = 1;
  bool stuck_ = false;  // the store stopped acknowledging; only a restart helps
  std::string open_error_;
  std::optional<std::string> broken_;
};

}  // namespace wolke::store
