// The memory engine: per shard an ordered map from key to the key's versions, newest last. A
// snapshot is a number: it sees of each key the newest version up to it. Versions that no snapshot
// can see any more are dropped when the oldest snapshot ends, so memory does not grow with history.

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <set>

#include "wolke/base/guarded.h"
#include "wolke/store/batch.h"
#include "wolke/store/counter.h"
#include "wolke/store/engines.h"
#include "wolke/store/watchers.h"

namespace wolke::store {

namespace {

struct Value {
  Version version = 0;
  std::optional<std::string> bytes;  // nullopt: deleted
};
using History = std::vector<Value>;
using ShardMap = std::map<std::string, History, std::less<>>;

struct State {
  std::array<ShardMap, shard_count> shards;
  Version last = 0;
  std::multiset<Version> snapshots;
  /// Keys with versions to drop once no snapshot older than the number is left.
  std::deque<std::pair<Version, Key>> superseded;

  const Value* see(const History& history, Version at) const {
    for (auto value = history.rbegin(); value != history.rend(); ++value) {
      if (value->version <= at) return value->bytes ? &*value : nullptr;
    }
    return nullptr;
  }
  const Value* find(const Key& key, Version at) const {
    ASSERT(key.shard < shard_count);
    auto found = shards[key.shard].find(key.bytes);
    return found == shards[key.shard].end() ? nullptr : see(found->second, at);
  }

  void write(Key key, Version version, std::optional<std::string> bytes);
  bool checks_hold(const Batch& batch) const;
  /// Every record that the batch adds to is a counter.
  bool adds_count(const Batch& batch) const;
  void apply(Batch& batch, Version version);
  void drop_superseded();
  Page scan(const Scan& scan, Version at) const;
  bool take(const Scan& scan, Version at, ShardMap::const_iterator at_key, std::size_t& bytes,
            Page& page) const;
};

void State::write(Key key, Version version, std::optional<std::string> bytes) {
  ASSERT(key.shard < shard_count);
  History& history = shards[key.shard][key.bytes];
  if (!history.empty() && history.back().version == version) {
    history.back().bytes = std::move(bytes);
    return;
  }
  history.push_back({version, std::move(bytes)});
  if (history.size() > 1 || !history.back().bytes) superseded.emplace_back(version, std::move(key));
}

bool State::checks_hold(const Batch& batch) const {
  for (const Check& check : batch.checks) {
    const Value* value = find(check.key, last);
    if ((value ? value->version : 0) != check.expected) return false;
  }
  for (const EmptyCheck& check : batch.empty_checks) {
    const Scan one{.shard = check.shard, .begin = check.begin, .end = check.end, .records_max = 1};
    if (!scan(one, last).records.empty()) return false;
  }
  return true;
}

bool State::adds_count(const Batch& batch) const {
  return std::ranges::all_of(batch.adds, [&](const Add& add) {
    const Value* value = find(add.key, last);
    return value == nullptr || read_counter(*value->bytes);
  });
}

void State::apply(Batch& batch, Version version) {
  for (Key& key : batch.deletes) write(std::move(key), version, std::nullopt);
  for (Put& put : batch.puts) write(std::move(put.key), version, std::move(put.value));
  for (Add& add : batch.adds) {
    const Value* value = find(add.key, version);
    const std::int64_t before = value ? read_counter(*value->bytes).value_or(0) : 0;
    write(std::move(add.key), version, write_counter(before + add.delta));
  }
  std::uint32_t index = 0;
  for (Append& append : batch.appends) {
    write({append.shard, append_key(append.prefix, version, index++)}, version,
          std::move(append.value));
  }
}

void State::drop_superseded() {
  const Version oldest = snapshots.empty() ? last : *snapshots.begin();
  while (!superseded.empty() && superseded.front().first <= oldest) {
    const Key& key = superseded.front().second;
    ShardMap& shard = shards[key.shard];
    if (auto found = shard.find(key.bytes); found != shard.end()) {
      History& history = found->second;
      auto newest_seen = std::ranges::find_if(history.rbegin(), history.rend(),
                                              [&](const Value& v) { return v.version <= oldest; });
      if (newest_seen != history.rend()) history.erase(history.begin(), newest_seen.base() - 1);
      if (history.size() == 1 && !history[0].bytes) shard.erase(found);
    }
    superseded.pop_front();
  }
}

bool State::take(const Scan& scan, Version at, ShardMap::const_iterator at_key, std::size_t& bytes,
                 Page& page) const {
  const Value* value = see(at_key->second, at);
  if (value == nullptr) return true;
  const bool full = page.records.size() >= std::max<std::size_t>(scan.records_max, 1) ||
                    (bytes >= scan.bytes_max && !page.records.empty());
  if (full) {
    page.more = true;
    return false;
  }
  bytes += at_key->first.size() + value->bytes->size();
  page.records.push_back({at_key->first, *value->bytes, value->version});
  return true;
}

Page State::scan(const Scan& scan, Version at) const {
  ASSERT(scan.shard < shard_count);
  const ShardMap& shard = shards[scan.shard];
  Page page;
  if (!scan.end.empty() && scan.end <= scan.begin) return page;
  const auto begin = shard.lower_bound(scan.begin);
  const auto end = scan.end.empty() ? shard.end() : shard.lower_bound(scan.end);
  std::size_t bytes = 0;
  if (scan.reverse) {
    for (auto it = end; it != begin;) {
      if (!take(scan, at, --it, bytes, page)) break;
    }
  } else {
    for (auto it = begin; it != end; ++it) {
      if (!take(scan, at, it, bytes, page)) break;
    }
  }
  return page;
}

class MemorySnapshot final : public Snapshot {
 public:
  MemorySnapshot(Guarded<State>& state) : state_(state) {
    auto locked = state_.lock();
    at_ = locked->last;
    place_ = locked->snapshots.insert(at_);
  }
  ~MemorySnapshot() override {
    auto locked = state_.lock();
    locked->snapshots.erase(place_);
    locked->drop_superseded();
  }
  Result<std::optional<Record>> get(const Key& key) override {
    auto locked = state_.lock();
    const Value* value = locked->find(key, at_);
    if (value == nullptr) return std::nullopt;
    return Record{key.bytes, *value->bytes, value->version};
  }
  Result<Page> scan(const Scan& scan) override { return state_.lock()->scan(scan, at_); }

 private:
  Guarded<State>& state_;  // the store outlives its snapshots
  Version at_ = 0;
  std::multiset<Version>::iterator place_;
};

class MemoryStore final : public Store {
 public:
  Result<std::unique_ptr<Snapshot>> snapshot() override {
    return std::make_unique<MemorySnapshot>(state_);
  }

  void commit(Batch batch, std::function<void(CommitResult)> done) override {
    if (auto refused = refuse_batch(batch)) return done(failed(*std::move(refused)));
    Watchers::Touched touched;
    const CommitResult result = apply(batch, touched);
    Watchers::call(touched);
    done(result);
  }

  std::uint64_t watch(std::string prefix, std::function<void()> hint) override {
    return watchers_.add(std::move(prefix), std::move(hint));
  }
  void unwatch(std::uint64_t token) override { watchers_.remove(token); }

 private:
  CommitResult apply(Batch& batch, Watchers::Touched& touched) {
    auto state = state_.lock();
    if (!state->checks_hold(batch)) return conflict();
    if (batch.writes_nothing()) return committed(state->last);
    if (!state->adds_count(batch)) return failed(not_a_counter());
    watchers_.touch(batch, touched);
    const Version version = ++state->last;
    state->apply(batch, version);
    state->drop_superseded();
    return committed(version);
  }

  Guarded<State> state_;
  Watchers watchers_;
};

}  // namespace

std::unique_ptr<Store> open_memory_store() {
  return std::make_unique<MemoryStore>();
}

}  // namespace wolke::store
