// Events of one stream: put and get.
#include <fmt/core.h>

#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/deliver/lineage.h"
#include "wolke/services/logs/errors.h"
#include "wolke/services/logs/ops.h"

namespace wolke::logs {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr std::size_t events_max = 10'000;
/// CloudWatch Logs API reference, PutLogEvents.
constexpr Millis future_max = hours(2), past_max = days(14), span_max = hours(24);

Result<void> check_batch(const std::vector<model::logs::InputLogEvent>& events) {
  std::size_t bytes = 0;
  std::int64_t previous = 0;
  for (const auto& event : events) {
    const std::size_t size = event.message.value_or("").size() + event_overhead_bytes;
    if (size > event_bytes_max) {
      return fail(invalid_parameter(
          fmt::format("Log event too large: {} bytes exceeds limit of {}", size, event_bytes_max)));
    }
    bytes += size;
    const std::int64_t at = event.timestamp.value_or(0);
    if (at < previous) {
      return fail(invalid_parameter(
          "Log events in a single PutLogEvents request must be in chronological order."));
    }
    previous = at;
  }
  if (bytes > batch_bytes_max) {
    return fail(invalid_parameter(
        fmt::format("Upload too large: {} bytes exceeds limit of {}", bytes, batch_bytes_max)));
  }
  const bool too_wide =
      !events.empty() && previous - events.front().timestamp.value_or(0) > span_max.count();
  if (too_wide) {
    return fail(
        invalid_parameter("The batch of log events in a single PutLogEvents request cannot span "
                          "more than 24 hours."));
  }
  return {};
}

/// The events that are taken, and what the answer says of the others. Events are in order, so the
/// old ones come first.
struct Sorted {
  std::vector<NewEvent> taken;
  std::optional<model::logs::RejectedLogEventsInfo> rejected;
};

/// A function's SDK sends the trace of its invocation with what it asks for.
std::string lineage_of(const Context& context) {
  if (!context.headers) return "";
  for (const auto& [name, value] : *context.headers) {
    if (name == "x-amzn-trace-id") return deliver::lineage_of(value);
  }
  return "";
}

Sorted sort_by_age(const std::vector<model::logs::InputLogEvent>& events, const Group& group,
                   const std::string& lineage, Timestamp now) {
  Sorted out;
  const std::int64_t too_new = to_millis(now + future_max), too_old = to_millis(now - past_max);
  const std::int64_t expired = oldest_readable_ms(group, now);
  auto rejected = [&out]() -> model::logs::RejectedLogEventsInfo& {
    return out.rejected ? *out.rejected : out.rejected.emplace();
  };
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::int64_t at = events[i].timestamp.value_or(0);
    const auto index = static_cast<std::int32_t>(i);
    if (at < expired) {
      rejected().expired_log_event_end_index = index + 1;
    } else if (at < too_old) {
      rejected().too_old_log_event_end_index = index + 1;
    } else if (at > too_new) {
      rejected().too_new_log_event_start_index = index;
      break;
    } else {
      out.taken.push_back({at, valid_text(events[i].message.value_or("")), lineage});
    }
  }
  return out;
}

// ---- tokens: f/ or b/, then timestamp and sequence ----

std::string write_token(char direction, Position position) {
  return fmt::format("{}/{:020}{:020}{:016}/s", direction, position.timestamp_ms, position.sequence,
                     0);
}

struct Token {
  bool backward = false;
  Position position;
};

Result<Token> read_token(std::string_view text) {
  const Error bad = invalid_parameter("The specified nextToken is invalid.");
  const bool framed = text.size() == 60 && (text.starts_with("f/") || text.starts_with("b/")) &&
                      text.ends_with("/s");
  if (!framed) return fail(bad);
  const auto timestamp = parse_i64(text.substr(2, 20));
  const auto sequence = parse_u64(text.substr(22, 20));
  if (!timestamp || *timestamp < 0 || !sequence) return fail(bad);
  return Token{text.front() == 'b', {*timestamp, *sequence}};
}

Position just_after(Position position) {
  return {position.timestamp_ms, position.sequence + 1};
}

struct Window {
  Position begin, end;
};

Window window_of(const op::GetLogEvents::Input& input, const Group& group, Timestamp now) {
  const std::int64_t start = std::max(input.start_time.value_or(0), oldest_readable_ms(group, now));
  constexpr std::int64_t forever = 1LL << 53;
  return {{start, 0}, {std::min(input.end_time.value_or(forever), forever), 0}};
}

}  // namespace

Result<op::PutLogEvents::Output> put_events(Logs&, Tx& tx, const Context& context,
                                            const op::PutLogEvents::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  const auto& events = input.log_events.value();
  TRY(check_batch(events));
  TRY(const Group group, get_group(tx, name));
  TRY(Stream stream, get_stream(tx, group, input.log_stream_name.value_or("")));
  Sorted sorted = sort_by_age(events, group, lineage_of(context), context.now);
  TRY(append_to_stream(tx, name, group, stream, sorted.taken, context.now, *context.random));
  op::PutLogEvents::Output out;
  out.next_sequence_token = fmt::format("{:056}", stream.next_sequence);
  out.rejected_log_events_info = sorted.rejected;
  return out;
}

Result<op::GetLogEvents::Output> get_events(Logs&, Tx& tx, const Context& context,
                                            const op::GetLogEvents::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name, input.log_group_identifier));
  TRY(const Group group, get_group(tx, name));
  TRY(const Stream stream, get_stream(tx, group, input.log_stream_name.value_or("")));
  const Window window = window_of(input, group, context.now);
  EventRange range{group.id, stream.id, window.begin, window.end};
  range.max = static_cast<std::size_t>(
      std::clamp<std::int32_t>(input.limit.value_or(events_max), 1, events_max));
  range.newest_first = !input.start_from_head.value_or(false);
  std::optional<Token> token;
  if (input.next_token) {
    TRY(token, read_token(*input.next_token));
    range.newest_first = token->backward;
    if (token->backward) range.end = std::min(range.end, token->position);
    if (!token->backward) range.begin = std::max(range.begin, just_after(token->position));
  }
  TRY(Events read, read_events(tx, range));
  if (range.newest_first) std::reverse(read.items.begin(), read.items.end());

  op::GetLogEvents::Output out;
  out.events.emplace();
  for (StoredEvent& stored : read.items) {
    model::logs::OutputLogEvent event;
    event.timestamp = stored.position.timestamp_ms;
    event.message = std::move(stored.event.message);
    event.ingestion_time = stored.event.ingested_ms;
    out.events->push_back(std::move(event));
  }
  // At an end the tokens stand still, which is how clients know.
  const Position here = token ? token->position : window.begin;
  out.next_forward_token = write_token('f', read.items.empty() ? here : read.items.back().position);
  out.next_backward_token =
      write_token('b', read.items.empty() ? here : read.items.front().position);
  return out;
}

}  // namespace wolke::logs
