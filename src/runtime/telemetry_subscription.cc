#include "wolke/runtime/telemetry_subscription.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "wolke/base/text.h"
#include "wolke/shape/json.h"

namespace wolke::runtime {
namespace {

using shape::Json;

constexpr TelemetryKind kinds[] = {TelemetryKind::platform, TelemetryKind::function,
                                   TelemetryKind::extension};
/// What the server itself serves inside; Lambda reserves the first.
constexpr std::uint16_t reserved_ports[] = {9001, 9002, 4566, 443, 53};
constexpr std::size_t path_bytes_max = 1024;

using Faults = std::vector<std::string>;

void take_kinds(const Json& request, TelemetrySubscription& out, Faults& faults) {
  const Json* types = request.find("types");
  if (!types || !types->array() || types->array()->empty()) {
    return faults.emplace_back("types should not be empty"), void();
  }
  for (const Json& type : *types->array()) {
    const auto known = std::ranges::find_if(kinds, [&](TelemetryKind kind) {
      return type.string() && *type.string() == name_of(kind);
    });
    if (known == std::end(kinds)) {
      faults.emplace_back("types should be platform, function or extension");
    } else if (std::ranges::find(out.kinds, *known) == out.kinds.end()) {
      out.kinds.push_back(*known);
    }
  }
}

/// "http://sandbox.localdomain:8080/path"
void take_address(std::string_view uri, TelemetrySubscription& out, Faults& faults) {
  if (!uri.starts_with("http://")) {
    return faults.emplace_back("URI scheme should be http"), void();
  }
  uri.remove_prefix(7);
  const std::size_t slash = std::min(uri.find('/'), uri.size());
  const std::string_view authority = uri.substr(0, slash);
  const std::size_t colon = std::min(authority.find(':'), authority.size());
  const std::string_view host = authority.substr(0, colon);
  if (host != "sandbox.localdomain" && host != "sandbox") {
    faults.emplace_back("URI host should be sandbox.localdomain or sandbox");
  }
  const auto port =
      colon < authority.size() ? parse_u64(authority.substr(colon + 1)) : std::nullopt;
  if (!port || *port == 0 || *port > 65535) {
    faults.emplace_back("URI port is not provided");
  } else if (std::ranges::find(reserved_ports, *port) != std::end(reserved_ports)) {
    faults.emplace_back(fmt::format("URI port {} is reserved", *port));
  } else {
    out.port = static_cast<std::uint16_t>(*port);
  }
  if (slash == uri.size()) return;
  const std::string_view path = uri.substr(slash);
  const bool plain =
      std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
  if (!plain || path.size() > path_bytes_max) faults.emplace_back("URI path is not valid");
  out.path = path;
}

void take_destination(const Json& request, TelemetrySubscription& out, Faults& faults) {
  const Json* destination = request.find("destination");
  if (!destination || !destination->object()) {
    return faults.emplace_back("destination is not provided"), void();
  }
  const std::string protocol = destination->string_at("protocol").value_or("");
  if (protocol != "HTTP") {
    faults.emplace_back(protocol == "TCP" ? "protocol TCP is not supported, use HTTP"
                                          : "protocol should be HTTP");
  }
  const std::string method = destination->string_at("method").value_or("POST");
  if (method != "POST") faults.emplace_back("method should be POST");
  take_address(destination->string_at("URI").value_or(""), out, faults);
}

struct Range {
  const char* name;
  std::int64_t least, most;
};

/// The present value where it is not said.
std::int64_t number_in(const Json& buffering, Range range, std::int64_t present, Faults& faults) {
  if (!buffering.find(range.name)) return present;
  const auto value = buffering.integer_at(range.name);
  if (value && *value >= range.least && *value <= range.most) return *value;
  faults.push_back(
      fmt::format("{} should be between {} and {}", range.name, range.least, range.most));
  return present;
}

void take_buffering(const Json& request, TelemetrySubscription& out, Faults& faults) {
  if (out.api == TelemetryApi::logs) out.items_max = 10'000;
  const Json* buffering = request.find("buffering");
  if (!buffering || buffering->is_null()) return;
  const auto items = static_cast<std::int64_t>(out.items_max);
  const auto bytes = static_cast<std::int64_t>(out.bytes_max);
  out.items_max =
      static_cast<std::size_t>(number_in(*buffering, {"maxItems", 1000, 10'000}, items, faults));
  out.bytes_max = static_cast<std::size_t>(
      number_in(*buffering, {"maxBytes", 262'144, 1'048'576}, bytes, faults));
  out.timeout = std::chrono::milliseconds(
      number_in(*buffering, {"timeoutMs", 25, 30'000}, out.timeout.count(), faults));
}

void take_schema(const Json& request, TelemetrySubscription& out, Faults& faults) {
  const bool telemetry = out.api == TelemetryApi::telemetry;
  const std::string schema =
      request.string_at("schemaVersion").value_or(telemetry ? "" : "2020-08-15");
  constexpr std::array<std::string_view, 3> of_telemetry = {"2022-07-01", "2022-12-13",
                                                            "2025-01-29"};
  constexpr std::array<std::string_view, 2> of_logs = {"2020-08-15", "2021-03-18"};
  const bool known = telemetry ? std::ranges::find(of_telemetry, schema) != of_telemetry.end()
                               : std::ranges::find(of_logs, schema) != of_logs.end();
  if (!known) faults.emplace_back("schemaVersion is not valid");
  out.runtime_done = schema != "2020-08-15";
}

}  // namespace

std::string_view title_of(TelemetryKind kind) {
  constexpr std::string_view titles[] = {"Platform", "Function", "Extension"};
  return titles[static_cast<std::size_t>(kind)];
}

std::string_view name_of(TelemetryKind kind) {
  constexpr std::string_view names[] = {"platform", "function", "extension"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view name_of(TelemetryState state) {
  return state == TelemetryState::subscribed ? "Subscribed" : "Already subscribed";
}

bool TelemetrySubscription::wants(TelemetryKind kind, std::string_view type) const {
  if (std::ranges::find(kinds, kind) == kinds.end()) return false;
  if (kind != TelemetryKind::platform) return true;
  if (api == TelemetryApi::telemetry) return type != "platform.end";
  if (type == "platform.runtimeDone") return runtime_done;
  // The Init phase's events are newer than the Logs API.
  return !type.starts_with("platform.init");
}

Result<TelemetrySubscription> parse_subscription(TelemetryApi api, std::string_view body) {
  TelemetrySubscription out{.api = api};
  Faults faults;
  const auto request = shape::parse_json(body);
  if (!request || !request->object()) {
    faults.emplace_back("the body is no JSON object");
  } else {
    take_schema(*request, out, faults);
    take_destination(*request, out, faults);
    take_kinds(*request, out, faults);
    take_buffering(*request, out, faults);
  }
  if (faults.empty()) return out;
  return fail({.code = api == TelemetryApi::logs ? "Logs.ValidationError" : "ValidationError",
               .status = 400,
               .message = fmt::format("{}", fmt::join(faults, "; "))});
}

// ---- what waits

TelemetryBuffer::TelemetryBuffer(const TelemetrySubscription& subscription)
    : items_max_(subscription.items_max),
      bytes_max_(subscription.bytes_max),
      timeout_(subscription.timeout) {}

void TelemetryBuffer::add(std::string item, Monotonic now, bool room) {
  // Twice a batch: one may be on its way.
  if (!room || items_.size() >= 2 * items_max_ || bytes_ + item.size() > 2 * bytes_max_) {
    ++dropped_items_;
    dropped_bytes_ += item.size();
    return;
  }
  bytes_ += item.size();
  items_.push_back({std::move(item), now});
}

Monotonic TelemetryBuffer::due() const {
  if (items_.empty()) return dropped_items_ > 0 ? Monotonic() : Monotonic::max();
  const bool full = items_.size() >= items_max_ || bytes_ >= bytes_max_ || dropped_items_ > 0;
  return full || flushing_ ? Monotonic() : items_.front().at + timeout_;
}

std::string TelemetryBuffer::batch(Timestamp now) {
  std::string out = "[";
  in_batch_ = 0;
  while (in_batch_ < items_.size() && in_batch_ < items_max_) {
    const std::string& text = items_[in_batch_].text;
    if (in_batch_ > 0 && out.size() + text.size() > bytes_max_) break;
    if (in_batch_ > 0) out += ',';
    out += text;
    ++in_batch_;
  }
  told_items_ = dropped_items_;
  told_bytes_ = dropped_bytes_;
  if (told_items_ > 0) {
    out += fmt::format(
        "{}{{\"time\":\"{}\",\"type\":\"platform.logsDropped\",\"record\":{{\"reason\":\"Consumer "
        "seems to have fallen behind as it has not acknowledged receipt of logs.\","
        "\"droppedRecords\":{},\"droppedBytes\":{}}}}}",
        in_batch_ > 0 ? "," : "", format_iso8601(now), told_items_, told_bytes_);
  }
  return out + ']';
}

void TelemetryBuffer::sent() {
  for (; in_batch_ > 0; --in_batch_) {
    bytes_ -= items_.front().text.size();
    items_.pop_front();
  }
  dropped_items_ -= std::exchange(told_items_, 0);
  dropped_bytes_ -= std::exchange(told_bytes_, 0);
  if (items_.empty()) flushing_ = false;
}

}  // namespace wolke::runtime
