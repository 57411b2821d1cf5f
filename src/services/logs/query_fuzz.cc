// Any bytes as a query, a zero byte, and a message that it is asked about. Oracle: a query that
// parses, parses again, and answers twice the same.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wolke/services/logs/query_pipeline.h"

namespace {

using namespace wolke::logs;

std::vector<ResultRow> answer(std::string_view query, std::string_view message) {
  auto commands = parse_query(query, {});
  if (!commands) std::abort();
  Pipeline pipeline(*std::move(commands), 100);
  for (int i = 0; i < 3; ++i) {
    const std::size_t part = message.size() / (static_cast<std::size_t>(i) + 1);
    pipeline.push(Row(
        {.message = std::string(message.substr(0, part)), .timestamp_ms = 1'700'000'000'000 + i}));
  }
  return pipeline.results();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = std::min(all.find('\0'), all.size());
  const std::string_view query = all.substr(0, std::min<std::size_t>(zero, 4096));
  const std::string_view message = zero < all.size() ? all.substr(zero + 1) : std::string_view();
  if (!parse_query(query, {})) return 0;
  if (answer(query, message) != answer(query, message)) std::abort();
  return 0;
}
