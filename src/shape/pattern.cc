#include "wolke/shape/pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "wolke/shape/utf8.h"

namespace wolke::shape {

namespace {

constexpr unsigned code_max = 0x10FFFF;
constexpr std::size_t program_max = 20'000;       // instructions: a bound on counted repetition
constexpr std::size_t seen_bits_max = 64u << 20;  // 8 MB: longer texts are refused unseen

constexpr std::uint32_t unlimited = 0xFFFFFFFF;

}  // namespace

void Pattern::Set::finish() {
  for (unsigned code = 0; code < 128; ++code) {
    if (contains_slow(code)) ascii[code / 64] |= std::uint64_t{1} << (code % 64);
  }
}

bool Pattern::Set::contains_slow(unsigned code) const {
  for (const Range& range : ranges) {
    if (code >= range.low && code <= range.high) return !negated;
  }
  return negated;
}

/// Recursive descent; emits straight into the pattern. Repetition copies the emitted piece.
class PatternCompiler {
 public:
  explicit PatternCompiler(std::string_view source) : source_(source) {}

  Result<Pattern> compile() {
    alternatives(0);
    if (problem_ == nullptr && at_ != source_.size()) problem_ = "unbalanced ')'";
    if (problem_ != nullptr) {
      return fail({.code = "InvalidPattern",
                   .status = 500,
                   .message = fmt::format("{} at {}", problem_, at_)});
    }
    emit({Pattern::Op::accept});
    return std::move(pattern_);
  }

 private:
  using Op = Pattern::Op;
  using Instruction = Pattern::Instruction;

  bool more() const { return problem_ == nullptr && at_ < source_.size(); }
  bool ahead(std::string_view text) const { return source_.substr(at_).starts_with(text); }
  bool take(std::string_view text) {
    if (!ahead(text)) return false;
    at_ += text.size();
    return true;
  }
  std::uint32_t here() const { return static_cast<std::uint32_t>(pattern_.program_.size()); }
  Instruction& at(std::uint32_t index) { return pattern_.program_[index]; }
  void emit(Instruction instruction) {
    if (pattern_.program_.size() >= program_max) problem_ = "pattern too large";
    pattern_.program_.push_back(instruction);
  }
  void emit_set(Pattern::Set set) {
    set.finish();
    pattern_.sets_.push_back(std::move(set));
    emit({Op::set, static_cast<std::uint32_t>(pattern_.sets_.size() - 1)});
  }

  // Inserts room before `start`: jumps inside the moved piece are relative to it, so they move
  // along.
  void insert(std::uint32_t start, Instruction instruction) {
    auto& program = pattern_.program_;
    program.insert(program.begin() + start, instruction);
    for (std::uint32_t i = start + 1; i < program.size(); ++i) relocate(program[i], 1);
  }
  static bool has_target(Op op) {
    return op == Op::split || op == Op::jump || op == Op::look_ahead || op == Op::look_ahead_not ||
           op == Op::look_behind_not;
  }
  static void relocate(Instruction& instruction, std::uint32_t by) {
    if (!has_target(instruction.op)) return;
    instruction.a += by;
    if (instruction.op == Op::split) instruction.b += by;
  }

  void alternatives(int depth) {
    if (depth > 50) problem_ = "nested too deeply";
    std::uint32_t start = here();
    std::vector<std::uint32_t> exits;
    sequence(depth);
    while (more() && take("|")) {
      insert(start, {Op::split, start + 1, 0});
      exits.push_back(here());
      emit({Op::jump});
      at(start).b = here();
      start = here();
      sequence(depth);
    }
    for (std::uint32_t exit : exits) at(exit).a = here();
  }

  void sequence(int depth) {
    while (more() && source_[at_] != '|' && source_[at_] != ')') {
      std::uint32_t start = here();
      if (atom(depth)) repetition(start);
    }
  }

  // False for what cannot be repeated (assertions).
  bool atom(int depth) {
    if (take("(?!")) return look(Op::look_ahead_not, depth);
    if (take("(?=")) return look(Op::look_ahead, depth);
    if (take("(?<!")) return look_behind();
    if (take("(?:") || take("(")) {
      alternatives(depth + 1);
      if (problem_ == nullptr && !take(")")) problem_ = "group without an end";
      return true;
    }
    char c = source_[at_];
    if (c == '^' || c == '$') {
      ++at_;
      emit({c == '^' ? Op::begin : Op::end});
      return false;
    }
    if (c == '*' || c == '+' || c == '?') {
      problem_ = "nothing to repeat";
      return false;
    }
    Pattern::Set set;
    if (take("[")) {
      set = bracket();
    } else if (take(".")) {
      set = {{{'\n', '\n'}, {'\r', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}}, true};
    } else {
      unsigned code = 0;
      if (!item(set, code)) set.ranges.push_back({code, code});
    }
    emit_set(std::move(set));
    return true;
  }

  bool look(Op op, int depth) {
    std::uint32_t start = here();
    emit({op});
    alternatives(depth + 1);
    if (problem_ == nullptr && !take(")")) problem_ = "group without an end";
    emit({Op::accept});
    at(start).a = here();
    return false;
  }

  // One set: the character before must not be in it.
  bool look_behind() {
    std::uint32_t start = here();
    emit({Op::look_behind_not});
    atom(0);
    if (here() != start + 2 || at(start + 1).op != Op::set || !take(")"))
      problem_ = "lookbehind of more than a character";
    at(start).a = here();
    return false;
  }

  std::uint32_t count() {
    std::uint32_t value = 0;
    bool any = false;
    while (at_ < source_.size() && source_[at_] >= '0' && source_[at_] <= '9' && value < 100'000) {
      value = value * 10 + static_cast<std::uint32_t>(source_[at_++] - '0');
      any = true;
    }
    if (!any) problem_ = "bad repetition";
    return value;
  }

  void repetition(std::uint32_t start) {
    if (!more()) return;
    std::uint32_t low = 1, high = 1;
    if (take("*")) {
      low = 0, high = unlimited;
    } else if (take("+")) {
      high = unlimited;
    } else if (take("?")) {
      low = 0;
    } else if (take("{")) {
      low = high = count();
      if (take(",")) high = ahead("}") ? unlimited : count();
      if (!take("}") || high < low) problem_ = "bad repetition";
    } else {
      return;
    }
    if (problem_ == nullptr) repeat(start, low, high);
    take("?");  // lazy or greedy: the same for a whole match
  }

  // The piece [start, here) copied `low` times, then (high - low) times optionally or in a loop.
  void repeat(std::uint32_t start, std::uint32_t low, std::uint32_t high) {
    std::vector<Instruction> piece(pattern_.program_.begin() + start, pattern_.program_.end());
    pattern_.program_.resize(start);
    for (std::uint32_t i = 0; i < low && problem_ == nullptr; ++i) copy(piece, start);
    if (high == unlimited) {
      std::uint32_t loop = here();
      emit({Op::split, loop + 1, 0});
      copy(piece, start);
      emit({Op::jump, loop});
      at(loop).b = here();
      return;
    }
    std::vector<std::uint32_t> exits;
    for (std::uint32_t i = low; i < high && problem_ == nullptr; ++i) {
      exits.push_back(here());
      emit({Op::split, here() + 1, 0});
      copy(piece, start);
    }
    for (std::uint32_t exit : exits) at(exit).b = here();
  }

  void copy(const std::vector<Instruction>& piece, std::uint32_t origin) {
    std::uint32_t by = here() - origin;
    for (Instruction instruction : piece) {
      relocate(instruction, by);
      emit(instruction);
    }
  }

  unsigned hex(int digits) {
    unsigned value = 0;
    for (int i = 0; i < digits; ++i) {
      char c = at_ < source_.size() ? source_[at_++] : '?';
      if (c >= '0' && c <= '9') {
        value = value * 16 + static_cast<unsigned>(c - '0');
      } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
        value = value * 16 + static_cast<unsigned>((c | 0x20) - 'a' + 10);
      } else {
        problem_ = "bad escape";
      }
    }
    return value;
  }

  static void add(Pattern::Set& set, std::initializer_list<Pattern::Range> ranges) {
    set.ranges.insert(set.ranges.end(), ranges);
  }

  // True when it was a class, whose ranges it adds; false when it was one character, in `code`.
  bool item(Pattern::Set& set, unsigned& code) {
    if (!take("\\")) {
      code = next_code_point(source_, at_);
      return false;
    }
    if (at_ >= source_.size()) {
      problem_ = "cut escape";
      return true;
    }
    char c = source_[at_++];
    switch (c) {
      case 'd':
        add(set, {{'0', '9'}});
        return true;
      case 'D':
        add(set, {{0, '0' - 1}, {'9' + 1, code_max}});
        return true;
      case 'w':
        add(set, {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}, {'_', '_'}});
        return true;
      case 's':
        add(set, {{9, 13}, {' ', ' '}});
        return true;
      case 'S':
        add(set, {{0, 8}, {14, 31}, {33, code_max}});
        return true;
      case 'p':
        property(set);
        return true;
      case 'u':
        code = hex(4);
        return false;
      case 'x':
        code = hex(2);
        return false;
      case 'n':
        code = '\n';
        return false;
      case 'r':
        code = '\r';
        return false;
      case 't':
        code = '\t';
        return false;
      default:
        break;
    }
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
      problem_ = "unknown escape";
    code = static_cast<unsigned char>(c);
    return false;
  }

  void property(Pattern::Set& set) {
    std::size_t end = source_.find('}', at_);
    if (!take("{") || end == std::string_view::npos) {
      problem_ = "bad property";
      return;
    }
    std::string_view name = source_.substr(at_, end - at_);
    at_ = end + 1;
    add(set, {{0x80, code_max}});
    if (name == "L") {
      add(set, {{'A', 'Z'}, {'a', 'z'}});
    } else if (name == "N") {
      add(set, {{'0', '9'}});
    } else if (name == "Z") {
      add(set, {{' ', ' '}});
    } else if (name == "S") {
      add(set,
          {{'$', '$'}, {'+', '+'}, {'<', '>'}, {'^', '^'}, {'`', '`'}, {'|', '|'}, {'~', '~'}});
    } else if (name == "P") {
      add(set, {{'!', '#'},
                {'%', '*'},
                {',', '/'},
                {':', ';'},
                {'?', '@'},
                {'[', ']'},
                {'_', '_'},
                {'{', '{'},
                {'}', '}'}});
    } else if (name != "M") {
      problem_ = "unknown property";
    }
  }

  Pattern::Set bracket() {
    Pattern::Set set;
    set.negated = take("^");
    while (more() && source_[at_] != ']') {
      unsigned low = 0;
      if (item(set, low)) continue;
      // A '-' before ']' or after a class stands for itself.
      if (at_ + 1 < source_.size() && source_[at_] == '-' && source_[at_ + 1] != ']') {
        std::size_t dash = at_++;
        unsigned high = 0;
        std::size_t ranges = set.ranges.size();
        if (item(set, high) || high < low) {
          set.ranges.resize(ranges);
          at_ = dash;
          high = low;
        }
        add(set, {{low, high}});
        continue;
      }
      add(set, {{low, low}});
    }
    if (!take("]")) problem_ = "class without an end";
    return set;
  }

  std::string_view source_;
  std::size_t at_ = 0;
  const char* problem_ = nullptr;
  Pattern pattern_;
};

Result<Pattern> Pattern::compile(std::string_view source) {
  return PatternCompiler(source).compile();
}

bool Pattern::matches(std::string_view text) const {
  return run(text, 0, 0, true);
}

bool Pattern::run(std::string_view text, std::size_t from, std::uint32_t start, bool whole) const {
  struct State {
    std::uint32_t pc;
    std::size_t at;
  };
  std::size_t width = text.size() - from + 1;
  if (program_.size() * width > seen_bits_max) return false;
  std::array<std::uint64_t, 64> small;  // most texts and patterns are short: no allocation for them
  std::vector<std::uint64_t> large;
  std::size_t words = (program_.size() * width + 63) / 64;
  std::uint64_t* seen = small.data();
  if (words > small.size()) {
    large.resize(words);
    seen = large.data();
  } else {
    std::fill_n(seen, words, 0);
  }
  std::vector<State> stack;
  stack.reserve(64);
  stack.push_back({start, from});
  while (!stack.empty()) {
    auto [pc, at] = stack.back();
    stack.pop_back();
    std::size_t bit = pc * width + (at - from);
    if (seen[bit / 64] >> (bit % 64) & 1) continue;
    seen[bit / 64] |= std::uint64_t{1} << (bit % 64);
    const Instruction& instruction = program_[pc];
    switch (instruction.op) {
      case Op::accept:
        if (!whole || at == text.size()) return true;
        break;
      case Op::set:
        if (at < text.size()) {
          unsigned code = next_code_point(text, at);
          if (sets_[instruction.a].contains(code)) stack.push_back({pc + 1, at});
        }
        break;
      case Op::split:
        stack.push_back({instruction.b, at});
        stack.push_back({instruction.a, at});
        break;
      case Op::jump:
        stack.push_back({instruction.a, at});
        break;
      case Op::begin:
        if (at == 0) stack.push_back({pc + 1, at});
        break;
      case Op::end:
        if (at == text.size()) stack.push_back({pc + 1, at});
        break;
      case Op::look_ahead:
      case Op::look_ahead_not:
        if (run(text, at, pc + 1, false) == (instruction.op == Op::look_ahead)) {
          stack.push_back({instruction.a, at});
        }
        break;
      case Op::look_behind_not: {
        auto before = at == 0 ? code_max + 1
                              : static_cast<unsigned>(static_cast<unsigned char>(text[at - 1]));
        if (at == 0 || !sets_[program_[pc + 1].a].contains(before))
          stack.push_back({instruction.a, at});
        break;
      }
    }
  }
  return false;
}

const Pattern& PatternCache::get(std::string_view source) {
  if (const Pattern* existing = compiled.load(std::memory_order_acquire)) return *existing;
  Result<Pattern> pattern = Pattern::compile(source);
  ASSERT(pattern.has_value());  // the models' patterns are ours; a test compiles every one
  auto fresh = std::make_unique<const Pattern>(*std::move(pattern));
  const Pattern* expected = nullptr;
  if (compiled.compare_exchange_strong(expected, fresh.get(), std::memory_order_acq_rel))
    return *fresh.release();
  return *expected;
}

}  // namespace wolke::shape
