#pragma once
// The regular expressions of the service models: a whole-string match in the dialect they use
// (Java's: classes, ranges,
// \d \s \w \p{..} \uXXXX \xXX, groups, alternatives, greedy and counted repetition, ^ $, lookahead,
// one-character lookbehind).
//
// The idea: compile to a small instruction list, then search depth-first with a bit for each
// (instruction, position) seen, so the time is at most instructions × bytes, whatever the pattern
// and the text: a caller's string cannot make it explode. Of \p{..} only the ASCII part is exact:
// every other character counts as a letter.
//
// Threads: a Pattern is constant; a PatternCache slot may be filled by several threads, the first
// one wins.

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"

namespace wolke::shape {

class Pattern {
 public:
  /// Error "InvalidPattern" for what the dialect above does not have.
  static Result<Pattern> compile(std::string_view source);
  bool matches(std::string_view text) const;

  struct Range {
    unsigned low, high;
  };
  struct Set {
    std::vector<Range> ranges;
    bool negated = false;
    std::array<std::uint64_t, 2> ascii = {};  // a bit per character below 128, made by finish()
    void finish();
    bool contains(unsigned code) const {
      return code < 128 ? (ascii[code / 64] >> (code % 64) & 1) != 0 : contains_slow(code);
    }
    bool contains_slow(unsigned code) const;
  };
  enum class Op : std::uint8_t {
    set,
    split,
    jump,
    begin,
    end,
    look_ahead,
    look_ahead_not,
    look_behind_not,
    accept
  };
  /// set: a = index of the set. split: try a, then b. jump, look...: a = where to go on; a look's
  /// own program follows it.
  struct Instruction {
    Op op;
    std::uint32_t a = 0;
    std::uint32_t b = 0;
  };

 private:
  friend class PatternCompiler;
  bool run(std::string_view text, std::size_t from, std::uint32_t start, bool whole) const;

  std::vector<Instruction> program_;
  std::vector<Set> sets_;
};

/// One slot per pattern of a model, filled at first use and never freed: it stands in constant
/// tables.
struct PatternCache {
  std::atomic<const Pattern*> compiled = nullptr;
  const Pattern& get(std::string_view source);
};

}  // namespace wolke::shape
