#include "wolke/deliver/lineage.h"

#include <gtest/gtest.h>

namespace wolke::deliver {
namespace {

std::string arn(int number) {
  return "arn:aws:lambda:us-east-1:000000000000:function:f" + std::to_string(number);
}

/// Invocations until a cycle of `length` functions is stopped.
int stopped_after(int length) {
  std::string trace = "Root=1-0-0";
  for (int i = 0; i < 100; ++i) {
    const auto next = next_hop(trace, arn(i % length));
    if (!next) return i;
    trace = *next;
  }
  return -1;
}

TEST(Lineage, IsKeptAloneWithoutWhatElseATraceSays) {
  const std::string trace = *next_hop(*next_hop("Root=1-0-0;Sampled=1", arn(1)), arn(2));
  const std::string alone = lineage_of(trace);
  EXPECT_TRUE(alone.starts_with("Lineage=")) << alone;
  EXPECT_EQ(hops(alone), 2);
  EXPECT_EQ(lineage_of("Root=1-0-0"), "");
  EXPECT_EQ(lineage_of(""), "");
}

TEST(Lineage, CyclesOfAnyLengthAreStoppedAtSixteenInvocations) {
  for (int length = 1; length <= 8; ++length) EXPECT_EQ(stopped_after(length), 16) << length;
}

TEST(Lineage, AStraightChainOfDifferentFunctionsMayBeLonger) {
  std::string trace;
  for (int i = 0; i < 30; ++i) {
    const auto next = next_hop(trace, arn(i));
    ASSERT_TRUE(next) << i;
    trace = *next;
  }
  EXPECT_EQ(hops(trace), 30);
}

TEST(Lineage, EvenAStraightChainEnds) {
  std::string trace;
  std::optional<std::string> next = trace;
  int count = 0;
  while ((next = next_hop(trace, arn(count)))) {
    trace = *next;
    ASSERT_LT(++count, 100);
  }
  EXPECT_EQ(count, static_cast<int>(chain_functions_max));
}

TEST(Lineage, OtherPartsOfTheTraceStay) {
  const auto next = next_hop(
      "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", arn(1));
  ASSERT_TRUE(next);
  EXPECT_TRUE(next->starts_with(
      "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage="));
}

TEST(Lineage, ForgedCountsCannotOverflow) {
  EXPECT_EQ(hops("Lineage=aaaaaaaa:18446744073709551615|bbbbbbbb:99999999999999999999"), 16);
  EXPECT_EQ(hops("Lineage=|||::::|x"), 0);
}

}  // namespace
}  // namespace wolke::deliver
