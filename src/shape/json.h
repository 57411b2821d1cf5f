#pragma once
// JSON documents (RFC 8259) as a small tree, for what has no schema: policy documents, event
// payloads, CLI output. Strict: UTF-8, no duplicate keys kept (last wins, as AWS does), depth ≤
// limits::document_depth_max. Numbers keep their text. Members keep their order. Writing is
// canonical: no spaces, minimal escapes.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "wolke/base/result.h"

namespace wolke::shape {

class Json {
 public:
  struct Number {
    std::string text;
  };
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;  // null
  Json(bool value) : value_(value) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::int64_t value) : value_(Number{std::to_string(value)}) {}
  Json(int value) : value_(Number{std::to_string(value)}) {}
  Json(std::uint64_t value) : value_(Number{std::to_string(value)}) {}
  Json(double value);
  Json(Number value) : value_(std::move(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const Number* number() const { return std::get_if<Number>(&value_); }
  const std::string* string() const { return std::get_if<std::string>(&value_); }
  const Array* array() const { return std::get_if<Array>(&value_); }
  const Object* object() const { return std::get_if<Object>(&value_); }
  Array* array() { return std::get_if<Array>(&value_); }
  Object* object() { return std::get_if<Object>(&value_); }

  /// The member of an object; nullptr when this is no object or has none.
  const Json* find(std::string_view key) const;
  std::optional<std::string> string_at(std::string_view key) const;
  std::optional<std::int64_t> integer_at(std::string_view key) const;
  void set(std::string key, Json value);  // appends or replaces; makes null an object

  std::string text() const;
  std::string pretty() const;  // two spaces

 private:
  std::variant<std::monostate, bool, Number, std::string, Array, Object> value_;
};

/// Error code "InvalidJson", message with the byte offset.
Result<Json> parse_json(std::string_view text);
void append_json_string(std::string& out, std::string_view text);

}  // namespace wolke::shape
