#include "wolke/deliver/records.h"

#include <fmt/core.h>

#include "wolke/base/hash.h"
#include "wolke/store/keys.h"

namespace wolke::deliver {
namespace {

constexpr std::string_view inbox_table = "deliver.inbox";
constexpr std::string_view due_table = "deliver.due";
constexpr std::string_view done_table = "deliver.done";
constexpr std::string_view payload_table = "deliver.payload";

std::string function_prefix(std::string_view table, Lane lane, std::string_view function) {
  return store::KeyBuilder(table).number(lane).text(function).build();
}

PendingRecord record_of(const Event& event, Timestamp now) {
  PendingRecord record;
  record.id = event.id;
  record.account = event.account;
  record.target = event.target;
  record.source = event.source;
  record.source_arn = event.source_arn;
  record.source_account = event.source_account;
  record.trace = event.trace;
  record.origin = event.origin;
  record.enqueued = now;
  return record;
}

/// The writes of an enqueued event, for a Tx or a Batch.
template <class PutPart, class AppendRecord>
void write_event(const Event& event, Timestamp now, PutPart put_part, AppendRecord append) {
  PendingRecord record = record_of(event, now);
  const std::string function = unqualified(event.target);
  const Lane lane = lane_of(function);
  if (event.payload.size() <= payload_part_bytes) {
    record.payload = event.payload;
  } else {
    for (std::size_t at = 0; at < event.payload.size(); at += payload_part_bytes) {
      put_part(payload_key(lane, event.id, record.payload_parts++),
               event.payload.substr(at, payload_part_bytes));
    }
  }
  append(shard_of_lane(lane), inbox_prefix(lane, function), record);
}

}  // namespace

std::string unqualified(std::string_view function_arn) {
  // arn:aws:lambda:region:account:function:name[:qualifier]
  std::size_t colons = 0;
  for (std::size_t i = 0; i < function_arn.size(); ++i) {
    if (function_arn[i] == ':' && ++colons == 7) return std::string(function_arn.substr(0, i));
  }
  return std::string(function_arn);
}

Lane lane_of(std::string_view function) {
  return static_cast<Lane>(fnv1a64(function) % lane_count);
}
store::Shard shard_of_lane(Lane lane) {
  return store::shard_of(fmt::format("deliver/{}", lane));
}

std::string lane_prefix(std::string_view table, Lane lane) {
  return store::KeyBuilder(table).number(lane).build();
}
std::string inbox_watch_prefix(Lane lane) {
  return lane_prefix(inbox_table, lane);
}
std::string inbox_prefix(Lane lane, std::string_view function) {
  return function_prefix(inbox_table, lane, function);
}
std::string due_prefix(Lane lane, std::string_view function) {
  return function_prefix(due_table, lane, function);
}
std::string done_prefix(Lane lane, std::string_view function) {
  return function_prefix(done_table, lane, function);
}

store::Key due_key(Lane lane, std::string_view function, Timestamp due, std::string_view id) {
  store::KeyBuilder key(due_table);
  key.number(lane).text(function).number(static_cast<std::uint64_t>(to_millis(due))).text(id);
  return {shard_of_lane(lane), key.build()};
}

store::Key payload_key(Lane lane, std::string_view id, std::uint32_t part) {
  store::KeyBuilder key(payload_table);
  return {shard_of_lane(lane), key.number(lane).text(id).number(part).build()};
}

std::optional<std::string> function_of_key(std::string_view key) {
  store::KeyReader reader(key);
  if (!reader.text() || !reader.number()) return std::nullopt;
  return reader.text();
}

std::optional<Timestamp> due_of_key(std::string_view key) {
  store::KeyReader reader(key);
  if (!reader.text() || !reader.number() || !reader.text()) return std::nullopt;
  const auto due = reader.number();
  if (!due) return std::nullopt;
  return from_millis(static_cast<std::int64_t>(*due));
}

State state_of(const PendingRecord& record) {
  return {record.enqueued, record.attempts, record.failures, record.setbacks};
}

Event event_of(const PendingRecord& r) {
  return {.id = r.id,
          .account = r.account,
          .target = r.target,
          .payload = r.payload,
          .source = r.source,
          .source_arn = r.source_arn,
          .source_account = r.source_account,
          .trace = r.trace,
          .origin = r.origin};
}

EventStatus status_of(const PendingRecord& record) {
  EventStatus status;
  status.event = event_of(record);
  status.event.payload.clear();
  status.reason = record.reason;
  status.attempts = record.attempts;
  status.enqueued = record.enqueued;
  status.next_attempt = record.enqueued;
  return status;
}

Result<void> load_payload(store::Snapshot& snapshot, Delivery& delivery) {
  PendingRecord& record = delivery.record;
  if (record.payload_parts == 0 || !record.payload.empty()) return {};
  for (std::uint32_t part = 0; part < record.payload_parts; ++part) {
    TRY(auto piece, snapshot.get(payload_key(delivery.lane, record.id, part)));
    if (!piece)
      return fail(internal_error("a part of the payload of event " + record.id + " is missing"));
    record.payload += piece->value;
  }
  return {};
}

void enqueue(store::Tx& tx, const Event& event, Timestamp now) {
  write_event(
      event, now,
      [&](store::Key key, std::string part) { tx.put_bytes(std::move(key), std::move(part)); },
      [&](store::Shard shard, const std::string& prefix, const PendingRecord& record) {
        tx.append(shard, prefix, record);
      });
}

void enqueue(store::Batch& batch, const Event& event, Timestamp now) {
  write_event(
      event, now,
      [&](store::Key key, std::string part) {
        batch.puts.push_back({std::move(key), std::move(part)});
      },
      [&](store::Shard shard, const std::string& prefix, const PendingRecord& record) {
        batch.appends.push_back({shard, prefix, store::encode(record, prefix)});
      });
}

store::Batch settle(const Delivery& delivery, const Step& step, Timestamp now) {
  store::Batch batch;
  batch.checks.push_back({delivery.place.key, delivery.place.version});
  batch.deletes.push_back(delivery.place.key);

  PendingRecord record = delivery.record;
  if (record.payload_parts > 0) record.payload.clear();  // it lies in its parts
  record.attempts = step.state.attempts;
  record.failures = step.state.failures;
  record.setbacks = step.state.setbacks;
  record.reason = step.reason;
  const store::Shard shard = shard_of_lane(delivery.lane);

  if (step.terminal == Terminal::pending) {
    const store::Key key = due_key(delivery.lane, delivery.function, step.next_attempt, record.id);
    batch.puts.push_back({key, store::encode(record, key.bytes)});
    return batch;
  }
  if (step.terminal == Terminal::succeeded) {
    for (std::uint32_t part = 0; part < record.payload_parts; ++part) {
      batch.deletes.push_back(payload_key(delivery.lane, record.id, part));
    }
    record.payload_parts = 0;
    record.payload.clear();
  }
  TerminalRecord done;
  done.event = std::move(record);
  done.terminal = static_cast<std::int32_t>(step.terminal);
  done.reason = step.reason;
  done.finished = now;
  const std::string prefix = done_prefix(delivery.lane, delivery.function);
  batch.appends.push_back({shard, prefix, store::encode(done, prefix)});
  return batch;
}

}  // namespace wolke::deliver
