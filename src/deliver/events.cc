#include "wolke/deliver/events.h"

#include <algorithm>

#include "wolke/deliver/records.h"
#include "wolke/store/keys.h"

namespace wolke::deliver {
namespace {

constexpr std::size_t sweep_batch = 500;

EventStatus status_of(const TerminalRecord& record) {
  EventStatus status = status_of(record.event);
  status.terminal = static_cast<Terminal>(record.terminal);
  status.reason = record.reason;
  status.finished = record.finished;
  status.replayed_as = record.replayed_as;
  status.next_attempt = {};
  return status;
}

/// One status of a record of the table; `key` as stored.
Result<EventStatus> read_status(std::string_view table, Lane lane, const store::Record& record) {
  const auto function = function_of_key(record.key);
  if (!function) return fail(internal_error("a delivery's key has an unknown form"));
  if (table == "deliver.done") {
    TRY(auto done, store::decode<TerminalRecord>(record.value, done_prefix(lane, *function)));
    return status_of(done);
  }
  const bool due = table == "deliver.due";
  TRY(auto pending,
      store::decode<PendingRecord>(record.value, due ? record.key : inbox_prefix(lane, *function)));
  EventStatus status = status_of(pending);
  if (due) status.next_attempt = due_of_key(record.key).value_or(status.next_attempt);
  return status;
}

bool wanted(const EventStatus& status, const EventFilter& filter) {
  if (status.event.account != filter.account) return false;
  const bool failed =
      status.terminal != Terminal::pending && status.terminal != Terminal::succeeded;
  if (filter.replayable_only) {
    return failed && status.terminal != Terminal::cancelled && status.replayed_as.empty();
  }
  return failed || !filter.failed_only;
}

/// The newest matching records of a range (append order is time order within a function).
Result<void> collect(store::Snapshot& snapshot, std::string_view table, Lane lane,
                     const EventFilter& filter, std::vector<EventStatus>& out) {
  store::KeyBuilder prefix(table);
  prefix.number(lane);
  if (!filter.function_arn.empty()) prefix.text(filter.function_arn);
  store::Scan scan;
  scan.shard = shard_of_lane(lane);
  scan.begin = prefix.build();
  scan.end = store::prefix_end(scan.begin);
  scan.reverse = true;
  std::size_t found = 0;
  std::string function;
  while (true) {
    TRY(auto page, snapshot.scan(scan));
    for (const store::Record& record : page.records) {
      const std::string of = function_of_key(record.key).value_or("");
      if (of != function) found = 0;
      function = of;
      if (found >= filter.limit) continue;
      TRY(auto status, read_status(table, lane, record));
      if (!wanted(status, filter)) continue;
      out.push_back(std::move(status));
      ++found;
    }
    if (!page.more || page.records.empty()) return {};
    scan.end = page.records.back().key;
    if (found >= filter.limit) {
      // The rest of this function is older than what we have: go on before its range.
      scan.end = store::KeyBuilder(table).number(lane).text(function).build();
    }
  }
}

}  // namespace

Result<std::vector<EventStatus>> list_events(store::Snapshot& snapshot, const EventFilter& filter) {
  std::vector<EventStatus> out;
  for (Lane lane = 0; lane < lane_count; ++lane) {
    if (!filter.function_arn.empty() && lane != lane_of(filter.function_arn)) continue;
    for (std::string_view table : {"deliver.inbox", "deliver.due", "deliver.done"}) {
      TRY(collect(snapshot, table, lane, filter, out));
    }
  }
  std::sort(out.begin(), out.end(),
            [](const EventStatus& a, const EventStatus& b) { return a.enqueued > b.enqueued; });
  if (out.size() > filter.limit) out.resize(filter.limit);
  return out;
}

namespace {

/// The first batch of expired records of one function's range; empty: none.
Result<store::Batch> expired_batch(store::Snapshot& snapshot, Lane lane,
                                   const std::string& function, Timestamp before) {
  const std::string prefix = done_prefix(lane, function);
  store::Scan scan;
  scan.shard = shard_of_lane(lane);
  scan.begin = prefix;
  scan.end = store::prefix_end(prefix);
  scan.records_max = sweep_batch;
  TRY(auto page, snapshot.scan(scan));
  store::Batch batch;
  for (const store::Record& record : page.records) {
    TRY(auto done, store::decode<TerminalRecord>(record.value, prefix));
    if (done.finished >= before) break;
    batch.deletes.push_back({scan.shard, record.key});
    for (std::uint32_t part = 0; part < done.event.payload_parts; ++part) {
      batch.deletes.push_back(payload_key(lane, done.event.id, part));
    }
  }
  return batch;
}

Result<std::optional<std::string>> next_function(store::Snapshot& snapshot, Lane lane,
                                                 const std::string& begin) {
  store::Scan scan;
  scan.shard = shard_of_lane(lane);
  scan.begin = begin;
  scan.end = store::prefix_end(lane_prefix("deliver.done", lane));
  scan.records_max = 1;
  TRY(auto page, snapshot.scan(scan));
  if (page.records.empty()) return std::optional<std::string>();
  return function_of_key(page.records.front().key);
}

}  // namespace

Result<std::size_t> sweep_events(store::Store& store, Timestamp before) {
  std::size_t removed = 0;
  for (Lane lane = 0; lane < lane_count; ++lane) {
    std::string begin = lane_prefix("deliver.done", lane);
    while (true) {
      TRY(auto snapshot, store.snapshot());
      TRY(auto function, next_function(*snapshot, lane, begin));
      if (!function) break;
      TRY(auto batch, expired_batch(*snapshot, lane, *function, before));
      const std::size_t count = batch.deletes.size();
      // A full batch may have a successor in the same function.
      begin = done_prefix(lane, *function);
      if (count < sweep_batch) begin = store::prefix_end(begin);
      if (count == 0) continue;
      const store::CommitResult result = store::commit_and_wait(store, std::move(batch));
      if (result.status != store::CommitStatus::committed) return fail(result.error);
      removed += count;
    }
  }
  return removed;
}

}  // namespace wolke::deliver
