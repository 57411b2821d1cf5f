#include "wolke/services/logs/filter_condition.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "wolke/services/logs/errors.h"

namespace wolke::logs {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_name(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '-';
}

bool compare_numbers(Compare compare, double a, double b) {
  switch (compare) {
    case Compare::less:
      return a < b;
    case Compare::less_equal:
      return a <= b;
    case Compare::greater:
      return a > b;
    case Compare::greater_equal:
      return a >= b;
    case Compare::not_equal:
      return a != b;
    default:
      return a == b;
  }
}

bool is_order(Compare compare) {
  return compare == Compare::less || compare == Compare::less_equal ||
         compare == Compare::greater || compare == Compare::greater_equal;
}

}  // namespace

Error bad_pattern(std::string_view pattern) {
  return invalid_parameter("Invalid filter pattern: " + std::string(pattern));
}

std::optional<double> number_of(std::string_view text) {
  double out = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, out);
  if (problem != std::errc() || stopped != end) return std::nullopt;
  // "inf" and "nan" are words here.
  const char last = text.back();
  if (!(last >= '0' && last <= '9') && last != '.') return std::nullopt;
  return out;
}

bool star_match(std::string_view pattern, std::string_view text) {
  std::size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  text.remove_prefix(star);
  while (true) {
    const std::size_t next = pattern.find('*', star + 1);
    const std::string_view piece =
        pattern.substr(star + 1, next == pattern.npos ? next : next - star - 1);
    if (next == pattern.npos) return text.ends_with(piece);
    const std::size_t found = text.find(piece);
    if (found == text.npos) return false;
    text.remove_prefix(found + piece.size());
    star = next;
  }
}

bool Operand::equals(std::string_view value) const {
  return regex ? regex->found_in(value) : star_match(text, value);
}

bool Test::holds_for(std::string_view value) const {
  const bool as_numbers = operand.number && (is_order(compare) || compare == Compare::equal ||
                                             compare == Compare::not_equal);
  if (as_numbers) {
    if (const auto number = number_of(value)) {
      return compare_numbers(compare, *number, *operand.number);
    }
  }
  switch (compare) {
    case Compare::equal:
      return operand.equals(value);
    case Compare::not_equal:
      return !operand.equals(value);
    case Compare::exists:
      return true;
    default:
      return false;
  }
}

bool Condition::holds(const std::function<bool(const Test&)>& judge) const {
  const auto child_holds = [&judge](const Condition& child) { return child.holds(judge); };
  switch (kind) {
    case Kind::all:
      return std::all_of(children.begin(), children.end(), child_holds);
    case Kind::any:
      return std::any_of(children.begin(), children.end(), child_holds);
    case Kind::test:
      break;
  }
  return judge(test);
}

// ---- the scanner ----

void PatternScanner::skip_spaces() {
  while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
}
bool PatternScanner::take(std::string_view text) {
  skip_spaces();
  if (!rest_.starts_with(text)) return false;
  rest_.remove_prefix(text.size());
  return true;
}
bool PatternScanner::take_word(std::string_view word) {
  skip_spaces();
  if (!rest_.starts_with(word)) return false;
  if (rest_.size() > word.size() && is_name(rest_[word.size()])) return false;
  rest_.remove_prefix(word.size());
  return true;
}
bool PatternScanner::at_end() {
  skip_spaces();
  return rest_.empty();
}
char PatternScanner::next() {
  const char out = peek();
  if (!rest_.empty()) rest_.remove_prefix(1);
  return out;
}
std::string PatternScanner::name() {
  std::string out;
  while (!rest_.empty() && is_name(rest_.front())) out += next();
  return out;
}

Result<std::string> PatternScanner::quoted() {
  next();
  std::string out;
  while (!rest_.empty() && rest_.front() != '"') {
    if (rest_.front() == '\\' && rest_.size() > 1) next();
    out += next();
  }
  if (rest_.empty()) return fail(error());
  next();
  return out;
}

Result<Operand> PatternScanner::operand() {
  skip_spaces();
  Operand out;
  if (peek() == '"') {
    TRY(out.text, quoted());
    return out;
  }
  if (peek() == '%') {
    next();
    const std::size_t end = rest_.find('%');
    if (end == rest_.npos) return fail(error());
    auto regex = Regex::compile(rest_.substr(0, end));
    if (!regex) return fail(error());
    out.regex = std::make_shared<const Regex>(*std::move(regex));
    rest_.remove_prefix(end + 1);
    return out;
  }
  while (!rest_.empty() && !is_space(rest_.front())) {
    const char c = rest_.front();
    if (c == '&' || c == '|' || ends_.find(c) != ends_.npos) break;
    out.text += next();
  }
  if (out.text.empty()) return fail(error());
  out.number = number_of(out.text);
  return out;
}

Result<Condition> PatternScanner::condition(const Subject& subject, int depth) {
  if (depth > condition_depth_max) return fail(error());
  TRY(Condition first, conjunction(subject, depth));
  if (!take("||")) return first;
  Condition out;
  out.kind = Condition::Kind::any;
  out.children.push_back(std::move(first));
  do {
    TRY(Condition next, conjunction(subject, depth));
    out.children.push_back(std::move(next));
  } while (take("||"));
  return out;
}

Result<Condition> PatternScanner::conjunction(const Subject& subject, int depth) {
  TRY(Condition first, primary(subject, depth));
  if (!take("&&")) return first;
  Condition out;
  out.kind = Condition::Kind::all;
  out.children.push_back(std::move(first));
  do {
    TRY(Condition next, primary(subject, depth));
    out.children.push_back(std::move(next));
  } while (take("&&"));
  return out;
}

Result<Condition> PatternScanner::primary(const Subject& subject, int depth) {
  if (take("(")) {
    TRY(Condition inner, condition(subject, depth + 1));
    if (!take(")")) return fail(error());
    return inner;
  }
  Condition out;
  TRY(out.test, test(subject));
  return out;
}

Result<Test> PatternScanner::test(const Subject& subject) {
  Test out;
  skip_spaces();
  TRY(out.subject, subject(*this));
  if (take_word("IS")) {
    if (take_word("NULL")) {
      out.compare = Compare::is_null;
    } else if (take_word("TRUE")) {
      out.compare = Compare::is_true;
    } else if (take_word("FALSE")) {
      out.compare = Compare::is_false;
    } else {
      return fail(error());
    }
    return out;
  }
  if (take_word("NOT")) {
    if (!take_word("EXISTS")) return fail(error());
    out.compare = Compare::not_exists;
    return out;
  }
  if (take_word("EXISTS")) {
    out.compare = Compare::exists;
    return out;
  }
  // The longer ones first.
  static constexpr std::array<std::pair<std::string_view, Compare>, 6> operators = {
      {{"!=", Compare::not_equal},
       {"<=", Compare::less_equal},
       {">=", Compare::greater_equal},
       {"=", Compare::equal},
       {"<", Compare::less},
       {">", Compare::greater}}};
  for (const auto& [text, compare] : operators) {
    if (!take(text)) continue;
    out.compare = compare;
    TRY(out.operand, operand());
    if (is_order(compare) && !out.operand.number) return fail(error());
    return out;
  }
  return fail(error());
}

}  // namespace wolke::logs
