#include "wolke/store/keys.h"

namespace wolke::store {

namespace {

constexpr char escape_zero = '\xFF';
constexpr char end_of_text = '\x01';

void append_escaped(std::string& out, std::string_view part) {
  while (true) {
    const std::size_t zero = part.find('\0');
    if (zero == std::string_view::npos) break;
    out.append(part.substr(0, zero + 1));
    out.push_back(escape_zero);
    part.remove_prefix(zero + 1);
  }
  out.append(part);
}

}  // namespace

KeyBuilder& KeyBuilder::text(std::string_view part) {
  append_escaped(bytes_, part);
  bytes_.push_back('\0');
  bytes_.push_back(end_of_text);
  return *this;
}

KeyBuilder& KeyBuilder::number(std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes_.push_back(static_cast<char>((value >> shift) & 0xFF));
  }
  return *this;
}

KeyBuilder& KeyBuilder::text_prefix(std::string_view open_part) {
  append_escaped(bytes_, open_part);
  return *this;
}

std::string prefix_end(std::string_view prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.remove_suffix(1);
  std::string end(prefix);
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

std::optional<std::string> KeyReader::text() {
  std::string out;
  while (true) {
    const std::size_t zero = rest_.find('\0');
    if (zero == std::string_view::npos || zero + 1 >= rest_.size()) return std::nullopt;
    const char next = rest_[zero + 1];
    out.append(rest_.substr(0, zero));
    rest_.remove_prefix(zero + 2);
    if (next == end_of_text) return out;
    if (next != escape_zero) return std::nullopt;
    out.push_back('\0');
  }
}

std::optional<std::uint64_t> KeyReader::number() {
  if (rest_.size() < 8) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    value = (value << 8) | static_cast<unsigned char>(rest_[i]);
  }
  rest_.remove_prefix(8);
  return value;
}

}  // namespace wolke::store
