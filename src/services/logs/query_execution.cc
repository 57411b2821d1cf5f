#include "wolke/services/logs/query_execution.h"

#include <fmt/core.h>

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/services/logs/ops.h"

namespace wolke::logs {
namespace {

constexpr std::size_t read_ahead = 1000;
/// Of a query with a regular expression, which may cost far more for each event.
constexpr std::size_t read_ahead_by_regex = 20;
constexpr std::size_t portion_bytes_by_regex = 1024 * 1024;

bool may_have_regex(const Query& query) {
  return query.text.find('/') != std::string::npos;
}

}  // namespace

QueryStatus QueryExecution::status() const {
  if (!pipeline_.problem().empty()) return QueryStatus::failed;
  return open_ && sources_.empty() ? QueryStatus::complete : QueryStatus::running;
}

Result<void> QueryExecution::open(store::Tx& tx, Timestamp now) {
  for (const std::string& name : query_.groups) {
    const GroupName group_name{place_.account, place_.region, name};
    TRY(const auto group, find_group(tx, group_name));
    if (!group) continue;
    const std::int64_t begin = std::max(query_.start_ms, oldest_readable_ms(*group, now));
    TRY(auto streams, list_streams(tx, *group, ""));
    for (Stream& stream : streams) {
      if (stream.empty() || stream.last_ms < begin || stream.first_ms > query_.end_ms) continue;
      EventRange range{group->id, stream.id, {begin, 0}, {query_.end_ms + 1, 0}};
      range.max = may_have_regex(query_) ? read_ahead_by_regex : read_ahead;
      sources_.push_back({std::make_shared<const EventSource>(
                              EventSource{place_.account, name, std::move(stream.name)}),
                          range});
    }
  }
  open_ = true;
  return {};
}

void QueryExecution::push(const Source& source, StoredEvent stored) {
  ++scanned_;
  scanned_bytes_ += stored.event.message.size();
  QueriedEvent event{std::move(stored.event.message), stored.position.timestamp_ms,
                     stored.event.ingested_ms, stored.position.sequence, source.events};
  pipeline_.push(Row(std::move(event)));
}

Result<void> QueryExecution::advance(store::Tx& tx, Timestamp now) {
  if (!open_) {
    TRY(open(tx, now));
  }
  const std::uint64_t events_end = scanned_ + query_portion_events;
  const std::uint64_t bytes_end =
      scanned_bytes_ + (may_have_regex(query_) ? portion_bytes_by_regex : query_portion_bytes);
  while (status() == QueryStatus::running && scanned_ < events_end && scanned_bytes_ < bytes_end) {
    Source& source = sources_.back();
    TRY(Events page, read_events(tx, source.range));
    const bool more = page.more && !page.items.empty();
    if (more) {
      const Position last = page.items.back().position;
      source.range.begin = {last.timestamp_ms, last.sequence + 1};
    }
    for (StoredEvent& stored : page.items) push(source, std::move(stored));
    if (!more) sources_.pop_back();
  }
  return {};
}

QueryExecutions::Shared QueryExecutions::find_or_make(const GroupName& place, const Query& query) {
  auto state = state_.lock();
  if (const auto known = state->by_id.find(query.id); known != state->by_id.end()) {
    return known->second;
  }
  auto commands = parse_query(query.text, query.created);
  ASSERT(commands.has_value());  // StartQuery took it
  auto made = std::make_shared<Guarded<std::unique_ptr<QueryExecution>>>();
  *made->lock() = std::make_unique<QueryExecution>(place, query, *std::move(commands));
  if (state->order.size() >= query_executions_max) {
    state->by_id.erase(state->order.front());
    state->order.erase(state->order.begin());
  }
  state->order.push_back(query.id);
  state->by_id.emplace(query.id, made);
  return made;
}

void QueryExecutions::forget(const std::string& id) {
  auto state = state_.lock();
  state->by_id.erase(id);
  std::erase(state->order, id);
}

}  // namespace wolke::logs
