#include "wolke/services/logs/filter_pattern.h"

#include <algorithm>

#include "wolke/services/logs/errors.h"

namespace wolke::logs {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

Error bad_pattern(std::string_view text) {
  return invalid_parameter("Invalid filter pattern: " + std::string(text));
}

/// Takes one term off the front: bare up to a space, or quoted with \" and \\ as escapes.
Result<std::string> take_term(std::string_view& rest, std::string_view whole) {
  std::string out;
  if (rest.empty() || rest.front() != '"') {
    while (!rest.empty() && !is_space(rest.front())) {
      out += rest.front();
      rest.remove_prefix(1);
    }
    return out;
  }
  rest.remove_prefix(1);
  while (!rest.empty() && rest.front() != '"') {
    if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
    out += rest.front();
    rest.remove_prefix(1);
  }
  if (rest.empty()) return fail(bad_pattern(whole));
  rest.remove_prefix(1);
  return out;
}

}  // namespace

bool FilterPattern::matches(std::string_view message) const {
  const auto has = [message](const std::string& term) {
    return message.find(term) != message.npos;
  };
  if (std::any_of(excluded.begin(), excluded.end(), has)) return false;
  if (!std::all_of(required.begin(), required.end(), has)) return false;
  // With required terms the optional ones decide nothing.
  return any.empty() || !required.empty() || std::any_of(any.begin(), any.end(), has);
}

Result<FilterPattern> parse_filter_pattern(std::string_view text) {
  FilterPattern out;
  std::string_view rest = text;
  while (true) {
    while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    if (rest.empty()) return out;
    const char first = rest.front();
    const bool whole_form = out.required.empty() && out.excluded.empty() && out.any.empty();
    if (whole_form && first == '{') return fail(not_served("A JSON filter pattern"));
    if (whole_form && first == '[') return fail(not_served("A space-delimited filter pattern"));
    if (first == '%') return fail(not_served("A regular expression in a filter pattern"));
    std::vector<std::string>* list = &out.required;
    if (first == '-' || first == '?') {
      list = first == '-' ? &out.excluded : &out.any;
      rest.remove_prefix(1);
    }
    TRY(std::string term, take_term(rest, text));
    if (term.empty()) return fail(bad_pattern(text));
    list->push_back(std::move(term));
  }
}

}  // namespace wolke::logs
