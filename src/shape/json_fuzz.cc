// What parses is written and parses to the same; nothing else may happen but an error.
#include <cstdint>

#include "wolke/shape/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  wolke::Result<wolke::shape::Json> json = wolke::shape::parse_json(text);
  if (!json) return 0;
  std::string written = json->text();
  wolke::Result<wolke::shape::Json> again = wolke::shape::parse_json(written);
  ASSERT(again && again->text() == written);
  ASSERT(wolke::shape::parse_json(json->pretty()));
  return 0;
}
