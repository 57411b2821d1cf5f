#include <gtest/gtest.h>

#include "wolke/deliver/simulated_world.h"

namespace wolke::deliver {
namespace {

std::string first_of(const std::vector<std::string>& violations) {
  return violations.empty() ? "" : violations.front();
}

TEST(DeliverSimulation, EveryPromiseHoldsThroughCrashesCancelsReplaysAndClocks) {
  std::size_t cancelled = 0, replayed = 0, told = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    for (int i = 0; i < 600; ++i) world.step();
    world.drain();
    ASSERT_EQ(first_of(world.ledger().violations()), "");
    cancelled += world.cancelled();
    replayed += world.replayed();
    told += world.ledger().destinations();
  }
  EXPECT_GT(cancelled, 100U);
  EXPECT_GT(replayed, 50U);
  EXPECT_GT(told, 100U);
}

TEST(DeliverSimulation, EveryPromiseHoldsOverMonths) {
  World world(2026);
  for (int i = 0; i < 20'000; ++i) world.step();
  world.drain();
  EXPECT_EQ(first_of(world.ledger().violations()), "");
  EXPECT_GT(world.elapsed(), Millis(std::chrono::days(90)));
  EXPECT_GT(world.ledger().calls(), 1'000U);
}

TEST(DeliverSimulation, ASeedReplaysBitIdentically) {
  const auto journal = [](std::uint64_t seed) {
    World world(seed);
    for (int i = 0; i < 2'000; ++i) world.step();
    world.drain();
    return world.journal();
  };
  const std::string once = journal(7);
  EXPECT_EQ(once, journal(7));
  EXPECT_NE(once, journal(8));
}

class SeededBugs : public testing::TestWithParam<int> {};

TEST_P(SeededBugs, AreFound) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    World world(seed, static_cast<SeededBug>(GetParam()));
    for (int i = 0; i < 600; ++i) world.step();
    world.drain();
    if (world.ledger().violations().empty()) continue;
    RecordProperty("found", fmt::format("seed {}: {}", seed, world.ledger().violations().front()));
    return;
  }
  ADD_FAILURE() << "60 seeds saw nothing of it";
}

INSTANTIATE_TEST_SUITE_P(DeliverSimulation, SeededBugs,
                         testing::Range(1, static_cast<int>(SeededBug::count)));

}  // namespace
}  // namespace wolke::deliver
