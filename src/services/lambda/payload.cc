#include "wolke/services/lambda/payload.h"

#include <fmt/core.h>

#include <vector>

#include "wolke/base/text.h"

namespace wolke::lambda {
namespace {

constexpr std::size_t depth_max = 1000;  // as Lambda's front end

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  /// True when the whole text is one JSON value.
  bool run() {
    skip_space();
    if (!value()) return false;
    while (!open_.empty()) {
      if (!next_in_container()) return false;
    }
    skip_space();
    return at_ == text_.size();
  }
  std::size_t at() const { return at_; }

 private:
  bool next_in_container() {
    skip_space();
    const char kind = open_.back();
    const char close = kind == '{' ? '}' : ']';
    if (take(close)) {
      if (after_comma_) return back();
      open_.pop_back();
      need_comma_ = true;
      return true;
    }
    if (need_comma_) {
      if (!take(',')) return false;
      need_comma_ = false;
      after_comma_ = true;
      return true;
    }
    if (kind == '{') {
      if (!string()) return false;
      skip_space();
      if (!take(':')) return false;
      skip_space();
    }
    return value();
  }

  /// A closing bracket after a comma: point at it.
  bool back() {
    --at_;
    return false;
  }

  bool value() {
    after_comma_ = false;
    need_comma_ = true;
    if (at_ >= text_.size()) return false;
    switch (text_[at_]) {
      case '{':
      case '[':
        if (open_.size() >= depth_max) return false;
        open_.push_back(text_[at_++]);
        need_comma_ = false;
        return true;
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool string() {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') return take('"');
      if (c < 0x20) return false;
      if (c == '\\' && !escape()) return false;
      if (c != '\\') ++at_;
    }
    return false;
  }

  bool escape() {
    ++at_;
    if (at_ >= text_.size()) return false;
    if (text_[at_] != 'u')
      return std::string_view("\"\\/bfnrt").find(text_[at_++]) != std::string_view::npos;
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ >= text_.size() || !is_hex(text_[at_])) return false;
    }
    return true;
  }

  bool number() {
    take('-');
    if (take('0')) {
      if (at_ < text_.size() && is_digit(text_[at_])) return false;
    } else if (!digits()) {
      return false;
    }
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }

  bool digits() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > begin;
  }
  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<char> open_;
  bool need_comma_ = false;
  bool after_comma_ = false;
};

/// The word that stands where a value was expected.
std::string_view token_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && end - at < 64 &&
         (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_')) {
    ++end;
  }
  return text.substr(at, end - at);
}

}  // namespace

std::optional<std::string> json_problem(std::string_view text) {
  Scanner scanner(text);
  if (scanner.run()) {
    if (is_valid_utf8(text)) return std::nullopt;
    return "Could not parse request body into json: Invalid UTF-8";
  }
  const std::size_t at = scanner.at();
  const std::string_view token = token_at(text, at);
  if (at >= text.size()) {
    return fmt::format(
        "Could not parse request body into json: Could not parse payload into json: Unexpected "
        "end-of-input at column {}",
        at + 1);
  }
  if (!token.empty() && std::isalpha(static_cast<unsigned char>(token.front()))) {
    return fmt::format(
        "Could not parse request body into json: Could not parse payload into json: Unrecognized "
        "token '{}': was "
        "expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at "
        "[Source: "
        "(byte[])\"{}\"; line: 1, column: {}]",
        token, printable(text.substr(0, 500)), at + token.size() + 1);
  }
  return fmt::format(
      "Could not parse request body into json: Could not parse payload into json: Unexpected "
      "character at line: 1, "
      "column: {}",
      at + 1);
}

}  // namespace wolke::lambda
