// The parser of what a function may write to its control socket: any bytes, in any pieces, give the
// same frames.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wolke/runtime/frame.h"

namespace {

std::size_t frames_of(std::string_view bytes, std::size_t piece_bytes) {
  wolke::runtime::FrameParser parser;
  std::size_t count = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) {
    parser.feed(bytes.substr(at, piece_bytes));
    for (;;) {
      auto next = parser.next();
      if (!next || !*next) break;
      ++count;
    }
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ASSERT(frames_of(bytes, 1) == frames_of(bytes, bytes.size() + 1));
  return 0;
}
