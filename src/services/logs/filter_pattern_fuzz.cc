// Any bytes as a filter pattern, a zero byte, and a message. Oracles: what parses, parses the same
// twice; what the message gives up is only asked of patterns that parse; a pattern of terms that
// matches a text still matches it with more behind it unless it excludes something or has a regular
// expression.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wolke/services/logs/filter_pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wolke::logs;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = std::min(all.find('\0'), all.size());
  const std::string_view text = all.substr(0, std::min<std::size_t>(zero, 1024));
  const std::string_view message = zero < all.size() ? all.substr(zero + 1) : std::string_view();
  const auto pattern = parse_filter_pattern(text);
  if (pattern.has_value() != parse_filter_pattern(text).has_value()) std::abort();
  if (!pattern) return 0;
  const bool matched = pattern->matches(message);
  (void)pattern->extract(message);
  const bool terms = text.find_first_of("{[%") == text.npos;
  if (matched && terms && text.find('-') == text.npos) {
    if (!pattern->matches(std::string(message) + " and more")) std::abort();
  }
  return 0;
}
