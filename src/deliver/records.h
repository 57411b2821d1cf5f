#pragma once
// The only file that knows how deliveries lie in the store.
//
// Functions are spread over `lane_count` lanes by the hash of their unqualified ARN; a lane is one
// shard, so one owner. Within a lane each function has its own range, so a backlog of one never
// stands before another's events:
//   deliver.inbox   lane, function | commit version | index   appended by producers, append-ordered
//   deliver.due     lane, function, due, id                   between attempts
//   deliver.done    lane, function | commit version | index   terminal records
//   deliver.payload lane, id, part                            payloads too large for one record
// An event is in exactly one of inbox, due and done; moving it checks the version it was read at,
// so two settlements of one event cannot both commit.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/deliver/automaton.h"
#include "wolke/deliver/delivery.h"
#include "wolke/store/record.h"
#include "wolke/store/store.h"

namespace wolke::deliver {

using Lane = std::uint32_t;
inline constexpr Lane lane_count = 16;
/// Larger payloads are split; a record may have limits::record_bytes_max.
inline constexpr std::size_t payload_part_bytes = 256 * 1024;

struct PendingRecord : store::Fields {
  std::string id, account, target, payload, source, source_arn, source_account, trace, reason;
  std::uint32_t payload_parts = 0;
  Timestamp enqueued{};
  std::int32_t attempts = 0, failures = 0, setbacks = 0;
  std::string origin;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, id), v(2, account), v(3, target), v(4, payload), v(5, source), v(6, source_arn);
    v(7, source_account), v(8, trace), v(9, reason), v(10, payload_parts), v(11, enqueued);
    v(12, attempts), v(13, failures), v(14, setbacks), v(15, origin);
  }
};

struct TerminalRecord : store::Fields {
  PendingRecord event;  // the payload stays where it did not succeed
  std::int32_t terminal = 0;
  std::string reason;
  Timestamp finished{};
  std::string replayed_as;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, event), v(2, terminal), v(3, reason), v(4, finished), v(5, replayed_as);
  }
};

/// Where a pending event was read.
struct Place {
  store::Key key;
  store::Version version = 0;
};

/// A pending event in memory; `record.payload` is empty while its parts are not loaded.
struct Delivery {
  PendingRecord record;
  Place place;
  Lane lane = 0;
  std::string function;  // unqualified ARN
};

std::string unqualified(std::string_view function_arn);
Lane lane_of(std::string_view function);
store::Shard shard_of_lane(Lane lane);
std::string inbox_watch_prefix(Lane lane);
std::string inbox_prefix(Lane lane, std::string_view function);
std::string due_prefix(Lane lane, std::string_view function);
std::string done_prefix(Lane lane, std::string_view function);
std::string lane_prefix(std::string_view table, Lane lane);
store::Key due_key(Lane lane, std::string_view function, Timestamp due, std::string_view id);
store::Key payload_key(Lane lane, std::string_view id, std::uint32_t part);
/// The function of an inbox, due or done key.
std::optional<std::string> function_of_key(std::string_view key);
std::optional<Timestamp> due_of_key(std::string_view key);

State state_of(const PendingRecord& record);
Event event_of(const PendingRecord& record);
EventStatus status_of(const PendingRecord& record);

/// Reads the parts of a split payload into the record.
Result<void> load_payload(store::Snapshot& snapshot, Delivery& delivery);

/// Adds an event to the inbox within a batch of our own.
void enqueue(store::Batch& batch, const Event& event, Timestamp now);
/// The batch that moves the event to what `step` says.
store::Batch settle(const Delivery& delivery, const Step& step, Timestamp now);

}  // namespace wolke::deliver
