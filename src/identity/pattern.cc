#include "wolke/identity/pattern.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "wolke/base/text.h"

namespace wolke::identity {
namespace {

/// A run between two '*': literals and '?', after substitution. `any[i]` marks a '?'.
struct Piece {
  std::string text;
  std::string any;  // empty: no '?', else one byte for each of text
};

bool equal_at(const Piece& piece, std::string_view text, std::size_t at) {
  for (std::size_t i = 0; i < piece.text.size(); ++i) {
    if (!(!piece.any.empty() && piece.any[i]) && piece.text[i] != text[at + i]) return false;
  }
  return true;
}

/// The first place of a long run with '?': a bit for each prefix of the run that ends where the
/// text is read (shift-and), so that a hostile run costs a 64th of the product of the lengths.
std::size_t find_bits(const Piece& piece, std::string_view text, std::size_t from) {
  constexpr std::size_t word_bits = 64;
  const std::size_t words = (piece.text.size() + word_bits - 1) / word_bits;
  std::vector<std::uint64_t> fits(256 * words, 0);  // fits[c][i]: c may stand at i
  for (std::size_t i = 0; i < piece.text.size(); ++i) {
    const std::uint64_t bit = std::uint64_t{1} << (i % word_bits);
    const std::size_t first = piece.any[i] ? 0 : static_cast<unsigned char>(piece.text[i]);
    const std::size_t last = piece.any[i] ? 255 : first;
    for (std::size_t c = first; c <= last; ++c) fits[c * words + i / word_bits] |= bit;
  }
  std::vector<std::uint64_t> state(words, 0);
  const std::uint64_t whole = std::uint64_t{1} << ((piece.text.size() - 1) % word_bits);
  for (std::size_t at = from; at < text.size(); ++at) {
    const std::uint64_t* fit = &fits[static_cast<unsigned char>(text[at]) * words];
    std::uint64_t carry = 1;
    for (std::size_t word = 0; word < words; ++word) {
      const std::uint64_t next = state[word] >> (word_bits - 1);
      state[word] = (state[word] << 1 | carry) & fit[word];
      carry = next;
    }
    if ((state[words - 1] & whole) != 0) return at + 1 - piece.text.size();
  }
  return std::string_view::npos;
}

std::size_t find_piece(const Piece& piece, std::string_view text, std::size_t from) {
  if (piece.text.size() > text.size() - from) return std::string_view::npos;
  if (piece.any.empty()) {
    if (piece.text.empty()) return from;
    const void* hit =
        ::memmem(text.data() + from, text.size() - from, piece.text.data(), piece.text.size());
    if (hit == nullptr) return std::string_view::npos;
    return static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
  }
  constexpr std::size_t short_run = 16;
  if (piece.text.size() > short_run) return find_bits(piece, text, from);
  for (std::size_t at = from; at + piece.text.size() <= text.size(); ++at) {
    if (equal_at(piece, text, at)) return at;
  }
  return std::string_view::npos;
}

/// Leftmost placement of each piece is enough: what '*' leaves over, the next '*' takes.
bool match_pieces(const std::vector<Piece>& pieces, std::string_view text) {
  const Piece& first = pieces.front();
  if (first.text.size() > text.size() || !equal_at(first, text, 0)) return false;
  if (pieces.size() == 1) return first.text.size() == text.size();
  std::size_t at = first.text.size();
  for (std::size_t i = 1; i + 1 < pieces.size(); ++i) {
    const std::size_t hit = find_piece(pieces[i], text, at);
    if (hit == std::string_view::npos) return false;
    at = hit + pieces[i].text.size();
  }
  const Piece& last = pieces.back();
  return text.size() - at >= last.text.size() &&
         equal_at(last, text, text.size() - last.text.size());
}

void append(Piece& piece, std::string_view text, bool any) {
  if (any && piece.any.empty()) piece.any.assign(piece.text.size(), '\0');
  piece.text += text;
  if (any) {
    piece.any.append(text.size(), '\1');
  } else if (!piece.any.empty()) {
    piece.any.append(text.size(), '\0');
  }
}

/// "aws:username" or "aws:username, 'default'".
std::pair<std::string, std::optional<std::string>> parse_variable(std::string_view body) {
  const std::size_t comma = body.find(',');
  std::string key = to_lower(trim(body.substr(0, comma)));
  if (comma == std::string_view::npos) return {std::move(key), std::nullopt};
  const std::string_view rest = trim(body.substr(comma + 1));
  const bool quoted = rest.size() >= 2 && rest.front() == '\'' && rest.back() == '\'';
  if (!quoted) return {std::move(key), std::nullopt};
  return {std::move(key), std::string(rest.substr(1, rest.size() - 2))};
}

}  // namespace

const std::vector<std::string>* Context::find(const std::string& key) const {
  for (const Conditions* conditions : {ask, request}) {
    if (conditions == nullptr) continue;
    if (auto it = conditions->find(key); it != conditions->end()) return &it->second;
  }
  return nullptr;
}

void Pattern::append_text(std::string_view text) {
  if (!tokens_.empty() && tokens_.back().kind == Kind::text) {
    tokens_.back().text += text;
  } else {
    tokens_.push_back({Kind::text, std::string(text)});
  }
}

Pattern Pattern::compile(std::string_view text, PatternKind kind, bool with_variables) {
  Pattern out;
  const bool substitutes = with_variables && kind != PatternKind::plain;
  while (!text.empty()) {
    const std::size_t end =
        text.starts_with("${") && substitutes ? text.find('}') : std::string_view::npos;
    if (end != std::string_view::npos) {
      const std::string_view body = text.substr(2, end - 2);
      if (body == "*" || body == "?" || body == "$") {
        out.append_text(body);
      } else {
        auto [key, fallback] = parse_variable(body);
        out.tokens_.push_back({Kind::variable, std::move(key), std::move(fallback)});
      }
      text.remove_prefix(end + 1);
      continue;
    }
    if (kind == PatternKind::glob && text.front() == '*') {
      out.tokens_.push_back({Kind::any_run, ""});
    } else if (kind == PatternKind::glob && text.front() == '?') {
      out.tokens_.push_back({Kind::any_one, ""});
    } else {
      out.append_text(text.substr(0, 1));
    }
    text.remove_prefix(1);
  }
  out.index();
  return out;
}

void Pattern::index() {
  variables_ = false;
  any_ = !tokens_.empty();
  for (const Token& token : tokens_) {
    if (token.kind == Kind::variable) variables_ = true;
    if (token.kind != Kind::any_run) any_ = false;
  }
}

/// Keys with several values cannot be variables.
std::optional<std::string> Pattern::value_of(const Token& token, const Context& context) {
  const std::vector<std::string>* values = context.find(token.text);
  if (values != nullptr && values->size() == 1) return values->front();
  return token.fallback;
}

std::string_view Pattern::beginning() const {
  if (tokens_.empty() || tokens_.front().kind != Kind::text) return {};
  return tokens_.front().text;
}

bool Pattern::is_any_after(std::string_view prefix) const {
  return tokens_.size() > 1 && beginning() == prefix &&
         std::all_of(tokens_.begin() + 1, tokens_.end(),
                     [](const Token& token) { return token.kind == Kind::any_run; });
}

Match Pattern::match(std::string_view text, const Context& context) const {
  if (any_) return Match::yes;
  if (tokens_.size() == 1 && tokens_[0].kind == Kind::text) {
    return tokens_[0].text == text ? Match::yes : Match::no;
  }
  std::vector<Piece> pieces(1);
  for (const Token& token : tokens_) {
    switch (token.kind) {
      case Kind::text:
        append(pieces.back(), token.text, false);
        break;
      case Kind::any_one:
        append(pieces.back(), "?", true);
        break;
      case Kind::any_run:
        pieces.emplace_back();
        break;
      case Kind::variable: {
        const std::optional<std::string> value = value_of(token, context);
        if (!value) return Match::unresolved;
        append(pieces.back(), *value, false);
        break;
      }
    }
  }
  return match_pieces(pieces, text) ? Match::yes : Match::no;
}

std::optional<std::string> Pattern::resolve(const Context& context) const {
  std::string out;
  for (const Token& token : tokens_) {
    switch (token.kind) {
      case Kind::text:
        out += token.text;
        break;
      case Kind::any_one:
        out += '?';
        break;
      case Kind::any_run:
        out += '*';
        break;
      case Kind::variable: {
        const std::optional<std::string> value = value_of(token, context);
        if (!value) return std::nullopt;
        out += *value;
        break;
      }
    }
  }
  return out;
}

std::vector<Pattern> Pattern::split_arn() const {
  constexpr std::size_t arn_parts = 6;
  std::vector<Pattern> parts(1);
  for (const Token& token : tokens_) {
    if (token.kind != Kind::text) {
      parts.back().tokens_.push_back(token);
      continue;
    }
    std::string_view rest = token.text;
    while (!rest.empty()) {
      const std::size_t colon = parts.size() < arn_parts ? rest.find(':') : std::string_view::npos;
      if (colon != 0) parts.back().append_text(rest.substr(0, colon));
      if (colon == std::string_view::npos) break;
      parts.emplace_back();
      rest.remove_prefix(colon + 1);
    }
  }
  for (Pattern& part : parts) part.index();
  return parts;
}

}  // namespace wolke::identity
