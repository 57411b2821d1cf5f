// Escapes and queries, from any bytes. Oracle: what is encoded is only unreserved characters and
// escapes and decodes to what it was; what a query is split into, encoded again, splits the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wolke/base/uri.h"
#include "wolke/base/virtual_host.h"

namespace {

using namespace wolke;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~%").contains(c);
}

void check_escapes(std::string_view text) {
  const std::string encoded = percent_encode(text);
  for (const char c : encoded) require(is_plain(c));
  require(percent_decode(encoded) == text);
  require(percent_decode(percent_encode(text, true)) == text);
  require(percent_decode(encoded, true) == text);
  if (const auto decoded = percent_decode(text)) require(decoded->size() <= text.size());
}

void check_query(std::string_view text) {
  const auto pairs = parse_query(text);
  if (!pairs) return;
  std::string again;
  for (const auto& [name, value] : *pairs) {
    if (!again.empty()) again += '&';
    again += percent_encode(name) + "=" + percent_encode(value);
    require(find_query(*pairs, name) != nullptr);
  }
  const auto second = parse_query(again);
  require(second.has_value());
  // A pair of nothing ("=") is as good as none at all between two '&'.
  if (pairs->size() > 1 || (pairs->size() == 1 && again != "=")) require(*second == *pairs);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_escapes(text);
  check_query(text);
  require(virtual_host_bucket(text).size() <= text.size());
  return 0;
}
