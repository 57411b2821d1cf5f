#include "wolke/shape/event_stream.h"

#include <gtest/gtest.h>

#include "wolke/base/hash.h"

namespace wolke::shape {
namespace {

std::uint32_t number_at(std::string_view text, std::size_t at, int bytes) {
  std::uint32_t out = 0;
  for (int i = 0; i < bytes; ++i) {
    out = out << 8 | static_cast<unsigned char>(text[at + static_cast<std::size_t>(i)]);
  }
  return out;
}

// Against botocore's reader: tests/logs/test_live_tail.py.
TEST(EventStream, AMessageHasItsLengthsHeadersPayloadAndChecksums) {
  const std::string text = event_message("sessionUpdate", "application/json", "{\"a\":1}");
  ASSERT_EQ(number_at(text, 0, 4), text.size());
  const std::size_t headers = number_at(text, 4, 4);
  EXPECT_EQ(text.substr(8, 4), digest(HashKind::crc32, text.substr(0, 8)));
  EXPECT_EQ(text.substr(12 + headers, 7), "{\"a\":1}");
  EXPECT_EQ(text.size(), 12 + headers + 7 + 4);
  EXPECT_EQ(text.substr(text.size() - 4), digest(HashKind::crc32, text.substr(0, text.size() - 4)));
  const std::string first("\x0b:event-type\x07\x00\x0dsessionUpdate", 28);
  EXPECT_EQ(text.substr(12, first.size()), first);
}

TEST(EventStream, AnExceptionIsToldByItsHeaders) {
  const std::string text = exception_message("SessionTimeoutException", "application/json", "{}");
  EXPECT_NE(text.find(":exception-type"), text.npos);
  EXPECT_EQ(text.find(":event-type"), text.npos);
  EXPECT_NE(text.find(std::string(":message-type\x07\x00\x09"
                                  "exception",
                                  25)),
            text.npos);
}

}  // namespace
}  // namespace wolke::shape
