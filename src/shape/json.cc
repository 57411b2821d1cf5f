#include "wolke/shape/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "wolke/base/text.h"
#include "wolke/shape/json_reader.h"

namespace wolke::shape {

Json::Json(double value) {
  if (std::isfinite(value))
    value_ = Number{fmt::format("{}", value)};  // JSON has no infinity: null
}

const Json* Json::find(std::string_view key) const {
  if (const Object* members = object()) {
    for (const auto& [name, value] : *members) {
      if (name == key) return &value;
    }
  }
  return nullptr;
}

std::optional<std::string> Json::string_at(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr || value->string() == nullptr) return std::nullopt;
  return *value->string();
}

std::optional<std::int64_t> Json::integer_at(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr || value->number() == nullptr) return std::nullopt;
  return parse_i64(value->number()->text);
}

void Json::set(std::string key, Json value) {
  if (is_null()) value_ = Object{};
  Object* members = object();
  ASSERT(members != nullptr);
  for (auto& [name, existing] : *members) {
    if (name == key) {
      existing = std::move(value);
      return;
    }
  }
  members->emplace_back(std::move(key), std::move(value));
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(from, i - from));
    from = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 15];
    }
  }
  out.append(text.substr(from));
  out += '"';
}

namespace {

void line(std::string& out, int indent) {
  if (indent < 0) return;
  out += '\n';
  out.append(static_cast<std::size_t>(indent) * 2, ' ');
}

// indent < 0: everything on one line.
void append(std::string& out, const Json& value, int indent) {
  int inner = indent < 0 ? -1 : indent + 1;
  if (const bool* b = value.boolean()) {
    out += *b ? "true" : "false";
  } else if (const Json::Number* number = value.number()) {
    out += number->text;
  } else if (const std::string* text = value.string()) {
    append_json_string(out, *text);
  } else if (const Json::Array* array = value.array()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (i > 0) out += ',';
      line(out, inner);
      append(out, (*array)[i], inner);
    }
    if (!array->empty()) line(out, indent);
    out += ']';
  } else if (const Json::Object* object = value.object()) {
    out += '{';
    bool first = true;
    for (const auto& [name, member] : *object) {
      if (!std::exchange(first, false)) out += ',';
      line(out, inner);
      append_json_string(out, name);
      out += indent < 0 ? ":" : ": ";
      append(out, member, inner);
    }
    if (!object->empty()) line(out, indent);
    out += '}';
  } else {
    out += "null";
  }
}

// The last of equal names wins and takes the first one's place.
void drop_duplicates(Json::Object& members) {
  std::vector<std::size_t> order(members.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return members[a].first < members[b].first;
  });
  std::vector<bool> drop(members.size(), false);
  bool any = false;
  for (std::size_t i = 0, j = 0; i < order.size(); i = j) {
    for (j = i + 1; j < order.size() && members[order[j]].first == members[order[i]].first; ++j) {
      drop[order[j]] = any = true;
    }
    if (j > i + 1) members[order[i]].second = std::move(members[order[j - 1]].second);
  }
  if (!any) return;
  Json::Object kept;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!drop[i]) kept.push_back(std::move(members[i]));
  }
  members = std::move(kept);
}

// Recursion is bounded by the reader's depth limit.
bool read(JsonReader& reader, Json& out) {
  using Token = JsonReader::Token;
  switch (Token token = reader.peek()) {
    case Token::object: {
      Json::Object members;
      std::string key;
      for (reader.enter_object(); reader.next_key(key);) {
        members.emplace_back(key, Json());
        if (!read(reader, members.back().second)) return false;
      }
      drop_duplicates(members);
      out = Json(std::move(members));
      return !reader.failed();
    }
    case Token::array: {
      Json::Array items;
      for (reader.enter_array(); reader.next_element();) {
        if (!read(reader, items.emplace_back())) return false;
      }
      out = Json(std::move(items));
      return !reader.failed();
    }
    case Token::string: {
      std::string text;
      if (!reader.read_string(text)) return false;
      out = Json(std::move(text));
      return true;
    }
    case Token::number: {
      std::string_view text;
      if (!reader.read_number(text)) return false;
      out = Json(Json::Number{std::string(text)});
      return true;
    }
    case Token::boolean_true:
    case Token::boolean_false:
      out = Json(token == Token::boolean_true);
      return reader.read_literal();
    case Token::null:
      out = Json();
      return reader.read_literal();
    default:
      return reader.skip();  // names the error
  }
}

}  // namespace

std::string Json::text() const {
  std::string out;
  append(out, *this, -1);
  return out;
}

std::string Json::pretty() const {
  std::string out;
  append(out, *this, 0);
  return out;
}

Result<Json> parse_json(std::string_view text) {
  JsonReader reader(text);
  Json value;
  if (!read(reader, value)) return fail(reader.error());
  if (!reader.at_end()) {
    return fail(
        {.code = "InvalidJson",
         .status = 400,
         .message = fmt::format("something follows the document at byte {}", reader.offset())});
  }
  return value;
}

}  // namespace wolke::shape
