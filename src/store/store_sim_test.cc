// The simulation over many seeds, and the proof that it notices bugs. WOLKE_SIM_RUNS sets the
// number of seeds, WOLKE_SIM_SEED the first one (to replay a run that failed).
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "wolke/store/simulation_test.h"

namespace wolke::store {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(StoreSimulation, NothingAcknowledgedIsLost) {
  const std::uint64_t runs = from_environment("WOLKE_SIM_RUNS", 300);
  const std::uint64_t first = from_environment("WOLKE_SIM_SEED", 1);
  SimulationCounts counts;
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    const auto broken = Simulation(seed, {}, counts).run();
    ASSERT_FALSE(broken) << "WOLKE_SIM_SEED=" << seed << " WOLKE_SIM_RUNS=1: " << *broken;
  }
  EXPECT_GT(counts.acknowledged, 10 * runs);
  fmt::print(
      "store simulation: {} runs, {} power cuts, {} kills, {} batches acknowledged, {} refused, {} "
      "unknown, "
      "{} blobs read back, {} collected; 0 lost\n",
      counts.runs, counts.power_cuts, counts.kills, counts.acknowledged, counts.conflicts,
      counts.unknown, counts.blobs_read, counts.collected);
}

TEST(StoreSimulation, TheSameSeedGivesTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SimulationCounts once;
    SimulationCounts again;
    Simulation(seed, {}, once).run();
    Simulation(seed, {}, again).run();
    EXPECT_EQ(once.trace, again.trace) << seed;
    EXPECT_EQ(once.acknowledged, again.acknowledged) << seed;
  }
}

struct Canary {
  const char* name;
  bool SeededBugs::* bug;
};

class SeededBug : public testing::TestWithParam<Canary> {};

TEST_P(SeededBug, IsNoticed) {
  SeededBugs bugs;
  bugs.*GetParam().bug = true;
  SimulationCounts counts;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    if (const auto broken = Simulation(seed, bugs, counts).run()) {
      fmt::print("{} is noticed by run {}: {}\n", GetParam().name, seed, *broken);
      return;
    }
  }
  FAIL() << "the simulation does not notice " << GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(
    All, SeededBug,
    testing::Values(Canary{"acknowledge_before_sync", &SeededBugs::acknowledge_before_sync},
                    Canary{"acknowledge_after_failed_sync",
                           &SeededBugs::acknowledge_after_failed_sync},
                    Canary{"trust_old_log", &SeededBugs::trust_old_log},
                    Canary{"skip_directory_sync", &SeededBugs::skip_directory_sync},
                    Canary{"skip_last_check", &SeededBugs::skip_last_check},
                    Canary{"commit_half_a_batch", &SeededBugs::commit_half_a_batch},
                    Canary{"lose_second_add", &SeededBugs::lose_second_add},
                    Canary{"seal_without_sync", &SeededBugs::seal_without_sync},
                    Canary{"skip_blob_directory_sync", &SeededBugs::skip_blob_directory_sync},
                    Canary{"collect_without_looking", &SeededBugs::collect_without_looking}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace wolke::store
