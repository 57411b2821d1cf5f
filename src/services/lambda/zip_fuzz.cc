// Any bytes: the reader ends with a value, and what it accepts inflates to what it declared, within
// the limits.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wolke/base/text.h"
#include "wolke/services/lambda/zip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wolke::lambda;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto archive = read_zip(bytes, {.unzipped_bytes_max = 1 << 20, .entries_max = 1000});
  if (!archive) return 0;
  for (const ZipEntry& entry : archive->entries) {
    ASSERT(!entry.name.empty() && entry.name.front() != '/');
    for (const std::string_view part : wolke::split(entry.name, '/')) ASSERT(part != "..");
    std::uint64_t written = 0;
    const auto done = extract(*archive, entry, [&](std::string_view piece) -> wolke::Result<void> {
      written += piece.size();
      ASSERT(written <= entry.bytes);
      return {};
    });
    if (done) ASSERT(written == entry.bytes);
  }
  return 0;
}
