#pragma once
// The only file that knows how logs lie in the store. A group's streams and events are one shard.
// Groups and streams have numbers of their own, so that what is deleted and made again under the
// same name starts empty.
//   logs.group    account, region, name
//   logs.stream   group, name
//   logs.event    stream, timestamp, sequence     time-ordered within a stream, which for live logs
//   is append order logs.garbage  group, stream                   events (and streams) to be
//   removed by the sweeper; 0: the whole group

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wolke/base/env.h"
#include "wolke/base/time.h"
#include "wolke/store/record.h"
#include "wolke/store/tx.h"

namespace wolke::logs {

struct GroupName {
  std::string account, region, name;
  std::string arn() const;  // without ":*"
  std::string stream_arn(const std::string& stream) const;
};

struct Group : store::Fields {
  std::string name;
  std::uint64_t id = 0;
  Timestamp created{};
  std::optional<std::int32_t> retention_days;
  std::map<std::string, std::string> tags;
  std::string kms_key, log_class;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name), v(2, id), v(3, created), v(4, retention_days), v(5, tags), v(6, kms_key),
        v(7, log_class);
  }
};

struct Stream : store::Fields {
  std::string name;
  std::uint64_t id = 0;
  Timestamp created{};
  std::int64_t first_ms = 0, last_ms = 0, ingested_ms = 0;  // of events; all 0 while there are none
  std::uint64_t next_sequence = 1;
  std::uint64_t bytes = 0;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name), v(2, id), v(3, created), v(4, first_ms), v(5, last_ms), v(6, ingested_ms),
        v(7, next_sequence);
    v(8, bytes);
  }
  bool empty() const { return next_sequence == 1; }
};

struct Event : store::Fields {
  std::string message;
  std::int64_t ingested_ms = 0;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, message), v(2, ingested_ms);
  }
};

/// An event's place in its stream.
struct Position {
  std::int64_t timestamp_ms = 0;
  std::uint64_t sequence = 0;
  auto operator<=>(const Position&) const = default;
};

store::Key group_key(const GroupName& name);
store::Key stream_key(std::uint64_t group, std::string_view stream);
store::Key event_key(std::uint64_t group, std::uint64_t stream, Position position);
store::Key bytes_key(std::uint64_t group);  // counter of stored bytes
store::Key garbage_key(std::uint64_t group, std::uint64_t stream);
std::optional<Position> position_of(std::string_view event_key);

Result<std::optional<Group>> find_group(store::Tx& tx, const GroupName& name);
Result<Group> get_group(store::Tx& tx, const GroupName& name);
Result<Stream> get_stream(store::Tx& tx, const Group& group, const std::string& name);
/// A number that was never used; 0 is none.
std::uint64_t new_id(Random& random);

/// Groups whose names begin with `prefix`, after `after`, in name order.
struct Groups {
  std::vector<Group> items;
  bool more = false;
};
Result<Groups> list_groups(store::Tx& tx, const GroupName& prefix, std::string_view after,
                           std::size_t max);
/// All streams of the group whose names begin with `prefix`, in name order.
Result<std::vector<Stream>> list_streams(store::Tx& tx, const Group& group,
                                         std::string_view prefix);

struct StoredEvent {
  Position position;
  Event event;
};
/// Events of a stream with begin <= position < end, at most `max` and about 1 MB.
struct EventRange {
  std::uint64_t group = 0, stream = 0;
  Position begin, end;
  bool newest_first = false;
  std::size_t max = 10'000;
};
struct Events {
  std::vector<StoredEvent> items;  // in the order read
  bool more = false;
};
Result<Events> read_events(store::Tx& tx, const EventRange& range);

}  // namespace wolke::logs
