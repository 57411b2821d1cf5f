#include "wolke/runtime/frame.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace wolke::runtime {
namespace {

std::string frame(FrameType type, std::uint32_t id, const std::string& payload) {
  return frame_header(type, id, payload.size()) + payload;
}

TEST(Frame, TheHeaderIsLittleEndian) {
  EXPECT_EQ(frame_header(FrameType::result, 0x01020304, 258),
            std::string("\x02\x01\0\0\x12\0\0\0\x04\x03\x02\x01", 12));
}

TEST(FrameParser, FramesAreCutWhereverTheBytesArePieced) {
  FrameParser parser;
  std::string bytes = frame(FrameType::ready, 0, "{}") + frame(FrameType::result, 1, "\"x\"");
  std::vector<Frame> found;
  for (char c : bytes) {
    parser.feed({&c, 1});
    auto next = parser.next();
    ASSERT_TRUE(next);
    if (*next) found.push_back(std::move(**next));
  }
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].type, FrameType::result);
  EXPECT_EQ(found[1].id, 1U);
  EXPECT_EQ(found[1].payload, "\"x\"");
  EXPECT_TRUE(parser.empty());
}

TEST(FrameParser, AnUnknownTypeIsMalformed) {
  FrameParser parser;
  parser.feed(frame(static_cast<FrameType>(15), 0, ""));
  EXPECT_EQ(parser.next().error().code, "MalformedFrame");
}

TEST(FrameParser, WhatOnlyTheServerMaySendIsMalformed) {
  FrameParser parser;
  parser.feed(frame(FrameType::invoke, 0, ""));
  EXPECT_FALSE(parser.next());
}

TEST(FrameParser, ATooLargeFrameIsRefusedByItsHeader) {
  FrameParser parser;
  parser.feed(frame_header(FrameType::result, 1, frame_payload_bytes_max + 1));
  EXPECT_FALSE(parser.next());
}

}  // namespace
}  // namespace wolke::runtime
