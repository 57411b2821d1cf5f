// Patterns over messages that are fields between spaces: [ip, user, ..., status_code = 4*]. A field
// that begins with " or [ goes on to its other end.
#include <algorithm>

#include "wolke/services/logs/filter_pattern.h"

namespace wolke::logs {
namespace {

std::vector<std::string> fields_of(std::string_view message) {
  std::vector<std::string> out;
  std::size_t at = 0;
  while (true) {
    while (at < message.size() && (message[at] == ' ' || message[at] == '\t' ||
                                   message[at] == '\n' || message[at] == '\r')) {
      ++at;
    }
    if (at >= message.size()) return out;
    const char first = message[at];
    if (first == '"' || first == '[') {
      const std::size_t end = message.find(first == '"' ? '"' : ']', at + 1);
      if (end != message.npos) {
        out.emplace_back(message.substr(at + 1, end - at - 1));
        at = end + 1;
        continue;
      }
    }
    const std::size_t end = std::min(message.find_first_of(" \t\r\n", at), message.size());
    out.emplace_back(message.substr(at, end - at));
    at = end;
  }
}

/// One field of the pattern: its name alone, or a condition on it.
Result<void> take_field(PatternScanner& scanner, FieldPattern& out) {
  const std::size_t number = out.names.size();
  out.names.emplace_back();
  PatternScanner ahead = scanner;
  std::string name = (ahead.skip_spaces(), ahead.name());
  ahead.skip_spaces();
  if (ahead.peek() == ',' || ahead.peek() == ']') {
    out.names[number] = std::move(name);
    scanner = ahead;
    return {};
  }
  const PatternScanner::Subject subject = [&](PatternScanner& at) -> Result<std::size_t> {
    std::string given = at.name();
    const bool other = !out.names[number].empty() && out.names[number] != given;
    if (given.empty() || other) return fail(at.error());
    out.names[number] = std::move(given);
    return number;
  };
  TRY(Condition condition, scanner.condition(subject));
  out.conditions.push_back(std::move(condition));
  return {};
}

}  // namespace

std::vector<std::string> FieldPattern::values(std::string_view message,
                                              std::size_t& skipped) const {
  std::vector<std::string> out = fields_of(message);
  const bool fits = ellipsis ? out.size() >= names.size() : out.size() == names.size();
  if (!fits) return {};
  skipped = out.size() - names.size();
  return out;
}

std::string FieldPattern::name_of(std::size_t place, std::size_t skipped) const {
  if (!ellipsis || place < *ellipsis) return names[place];
  return place < *ellipsis + skipped ? std::string() : names[place - skipped];
}

bool FieldPattern::matches(std::string_view message) const {
  std::size_t skipped = 0;
  const std::vector<std::string> found = values(message, skipped);
  if (found.empty() && !names.empty()) return false;
  const auto judge = [&](const Test& test) {
    const bool after = ellipsis && test.subject >= *ellipsis;
    return test.holds_for(found[test.subject + (after ? skipped : 0)]);
  };
  return std::all_of(conditions.begin(), conditions.end(),
                     [&judge](const Condition& condition) { return condition.holds(judge); });
}

Result<FieldPattern> parse_field_pattern(std::string_view text) {
  FieldPattern out;
  PatternScanner scanner(text, ",])");
  if (!scanner.take("[")) return fail(scanner.error());
  do {
    if (!scanner.take("...")) {
      TRY(take_field(scanner, out));
      continue;
    }
    if (out.ellipsis) return fail(scanner.error());
    out.ellipsis = out.names.size();
  } while (scanner.take(","));
  if (!scanner.take("]") || !scanner.at_end()) return fail(scanner.error());
  return out;
}

}  // namespace wolke::logs
