// From the source to a program: a tree first, since counted repetition writes a piece many times.
#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "wolke/services/logs/regex.h"

namespace wolke::logs {
namespace {

constexpr int depth_max = 50;
constexpr std::uint32_t unlimited = 0xFFFFFFFF;
constexpr std::uint32_t repeat_max = 1000;

struct Node {
  enum class Kind { set, any_character, sequence, alternatives, repeat, group, assertion };
  Kind kind = Kind::sequence;
  std::size_t set = 0;                     // set, any_character: its first byte
  Regex::Op assertion = Regex::Op::begin;  // assertion
  std::uint32_t low = 1, high = 1;         // repeat
  bool greedy = true;                      // repeat
  std::size_t group = 0;                   // group
  std::vector<std::unique_ptr<Node>> children;
};
using NodePointer = std::unique_ptr<Node>;

NodePointer make(Node::Kind kind) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  return node;
}

Regex::ByteSet range(unsigned low, unsigned high) {
  Regex::ByteSet out;
  for (unsigned byte = low; byte <= high; ++byte) out.set(byte);
  return out;
}

const Regex::ByteSet& continuation() {
  static const Regex::ByteSet set = range(0x80, 0xBF);
  return set;
}

/// \d \w \s and their opposites, which take characters beyond ASCII.
std::optional<Regex::ByteSet> class_of(char letter) {
  Regex::ByteSet out;
  switch (letter | 0x20) {
    case 'd':
      out = range('0', '9');
      break;
    case 'w':
      out = range('0', '9') | range('A', 'Z') | range('a', 'z') | range('_', '_');
      break;
    case 's':
      out = range('\t', '\r') | range(' ', ' ');
      break;
    default:
      return std::nullopt;
  }
  return (letter & 0x20) != 0 ? out : ~out;
}

std::optional<unsigned> digit_of(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a' + 10);
  return std::nullopt;
}

}  // namespace

class RegexCompiler {
 public:
  explicit RegexCompiler(std::string_view source) : source_(source) {
    regex_.names_.emplace_back();
  }

  Result<Regex> compile() {
    ignore_case_ = take("(?i)");
    continuation_ = add_set(continuation());
    const NodePointer whole = alternatives(0);
    if (problem_ == nullptr && at_ < source_.size()) problem_ = "unbalanced ')'";
    emit({Regex::Op::save, 0});
    if (problem_ == nullptr) write(*whole);
    emit({Regex::Op::save, 1});
    emit({Regex::Op::accept});
    if (problem_ != nullptr) {
      return fail({.code = "InvalidRegex",
                   .status = 400,
                   .message = fmt::format("{} at character {}", problem_, at_ + 1)});
    }
    regex_.find_first_bytes();
    return std::move(regex_);
  }

 private:
  bool more() const { return problem_ == nullptr && at_ < source_.size(); }
  bool take(std::string_view text) {
    if (!source_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }

  // ---- the tree ----

  NodePointer alternatives(int depth) {
    auto out = make(Node::Kind::alternatives);
    if (depth > depth_max) {
      problem_ = "nested too deeply";
      return out;
    }
    do {
      out->children.push_back(sequence(depth));
    } while (more() && take("|"));
    return out;
  }

  NodePointer sequence(int depth) {
    auto out = make(Node::Kind::sequence);
    while (more() && source_[at_] != '|' && source_[at_] != ')') {
      NodePointer piece = atom(depth);
      if (problem_ != nullptr) break;
      out->children.push_back(repeated(std::move(piece)));
    }
    return out;
  }

  NodePointer atom(int depth) {
    const char c = source_[at_];
    if (c == '(') return group(depth);
    if (c == '^' || c == '$') {
      ++at_;
      return assertion(c == '^' ? Regex::Op::begin : Regex::Op::end);
    }
    if (c == '*' || c == '+' || c == '?') problem_ = "nothing to repeat";
    if (take("\\b")) return assertion(Regex::Op::word);
    if (take("\\B")) return assertion(Regex::Op::not_word);
    if (take("[")) return of_set(bracket());
    if (take(".")) return of_set(~range('\n', '\n'));
    Regex::ByteSet set;
    if (const auto byte = item(set)) set = range(*byte, *byte);
    return of_set(set);
  }

  NodePointer assertion(Regex::Op op) {
    auto out = make(Node::Kind::assertion);
    out->assertion = op;
    return out;
  }

  NodePointer group(int depth) {
    take("(");
    auto out = make(Node::Kind::group);
    if (take("?:")) {
      out->kind = Node::Kind::sequence;
    } else {
      std::string name;
      if (take("?P<") || take("?<")) {
        while (more() && source_[at_] != '>') name += source_[at_++];
        if (name.empty() || !take(">")) problem_ = "bad name of a group";
      } else if (take("?")) {
        problem_ = "unknown kind of group";
      }
      out->group = regex_.names_.size();
      regex_.names_.push_back(std::move(name));
      if (regex_.names_.size() > regex_groups_max) problem_ = "too many groups";
    }
    if (problem_ == nullptr) out->children.push_back(alternatives(depth + 1));
    if (problem_ == nullptr && !take(")")) problem_ = "group without an end";
    return out;
  }

  /// A set that has bytes beyond ASCII means whole characters.
  NodePointer of_set(Regex::ByteSet set) {
    if (ignore_case_) {
      for (unsigned lower = 'a'; lower <= 'z'; ++lower) {
        if (set[lower] || set[lower - 32]) set.set(lower).set(lower - 32);
      }
    }
    const bool whole_characters = (set & range(0x80, 0xFF)).count() > 1;
    auto out = make(whole_characters ? Node::Kind::any_character : Node::Kind::set);
    if (whole_characters) set &= ~continuation();
    out->set = add_set(set);
    return out;
  }

  NodePointer repeated(NodePointer piece) {
    if (!more()) return piece;
    std::uint32_t low = 1, high = 1;
    if (take("*")) {
      low = 0, high = unlimited;
    } else if (take("+")) {
      high = unlimited;
    } else if (take("?")) {
      low = 0;
    } else if (!counts(low, high)) {
      return piece;
    }
    if (piece->kind == Node::Kind::assertion) problem_ = "nothing to repeat";
    auto out = make(Node::Kind::repeat);
    out->low = low;
    out->high = high;
    out->greedy = !take("?");
    out->children.push_back(std::move(piece));
    return out;
  }

  /// {n} {n,} {n,m}; a brace that begins none of them is itself.
  bool counts(std::uint32_t& low, std::uint32_t& high) {
    const std::size_t begin = at_;
    if (!take("{")) return false;
    const auto first = number();
    if (first) {
      low = high = *first;
      if (take(",")) high = number().value_or(unlimited);
      if (take("}")) {
        const bool bad =
            low > repeat_max || (high != unlimited && (high > repeat_max || high < low));
        if (bad) problem_ = "bad repetition";
        return true;
      }
    }
    at_ = begin;
    return false;
  }

  std::optional<std::uint32_t> number() {
    std::optional<std::uint32_t> out;
    while (at_ < source_.size() && source_[at_] >= '0' && source_[at_] <= '9') {
      out = std::min(out.value_or(0) * 10 + static_cast<std::uint32_t>(source_[at_++] - '0'),
                     repeat_max + 1);
    }
    return out;
  }

  /// One byte, or a class whose bytes it adds.
  std::optional<unsigned> item(Regex::ByteSet& set) {
    const char c = source_[at_++];
    if (c != '\\') return static_cast<unsigned char>(c);
    if (at_ >= source_.size()) {
      problem_ = "cut escape";
      return 0;
    }
    const char letter = source_[at_++];
    if (const auto known = class_of(letter)) {
      set |= *known;
      return std::nullopt;
    }
    if (letter == 'n') return '\n';
    if (letter == 'r') return '\r';
    if (letter == 't') return '\t';
    if (letter == 'x' && at_ + 2 <= source_.size()) {
      const auto high = digit_of(source_[at_]), low = digit_of(source_[at_ + 1]);
      at_ += 2;
      if (high && low) return *high * 16 + *low;
    }
    const bool alphanumeric =
        (letter >= '0' && letter <= '9') || ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'z');
    if (alphanumeric) problem_ = "unknown escape";
    return static_cast<unsigned char>(letter);
  }

  Regex::ByteSet bracket() {
    Regex::ByteSet set;
    const bool negated = take("^");
    bool first = true;
    while (more() && (first || source_[at_] != ']')) {
      first = false;
      const auto low = item(set);
      if (!low) continue;
      unsigned high = *low;
      const bool is_range =
          at_ + 1 < source_.size() && source_[at_] == '-' && source_[at_ + 1] != ']';
      if (is_range) {
        ++at_;
        const auto end = item(set);
        if (!end || *end < *low) problem_ = "bad range in a class";
        high = end.value_or(*low);
      }
      if (high >= 0x80) problem_ = "a class cannot name characters beyond ASCII";
      if (problem_ == nullptr) set |= range(*low, high);
    }
    if (problem_ == nullptr && !take("]")) problem_ = "class without an end";
    return negated ? ~set : set;
  }

  // ---- the program ----

  std::size_t add_set(const Regex::ByteSet& set) {
    const auto known = std::find(regex_.sets_.begin(), regex_.sets_.end(), set);
    if (known != regex_.sets_.end()) {
      return static_cast<std::size_t>(known - regex_.sets_.begin());
    }
    regex_.sets_.push_back(set);
    return regex_.sets_.size() - 1;
  }
  std::uint32_t here() const { return static_cast<std::uint32_t>(regex_.program_.size()); }
  std::uint32_t emit(Regex::Instruction instruction) {
    if (regex_.program_.size() >= regex_program_max) {
      problem_ = "expression too large";
      return 0;
    }
    regex_.program_.push_back(instruction);
    return here() - 1;
  }
  Regex::Instruction& at(std::uint32_t index) { return regex_.program_[index]; }
  void emit_set(std::size_t set) { emit({Regex::Op::set, static_cast<std::uint32_t>(set)}); }

  void write(const Node& node) {
    if (problem_ != nullptr) return;
    switch (node.kind) {
      case Node::Kind::set:
        emit_set(node.set);
        break;
      case Node::Kind::any_character: {
        emit_set(node.set);
        const std::uint32_t loop = emit({Regex::Op::split, here() + 1});
        emit_set(continuation_);
        emit({Regex::Op::jump, loop});
        at(loop).b = here();
        break;
      }
      case Node::Kind::assertion:
        emit({node.assertion});
        break;
      case Node::Kind::sequence:
        for (const NodePointer& child : node.children) write(*child);
        break;
      case Node::Kind::group:
        emit({Regex::Op::save, static_cast<std::uint32_t>(2 * node.group)});
        for (const NodePointer& child : node.children) write(*child);
        emit({Regex::Op::save, static_cast<std::uint32_t>(2 * node.group + 1)});
        break;
      case Node::Kind::alternatives:
        write_alternatives(node);
        break;
      case Node::Kind::repeat:
        write_repeat(node);
        break;
    }
  }

  void write_alternatives(const Node& node) {
    std::vector<std::uint32_t> exits;
    for (std::size_t i = 0; i < node.children.size() && problem_ == nullptr; ++i) {
      if (i + 1 == node.children.size()) {
        write(*node.children[i]);
        break;
      }
      const std::uint32_t choice = emit({Regex::Op::split, here() + 1});
      write(*node.children[i]);
      exits.push_back(emit({Regex::Op::jump}));
      at(choice).b = here();
    }
    for (const std::uint32_t exit : exits) at(exit).a = here();
  }

  /// A split whose preferred way is the piece that follows it, or, when lazy, the other.
  void aim(std::uint32_t split, bool greedy) {
    at(split).a = greedy ? split + 1 : here();
    at(split).b = greedy ? here() : split + 1;
  }

  void write_repeat(const Node& node) {
    const Node& piece = *node.children.front();
    for (std::uint32_t i = 0; i < node.low && problem_ == nullptr; ++i) write(piece);
    if (node.high == unlimited) {
      const std::uint32_t loop = emit({Regex::Op::split});
      write(piece);
      emit({Regex::Op::jump, loop});
      aim(loop, node.greedy);
      return;
    }
    std::vector<std::uint32_t> choices;
    for (std::uint32_t i = node.low; i < node.high && problem_ == nullptr; ++i) {
      choices.push_back(emit({Regex::Op::split}));
      write(piece);
    }
    for (const std::uint32_t choice : choices) aim(choice, node.greedy);
  }

  std::string_view source_;
  std::size_t at_ = 0;
  const char* problem_ = nullptr;
  bool ignore_case_ = false;
  std::size_t continuation_ = 0;
  Regex regex_;
};

Result<Regex> Regex::compile(std::string_view source) {
  return RegexCompiler(source).compile();
}

}  // namespace wolke::logs
