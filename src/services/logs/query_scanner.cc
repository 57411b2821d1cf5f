#include "wolke/services/logs/query_scanner.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "wolke/base/text.h"
#include "wolke/services/logs/errors.h"

namespace wolke::logs {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '@' ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

void QueryScanner::skip_spaces() {
  while (at_ < text_.size()) {
    if (text_[at_] == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (is_space(text_[at_])) {
      ++at_;
    } else {
      return;
    }
  }
}
bool QueryScanner::at_end() {
  skip_spaces();
  return at_ >= text_.size();
}
char QueryScanner::peek() {
  skip_spaces();
  return at_ < text_.size() ? text_[at_] : '\0';
}
bool QueryScanner::take(std::string_view symbol) {
  skip_spaces();
  if (!text_.substr(at_).starts_with(symbol)) return false;
  at_ += symbol.size();
  return true;
}
bool QueryScanner::word_ahead(std::string_view word) {
  skip_spaces();
  if (!iequals(text_.substr(at_, word.size()), word)) return false;
  const std::size_t end = at_ + word.size();
  return end >= text_.size() ||
         !(is_letter(text_[end]) || is_digit(text_[end]) || text_[end] == '.');
}
bool QueryScanner::take_word(std::string_view word) {
  if (!word_ahead(word)) return false;
  at_ += word.size();
  return true;
}

std::string QueryScanner::name() {
  skip_spaces();
  if (at_ < text_.size() && text_[at_] == '`') {
    const std::size_t end = text_.find('`', at_ + 1);
    if (end == text_.npos) return {};
    std::string out(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return out;
  }
  if (at_ >= text_.size() || !is_letter(text_[at_])) return {};
  const std::size_t begin = at_;
  while (at_ < text_.size() &&
         (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '.')) {
    ++at_;
  }
  return std::string(text_.substr(begin, at_ - begin));
}

std::optional<double> QueryScanner::number() {
  skip_spaces();
  if (at_ >= text_.size() || !is_digit(text_[at_])) return std::nullopt;
  double out = 0;
  const auto [end, problem] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), out);
  if (problem != std::errc()) return std::nullopt;
  at_ = static_cast<std::size_t>(end - text_.data());
  return out;
}

Result<std::string> QueryScanner::quoted() {
  const char quote = peek();
  std::string out;
  for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
    if (text_[i] == quote) {
      at_ = i + 1;
      return out;
    }
    if (text_[i] == '\\' && i + 1 < text_.size()) ++i;
    out += text_[i];
  }
  return fail(error("the end of a string"));
}

Result<std::shared_ptr<const Regex>> QueryScanner::regex() {
  std::string source;
  for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
    if (text_[i] == '/') {
      auto regex = Regex::compile(source);
      if (!regex) return fail(malformed_query("bad regular expression: " + regex.error().message));
      at_ = i + 1;
      return std::make_shared<const Regex>(*std::move(regex));
    }
    const bool slash = text_[i] == '\\' && i + 1 < text_.size() && text_[i + 1] == '/';
    if (slash) ++i;
    source += text_[i];
    // What is escaped ends nothing.
    if (!slash && text_[i] == '\\' && i + 1 < text_.size()) source += text_[++i];
  }
  return fail(error("the end of a regular expression"));
}

std::optional<std::int64_t> QueryScanner::period() {
  const std::size_t begin = at_;
  const auto count = number();
  const std::string unit = count ? to_lower(name()) : std::string();
  const std::int64_t length = unit.empty()                    ? 0
                              : unit.starts_with("ms")        ? 1
                              : unit == "mo" || unit == "mon" ? 30LL * 86'400'000
                              : unit.front() == 's'           ? 1000
                              : unit.front() == 'm'           ? 60'000
                              : unit.front() == 'h'           ? 3'600'000
                              : unit.front() == 'd'           ? 86'400'000
                              : unit.front() == 'w'           ? 7LL * 86'400'000
                                                              : 0;
  constexpr double count_max = 100'000;
  if (length > 0 && *count >= 1 && *count <= count_max) {
    return static_cast<std::int64_t>(*count) * length;
  }
  at_ = begin;
  return std::nullopt;
}

std::string QueryScanner::since(std::size_t begin) const {
  std::string_view out = text_.substr(begin, at_ - begin);
  while (!out.empty() && is_space(out.front())) out.remove_prefix(1);
  while (!out.empty() && is_space(out.back())) out.remove_suffix(1);
  return std::string(out);
}

Error QueryScanner::error(std::string_view wanted) const {
  const std::string_view rest = text_.substr(std::min(at_, text_.size()), 20);
  return malformed_query(fmt::format("unexpected symbol found {} at position {}: expecting {}",
                                     rest.empty() ? "<EOF>" : rest, at_, wanted));
}

}  // namespace wolke::logs
