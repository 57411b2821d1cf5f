// Removal of what nobody can read any more. Each call does a bounded part and may be interrupted
// anywhere: what marks the rest as garbage goes last.
#include <algorithm>

#include "wolke/services/logs/logs.h"
#include "wolke/store/keys.h"

namespace wolke::logs {
namespace {

constexpr std::size_t batch_events = 1000;

struct Garbage {
  std::uint64_t group = 0, stream = 0;
};

std::optional<Garbage> garbage_of(std::string_view key) {
  store::KeyReader reader(key);
  if (!reader.text()) return std::nullopt;
  const auto group = reader.number();
  const auto stream = reader.number();
  if (!group || !stream) return std::nullopt;
  return Garbage{*group, *stream};
}

Result<std::size_t> commit_deletes(store::Store& store, store::Batch batch) {
  const std::size_t count = batch.deletes.size();
  if (count == 0) return 0;
  const store::CommitResult result = store::commit_and_wait(store, std::move(batch));
  if (result.status != store::CommitStatus::committed) return fail(result.error);
  return count;
}

/// A part of a stream's events before `end_ms`, to be deleted.
Result<store::Batch> events_before(store::Tx& tx, std::uint64_t group, std::uint64_t stream,
                                   std::int64_t end_ms) {
  EventRange range{group, stream, {0, 0}, {end_ms, 0}};
  range.max = batch_events;
  TRY(const Events events, read_events(tx, range));
  store::Batch batch;
  for (const StoredEvent& stored : events.items)
    batch.deletes.push_back(event_key(group, stream, stored.position));
  return batch;
}

constexpr std::int64_t all_of_time = 1LL << 53;

Result<std::size_t> sweep_stream(store::Store& store, store::Tx& tx, const Garbage& garbage) {
  TRY(auto batch, events_before(tx, garbage.group, garbage.stream, all_of_time));
  if (batch.deletes.size() < batch_events)
    batch.deletes.push_back(garbage_key(garbage.group, garbage.stream));
  return commit_deletes(store, std::move(batch));
}

/// Turns a deleted group's streams into garbage of their own; then the group is done.
Result<std::size_t> sweep_group(store::Store& store, store::Tx& tx, const Garbage& garbage) {
  Group group;
  group.id = garbage.group;
  TRY(const auto streams, list_streams(tx, group, ""));
  store::Batch batch;
  for (const Stream& stream : streams) {
    batch.deletes.push_back(stream_key(group.id, stream.name));
    batch.puts.push_back({garbage_key(group.id, stream.id), {}});
    if (batch.deletes.size() >= batch_events) return commit_deletes(store, std::move(batch));
  }
  batch.deletes.push_back(bytes_key(group.id));
  batch.deletes.push_back(garbage_key(group.id, 0));
  return commit_deletes(store, std::move(batch));
}

Result<std::size_t> sweep_garbage(store::Store& store, store::Tx& tx) {
  store::Scan scan;
  scan.shard = store::shard_of("logs.garbage");
  scan.begin = store::KeyBuilder("logs.garbage").build();
  scan.end = store::prefix_end(scan.begin);
  scan.records_max = 1;
  TRY(const store::Page page, tx.scan(scan));
  if (page.records.empty()) return 0;
  const auto garbage = garbage_of(page.records.front().key);
  if (!garbage) return fail(internal_error("a log garbage key has an unknown form"));
  return garbage->stream == 0 ? sweep_group(store, tx, *garbage)
                              : sweep_stream(store, tx, *garbage);
}

Result<std::size_t> sweep_expired(store::Store& store, store::Tx& tx, Timestamp now) {
  // Groups of all accounts: their table is spread over shards by account.
  std::size_t removed = 0;
  for (std::size_t shard = 0; shard < store::shard_count; ++shard) {
    store::Scan scan;
    scan.shard = static_cast<store::Shard>(shard);
    scan.begin = store::KeyBuilder("logs.group").build();
    scan.end = store::prefix_end(scan.begin);
    bool more = true;
    while (more) {
      TRY(const store::Page page, tx.scan(scan));
      for (const store::Record& record : page.records) {
        TRY(const Group group, store::decode<Group>(record.value, record.key));
        if (!group.retention_days) continue;
        const std::int64_t before = to_millis(now - std::chrono::days(*group.retention_days));
        TRY(const auto streams, list_streams(tx, group, ""));
        for (const Stream& stream : streams) {
          if (stream.empty() || stream.first_ms >= before) continue;
          TRY(auto batch, events_before(tx, group.id, stream.id, before));
          TRY(const std::size_t count, commit_deletes(store, std::move(batch)));
          removed += count;
        }
      }
      more = page.more && !page.records.empty();
      if (more) scan.begin = page.records.back().key + '\0';
    }
  }
  return removed;
}

}  // namespace

Result<std::size_t> sweep_events(store::Store& store, Timestamp now) {
  TRY(auto snapshot, store.snapshot());
  store::Tx tx(*snapshot);
  TRY(const std::size_t garbage, sweep_garbage(store, tx));
  if (garbage > 0) return garbage;
  return sweep_expired(store, tx, now);
}

}  // namespace wolke::logs
