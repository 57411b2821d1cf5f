#pragma once
// Pattern: a text of a policy with '*', '?' and policy variables, taken apart once and matched
// often. A variable's value is substituted as plain text: a '*' in a user's name matches only a
// '*'. A variable without a value and without a default matches nothing, and says so, so that the
// negated elements (NotResource) can refuse too.
//
// Cost: literal runs are found by a linear search, runs with '?' by 64 characters at once, so a
// match costs about the length of the text, and for a run of n characters with '?' n / 64 times
// that. No recursion. Threads: immutable after
// compile. Source: IAM User Guide "IAM policy elements: Variables and tags".

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/identity/authorizer.h"

namespace wolke::identity {

/// The condition keys of one question: what the request says, what the operation adds.
struct Context {
  const Conditions* request = nullptr;
  const Conditions* ask = nullptr;
  /// `key` lower case. nullptr: the request has no such key.
  const std::vector<std::string>* find(const std::string& key) const;
};

enum class PatternKind : std::uint8_t {
  glob,     // '*' and '?' match, variables are substituted
  literal,  // only variables are substituted
  plain,    // every character is itself (policies of version 2008-10-17 have no variables)
};

enum class Match : std::uint8_t { no, yes, unresolved };

class Pattern {
 public:
  static Pattern compile(std::string_view text, PatternKind kind, bool with_variables);

  Match match(std::string_view text, const Context& context) const;
  /// The text with its variables substituted; nullopt when one has no value. For operators that do
  /// not match globs.
  std::optional<std::string> resolve(const Context& context) const;

  /// The plain text that it begins with, possibly empty.
  std::string_view beginning() const;
  /// "prefix*": it matches whatever begins so.
  bool is_any_after(std::string_view prefix) const;

  bool has_variables() const { return variables_; }
  bool is_any() const { return any_; }
  /// Splits at the first `count` - 1 colons, as ARNs are split; fewer parts when there are fewer
  /// colons.
  std::vector<Pattern> split_arn() const;

 private:
  enum class Kind : std::uint8_t { text, any_run, any_one, variable };
  struct Token {
    Kind kind = Kind::text;
    std::string text;  // literal, or the variable's key in lower case
    std::optional<std::string> fallback = {};
  };

  void append_text(std::string_view text);
  static std::optional<std::string> value_of(const Token& token, const Context& context);
  void index();

  std::vector<Token> tokens_;
  bool variables_ = false;
  bool any_ = false;
};

}  // namespace wolke::identity
