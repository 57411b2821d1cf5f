#include "wolke/services/logs/filter_pattern.h"

#include <fmt/core.h>

#include <algorithm>

#include "wolke/services/logs/errors.h"

namespace wolke::logs {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Letters, digits and underscores; what is beyond ASCII is not looked into.
bool is_bare(std::string_view term) {
  return std::all_of(term.begin(), term.end(), [](char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}

/// Takes one term off the front: bare up to a space, quoted with \" and \\ as escapes, or %regex%.
Result<Term> take_term(std::string_view& rest, std::string_view whole) {
  Term out;
  if (rest.empty() || (rest.front() != '"' && rest.front() != '%')) {
    while (!rest.empty() && !is_space(rest.front())) {
      out.text += rest.front();
      rest.remove_prefix(1);
    }
    if (out.text.empty()) return fail(bad_pattern(whole));
    if (!is_bare(out.text)) {
      return fail(invalid_parameter(fmt::format("Invalid character(s) in term '{}'", out.text)));
    }
    return out;
  }
  PatternScanner scanner(rest, "");
  if (rest.front() == '%') {
    TRY(Operand operand, scanner.operand());
    out.regex = std::move(operand.regex);
  } else {
    TRY(out.text, scanner.quoted());
    if (out.text.empty()) return fail(bad_pattern(whole));
  }
  rest = scanner.rest();
  return out;
}

}  // namespace

bool Term::in(std::string_view message) const {
  return regex ? regex->found_in(message) : message.find(text) != message.npos;
}

bool TermPattern::matches(std::string_view message) const {
  const auto has = [message](const Term& term) { return term.in(message); };
  if (std::any_of(excluded.begin(), excluded.end(), has)) return false;
  if (!std::all_of(required.begin(), required.end(), has)) return false;
  // With required terms the optional ones decide nothing.
  return any.empty() || !required.empty() || std::any_of(any.begin(), any.end(), has);
}

Result<TermPattern> parse_term_pattern(std::string_view text) {
  TermPattern out;
  std::string_view rest = text;
  while (true) {
    while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    if (rest.empty()) return out;
    std::vector<Term>* list = &out.required;
    if (rest.front() == '-' || rest.front() == '?') {
      list = rest.front() == '-' ? &out.excluded : &out.any;
      rest.remove_prefix(1);
    }
    TRY(Term term, take_term(rest, text));
    list->push_back(std::move(term));
  }
}

bool FilterPattern::matches(std::string_view message) const {
  return std::visit([message](const auto& form) { return form.matches(message); }, form_);
}

namespace {

std::size_t instructions_of(const std::shared_ptr<const Regex>& regex) {
  return regex ? regex->instructions() : 0;
}

std::size_t instructions_of(const Condition& condition) {
  std::size_t out = instructions_of(condition.test.operand.regex);
  for (const Condition& child : condition.children) out += instructions_of(child);
  return out;
}

std::size_t instructions_of(const TermPattern& pattern) {
  std::size_t out = 0;
  for (const auto* terms : {&pattern.required, &pattern.excluded, &pattern.any}) {
    for (const Term& term : *terms) out += instructions_of(term.regex);
  }
  return out;
}

std::size_t instructions_of(const JsonPattern& pattern) {
  return instructions_of(pattern.condition);
}

std::size_t instructions_of(const FieldPattern& pattern) {
  std::size_t out = 0;
  for (const Condition& condition : pattern.conditions) out += instructions_of(condition);
  return out;
}

}  // namespace

std::size_t FilterPattern::regex_instructions() const {
  return std::visit([](const auto& form) { return instructions_of(form); }, form_);
}

std::map<std::string, std::string> FilterPattern::extract(std::string_view message) const {
  std::map<std::string, std::string> out;
  if (const auto* json = std::get_if<JsonPattern>(&form_)) {
    const auto document = shape::parse_json(message);
    if (!document) return out;
    for (const JsonPath& path : json->paths) {
      for (const shape::Json* value : path.find(*document)) {
        out[path.source] = value->string() != nullptr ? *value->string() : value->text();
      }
    }
  } else if (const auto* fields = std::get_if<FieldPattern>(&form_)) {
    std::size_t skipped = 0;
    const std::vector<std::string> values = fields->values(message, skipped);
    for (std::size_t i = 0; i < values.size(); ++i) {
      // Those that the ellipsis stands for, and those without a name, go by their place.
      const std::string name = fields->name_of(i, skipped);
      out[name.empty() ? fmt::format("${}", i + 1) : "$" + name] = values[i];
    }
  }
  return out;
}

std::map<std::string, std::string> FilterPattern::named_fields(std::string_view message) const {
  std::map<std::string, std::string> out;
  const auto* fields = std::get_if<FieldPattern>(&form_);
  if (fields == nullptr) return out;
  std::size_t skipped = 0;
  const std::vector<std::string> values = fields->values(message, skipped);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::string name = fields->name_of(i, skipped); !name.empty()) {
      out.emplace(std::move(name), values[i]);
    }
  }
  return out;
}

Result<FilterPattern> parse_filter_pattern(std::string_view text) {
  std::string_view rest = text;
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
  FilterPattern out;
  if (rest.starts_with('{')) {
    TRY(out.form_, parse_json_pattern(text));
  } else if (rest.starts_with('[')) {
    TRY(out.form_, parse_field_pattern(text));
  } else {
    TRY(out.form_, parse_term_pattern(text));
  }
  return out;
}

}  // namespace wolke::logs
