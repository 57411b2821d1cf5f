// GetLogGroupFields: which fields the events of a group have around a time, and how many of them.
// Source: CloudWatch Logs API reference.

#include <algorithm>

#include "wolke/services/logs/ops.h"

namespace wolke::logs {
namespace {

constexpr Millis around = std::chrono::minutes(8);
constexpr Millis recent = std::chrono::minutes(15);
constexpr std::int64_t seconds_max = 100'000'000'000;  // what is more is milliseconds
constexpr std::int64_t millis_max = 1LL << 53;
/// What one call looks at, of the streams in the order of their names.
constexpr std::size_t events_max = 10'000;
constexpr std::size_t bytes_max = 16 * 1024 * 1024;

struct Window {
  std::int64_t begin_ms = 0, end_ms = 0;  // the end is not in it
};

Window window_of(const op::GetLogGroupFields::Input& input, Timestamp now) {
  const std::int64_t now_ms = to_millis(now);
  if (!input.time) return {now_ms - recent.count(), now_ms + 1};
  const std::int64_t given = std::clamp<std::int64_t>(*input.time, 0, millis_max);
  const std::int64_t center = given < seconds_max ? given * 1000 : given;
  return {center - around.count(), center + around.count() + 1};
}

struct Count {
  std::size_t events = 0, bytes = 0;
  std::map<std::string, std::size_t> by_field;
  bool is_full() const { return events >= events_max || bytes >= bytes_max; }
};

Result<void> count_stream(Tx& tx, const GroupName& name, const Group& group, const Stream& stream,
                          const Window& window, Count& out) {
  const auto source =
      std::make_shared<const EventSource>(EventSource{name.account, name.name, stream.name});
  EventRange range{group.id, stream.id, {window.begin_ms, 0}, {window.end_ms, 0}};
  range.max = 1000;
  for (bool more = true; more && !out.is_full();) {
    TRY(Events page, read_events(tx, range));
    for (StoredEvent& stored : page.items) {
      ++out.events;
      out.bytes += stored.event.message.size();
      const QueriedEvent event{std::move(stored.event.message), stored.position.timestamp_ms,
                               stored.event.ingested_ms, stored.position.sequence, source};
      for (const auto& [field, text] : all_fields(event)) ++out.by_field[field];
      range.begin = {stored.position.timestamp_ms, stored.position.sequence + 1};
    }
    more = page.more;
  }
  return {};
}

}  // namespace

Result<op::GetLogGroupFields::Output> get_group_fields(Logs&, Tx& tx, const Context& context,
                                                       const op::GetLogGroupFields::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name, input.log_group_identifier));
  TRY(const Group group, get_group(tx, name));
  Window window = window_of(input, context.now);
  window.begin_ms = std::max(window.begin_ms, oldest_readable_ms(group, context.now));
  TRY(const auto streams, list_streams(tx, group, ""));
  Count count;
  for (const Stream& stream : streams) {
    if (stream.empty() || stream.last_ms < window.begin_ms || stream.first_ms >= window.end_ms)
      continue;
    TRY(count_stream(tx, name, group, stream, window, count));
  }
  op::GetLogGroupFields::Output out;
  out.log_group_fields.emplace();
  for (const auto& [field, events] : count.by_field) {
    auto& item = out.log_group_fields->emplace_back();
    item.name = field;
    item.percent = static_cast<std::int32_t>((100 * events + count.events / 2) / count.events);
  }
  std::ranges::stable_sort(*out.log_group_fields, std::greater(),
                           &model::logs::LogGroupField::percent);
  return out;
}

}  // namespace wolke::logs
