// What metering costs: CPU time of one append() on the warm path (with its slowest one), and of
// reading and summing one record off it. `--smoke` runs few rounds, to hold that it works.
//
//   meter_meter_bench [--smoke] [directory of the log]
#include <fmt/core.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "wolke/meter/drain.h"
#include "wolke/store/engines.h"

namespace wolke::meter {
namespace {

using Clock = std::chrono::steady_clock;

double nanos_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

UsageRecord sample(std::uint64_t i) {
  return {.account = "000000000001",
          .resource = "arn:aws:lambda:eu-central-1:000000000001:function:thumbnail",
          .qualifier = i % 2 == 0 ? "$LATEST" : "7",
          .request_id = "6c0a9a0e-0000-4000-8000-000000000000",
          .at = from_millis(1'767'225'600'000),
          .billed_ms = i % 100,
          .memory_mb = 512,
          .duration_us = 1234};
}

struct Costs {
  std::vector<double> append_ns;        // mean of each round
  std::vector<double> append_worst_ns;  // of each round
  std::vector<double> drain_ns;         // read, sum and commit to memory, per record
};

void drain_all(store::Store& store, UsageLog& log) {
  while (true) {
    auto snapshot = store.snapshot().value();
    auto pass = prepare_pass(*snapshot, log, "bench").value();
    if (!pass) return;
    const auto result = commit_and_wait(store, pass->batch);
    conclude(*pass, result.status, log);
    log.fault_ahead(2 * pass->records);
  }
}

void measure_round(store::Store& store, UsageLog& log, std::uint64_t records, Costs& costs) {
  auto begin = Clock::now();
  for (std::uint64_t i = 0; i < records; ++i) ASSERT(log.append(sample(i)) != Appended::dropped);
  costs.append_ns.push_back(nanos_since(begin) / static_cast<double>(records));
  begin = Clock::now();
  drain_all(store, log);
  costs.drain_ns.push_back(nanos_since(begin) / static_cast<double>(records));
  double worst = 0;
  for (std::uint64_t i = 0; i < records; ++i) {
    begin = Clock::now();
    log.append(sample(i));
    worst = std::max(worst, nanos_since(begin));
  }
  costs.append_worst_ns.push_back(worst);
  drain_all(store, log);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int run(bool smoke, const std::string& directory) {
  const std::string path = directory + "/usage.log";
  auto store = store::open_memory_store();
  auto log = open_usage_log(*store, path, "bench");
  if (!log) {
    fmt::print(stderr, "{}\n", log.error().message);
    return 1;
  }
  Costs costs;
  for (int round = 0; round < (smoke ? 3 : 200); ++round) {
    measure_round(*store, **log, smoke ? 1000 : 8000, costs);
  }
  fmt::print("append: {:.0f} ns (median of rounds); slowest of a round: {:.1f} us (median)\n",
             median(costs.append_ns), median(costs.append_worst_ns) / 1000);
  fmt::print("drain, off the warm path: {:.0f} ns per record\n", median(costs.drain_ns));
  return 0;
}

}  // namespace
}  // namespace wolke::meter

int main(int argc, char** argv) {
  bool smoke = false;
  std::string directory;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--smoke") == 0) {
      smoke = true;
    } else {
      directory = argv[i];
    }
  }
  std::string pattern = ((directory.empty() ? std::filesystem::temp_directory_path()
                                            : std::filesystem::path(directory)) /
                         "meter-XXXXXX")
                            .string();
  if (::mkdtemp(pattern.data()) == nullptr) return 1;
  const int status = wolke::meter::run(smoke, pattern);
  std::error_code ignored;
  std::filesystem::remove_all(pattern, ignored);
  return status;
}
