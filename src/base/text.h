#pragma once
// Small text functions that the standard library lacks. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wolke {

std::string to_lower(std::string_view text);   // ASCII only
std::string_view trim(std::string_view text);  // spaces and tabs
std::vector<std::string_view> split(std::string_view text, char separator);
bool iequals(std::string_view a, std::string_view b);  // ASCII case-insensitive
/// '*' matches any run, '?' one character; linear-time in practice (one backtrack point).
bool glob_match(std::string_view pattern, std::string_view text);
bool is_valid_utf8(std::string_view text);
/// Whole string must be a decimal number in range; no sign for unsigned, no spaces, no '+'.
std::optional<std::uint64_t> parse_u64(std::string_view text);
std::optional<std::int64_t> parse_i64(std::string_view text);
/// Control and escape characters of foreign text made visible, so that printing it cannot drive a
/// terminal.
std::string printable(std::string_view text);

}  // namespace wolke
