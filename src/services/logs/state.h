#pragma once
// The only file that knows how logs lie in the store. A group's streams and events are one shard.
// Groups and streams have numbers of their own, so that what is deleted and made again under the
// same name starts empty.
//   logs.group    account, region, name
//   logs.stream   group, name
//   logs.event    stream, timestamp, sequence     time-ordered within a stream, which for live logs
//                                                 is append order
//   logs.garbage  group, stream                   events (and streams) to be removed by the
//                                                 sweeper; 0: the whole group
//   logs.metric   account, region, group name, filter name
//   logs.policy   account, region, policy name
//   logs.query    account, region, query id
//   logs.definition  account, region, query definition id

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

/// Where matching events of a group go.
struct Subscription : store::Fields {
  std::string name, pattern;
  std::string destination;  // function ARN
  std::string source;       // the service principal that the function's policy admits
  std::string distribution;
  Timestamp created{};
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name), v(2, pattern), v(3, destination), v(4, source), v(5, distribution), v(6, created);
  }
};

struct Group : store::Fields {
  std::string name;
  std::uint64_t id = 0;
  Timestamp created{};
  std::optional<std::int32_t> retention_days;
  std::map<std::string, std::string> tags;
  std::string kms_key, log_class;
  std::vector<Subscription> subscriptions;  // here, since every append has to know them
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name), v(2, id), v(3, created), v(4, retention_days), v(5, tags), v(6, kms_key),
        v(7, log_class), v(8, subscriptions);
  }
};

/// What a metric filter makes of a matching event.
struct Transformation : store::Fields {
  std::string metric, metric_namespace, value, unit;
  std::optional<double> default_value;
  std::map<std::string, std::string> dimensions;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, metric), v(2, metric_namespace), v(3, value), v(4, unit), v(5, default_value),
        v(6, dimensions);
  }
};

struct MetricFilter : store::Fields {
  std::string group, name, pattern;
  Timestamp created{};
  std::vector<Transformation> transformations;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, group), v(2, name), v(3, pattern), v(4, created), v(5, transformations);
  }
};

struct ResourcePolicy : store::Fields {
  std::string name, document;
  Timestamp updated{};
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name), v(2, document), v(3, updated);
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

enum class QueryStatus { running, complete, failed, cancelled };

/// What was asked; the answer is worked out again when it is asked for and no longer in memory.
struct Query : store::Fields {
  std::string id, text;
  std::vector<std::string> groups;
  std::int64_t start_ms = 0, end_ms = 0;  // both included
  std::uint64_t limit = 0;
  QueryStatus status = QueryStatus::running;
  Timestamp created{};
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, id), v(2, text), v(3, groups), v(4, start_ms), v(5, end_ms), v(6, limit), v(7, status),
        v(8, created);
  }
};

/// A query that was given a name.
struct QueryDefinition : store::Fields {
  std::string id, name, text;
  std::vector<std::string> groups;
  std::string client_token;  // of the request that made it
  Timestamp modified{};
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, id), v(2, name), v(3, text), v(4, groups), v(5, client_token), v(6, modified);
  }
};

store::Key group_key(const GroupName& name);
store::Key stream_key(std::uint64_t group, std::string_view stream);
store::Key event_key(std::uint64_t group, std::uint64_t stream, Position position);
store::Key bytes_key(std::uint64_t group);  // counter of stored bytes
store::Key garbage_key(std::uint64_t group, std::uint64_t stream);
std::optional<Position> position_of(std::string_view event_key);
/// What tells one event from all others of its group.
std::string event_id(std::uint64_t stream, Position position);
store::Key metric_filter_key(const GroupName& group, std::string_view filter);
store::Key query_key(const GroupName& place, std::string_view id);
store::Key query_definition_key(const GroupName& place, std::string_view id);
store::Key policy_key(const GroupName& place, std::string_view policy);

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

/// Of one group, or of all groups of the account when the name is empty; in order of group and
/// filter name.
Result<std::vector<MetricFilter>> list_metric_filters(store::Tx& tx, const GroupName& group);
Result<std::vector<ResourcePolicy>> list_policies(store::Tx& tx, const GroupName& place);
Result<std::vector<Query>> list_queries(store::Tx& tx, const GroupName& place);
Result<std::vector<QueryDefinition>> list_query_definitions(store::Tx& tx, const GroupName& place);

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
