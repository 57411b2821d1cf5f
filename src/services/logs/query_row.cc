#include "wolke/services/logs/query_row.h"

#include <fmt/core.h>

#include <vector>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/services/logs/filter_condition.h"

namespace wolke::logs {
namespace {

using shape::Json;

constexpr std::size_t row_bytes = 500;    // about what a row takes beside its texts
constexpr std::size_t value_bytes = 100;  // and each of its values

/// Dotted names lead into objects, their numbers into arrays; a name with dots in it is found, too.
const Json* find_dotted(const Json& document, std::string_view name) {
  if (const Json* whole = document.find(name)) return whole;
  for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1)) {
    const std::string_view first = name.substr(0, dot);
    const Json* inner = document.find(first);
    if (const Json::Array* array = document.array()) {
      const auto index = parse_u64(first);
      if (index && *index < array->size()) inner = &(*array)[*index];
    }
    if (inner == nullptr) continue;
    if (const Json* found = find_dotted(*inner, name.substr(dot + 1))) return found;
  }
  if (const Json::Array* array = document.array()) {
    const auto index = parse_u64(name);
    if (index && *index < array->size()) return &(*array)[*index];
  }
  return nullptr;
}

Value value_of(const Json& json) {
  if (const std::string* text = json.string()) return Value::of(*text);
  if (const bool* truth = json.boolean()) return *truth ? Value::of(1.0) : Value::of(0.0);
  if (json.is_null()) return {};
  return Value::of(json.text());
}

constexpr double megabyte = 1e6;
struct Figure {
  std::string_view field, label;
  double unit;
};
constexpr Figure figures[] = {{"@duration", "\tDuration: ", 1},
                              {"@billedDuration", "\tBilled Duration: ", 1},
                              {"@initDuration", "\tInit Duration: ", 1},
                              {"@memorySize", "\tMemory Size: ", megabyte},
                              {"@maxMemoryUsed", "\tMax Memory Used: ", megabyte}};

/// A field of a line as "REPORT RequestId: 17…\tDuration: 1.5 ms\t…".
Value report_field(std::string_view message, std::string_view name) {
  const std::string_view type = message.substr(0, message.find(' '));
  if (type != "REPORT" && type != "START" && type != "END") return {};
  constexpr std::string_view marker = " RequestId: ";
  if (!message.substr(type.size()).starts_with(marker)) return {};
  const std::string_view rest = message.substr(type.size() + marker.size());
  if (name == "@type") return Value::of(std::string(type));
  if (name == "@requestId") {
    return Value::of(std::string(rest.substr(0, rest.find_first_of(" \t\n"))));
  }
  if (type != "REPORT") return {};
  for (const Figure& figure : figures) {
    if (figure.field != name) continue;
    const std::size_t at = rest.find(figure.label);
    if (at == rest.npos) return {};
    const std::string_view value = rest.substr(at + figure.label.size());
    const auto number = number_of(value.substr(0, value.find(' ')));
    return number ? Value::of(*number * figure.unit) : Value{};
  }
  return {};
}

/// A JSON message's document; null for other messages.
Json document_of(const std::string& message) {
  const std::size_t brace = message.find_first_not_of(" \t\r\n");
  if (brace == message.npos || message[brace] != '{') return {};
  auto parsed = shape::parse_json(message);
  return parsed ? *std::move(parsed) : Json();
}

/// Values inside objects and arrays, under dotted names.
void flatten(const Json& json, const std::string& name, std::map<std::string, std::string>& out) {
  const std::string prefix = name.empty() ? "" : name + ".";
  if (const Json::Object* object = json.object()) {
    for (const auto& [member, value] : *object) {
      if (out.size() >= json_fields_max) return;
      flatten(value, prefix + member, out);
    }
  } else if (const Json::Array* array = json.array()) {
    for (std::size_t i = 0; i < array->size() && out.size() < json_fields_max; ++i) {
      flatten((*array)[i], prefix + std::to_string(i), out);
    }
  } else if (!name.empty() && !json.is_null()) {
    out[name] = value_of(json).as_text();
  }
}

}  // namespace

// Names of groups and streams have no ':'.
std::string EventPointer::text() const {
  return to_base64(fmt::format("{}:{}:{}:{}", timestamp_ms, sequence, group, stream));
}

std::optional<EventPointer> parse_pointer(std::string_view text) {
  const auto plain = from_base64(text);
  if (!plain) return std::nullopt;
  const std::vector<std::string_view> parts = split(*plain, ':');
  if (parts.size() != 4) return std::nullopt;
  const auto timestamp = parse_u64(parts[0]);
  const auto sequence = parse_u64(parts[1]);
  if (!timestamp || *timestamp > INT64_MAX || !sequence) return std::nullopt;
  return EventPointer{static_cast<std::int64_t>(*timestamp), *sequence, std::string(parts[2]),
                      std::string(parts[3])};
}

Value QueriedEvent::field(std::string_view name) const {
  if (name == "@message") return Value::of(message);
  if (name == "@timestamp") return Value::at(timestamp_ms);
  if (name == "@ingestionTime") return Value::at(ingested_ms);
  if (source && name == "@logStream") return Value::of(source->stream);
  if (source && name == "@log") return Value::of(source->account + ":" + source->group);
  if (source && name == "@ptr") {
    return Value::of(EventPointer{timestamp_ms, sequence, source->group, source->stream}.text());
  }
  return report_field(message, name);
}

std::map<std::string, std::string> all_fields(const QueriedEvent& event) {
  std::map<std::string, std::string> out;
  flatten(document_of(event.message), "", out);
  constexpr std::string_view names[] = {"@message",      "@timestamp",  "@ingestionTime",
                                        "@logStream",    "@log",        "@type",
                                        "@requestId",    "@duration",   "@billedDuration",
                                        "@initDuration", "@memorySize", "@maxMemoryUsed"};
  for (const std::string_view name : names) {
    Value value = event.field(name);
    if (value.kind == Value::Kind::time) value = Value::of(value.number);
    if (!value.empty()) out[std::string(name)] = value.as_text();
  }
  return out;
}

Value Row::get(const std::string& name) const {
  if (const auto known = values_.find(name); known != values_.end()) return known->second;
  if (!event_) return {};
  if (name.starts_with('@')) return event_->field(name);
  if (!document_) {
    document_ = std::make_shared<const Json>(document_of(event_->message));
  }
  const Json* found = find_dotted(*document_, name);
  return found != nullptr ? value_of(*found) : Value{};
}

const std::string* Row::text_of(const std::string& name) const {
  if (const auto known = values_.find(name); known != values_.end()) {
    return known->second.kind == Value::Kind::text ? &known->second.text : nullptr;
  }
  return event_ && name == "@message" ? &event_->message : nullptr;
}

std::size_t Row::bytes() const {
  std::size_t out = event_ ? event_->message.size() + row_bytes : 0;
  for (const auto& [name, value] : values_) out += name.size() + value.text.size() + value_bytes;
  return out;
}

}  // namespace wolke::logs
