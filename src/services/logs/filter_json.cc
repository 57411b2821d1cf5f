// Patterns over JSON messages: { $.level = "error" && ($.n > 3 || $.user IS NULL) }.
#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/services/logs/filter_pattern.h"

namespace wolke::logs {
namespace {

using shape::Json;

/// One step of a path, at '.' or '['.
Result<PathStep> take_step(PatternScanner& scanner) {
  PathStep step;
  if (scanner.next() == '.') {
    if (scanner.peek() == '[') return take_step(scanner);
    if (scanner.peek() == '*') {
      scanner.next();
      step.kind = PathStep::Kind::every;
      return step;
    }
    if (scanner.peek() == '"') {
      TRY(step.name, scanner.quoted());
      return step;
    }
    step.name = scanner.name();
    if (step.name.empty()) return fail(scanner.error());
    return step;
  }
  const char first = scanner.peek();
  if (first == '\'' || first == '"') {
    scanner.next();
    while (scanner.peek() != first && scanner.peek() != '\0') step.name += scanner.next();
    scanner.next();
  } else if (first == '*') {
    scanner.next();
    step.kind = PathStep::Kind::every;
  } else {
    const auto index = parse_u64(scanner.name());
    if (!index) return fail(scanner.error());
    step.kind = PathStep::Kind::index;
    step.index = *index;
  }
  if (scanner.next() != ']') return fail(scanner.error());
  return step;
}

void follow(const Json& value, const PathStep& step, std::vector<const Json*>& out) {
  const Json::Array* array = value.array();
  switch (step.kind) {
    case PathStep::Kind::member:
      if (const Json* member = value.find(step.name)) out.push_back(member);
      break;
    case PathStep::Kind::index:
      if (array != nullptr && step.index < array->size()) out.push_back(&(*array)[step.index]);
      break;
    case PathStep::Kind::every:
      if (array != nullptr) {
        for (const Json& item : *array) out.push_back(&item);
      } else if (const Json::Object* object = value.object()) {
        for (const auto& [name, member] : *object) out.push_back(&member);
      }
      break;
  }
}

/// A test of a value that is there.
bool holds(const Test& test, const Json& value) {
  const bool* truth = value.boolean();
  switch (test.compare) {
    case Compare::is_null:
      return value.is_null();
    case Compare::is_true:
      return truth != nullptr && *truth;
    case Compare::is_false:
      return truth != nullptr && !*truth;
    case Compare::exists:
      return true;
    case Compare::not_exists:
      return false;
    default:
      break;
  }
  if (const std::string* text = value.string()) return test.holds_for(*text);
  if (const Json::Number* number = value.number()) return test.holds_for(number->text);
  // Objects, arrays and null are never equal to anything, nor unequal.
  return truth != nullptr && test.holds_for(*truth ? "true" : "false");
}

}  // namespace

std::vector<const Json*> JsonPath::find(const Json& document) const {
  std::vector<const Json*> found = {&document};
  for (const PathStep& step : steps) {
    std::vector<const Json*> next;
    for (const Json* value : found) follow(*value, step, next);
    found = std::move(next);
  }
  return found;
}

bool JsonPattern::matches(std::string_view message) const {
  const std::size_t first = message.find_first_not_of(" \t\r\n");
  if (first == message.npos || (message[first] != '{' && message[first] != '[')) return false;
  const auto document = shape::parse_json(message);
  if (!document) return false;
  return condition.holds([&](const Test& test) {
    const auto found = paths[test.subject].find(*document);
    if (test.compare == Compare::not_exists) return found.empty();
    return std::any_of(found.begin(), found.end(),
                       [&test](const Json* value) { return holds(test, *value); });
  });
}

Result<JsonPattern> parse_json_pattern(std::string_view text) {
  JsonPattern out;
  PatternScanner scanner(text, ")}");
  if (!scanner.take("{")) return fail(scanner.error());
  const PatternScanner::Subject path = [&out](PatternScanner& at) -> Result<std::size_t> {
    const std::string_view before = at.rest();
    if (at.next() != '$') return fail(at.error());
    JsonPath found;
    while (at.peek() == '.' || at.peek() == '[') {
      TRY(PathStep step, take_step(at));
      found.steps.push_back(std::move(step));
    }
    if (found.steps.empty()) return fail(at.error());
    found.source = before.substr(0, before.size() - at.rest().size());
    out.paths.push_back(std::move(found));
    return out.paths.size() - 1;
  };
  TRY(out.condition, scanner.condition(path));
  if (!scanner.take("}") || !scanner.at_end()) return fail(scanner.error());
  return out;
}

}  // namespace wolke::logs
