#pragma once
// Regular expressions over log messages, of callers' making: %regex% in filter patterns, /regex/ in
// queries. Searches for the leftmost match with the usual preference (greedy, lazy, first
// alternative).
//
// The idea: a small program for bytes, run by a machine that keeps one thread per instruction, so
// the time is at most instructions × bytes, whatever the expression and the text. A character
// beyond ASCII is its UTF-8 bytes; `.` and negated classes take it whole, a class cannot name it.
//
// Dialect: literals, . [..] [^..] \d \D \w \W \s \S \b \B \n \r \t \xHH, ^ $, * + ? {n} {n,} {n,m}
// and their lazy forms, (..) (?:..) (?<name>..) (?P<name>..), |, and (?i) at the beginning. No back
// references, no look-around. Pure; a Regex is constant and may be used by several threads.

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"

namespace wolke::logs {

inline constexpr std::size_t regex_program_max = 256;
/// A search that would take more finds nothing: a tenth of a second or so of a processor, and far
/// more than an expression needs that is not made to be slow.
inline constexpr std::size_t regex_steps_max = 2'000'000;
inline constexpr std::size_t regex_groups_max = 32;

class Regex {
 public:
  /// Error "InvalidRegex": its message says what is wrong and where.
  static Result<Regex> compile(std::string_view source);

  bool found_in(std::string_view text) const;
  /// How much a byte of text may cost, in steps.
  std::size_t instructions() const { return program_.size(); }
  /// The groups of the first match, [0] the whole; a group that took no part is nullopt.
  /// Nullopt: no match.
  using Groups = std::vector<std::optional<std::string_view>>;
  std::optional<Groups> match(std::string_view text) const;
  /// Names by group, [0] empty; unnamed groups are empty.
  const std::vector<std::string>& group_names() const { return names_; }

  using ByteSet = std::bitset<256>;
  enum class Op : std::uint8_t { set, split, jump, save, begin, end, word, not_word, accept };
  /// set: a = index of the set. split: try a, then b. jump: a. save: a = slot.
  struct Instruction {
    Op op;
    std::uint32_t a = 0, b = 0;
  };

 private:
  friend class RegexCompiler;
  class Machine;

  void find_first_bytes();

  std::vector<Instruction> program_;
  std::vector<ByteSet> sets_;
  std::vector<std::string> names_;
  ByteSet first_;              // bytes that a match can begin with
  bool may_be_empty_ = false;  // a match may have no byte, or begins with an assertion
};

}  // namespace wolke::logs
