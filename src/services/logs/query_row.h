#pragma once
// What a query's commands work on: values, and rows of them. An event's own fields are worked out
// when they are asked for, since most queries look at one or two of each event.
//
// Threads: values; a row is used by one thread at a time.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "wolke/shape/json.h"

namespace wolke::logs {

struct Value {
  enum class Kind { none, text, number, time };
  Kind kind = Kind::none;
  std::string text;
  double number = 0;  // of number; of time: milliseconds

  static Value of(std::string text) { return {Kind::text, std::move(text), 0}; }
  static Value of(double number) { return {Kind::number, {}, number}; }
  static Value of(bool truth) { return of(truth ? 1.0 : 0.0); }
  static Value at(std::int64_t millis) { return {Kind::time, {}, static_cast<double>(millis)}; }

  bool empty() const { return kind == Kind::none; }
  bool truth() const;
  std::optional<double> as_number() const;
  std::string as_text() const;  // times as "2026-11-23 17:00:00.000"
};
/// Nothing before numbers before text.
int compare(const Value& a, const Value& b);

/// Where events come from: what all of a stream have in common.
struct EventSource {
  std::string account, group, stream;
};

/// @ptr: which event it was.
struct EventPointer {
  std::int64_t timestamp_ms = 0;
  std::uint64_t sequence = 0;
  std::string group, stream;
  std::string text() const;
};
std::optional<EventPointer> parse_pointer(std::string_view text);

struct QueriedEvent {
  std::string message;
  std::int64_t timestamp_ms = 0, ingested_ms = 0;
  std::uint64_t sequence = 0;
  std::shared_ptr<const EventSource> source;  // of all events of a stream
  /// @message, @timestamp, @ptr, …; of functions' REPORT, START and END lines what they say of
  /// themselves: @type, @requestId, @duration, ….
  Value field(std::string_view name) const;
};
/// All that the event says of itself, by field: also what a query would have to name. Times are
/// milliseconds here; at most `json_fields_max` of a JSON message's members.
std::map<std::string, std::string> all_fields(const QueriedEvent& event);
inline constexpr std::size_t json_fields_max = 1000;  // Logs Insights quota: discovered fields

/// An event on its way through the commands, or a row that a command made: what commands gave it,
/// the event's own fields, and the members of a JSON message, by dotted names.
class Row {
 public:
  Row() = default;
  explicit Row(QueriedEvent event) : event_(std::move(event)) {}

  void set(const std::string& name, Value value) { values_[name] = std::move(value); }
  Value get(const std::string& name) const;
  /// The field's text where it lies; null: it is no text, or has to be worked out.
  const std::string* text_of(const std::string& name) const;
  std::size_t bytes() const;
  /// The message is read again when it is asked for.
  void forget_document() { document_.reset(); }

 private:
  std::optional<QueriedEvent> event_;
  std::map<std::string, Value> values_;
  mutable std::shared_ptr<const shape::Json> document_;  // shared by copies; never changes
};

}  // namespace wolke::logs
