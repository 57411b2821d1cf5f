#include "wolke/services/logs/state.h"

#include <fmt/core.h>

#include "wolke/services/logs/errors.h"
#include "wolke/store/keys.h"

namespace wolke::logs {
namespace {

using store::KeyBuilder;

store::Shard shard_of_groups(const GroupName& name) {
  return store::shard_of(fmt::format("logs/{}/{}", name.account, name.region));
}
store::Shard shard_of_group(std::uint64_t group) {
  return store::shard_of(fmt::format("logs.group/{}", group));
}

KeyBuilder groups_table(const GroupName& name) {
  KeyBuilder key("logs.group");
  key.text(name.account).text(name.region);
  return key;
}

KeyBuilder metric_filters_table(const GroupName& name) {
  KeyBuilder key("logs.metric");
  key.text(name.account).text(name.region);
  return key;
}

KeyBuilder policies_table(const GroupName& place) {
  KeyBuilder key("logs.policy");
  key.text(place.account).text(place.region);
  return key;
}

KeyBuilder query_definitions_table(const GroupName& place) {
  KeyBuilder key("logs.definition");
  key.text(place.account).text(place.region);
  return key;
}

KeyBuilder queries_table(const GroupName& place) {
  KeyBuilder key("logs.query");
  key.text(place.account).text(place.region);
  return key;
}

/// Every record of a table's part, which its limits keep small.
template <class T>
Result<std::vector<T>> list_all(store::Tx& tx, store::Shard shard, std::string begin) {
  store::Scan scan;
  scan.shard = shard;
  scan.end = store::prefix_end(begin);
  scan.begin = std::move(begin);
  std::vector<T> out;
  while (true) {
    TRY(const store::Page page, tx.scan(scan));
    for (const store::Record& record : page.records) {
      TRY(auto item, store::decode<T>(record.value, record.key));
      out.push_back(std::move(item));
    }
    if (!page.more || page.records.empty()) return out;
    scan.begin = page.records.back().key + '\0';
  }
}

std::string event_bytes(std::uint64_t stream, Position position) {
  return KeyBuilder("logs.event")
      .number(stream)
      .number(static_cast<std::uint64_t>(position.timestamp_ms))
      .number(position.sequence)
      .build();
}

}  // namespace

std::string GroupName::arn() const {
  return fmt::format("arn:aws:logs:{}:{}:log-group:{}", region, account, name);
}
std::string GroupName::stream_arn(const std::string& stream) const {
  return arn() + ":log-stream:" + stream;
}

store::Key group_key(const GroupName& name) {
  return {shard_of_groups(name), groups_table(name).text(name.name).build()};
}
store::Key stream_key(std::uint64_t group, std::string_view stream) {
  return {shard_of_group(group), KeyBuilder("logs.stream").number(group).text(stream).build()};
}
store::Key event_key(std::uint64_t group, std::uint64_t stream, Position position) {
  return {shard_of_group(group), event_bytes(stream, position)};
}
store::Key bytes_key(std::uint64_t group) {
  return {shard_of_group(group), KeyBuilder("logs.bytes").number(group).build()};
}
store::Key garbage_key(std::uint64_t group, std::uint64_t stream) {
  return {store::shard_of("logs.garbage"),
          KeyBuilder("logs.garbage").number(group).number(stream).build()};
}

store::Key metric_filter_key(const GroupName& group, std::string_view filter) {
  return {shard_of_groups(group),
          metric_filters_table(group).text(group.name).text(filter).build()};
}
store::Key policy_key(const GroupName& place, std::string_view policy) {
  return {shard_of_groups(place), policies_table(place).text(policy).build()};
}

store::Key query_key(const GroupName& place, std::string_view id) {
  return {shard_of_groups(place), queries_table(place).text(id).build()};
}

store::Key query_definition_key(const GroupName& place, std::string_view id) {
  return {shard_of_groups(place), query_definitions_table(place).text(id).build()};
}

std::string event_id(std::uint64_t stream, Position position) {
  return fmt::format("{:020}{:020}{:016}", position.timestamp_ms, position.sequence,
                     stream % 10'000'000'000'000'000ULL);
}

std::optional<Position> position_of(std::string_view key) {
  store::KeyReader reader(key);
  if (!reader.text() || !reader.number()) return std::nullopt;
  const auto timestamp = reader.number();
  const auto sequence = reader.number();
  if (!timestamp || !sequence) return std::nullopt;
  return Position{static_cast<std::int64_t>(*timestamp), *sequence};
}

Result<std::optional<Group>> find_group(store::Tx& tx, const GroupName& name) {
  return tx.get<Group>(group_key(name));
}
Result<Group> get_group(store::Tx& tx, const GroupName& name) {
  TRY(auto group, find_group(tx, name));
  if (!group) return fail(no_such_group());
  return *std::move(group);
}
Result<Stream> get_stream(store::Tx& tx, const Group& group, const std::string& name) {
  TRY(auto stream, tx.get<Stream>(stream_key(group.id, name)));
  if (!stream) return fail(no_such_stream());
  return *std::move(stream);
}
std::uint64_t new_id(Random& random) {
  return random.u64() | 1;
}

Result<Groups> list_groups(store::Tx& tx, const GroupName& prefix, std::string_view after,
                           std::size_t max) {
  store::Scan scan;
  scan.shard = shard_of_groups(prefix);
  scan.begin = groups_table(prefix).text_prefix(prefix.name).build();
  scan.end = store::prefix_end(scan.begin);
  if (!after.empty()) scan.begin = store::prefix_end(groups_table(prefix).text(after).build());
  scan.records_max = max;
  TRY(const store::Page page, tx.scan(scan));
  Groups out;
  for (const store::Record& record : page.records) {
    TRY(auto group, store::decode<Group>(record.value, record.key));
    out.items.push_back(std::move(group));
  }
  out.more = page.more;
  return out;
}

Result<std::vector<Stream>> list_streams(store::Tx& tx, const Group& group,
                                         std::string_view prefix) {
  return list_all<Stream>(tx, shard_of_group(group.id),
                          KeyBuilder("logs.stream").number(group.id).text_prefix(prefix).build());
}

Result<std::vector<MetricFilter>> list_metric_filters(store::Tx& tx, const GroupName& group) {
  KeyBuilder key = metric_filters_table(group);
  if (!group.name.empty()) key.text(group.name);
  return list_all<MetricFilter>(tx, shard_of_groups(group), key.build());
}

Result<std::vector<ResourcePolicy>> list_policies(store::Tx& tx, const GroupName& place) {
  return list_all<ResourcePolicy>(tx, shard_of_groups(place), policies_table(place).build());
}

Result<std::vector<Query>> list_queries(store::Tx& tx, const GroupName& place) {
  return list_all<Query>(tx, shard_of_groups(place), queries_table(place).build());
}

Result<std::vector<QueryDefinition>> list_query_definitions(store::Tx& tx, const GroupName& place) {
  return list_all<QueryDefinition>(tx, shard_of_groups(place),
                                   query_definitions_table(place).build());
}

Result<Events> read_events(store::Tx& tx, const EventRange& range) {
  Events out;
  if (range.end <= range.begin) return out;
  store::Scan scan;
  scan.shard = shard_of_group(range.group);
  scan.begin = event_bytes(range.stream, range.begin);
  scan.end = event_bytes(range.stream, range.end);
  scan.reverse = range.newest_first;
  scan.records_max = range.max;
  TRY(const store::Page page, tx.scan(scan));
  for (const store::Record& record : page.records) {
    TRY(auto event, store::decode<Event>(record.value, record.key));
    const auto position = position_of(record.key);
    if (!position) return fail(internal_error("a log event's key has an unknown form"));
    out.items.push_back({*position, std::move(event)});
  }
  out.more = page.more;
  return out;
}

}  // namespace wolke::logs
