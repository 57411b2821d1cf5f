#include "wolke/shape/json_reader.h"

#include <fmt/format.h>

#include "wolke/base/limits.h"
#include "wolke/base/text.h"
#include "wolke/shape/utf8.h"

namespace wolke::shape {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

bool JsonReader::fail_with(const char* problem) {
  if (problem_ == nullptr) problem_ = problem;
  return false;
}

Error JsonReader::error() const {
  return {.code = "InvalidJson",
          .status = 400,
          .message = fmt::format("{} at byte {}", problem_ ? problem_ : "no error", offset_)};
}

void JsonReader::skip_space() {
  while (offset_ < text_.size()) {
    char c = text_[offset_];
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return;
    ++offset_;
  }
}

bool JsonReader::consume(char c) {
  skip_space();
  if (offset_ >= text_.size() || text_[offset_] != c) return false;
  ++offset_;
  return true;
}

JsonReader::Token JsonReader::peek() {
  if (failed()) return Token::invalid;
  skip_space();
  if (offset_ >= text_.size()) return Token::end;
  switch (text_[offset_]) {
    case '{':
      return Token::object;
    case '[':
      return Token::array;
    case '"':
      return Token::string;
    case 't':
      return Token::boolean_true;
    case 'f':
      return Token::boolean_false;
    case 'n':
      return Token::null;
    default:
      break;
  }
  return text_[offset_] == '-' || is_digit(text_[offset_]) ? Token::number : Token::invalid;
}

bool JsonReader::read_literal() {
  std::string_view word;
  switch (peek()) {
    case Token::boolean_true:
      word = "true";
      break;
    case Token::boolean_false:
      word = "false";
      break;
    case Token::null:
      word = "null";
      break;
    default:
      return fail_with("expected true, false or null");
  }
  if (!text_.substr(offset_).starts_with(word)) return fail_with("unknown word");
  offset_ += word.size();
  return true;
}

bool JsonReader::read_number(std::string_view& out) {
  skip_space();
  std::size_t at = offset_;
  auto digits = [&] {
    std::size_t from = at;
    while (at < text_.size() && is_digit(text_[at])) ++at;
    return at > from;
  };
  if (at < text_.size() && text_[at] == '-') ++at;
  std::size_t integer = at;
  if (!digits()) return fail_with("expected a number");
  if (text_[integer] == '0' && at > integer + 1) return fail_with("number with a leading zero");
  if (at < text_.size() && text_[at] == '.') {
    ++at;
    if (!digits()) return fail_with("number without digits after its point");
  }
  if (at < text_.size() && (text_[at] == 'e' || text_[at] == 'E')) {
    ++at;
    if (at < text_.size() && (text_[at] == '+' || text_[at] == '-')) ++at;
    if (!digits()) return fail_with("number without digits in its exponent");
  }
  out = text_.substr(offset_, at - offset_);
  offset_ = at;
  return true;
}

bool JsonReader::read_hex4(unsigned& out) {
  if (offset_ + 4 > text_.size()) return fail_with("cut escape");
  out = 0;
  for (int i = 0; i < 4; ++i) {
    char c = text_[offset_++];
    unsigned digit = 0;
    if (is_digit(c)) {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A' + 10);
    } else {
      return fail_with("bad hexadecimal digit");
    }
    out = out * 16 + digit;
  }
  return true;
}

bool JsonReader::read_escape(std::string& out) {
  if (offset_ >= text_.size()) return fail_with("cut escape");
  char c = text_[offset_++];
  switch (c) {
    case '"':
    case '\\':
    case '/':
      out += c;
      return true;
    case 'b':
      out += '\b';
      return true;
    case 'f':
      out += '\f';
      return true;
    case 'n':
      out += '\n';
      return true;
    case 'r':
      out += '\r';
      return true;
    case 't':
      out += '\t';
      return true;
    case 'u':
      break;
    default:
      return fail_with("unknown escape");
  }
  unsigned unit = 0;
  if (!read_hex4(unit)) return false;
  if (unit >= 0xDC00 && unit <= 0xDFFF) return fail_with("lone surrogate");
  if (unit >= 0xD800 && unit <= 0xDBFF) {
    if (!text_.substr(offset_).starts_with("\\u")) return fail_with("lone surrogate");
    offset_ += 2;
    unsigned low = 0;
    if (!read_hex4(low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return fail_with("lone surrogate");
    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(out, unit);
  return true;
}

bool JsonReader::read_string(std::string& out) {
  out.clear();
  if (!consume('"')) return fail_with("expected a string");
  while (true) {
    std::size_t from = offset_;
    bool ascii = true;
    while (offset_ < text_.size()) {
      auto c = static_cast<unsigned char>(text_[offset_]);
      if (c == '"' || c == '\\' || c < 0x20) break;
      if (c >= 0x80) ascii = false;
      ++offset_;
    }
    std::string_view run = text_.substr(from, offset_ - from);
    if (!ascii && !is_valid_utf8(run)) return fail_with("string is not UTF-8");
    out.append(run);
    if (offset_ >= text_.size()) return fail_with("string without an end");
    char c = text_[offset_++];
    if (c == '"') return true;
    if (c != '\\') return fail_with("control character in a string");
    if (!read_escape(out)) return false;
  }
}

bool JsonReader::enter(char open) {
  if (failed()) return false;
  if (!consume(open)) return fail_with(open == '{' ? "expected an object" : "expected an array");
  if (++depth_ > limits::document_depth_max) return fail_with("nested too deeply");
  first_ = true;
  return true;
}

bool JsonReader::next(char close) {
  if (failed()) return false;
  bool first = std::exchange(first_, false);
  if (consume(close)) {
    --depth_;
    return false;
  }
  if (!first && !consume(',')) return fail_with("expected ',' or the end");
  return true;
}

bool JsonReader::enter_object() {
  return enter('{');
}
bool JsonReader::enter_array() {
  return enter('[');
}
bool JsonReader::next_element() {
  return next(']');
}

bool JsonReader::next_key(std::string& key) {
  if (!next('}')) return false;
  if (!read_string(key)) return false;
  return consume(':') || fail_with("expected ':'");
}

// Recursion is bounded: enter() refuses what is nested deeper than limits::document_depth_max.
bool JsonReader::skip() {
  std::string text;
  std::string_view number;
  switch (peek()) {
    case Token::object:
      for (enter_object(); next_key(text);) {
        if (!skip()) return false;
      }
      return !failed();
    case Token::array:
      for (enter_array(); next_element();) {
        if (!skip()) return false;
      }
      return !failed();
    case Token::string:
      return read_string(text);
    case Token::number:
      return read_number(number);
    case Token::boolean_true:
    case Token::boolean_false:
    case Token::null:
      return read_literal();
    default:
      return fail_with("expected a value");
  }
}

}  // namespace wolke::shape
