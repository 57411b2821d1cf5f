#pragma once
// Filter patterns, in their three forms:
//   ERROR "two words" -expected ?either ?or %regex%     terms of a text, case-sensitive
//   { $.level = "error" && $.items[0].n > 3 }           conditions on a JSON message
//   [ip, user, ..., status_code = 4*, bytes > 1000]     conditions on fields between spaces
// Pure; a pattern is constant and may be used by several threads. Source: CloudWatch Logs user
// guide, "Filter pattern syntax".

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/services/logs/filter_condition.h"
#include "wolke/shape/json.h"

namespace wolke::logs {

/// A term, or a regular expression.
struct Term {
  std::string text;
  std::shared_ptr<const Regex> regex;  // shared by copies of the pattern; never changes
  bool in(std::string_view message) const;
};

struct TermPattern {
  std::vector<Term> required, excluded, any;
  bool matches(std::string_view message) const;
};

/// One step into a document: a member, an index, or every one of them.
struct PathStep {
  enum class Kind { member, index, every };
  Kind kind = Kind::member;
  std::string name;
  std::size_t index = 0;
};
struct JsonPath {
  std::string source;  // "$.a[0]"
  std::vector<PathStep> steps;
  /// What the path leads to; several only where it says "every".
  std::vector<const shape::Json*> find(const shape::Json& document) const;
};

struct JsonPattern {
  std::vector<JsonPath> paths;  // that the condition's tests name by number
  Condition condition;
  bool matches(std::string_view message) const;
};

struct FieldPattern {
  std::vector<std::string> names;       // in order, without the ellipsis; may be empty
  std::optional<std::size_t> ellipsis;  // stands before this field
  std::vector<Condition> conditions;    // all must hold; tests name fields by number
  bool matches(std::string_view message) const;
  /// The fields' values, or nothing when their number is not the pattern's. `skipped` is how many
  /// the ellipsis stands for.
  std::vector<std::string> values(std::string_view message, std::size_t& skipped) const;
  /// The name of the value at a place; empty: it has none.
  std::string name_of(std::size_t place, std::size_t skipped) const;
};

class FilterPattern {
 public:
  bool matches(std::string_view message) const;
  /// Of all its regular expressions: how much a byte of a message may cost, in steps.
  std::size_t regex_instructions() const;
  /// What the pattern names in a message that matches: "$.a" or "$status_code" and its value.
  std::map<std::string, std::string> extract(std::string_view message) const;
  /// Of a space-delimited pattern: the fields that have a name, without the "$".
  std::map<std::string, std::string> named_fields(std::string_view message) const;

 private:
  friend Result<FilterPattern> parse_filter_pattern(std::string_view text);
  std::variant<TermPattern, JsonPattern, FieldPattern> form_;
};

Result<FilterPattern> parse_filter_pattern(std::string_view text);

/// The parts of parse_filter_pattern, by form.
Result<TermPattern> parse_term_pattern(std::string_view text);
Result<JsonPattern> parse_json_pattern(std::string_view text);
Result<FieldPattern> parse_field_pattern(std::string_view text);

}  // namespace wolke::logs
