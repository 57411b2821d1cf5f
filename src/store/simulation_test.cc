#include "wolke/store/simulation_test.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include "wolke/base/text.h"
#include "wolke/store/batch.h"
#include "wolke/store/blob_reference.h"
#include "wolke/store/counter.h"
#include "wolke/store/engines_for_test.h"
#include "wolke/store/keys.h"

namespace wolke::store {

namespace {

constexpr Millis grace{60'000};
constexpr const char* data_directory = "/var/wolke/data";
constexpr const char* blob_directory = "/var/wolke/data/blobs";
constexpr Shard work_shards = 4;
constexpr std::uint64_t keys_per_shard = 6;
constexpr std::uint64_t objects = 8;

Key object_key(std::uint64_t object) {
  return {.shard = 1, .bytes = KeyBuilder("object").number(object).build()};
}

}  // namespace

Simulation::Simulation(std::uint64_t seed, const SeededBugs& bugs, SimulationCounts& counts)
    : bugs_(bugs), counts_(counts), disk_(seed * 3), random_(seed * 5), env_random_(seed * 7) {
  // SQLite's own generator (the log's salts) is one per process; the same seed must give the same
  // run.
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(seed % 1'000'000) + 1, nullptr);
}

void Simulation::broken(std::string what) {
  if (!broken_) broken_ = std::move(what);
}

void Simulation::trace(std::uint64_t value) {
  counts_.trace = (counts_.trace ^ value) * 0x100000001B3ULL;
}

std::string Simulation::marker(std::uint64_t number) {
  return KeyBuilder("batch").number(number).build();
}

std::string Simulation::object_bytes(std::uint64_t seed, std::size_t size) const {
  sim::SeededRandom bytes(seed);
  std::string out(size, '\0');
  bytes.fill(std::as_writable_bytes(std::span(out)));
  return out;
}

std::optional<std::string> Simulation::run() {
  ++counts_.runs;
  const std::uint64_t lives = 2 + random_.below(3);
  for (std::uint64_t life = 0; life < lives && !broken_; ++life) live();
  disk_.clear_faults();
  if (!broken_) restart();
  return broken_;
}

void Simulation::live() {
  restart();
  if (!broken_ && !one_in(6)) plan_fault();
  const std::uint64_t steps = 1 + random_.below(25);
  for (std::uint64_t i = 0; i < steps && !stuck_ && !broken_; ++i) step();
}

void Simulation::plan_fault() {
  using sim::Fault;
  const Fault fault =
      one_in(3) ? (one_in(2) ? Fault::io_error : Fault::disk_full) : Fault::power_off;
  disk_.fail_call(1 + random_.below(one_in(2) ? 30 : 150), fault);
  // A disk that fails once often fails again.
  if (fault == Fault::io_error && one_in(2)) {
    disk_.fail_call(1 + random_.below(4), Fault::io_error, sim::Call::sync);
  }
}

void Simulation::step() {
  clock_.advance(Millis(random_.below(20'000)));
  if (one_in(12)) return collect();
  if (one_in(15)) return store_->checkpoint_for_test();
  if (one_in(40)) {
    store_.reset();  // an orderly stop
    if (!open() && !disk_.is_off()) stuck_ = true;
    if (!store_) stuck_ = true;
    return;
  }
  commit_some();
}

void Simulation::collect() {
  const auto removed =
      one_in(3) ? blobs_->collect_at_once(*store_) : blobs_->collect(*store_, clock_.wall(), grace);
  if (removed) counts_.collected += *removed;
  // Objects must be readable at once, not only after the next restart.
  if (!disk_.is_off()) verify_objects();
}

Batch Simulation::random_batch(std::uint64_t number) {
  Batch batch;
  batch.puts.push_back({{0, marker(number)}, fmt::format("batch {}", number)});
  const std::uint64_t writes = random_.below(4);
  std::map<std::string, bool> used;
  for (std::uint64_t i = 0; i < writes; ++i) {
    const auto shard = static_cast<Shard>(random_.below(work_shards));
    const std::string name = fmt::format("key{}", random_.below(keys_per_shard));
    if (!used.emplace(fmt::format("{}/{}", shard, name), true).second) continue;
    const Key key{shard, KeyBuilder("t").text(name).build()};
    if (one_in(2)) {
      const auto known = model_.find({shard, key.bytes});
      Version expected = known == model_.end() ? 0 : known->second.version;
      if (one_in(10)) ++expected;
      batch.checks.push_back({key, expected});
    }
    if (one_in(5)) {
      batch.deletes.push_back(key);
    } else {
      std::string value = fmt::format("value of {} ", number);
      value.resize(value.size() + random_.below(one_in(8) ? 20'000 : 60), 'v');
      batch.puts.push_back({key, std::move(value)});
    }
  }
  if (one_in(8)) {
    const std::string key =
        KeyBuilder("t").text(fmt::format("key{}", random_.below(keys_per_shard))).build();
    batch.empty_checks.push_back(
        {static_cast<Shard>(random_.below(work_shards)), key, prefix_end(key)});
  }
  for (std::uint64_t i = random_.below(3); i > 0; --i) {
    batch.adds.push_back({{2, fmt::format("counter{}", random_.below(3))},
                          static_cast<std::int64_t>(random_.below(100)) - 30});
  }
  for (std::uint64_t i = random_.below(3); i > 0; --i) {
    batch.appends.push_back({3, "log/", fmt::format("entry of {}", number)});
  }
  return batch;
}

void Simulation::add_object(Batch& batch) {
  const std::uint64_t seed = random_.u64();
  const std::size_t size = random_.below(one_in(4) ? 200'000 : 3000);
  auto writer = blobs_->create({.account = "111122223333"});
  if (!writer || !(*writer)->write(object_bytes(seed, size))) return;
  if (one_in(10)) return;  // the client went away
  const auto ref = (*writer)->seal();
  if (!ref) return;
  const Key key = object_key(random_.below(objects));
  const std::string owner = key.bytes;
  Version expected = 0;
  if (const auto known = model_.find({key.shard, key.bytes}); known != model_.end()) {
    expected = known->second.version;
    KeyReader old(known->second.value);
    batch.deletes.push_back(blob_reference_key(old.text().value_or(""), owner));
  }
  batch.checks.push_back({key, expected});
  batch.puts.push_back({key, KeyBuilder(ref->id).number(seed).number(size).build()});
  batch.puts.push_back({blob_reference_key(ref->id, owner), ""});
}

void Simulation::commit_some() {
  const std::uint64_t count = 1 + random_.below(5);
  std::vector<Submitted> group(count);
  store_->hold();
  for (Submitted& submitted : group) {
    submitted.number = next_number_++;
    submitted.batch = random_batch(submitted.number);
    if (one_in(4)) add_object(submitted.batch);
    store_->commit(submitted.batch, [&](CommitResult r) { submitted.result = std::move(r); });
  }
  store_->release();
  for (Submitted& submitted : group) {
    if (!submitted.result) return broken("a batch was not answered");
    judge(submitted);
    if (submitted.result->status != CommitStatus::failed) continue;
    ++counts_.unknown;
    if (submitted.result->error.code != "DiskFull") stuck_ = true;
    unknown_.push_back(std::move(submitted));
  }
}

bool Simulation::checks_hold(const Batch& batch) const {
  for (const Check& check : batch.checks) {
    const auto known = model_.find({check.key.shard, check.key.bytes});
    if ((known == model_.end() ? 0 : known->second.version) != check.expected) return false;
  }
  for (const EmptyCheck& check : batch.empty_checks) {
    const auto first = model_.lower_bound({check.shard, check.begin});
    if (first != model_.end() && first->first < Place{check.shard, check.end}) return false;
  }
  return true;
}

void Simulation::apply(const Batch& batch, Version version) {
  for (const Key& key : batch.deletes) model_.erase({key.shard, key.bytes});
  for (const Put& put : batch.puts) model_[{put.key.shard, put.key.bytes}] = {put.value, version};
  for (const Add& add : batch.adds) {
    Stored& counter = model_[{add.key.shard, add.key.bytes}];
    const std::int64_t before = read_counter(counter.value).value_or(0);
    counter = {write_counter(before + add.delta), version};
  }
  std::uint32_t index = 0;
  for (const Append& append : batch.appends) {
    model_[{append.shard, append_key(append.prefix, version, index++)}] = {append.value, version};
  }
}

void Simulation::judge(const Submitted& submitted) {
  const CommitResult& result = *submitted.result;
  trace(submitted.number * 4 + static_cast<std::uint64_t>(result.status));
  trace(result.version);
  if (result.status == CommitStatus::failed) return;
  const bool hold = checks_hold(submitted.batch);
  if (result.status == CommitStatus::conflict) {
    ++counts_.conflicts;
    if (hold) broken(fmt::format("batch {} was refused though its checks held", submitted.number));
    return;
  }
  ++counts_.acknowledged;
  if (!hold) broken(fmt::format("batch {} was acknowledged against its checks", submitted.number));
  if (result.version <= last_version_) broken("versions do not grow");
  last_version_ = result.version;
  apply(submitted.batch, result.version);
}

bool Simulation::open() {
  store_.reset();
  auto blobs = std::make_unique<FileBlobs>(env_, blob_directory, keys_for_test(), bugs_);
  // Before the store: syncing the blobs' directory must not make the store's names durable.
  if (const auto made = blobs->open_directory(); !made) {
    open_error_ = made.error().message;
    return false;
  }
  const SqliteTesting testing{
      .pace = WriterPace::in_caller, .locking = DirectoryLocking::none, .bugs = bugs_};
  auto store = SqliteStore::open(env_, {.directory = data_directory, .lock_note = ""}, testing);
  if (!store) {
    open_error_ = store.error().code + ": " + store.error().message;
    return false;
  }
  store_ = *std::move(store);
  blobs_ = std::move(blobs);
  return true;
}

void Simulation::restart() {
  // The order in which a process ends: first the machine takes its files away, then nothing of it
  // can be written.
  for (int attempt = 0;; ++attempt) {
    const bool power = one_in(3) ? false : true;
    ++(power ? counts_.power_cuts : counts_.kills);
    if (power) {
      disk_.power_cut();
    } else {
      disk_.kill();
    }
    blobs_.reset();
    store_.reset();
    if (attempt < 3 && one_in(4)) disk_.fail_call(1 + random_.below(20), sim::Fault::power_off);
    if (open() && !disk_.is_off()) break;
    if (!disk_.is_off()) return broken("the store does not open: " + open_error_);
  }
  disk_.clear_faults();
  stuck_ = false;
  verify();
}

Simulation::Contents Simulation::read_all() {
  Contents found;
  auto snapshot = store_->snapshot();
  if (!snapshot) return broken("no snapshot: " + snapshot.error().message), found;
  for (Shard shard = 0; shard < shard_count; ++shard) {
    Scan scan{.shard = shard};
    while (true) {
      auto page = (*snapshot)->scan(scan);
      if (!page) return broken("unreadable: " + page.error().message), found;
      for (Record& record : page->records) {
        found[{shard, record.key}] = {std::move(record.value), record.version};
        scan.begin = record.key + '\0';
      }
      if (!page->more) break;
    }
  }
  return found;
}

void Simulation::settle_unknown(const Contents& found) {
  std::map<Version, const Submitted*> present;
  for (const Submitted& submitted : unknown_) {
    const auto mark = found.find({0, marker(submitted.number)});
    if (mark != found.end()) present[mark->second.version] = &submitted;
  }
  for (const auto& [version, submitted] : present) {
    trace(submitted->number);
    if (!checks_hold(submitted->batch)) broken("an unknown batch is there against its checks");
    if (version <= last_version_) broken("an unknown batch took an old version");
    last_version_ = version;
    apply(submitted->batch, version);
  }
  unknown_.clear();
}

void Simulation::compare(const Contents& found) {
  for (const auto& [place, stored] : model_) {
    const auto it = found.find(place);
    if (it == found.end())
      return broken(
          fmt::format("lost: record {} of shard {}", printable(place.second), place.first));
    if (!(it->second == stored))
      return broken(
          fmt::format("wrong: record {} of shard {}", printable(place.second), place.first));
  }
  for (const auto& [place, stored] : found) {
    if (model_.contains(place)) continue;
    return broken(fmt::format("nobody wrote record {} of shard {}, version {} of {}",
                              printable(place.second), place.first, stored.version, last_version_));
  }
}

void Simulation::verify() {
  const Contents found = read_all();
  settle_unknown(found);
  compare(found);
  verify_objects();
}

void Simulation::verify_objects() {
  for (std::uint64_t object = 0; object < objects; ++object) {
    const Key key = object_key(object);
    const auto known = model_.find({key.shard, key.bytes});
    if (known == model_.end()) continue;
    KeyReader reader(known->second.value);
    const std::string id = reader.text().value_or("");
    const std::uint64_t seed = reader.number().value_or(0);
    const std::uint64_t size = reader.number().value_or(0);
    auto blob = blobs_->open({.id = id, .size = size});
    if (!blob) return broken("a blob is lost: " + blob.error().message);
    const auto bytes = (*blob)->read(0, size);
    if (!bytes || *bytes != object_bytes(seed, size))
      return broken("a blob is not what was written");
    ++counts_.blobs_read;
  }
}

}  // namespace wolke::store
