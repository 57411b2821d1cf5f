#include "wolke/invoke/log_lines.h"

#include <gtest/gtest.h>

#include <vector>

#include "wolke/base/text.h"

namespace wolke::invoke {
namespace {

struct Kept {
  std::vector<std::string> lines;
  LineCutter::Sink sink = [this](std::string line) { lines.push_back(std::move(line)); };
};

TEST(LineCutter, LinesAreCutWhereverTheBytesArePieced) {
  Kept kept;
  LineCutter cutter;
  for (char c : std::string("one\ntwo\n\nthr")) cutter.feed({&c, 1}, kept.sink);
  EXPECT_EQ(kept.lines, (std::vector<std::string>{"one", "two", ""}));
  cutter.finish(kept.sink);
  cutter.finish(kept.sink);
  EXPECT_EQ(kept.lines.back(), "thr");
  EXPECT_EQ(kept.lines.size(), 4U);
}

TEST(LineCutter, OneLogCallOfManyLinesIsOneEvent) {
  Kept kept;
  LineCutter cutter;
  cutter.feed(
      "\x1e"
      "a\rb\nraw\r\n",
      kept.sink);
  EXPECT_EQ(kept.lines, (std::vector<std::string>{"a\nb", "raw\r"}));
}

TEST(LineCutter, ALineIsCutAtTheLargestEventAndSaysSo) {
  Kept kept;
  LineCutter cutter;
  std::string piece(log_line_bytes_max, 'x');
  for (int i = 0; i < 4; ++i) cutter.feed(piece, kept.sink);
  cutter.feed("\nnext\n", kept.sink);
  ASSERT_EQ(kept.lines.size(), 2U);
  EXPECT_EQ(kept.lines[0].size(), log_line_bytes_max);
  EXPECT_TRUE(kept.lines[0].ends_with(" [line cut: 786432 more bytes]"));
  EXPECT_EQ(kept.lines[1], "next");
}

TEST(LineCutter, ACutDoesNotHalveACharacter) {
  Kept kept;
  LineCutter cutter;
  std::string line = "x";
  while (line.size() < log_line_bytes_max + 10) line += "ü";
  cutter.feed(line + "\n", kept.sink);
  EXPECT_TRUE(is_valid_utf8(kept.lines[0]));
  EXPECT_EQ(kept.lines[0].find("\xEF\xBF\xBD"), std::string::npos);
}

TEST(LineCutter, BytesThatAreNoUtf8AreReplaced) {
  Kept kept;
  LineCutter cutter;
  cutter.feed(
      "a\xff"
      "b\xc3(\xe2\x82\n",
      kept.sink);
  EXPECT_EQ(kept.lines[0],
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(FloodGate, ABurstPassesThenTheRateHolds) {
  FloodGate gate;
  Monotonic now{};
  int passed = 0;
  for (int i = 0; i < 30'000; ++i) passed += gate.admit(1, now) ? 1 : 0;
  EXPECT_EQ(passed, 20'000);
  EXPECT_TRUE(gate.closed());
  EXPECT_TRUE(gate.admit(1, now + std::chrono::seconds(1)));
}

TEST(FloodGate, WhatWasDroppedIsSaidOnce) {
  FloodGate gate;
  Monotonic now{};
  for (int i = 0; i < 20'002; ++i) gate.admit(10, now);
  auto notice = gate.take_notice();
  ASSERT_TRUE(notice);
  EXPECT_NE(notice->find("2 lines, 20 bytes dropped"), std::string::npos) << *notice;
  EXPECT_FALSE(gate.take_notice());
}

TEST(FloodGate, BytesAreLimitedToo) {
  FloodGate gate;
  Monotonic now{};
  int passed = 0;
  for (int i = 0; i < 100; ++i) passed += gate.admit(1024 * 1024, now) ? 1 : 0;
  EXPECT_EQ(passed, 16);
}

}  // namespace
}  // namespace wolke::invoke
