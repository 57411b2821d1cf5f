// FilterLogEvents: the events of many streams as one, in time order.
#include <fmt/core.h>

#include <algorithm>
#include <queue>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/services/logs/errors.h"
#include "wolke/services/logs/filter_pattern.h"
#include "wolke/services/logs/ops.h"

namespace wolke::logs {
namespace {

constexpr std::size_t events_max = 10'000;
constexpr std::size_t scanned_max = 20'000;  // of one call; the token goes on
constexpr std::size_t answer_bytes_max = 1'048'576;
/// Steps of regular expressions that one call may cost: about a second of one processor. What is
/// not searched then, the token's next call searches.
constexpr std::size_t regex_steps_of_call_max = 32'000'000;
constexpr std::size_t read_ahead = 200;
constexpr std::int64_t forever_ms = 1LL << 53;

/// Where an event stands in the one order of a group's events. `Text` is std::string or a view.
template <class Text>
struct PlaceOf {
  Position position;
  Text stream;
};
using Place = PlaceOf<std::string>;

template <class A, class B>
bool is_before(const PlaceOf<A>& a, const PlaceOf<B>& b) {
  if (a.position.timestamp_ms != b.position.timestamp_ms) {
    return a.position.timestamp_ms < b.position.timestamp_ms;
  }
  const int order = std::string_view(a.stream).compare(b.stream);
  return order != 0 ? order < 0 : a.position.sequence < b.position.sequence;
}

std::string write_token(const Place& place) {
  return to_base64(
      fmt::format("{}/{}/{}", place.position.timestamp_ms, place.position.sequence, place.stream));
}

Result<Place> read_token(const std::string& token) {
  const Error bad = invalid_parameter("The specified nextToken is invalid.");
  const auto text = from_base64(token);
  if (!text) return fail(bad);
  const std::size_t a = text->find('/');
  const std::size_t b = a == text->npos ? a : text->find('/', a + 1);
  if (b == text->npos) return fail(bad);
  const auto timestamp = parse_i64(text->substr(0, a));
  const auto sequence = parse_u64(text->substr(a + 1, b - a - 1));
  if (!timestamp || *timestamp < 0 || !sequence) return fail(bad);
  return Place{{*timestamp, *sequence}, text->substr(b + 1)};
}

/// One stream's events, read a few at a time.
class Cursor {
 public:
  Cursor(Stream stream, EventRange range) : stream_(std::move(stream)), range_(range) {
    range_.max = read_ahead;
  }

  /// False: no more.
  Result<bool> advance(Tx& tx) {
    if (++at_ < page_.items.size()) return true;
    if (started_ && !page_.more) return false;
    if (!page_.items.empty()) {
      range_.begin = {page_.items.back().position.timestamp_ms,
                      page_.items.back().position.sequence + 1};
    }
    started_ = true;
    TRY(page_, read_events(tx, range_));
    at_ = 0;
    return !page_.items.empty();
  }
  StoredEvent& current() { return page_.items[at_]; }
  PlaceOf<std::string_view> place() const { return {page_.items[at_].position, stream_.name}; }
  const Stream& stream() const { return stream_; }

 private:
  Stream stream_;
  EventRange range_;
  Events page_;
  std::size_t at_ = 0;
  bool started_ = false;
};

bool wanted(const Stream& stream, const op::FilterLogEvents::Input& input) {
  if (stream.empty()) return false;
  if (stream.last_ms < input.start_time.value_or(0) ||
      stream.first_ms >= input.end_time.value_or(forever_ms)) {
    return false;
  }
  if (!input.log_stream_names) return true;
  return std::find(input.log_stream_names->begin(), input.log_stream_names->end(), stream.name) !=
         input.log_stream_names->end();
}

Result<std::vector<Cursor>> open_cursors(Tx& tx, const Context& context, const Group& group,
                                         const op::FilterLogEvents::Input& input,
                                         const std::optional<Place>& after) {
  TRY(const auto streams, list_streams(tx, group, input.log_stream_name_prefix.value_or("")));
  std::int64_t start =
      std::max(input.start_time.value_or(0), oldest_readable_ms(group, context.now));
  if (after) start = std::max(start, after->position.timestamp_ms);
  const std::int64_t end = std::min(input.end_time.value_or(forever_ms - 1), forever_ms - 1) + 1;
  std::vector<Cursor> out;
  for (const Stream& stream : streams) {
    if (!wanted(stream, input) || stream.last_ms < start) continue;
    Cursor cursor(stream, {group.id, stream.id, {start, 0}, {end, 0}});
    TRY(bool more, cursor.advance(tx));
    while (more && after && !is_before(*after, cursor.place())) {
      TRY(more, cursor.advance(tx));
    }
    if (more) out.push_back(std::move(cursor));
  }
  return out;
}

model::logs::FilteredLogEvent describe(Cursor& cursor) {
  StoredEvent& stored = cursor.current();
  model::logs::FilteredLogEvent out;
  out.log_stream_name = cursor.stream().name;
  out.timestamp = stored.position.timestamp_ms;
  out.message = std::move(stored.event.message);
  out.ingestion_time = stored.event.ingested_ms;
  out.event_id = event_id(cursor.stream().id, stored.position);
  return out;
}

}  // namespace

Result<op::FilterLogEvents::Output> filter_events(Logs&, Tx& tx, const Context& context,
                                                  const op::FilterLogEvents::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name, input.log_group_identifier));
  if (input.log_stream_names && input.log_stream_name_prefix) {
    return fail(invalid_parameter(
        "logStreamNamePrefix and logStreamNames are mutually exclusive parameters."));
  }
  TRY(const FilterPattern pattern, parse_filter_pattern(input.filter_pattern.value_or("")));
  TRY(const Group group, get_group(tx, name));
  for (const std::string& stream : input.log_stream_names.value_or(std::vector<std::string>{})) {
    TRY(const Stream found, get_stream(tx, group, stream));
  }
  std::optional<Place> after;
  if (input.next_token) {
    TRY(after, read_token(*input.next_token));
  }
  TRY(auto cursors, open_cursors(tx, context, group, input, after));

  const auto later = [&](std::size_t a, std::size_t b) {
    return is_before(cursors[b].place(), cursors[a].place());
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> next(later);
  for (std::size_t i = 0; i < cursors.size(); ++i) next.push(i);

  const auto max = static_cast<std::size_t>(
      std::clamp<std::int32_t>(input.limit.value_or(events_max), 1, events_max));
  op::FilterLogEvents::Output out;
  out.events.emplace();
  out.searched_log_streams.emplace();
  std::size_t scanned = 0, bytes = 0, steps = 0;
  const std::size_t steps_of_byte = pattern.regex_instructions();
  while (!next.empty()) {
    const std::size_t index = next.top();
    next.pop();
    Cursor& cursor = cursors[index];
    const Position position = cursor.place().position;
    steps += cursor.current().event.message.size() * steps_of_byte;
    if (pattern.matches(cursor.current().event.message)) {
      bytes += cursor.current().event.message.size();
      out.events->push_back(describe(cursor));
    }
    TRY(const bool more, cursor.advance(tx));
    if (more) next.push(index);
    const bool full = out.events->size() >= max || ++scanned >= scanned_max ||
                      bytes >= answer_bytes_max || steps >= regex_steps_of_call_max;
    if (!full) continue;
    if (!next.empty()) out.next_token = write_token({position, cursor.stream().name});
    return out;
  }
  return out;
}

}  // namespace wolke::logs
