#include "wolke/services/logs/live_tail.h"

#include <algorithm>

#include "wolke/services/logs/ops.h"
#include "wolke/shape/event_stream.h"
#include "wolke/shape/json.h"
#include "wolke/store/keys.h"

namespace wolke::logs {
namespace {

using shape::Json;

constexpr std::string_view json = "application/json";
constexpr std::int64_t forever_ms = 1LL << 53;
constexpr std::size_t read_ahead = 500;
constexpr std::size_t update_bytes_max = 1'048'576;

Json texts(const std::vector<std::string>& items) {
  Json::Array out;
  for (const std::string& item : items) out.emplace_back(item);
  return out;
}

}  // namespace

LiveTail::LiveTail(store::Store& store, const LiveTails& tails, std::unique_ptr<Shares::Seat> seat,
                   TailRequest request)
    : store_(store), tails_(tails), seat_(std::move(seat)), request_(std::move(request)) {
  // Every append writes its stream's record.
  watch_ = store_.watch(store::KeyBuilder("logs.stream").build(), [this] { written_ = true; });
}

LiveTail::~LiveTail() {
  store_.unwatch(watch_);
}

bool LiveTail::wants(const Stream& stream) const {
  const auto begins = [&](const std::string& prefix) { return stream.name.starts_with(prefix); };
  if (!request_.streams.empty()) {
    return std::ranges::find(request_.streams, stream.name) != request_.streams.end();
  }
  return request_.stream_prefixes.empty() || std::ranges::any_of(request_.stream_prefixes, begins);
}

Result<void> LiveTail::skip_what_is_there(store::Tx& tx) {
  for (const GroupName& name : request_.groups) {
    TRY(const Group group, get_group(tx, name));
    TRY(const auto streams, list_streams(tx, group, ""));
    for (const Stream& stream : streams) seen_[stream.id] = stream.next_sequence;
  }
  return {};
}

Result<std::optional<std::string>> LiveTail::next(Timestamp now) {
  if (ended_ || tails_.closed()) return std::nullopt;
  if (!started_) {
    started_ = true;
    return start_message();
  }
  if (now - request_.began >= tail_session_max) {
    ended_ = true;
    Json document = Json::Object{};
    document.set("message", "The live tail session has been open for three hours.");
    return shape::exception_message("SessionTimeoutException", json, document.text());
  }
  TRY(Look seen, look(now));
  return update_message(std::move(seen));
}

Result<LiveTail::Look> LiveTail::look(Timestamp now) {
  Look out;
  // What is written while it is read here is found at the next look.
  if (!written_.exchange(false)) return out;
  TRY(const std::unique_ptr<store::Snapshot> snapshot, store_.snapshot());
  store::Tx tx(*snapshot);
  for (const GroupName& name : request_.groups) {
    TRY(const auto group, find_group(tx, name));
    if (!group) continue;  // deleted; one that is made again under its name is the same to a tail
    TRY(const auto streams, list_streams(tx, *group, ""));
    for (const Stream& stream : streams) {
      if (!wants(stream)) continue;
      TRY(look_into(tx, name, *group, stream, now, out));
    }
  }
  std::ranges::stable_sort(out.found, {}, [](const Found& one) { return one.stored.position; });
  return out;
}

/// Events lie in time order, and new ones are mostly the last: read from there until all that came
/// since the last look are found.
Result<void> LiveTail::look_into(store::Tx& tx, const GroupName& name, const Group& group,
                                 const Stream& stream, Timestamp now, Look& out) {
  const auto [seen, is_new] = seen_.try_emplace(stream.id, 1);
  const std::uint64_t begin = std::exchange(seen->second, stream.next_sequence);
  std::uint64_t missing = stream.next_sequence - begin;
  EventRange range{group.id, stream.id, {oldest_readable_ms(group, now), 0}, {forever_ms, 0}};
  range.newest_first = true;
  range.max = read_ahead;
  while (missing > 0) {
    TRY(Events page, read_events(tx, range));
    for (StoredEvent& stored : page.items) {
      const std::size_t bytes = stored.event.message.size();
      if (out.events_left == 0 || out.bytes_left < bytes) {
        out.sampled = true;
        return {};
      }
      --out.events_left;
      out.bytes_left -= bytes;
      if (stored.position.sequence < begin) continue;
      if (--missing == 0) page.more = false;
      if (!matches(stored.event.message, out)) continue;
      out.found.push_back({name.account + ":" + name.name, stream.name, std::move(stored)});
    }
    if (!page.more || page.items.empty()) break;
    range.end = page.items.back().position;
  }
  return {};
}

bool LiveTail::matches(const std::string& message, Look& look) const {
  const std::size_t steps = request_.pattern.regex_instructions() * message.size();
  if (steps > look.steps_left) {
    look.sampled = true;
    return false;
  }
  look.steps_left -= steps;
  return request_.pattern.matches(message);
}

/// What a stream over an RPC protocol begins with, and who listens to what.
std::string LiveTail::start_message() const {
  Json document = Json::Object{};
  document.set("requestId", request_.request_id);
  document.set("sessionId", request_.session_id);
  document.set("logGroupIdentifiers", texts(request_.identifiers));
  if (!request_.streams.empty()) document.set("logStreamNames", texts(request_.streams));
  if (!request_.stream_prefixes.empty()) {
    document.set("logStreamNamePrefixes", texts(request_.stream_prefixes));
  }
  if (!request_.pattern_text.empty()) document.set("logEventFilterPattern", request_.pattern_text);
  return shape::event_message("initial-response", "application/x-amz-json-1.1", "{}") +
         shape::event_message("sessionStart", json, document.text());
}

std::string LiveTail::update_message(Look look) {
  Json::Array results;
  const std::size_t count = std::min(look.found.size(), tail_update_events_max);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    // Evenly over all that there are.
    Found& one = look.found[i * look.found.size() / count];
    bytes += one.stored.event.message.size();
    if (bytes > update_bytes_max) {
      look.sampled = true;
      break;
    }
    Json item = Json::Object{};
    item.set("logGroupIdentifier", std::move(one.group));
    item.set("logStreamName", std::move(one.stream));
    item.set("message", std::move(one.stored.event.message));
    item.set("timestamp", one.stored.position.timestamp_ms);
    item.set("ingestionTime", one.stored.event.ingested_ms);
    results.push_back(std::move(item));
  }
  Json metadata = Json::Object{};
  metadata.set("sampled", look.sampled || look.found.size() > count);
  Json document = Json::Object{};
  document.set("sessionMetadata", std::move(metadata));
  document.set("sessionResults", std::move(results));
  return shape::event_message("sessionUpdate", json, document.text());
}

}  // namespace wolke::logs
