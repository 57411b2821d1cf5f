#include "wolke/services/logs/regex.h"

namespace wolke::logs {
namespace {

constexpr std::size_t unset = static_cast<std::size_t>(-1);

bool is_word_byte(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

bool at_word_boundary(std::string_view text, std::size_t at) {
  const bool before = at > 0 && is_word_byte(text[at - 1]);
  const bool after = at < text.size() && is_word_byte(text[at]);
  return before != after;
}

}  // namespace

/// Threads of one position, best first, each instruction at most once; with the slots of the groups
/// each has seen when they are asked for.
class Regex::Machine {
 public:
  Machine(const Regex& regex, std::string_view text, std::size_t slots)
      : regex_(regex), text_(text), slots_(slots), seen_(regex.program_.size(), unset) {}

  /// The slots of the first match; empty when `slots` is 0. Nullopt: none.
  std::optional<std::vector<std::size_t>> run() {
    std::optional<std::vector<std::size_t>> best;
    for (std::size_t at = 0; at <= text_.size(); ++at) {
      if (!best && now_.pcs.empty() && !regex_.may_be_empty_) at = skip(at);
      if (at > text_.size()) break;
      // A match that begins later is only of interest while there is none.
      if (!best) add(now_, 0, at, std::vector<std::size_t>(slots_, unset));
      if (best && now_.pcs.empty()) break;
      steps_ += 1 + now_.pcs.size();
      if (steps_ > regex_steps_max) return std::nullopt;
      if (step(at, best) && slots_ == 0) return best;
      std::swap(now_, next_);
      next_.clear();
    }
    return best;
  }

 private:
  struct Threads {
    std::vector<std::uint32_t> pcs;
    std::vector<std::size_t> saved;  // slots_ of each
    void clear() {
      pcs.clear();
      saved.clear();
    }
  };
  struct Pending {
    std::uint32_t pc;
    std::vector<std::size_t> slots;
  };

  std::size_t skip(std::size_t at) const {
    while (at < text_.size() && !regex_.first_[static_cast<unsigned char>(text_[at])]) ++at;
    return at < text_.size() ? at : text_.size() + 1;
  }

  /// Moves every thread over the byte; true when one accepted, which ends those after it.
  bool step(std::size_t at, std::optional<std::vector<std::size_t>>& best) {
    for (std::size_t i = 0; i < now_.pcs.size(); ++i) {
      const Instruction& instruction = regex_.program_[now_.pcs[i]];
      const auto saved = now_.saved.begin() + static_cast<std::ptrdiff_t>(i * slots_);
      std::vector<std::size_t> slots(saved, saved + static_cast<std::ptrdiff_t>(slots_));
      if (instruction.op == Op::accept) {
        best = std::move(slots);
        return true;
      }
      const bool takes =
          at < text_.size() && regex_.sets_[instruction.a][static_cast<unsigned char>(text_[at])];
      if (takes) add(next_, now_.pcs[i] + 1, at + 1, std::move(slots));
    }
    return false;
  }

  /// Follows everything that takes no byte, in order of preference.
  void add(Threads& threads, std::uint32_t start, std::size_t at, std::vector<std::size_t> first) {
    stack_.push_back({start, std::move(first)});
    while (!stack_.empty()) {
      Pending top = std::move(stack_.back());
      stack_.pop_back();
      if (seen_[top.pc] == at) continue;
      seen_[top.pc] = at;
      const Instruction& instruction = regex_.program_[top.pc];
      switch (instruction.op) {
        case Op::split:
          stack_.push_back({instruction.b, top.slots});
          stack_.push_back({instruction.a, std::move(top.slots)});
          break;
        case Op::jump:
          stack_.push_back({instruction.a, std::move(top.slots)});
          break;
        case Op::save:
          if (instruction.a < slots_) top.slots[instruction.a] = at;
          stack_.push_back({top.pc + 1, std::move(top.slots)});
          break;
        case Op::begin:
        case Op::end:
        case Op::word:
        case Op::not_word:
          if (holds(instruction.op, at)) stack_.push_back({top.pc + 1, std::move(top.slots)});
          break;
        case Op::set:
        case Op::accept:
          threads.pcs.push_back(top.pc);
          threads.saved.insert(threads.saved.end(), top.slots.begin(), top.slots.end());
          break;
      }
    }
  }

  bool holds(Op op, std::size_t at) const {
    if (op == Op::begin) return at == 0;
    if (op == Op::end) return at == text_.size();
    return at_word_boundary(text_, at) == (op == Op::word);
  }

  const Regex& regex_;
  std::string_view text_;
  std::size_t slots_;
  std::vector<std::size_t> seen_;  // the position at which an instruction was last added
  Threads now_, next_;
  std::vector<Pending> stack_;
  std::size_t steps_ = 0;
};

void Regex::find_first_bytes() {
  std::vector<bool> seen(program_.size());
  std::vector<std::uint32_t> stack = {0};
  while (!stack.empty()) {
    const std::uint32_t pc = stack.back();
    stack.pop_back();
    if (seen[pc]) continue;
    seen[pc] = true;
    const Instruction& instruction = program_[pc];
    switch (instruction.op) {
      case Op::set:
        first_ |= sets_[instruction.a];
        break;
      case Op::split:
        stack.push_back(instruction.b);
        stack.push_back(instruction.a);
        break;
      case Op::jump:
        stack.push_back(instruction.a);
        break;
      case Op::save:
        stack.push_back(pc + 1);
        break;
      case Op::begin:
      case Op::end:
      case Op::word:
      case Op::not_word:
      case Op::accept:
        may_be_empty_ = true;
        break;
    }
  }
}

bool Regex::found_in(std::string_view text) const {
  return Machine(*this, text, 0).run().has_value();
}

std::optional<Regex::Groups> Regex::match(std::string_view text) const {
  const auto slots = Machine(*this, text, 2 * names_.size()).run();
  if (!slots) return std::nullopt;
  Groups out(names_.size());
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const std::size_t begin = (*slots)[2 * i], end = (*slots)[2 * i + 1];
    if (begin != unset && end != unset) out[i] = text.substr(begin, end - begin);
  }
  return out;
}

}  // namespace wolke::logs
