#include "wolke/services/logs/subscription.h"

#include <zlib.h>

#include "wolke/base/hash.h"
#include "wolke/deliver/delivery.h"
#include "wolke/services/logs/filter_pattern.h"
#include "wolke/shape/json.h"

namespace wolke::logs {
namespace {

using shape::Json;

std::string gzip(const std::string& plain) {
  z_stream stream{};
  constexpr int gzip_frame = 16 + MAX_WBITS, memory_level = 8;
  ASSERT(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_frame, memory_level,
                      Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  // The bound holds for one call, so it ends here.
  ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Json json_of(const SubscribedEvent& event) {
  Json out = Json::Object{};
  out.set("id", event.id);
  out.set("timestamp", event.timestamp_ms);
  out.set("message", event.message);
  if (!event.fields.empty()) {
    Json fields = Json::Object{};
    for (const auto& [name, value] : event.fields) fields.set(name, value);
    out.set("extractedFields", std::move(fields));
  }
  return out;
}

std::vector<SubscribedEvent> wanted_by(const FilterPattern& pattern, const Stream& stream,
                                       std::span<const AppendedEvent> events) {
  std::vector<SubscribedEvent> out;
  for (const AppendedEvent& event : events) {
    if (!pattern.matches(event.message)) continue;
    out.push_back({event_id(stream.id, event.position), event.position.timestamp_ms, event.message,
                   pattern.named_fields(event.message), event.lineage});
  }
  return out;
}

/// How many events from the front go into one payload: at least one.
std::size_t portion_of(std::span<const SubscribedEvent> events) {
  std::size_t count = 0, bytes = 0;
  while (count < events.size()) {
    bytes += events[count].message.size() + 100;
    if (count > 0 && bytes > payload_messages_bytes_max) break;
    if (events[count].lineage != events.front().lineage) break;
    ++count;
  }
  return count;
}

}  // namespace

std::string subscription_document(const SubscriptionSource& source,
                                  std::span<const SubscribedEvent> events) {
  Json::Array items;
  for (const SubscribedEvent& event : events) items.push_back(json_of(event));
  Json out = Json::Object{};
  out.set("messageType", "DATA_MESSAGE");
  out.set("owner", source.account);
  out.set("logGroup", source.group);
  out.set("logStream", source.stream);
  out.set("subscriptionFilters", Json::Array{Json(source.filter)});
  out.set("logEvents", std::move(items));
  return out.text();
}

std::string subscription_payload(const std::string& document) {
  return R"({"awslogs":{"data":")" + to_base64(gzip(document)) + R"("}})";
}

Result<void> publish(store::Tx& tx, const GroupName& name, const Group& group, const Stream& stream,
                     std::span<const AppendedEvent> events, Timestamp now, Random& random) {
  for (const Subscription& subscription : group.subscriptions) {
    TRY(const FilterPattern pattern, parse_filter_pattern(subscription.pattern));
    const std::vector<SubscribedEvent> wanted = wanted_by(pattern, stream, events);
    std::span<const SubscribedEvent> rest(wanted);
    while (!rest.empty()) {
      const std::size_t count = portion_of(rest);
      const std::string document = subscription_document(
          {name.account, name.name, stream.name, subscription.name}, rest.first(count));
      deliver::enqueue(tx,
                       deliver::Event{.id = random.uuid(),
                                      .account = name.account,
                                      .target = subscription.destination,
                                      .payload = subscription_payload(document),
                                      .source = subscription.source,
                                      .source_arn = name.arn() + ":*",
                                      .source_account = name.account,
                                      .trace = rest.front().lineage},
                       now);
      rest = rest.subspan(count);
    }
  }
  return {};
}

}  // namespace wolke::logs
