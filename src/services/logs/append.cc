#include "wolke/services/logs/append.h"

#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/services/logs/subscription.h"

namespace wolke::logs {

Result<void> append_to_stream(store::Tx& tx, const GroupName& name, const Group& group,
                              Stream& stream, std::span<const NewEvent> events, Timestamp now,
                              Random& random) {
  if (events.empty()) return {};
  std::uint64_t bytes = 0;
  std::vector<AppendedEvent> appended;  // only for subscriptions
  for (const NewEvent& given : events) {
    Event event;
    event.message = given.message;
    event.ingested_ms = to_millis(now);
    const Position position{given.timestamp_ms, stream.next_sequence};
    tx.put(event_key(group.id, stream.id, position), event);
    if (!group.subscriptions.empty())
      appended.push_back({position, std::move(event.message), given.lineage});
    const bool first = stream.empty();
    stream.first_ms = first ? given.timestamp_ms : std::min(stream.first_ms, given.timestamp_ms);
    stream.last_ms = first ? given.timestamp_ms : std::max(stream.last_ms, given.timestamp_ms);
    ++stream.next_sequence;
    bytes += given.message.size() + event_overhead_bytes;
  }
  stream.ingested_ms = to_millis(now);
  stream.bytes += bytes;
  tx.put(stream_key(group.id, stream.name), stream);
  tx.add(bytes_key(group.id), static_cast<std::int64_t>(bytes));
  return publish(tx, name, group, stream, appended, now, random);
}

Result<bool> group_exists(store::Store& store, const GroupName& name) {
  TRY(std::unique_ptr<store::Snapshot> snapshot, store.snapshot());
  TRY(const std::optional<store::Record> record, snapshot->get(group_key(name)));
  return record.has_value();
}

Result<void> append_events(store::Tx& tx, const StreamName& name, std::span<const NewEvent> events,
                           Timestamp now, Random& random) {
  TRY(auto group, find_group(tx, name.group));
  if (!group) {
    group.emplace();
    group->name = name.group.name;
    group->id = new_id(random);
    group->created = now;
    tx.put(group_key(name.group), *group);
  }
  TRY(auto stream, tx.get<Stream>(stream_key(group->id, name.stream)));
  if (!stream) {
    stream.emplace();
    stream->name = name.stream;
    stream->id = new_id(random);
    stream->created = now;
  }
  return append_to_stream(tx, name.group, *group, *stream, events, now, random);
}

namespace {

/// Length of the UTF-8 sequence that begins the text; 0: none.
std::size_t sequence_bytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length > text.size() || !is_valid_utf8(text.substr(0, length))) return 0;
  return length;
}

}  // namespace

std::string valid_text(std::string_view text) {
  if (is_valid_utf8(text)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_bytes(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

}  // namespace wolke::logs
