#pragma once
// Conditions in filter patterns: tests joined by && and || with parentheses, over values that the
// caller looks up. And the scanner that JSON and space-delimited patterns are read with. Pure.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/services/logs/regex.h"

namespace wolke::logs {

inline constexpr int condition_depth_max = 32;

enum class Compare {
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  is_null,
  is_true,
  is_false,
  exists,
  not_exists
};

/// What a value is compared with: text in which '*' stands for any run, a number, or a regular
/// expression.
struct Operand {
  std::string text;
  std::optional<double> number;
  std::shared_ptr<const Regex> regex;  // shared by copies of the pattern; never changes
  bool equals(std::string_view value) const;
};

/// `subject` is a number that the pattern's owner gave to a path or field.
struct Test {
  std::size_t subject = 0;
  Compare compare = Compare::equal;
  Operand operand;
  /// Compares text: as numbers when both are.
  bool holds_for(std::string_view value) const;
};

struct Condition {
  enum class Kind { test, all, any };
  Kind kind = Kind::test;
  Test test;
  std::vector<Condition> children;

  bool holds(const std::function<bool(const Test&)>& judge) const;
};

std::optional<double> number_of(std::string_view text);
/// '*' stands for any run; nothing else is special.
bool star_match(std::string_view pattern, std::string_view text);
Error bad_pattern(std::string_view pattern);

class PatternScanner {
 public:
  /// `ends` are the characters that end a bare value, beside spaces, & and |.
  PatternScanner(std::string_view text, std::string_view ends)
      : whole_(text), rest_(text), ends_(ends) {}

  void skip_spaces();
  bool take(std::string_view text);  // after spaces
  /// A word of a keyword: not followed by another letter.
  bool take_word(std::string_view word);
  bool at_end();
  std::string_view rest() const { return rest_; }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  char next();
  /// Up to a character that is none of [A-Za-z0-9_-], possibly empty.
  std::string name();
  Result<std::string> quoted();  // at the opening "
  Result<Operand> operand();
  Error error() const { return bad_pattern(whole_); }

  /// A condition; `subject` reads what a test is about and gives its number.
  using Subject = std::function<Result<std::size_t>(PatternScanner&)>;
  Result<Condition> condition(const Subject& subject, int depth = 0);

 private:
  Result<Condition> conjunction(const Subject& subject, int depth);
  Result<Condition> primary(const Subject& subject, int depth);
  Result<Test> test(const Subject& subject);

  std::string_view whole_, rest_, ends_;
};

}  // namespace wolke::logs
