#pragma once
// Code points to and from UTF-8: what the escapes of JSON and XML and the patterns need.
// Nothing here validates: documents are checked with is_valid_utf8() before or after.
// Pure; any thread.

#include <string>
#include <string_view>

namespace wolke::shape {

/// `code` must be at most 0x10FFFF and no surrogate.
inline void append_utf8(std::string& out, unsigned code) {
  auto push = [&](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    push(code);
  } else if (code < 0x800) {
    push(0xC0 | code >> 6);
    push(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    push(0xE0 | code >> 12);
    push(0x80 | (code >> 6 & 0x3F));
    push(0x80 | (code & 0x3F));
  } else {
    push(0xF0 | code >> 18);
    push(0x80 | (code >> 12 & 0x3F));
    push(0x80 | (code >> 6 & 0x3F));
    push(0x80 | (code & 0x3F));
  }
}

/// The code point at `at`, which it advances. A byte that starts no valid sequence stands for
/// itself.
inline unsigned next_code_point(std::string_view text, std::size_t& at) {
  auto byte = [&](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(text[i]));
  };
  unsigned lead = byte(at);
  std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  if (more == 0 || at + more >= text.size()) {
    ++at;
    return lead;
  }
  unsigned code = lead & (0x3FU >> more);
  for (std::size_t i = 1; i <= more; ++i) code = code << 6 | (byte(at + i) & 0x3F);
  at += more + 1;
  return code;
}

}  // namespace wolke::shape
