// A seeded simulation of metering: appends, passes whose commits succeed, fail, have an unknown
// outcome or race another's, and kills at any point (also inside an append), over a ring in memory.
// At the end the store's totals must equal what was appended and not reported lost: each record
// exactly once. WOLKE_SIM_RUNS sets the number of seeds, WOLKE_SIM_SEED the first one.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "wolke/meter/drain.h"
#include "wolke/meter/totals.h"
#include "wolke/sim/manual_clock.h"
#include "wolke/sim/seeded_random.h"
#include "wolke/store/engines.h"

namespace wolke::meter {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct Counts {
  std::uint64_t appended = 0, dropped = 0, torn = 0, kills = 0, failed = 0, unknown = 0, races = 0;
};

constexpr std::size_t sequence_at = 8;  // where a slot's sequence lies; it is written first

class Simulation {
 public:
  Simulation(std::uint64_t seed, const SeededBugs& bugs, Counts& counts)
      : random_(seed), bugs_(bugs), counts_(counts) {
    const std::size_t slots = 4 + random_.below(60);
    memory_.resize((UsageLog::header_bytes + slots * UsageLog::slot_bytes) / sizeof(memory_[0]));
    open();
  }

  /// The first broken promise, or nothing.
  std::optional<std::string> run() {
    for (int i = 0; i < 300; ++i) step();
    bugs_ = {.forget_overflow = bugs_.forget_overflow};  // what is broken by now stays broken
    while (auto pass = prepare()) finish(*pass, commit(*pass));
    return compare();
  }

 private:
  using Line = std::tuple<std::string, int, Kind, std::string>;

  void step() {
    switch (random_.below(16)) {
      case 0:
        return kill(false);
      case 1:
        return kill(true);
      case 2:
        return rot();
      case 3:
      case 4:
      case 5:
        return drain();
      case 6:
        return race();
      case 7:
        return clock_.advance(std::chrono::hours(random_.below(30)));
      default:
        for (auto n = random_.below(12); n > 0; --n) append();
    }
  }

  void open() {
    auto snapshot = store_->snapshot();
    const Watermark drained = read_watermark(**snapshot, "node").value();
    log_ = UsageLog::over(bytes(), drained).value();
  }
  std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(memory_)); }

  struct Made {
    std::string account, resource, qualifier;
    UsageRecord record;
  };
  void make(Made& made) {
    made.account = fmt::format("{:012}", 1 + random_.below(3));
    const bool invocation = random_.one_in(2);
    made.resource = invocation ? fmt::format("arn:aws:lambda:x:f{}", random_.below(3)) : "s3";
    made.qualifier = invocation ? "$LATEST" : random_.one_in(2) ? "PutObject" : "GetObject";
    made.record = {.kind = invocation ? Kind::invocation : Kind::operation,
                   .account = made.account,
                   .resource = made.resource,
                   .qualifier = made.qualifier,
                   .request_id = "00000000-0000-4000-8000-000000000000",
                   .at = clock_.wall(),
                   .billed_ms = random_.below(2000),
                   .memory_mb = 128 + random_.below(1000),
                   .duration_us = random_.below(2'000'000),
                   .bytes_in = random_.below(5000),
                   .bytes_out = random_.below(5000),
                   .status = 200,
                   .cold = random_.one_in(10),
                   .error = random_.one_in(10)};
  }

  static Line line_of(const UsageRecord& r, const std::string& resource) {
    return {std::string(r.account), day_of(r.at).time_since_epoch().count(), r.kind, resource};
  }

  void append() {
    Made made;
    make(made);
    const Appended appended = log_->append(made.record);
    if (appended == Appended::dropped) {
      ++dropped_;
      ++counts_.dropped;
      return;
    }
    expected_[line_of(made.record, made.resource + ":" + made.qualifier)].count_in(made.record);
    ++counts_.appended;
  }

  std::span<std::byte> slot_of(std::uint64_t sequence) {
    const std::size_t slot = sequence % log_->capacity();
    return bytes().subspan(UsageLog::header_bytes + slot * UsageLog::slot_bytes,
                           UsageLog::slot_bytes);
  }

  /// The process dies, perhaps within an append: the sequence and some of the rest are written,
  /// the checksum is not. The next process maps what is there.
  void kill(bool inside_append) {
    ++counts_.kills;
    const UsageLog::Pending pending = log_->pending();
    const bool room = pending.last - pending.first < log_->capacity();
    if (inside_append && room) {
      auto slot = slot_of(pending.last);
      const std::vector<std::byte> before(slot.begin(), slot.end());
      Made made;
      make(made);
      log_->append(made.record);
      const std::size_t written = sequence_at + 8 + random_.below(UsageLog::slot_bytes - 16);
      std::memcpy(slot.data(), before.data(), sequence_at);
      std::memcpy(slot.data() + written, before.data() + written, slot.size() - written);
      ++torn_;
      ++counts_.torn;
    }
    open();
  }

  /// A bit of a record that waits flips; the record's sequence stays.
  void rot() {
    const UsageLog::Pending pending = log_->pending();
    auto snapshot = store_->snapshot();
    const std::uint64_t first = read_watermark(**snapshot, "node").value().next;
    if (first >= pending.last) return;
    const std::uint64_t sequence = first + random_.below(pending.last - first);
    const UsageLog::Read read = log_->read(sequence);
    if (read.found != UsageLog::Found::record) return;
    Totals& line = expected_[line_of(read.record, std::string(read.record.resource))];
    Totals one;
    one.count_in(read.record);
    line.count -= 1;
    line.errors -= one.errors;
    line.cold_starts -= one.cold_starts;
    line.billed_ms -= one.billed_ms;
    line.memory_mb_ms -= one.memory_mb_ms;
    line.duration_us -= one.duration_us;
    line.bytes_in -= one.bytes_in;
    line.bytes_out -= one.bytes_out;
    slot_of(sequence)[24 + random_.below(32)] ^= std::byte{0x10};  // one of its numbers
    ++torn_;
    ++counts_.torn;
  }

  std::optional<Pass> prepare() {
    auto snapshot = store_->snapshot();
    return prepare_pass(**snapshot, *log_, "node", bugs_).value();
  }
  store::CommitStatus commit(const Pass& pass) {
    return commit_and_wait(*store_, pass.batch).status;
  }
  void finish(const Pass& pass, store::CommitStatus status) {
    conclude(pass, status, *log_, bugs_);
  }

  void drain() {
    const auto pass = prepare();
    if (!pass) return;
    if (random_.one_in(2)) {
      for (auto n = random_.below(5); n > 0; --n) append();  // the warm path goes on meanwhile
    }
    switch (random_.below(6)) {
      case 0:  // the commit fails and is not there
        ++counts_.failed;
        return finish(*pass, store::CommitStatus::failed);
      case 1:  // it is there, but we are told that it failed
        ++counts_.unknown;
        commit(*pass);
        return finish(*pass, store::CommitStatus::failed);
      case 2:  // killed before the commit, or between the commit and anything
        if (random_.one_in(2)) commit(*pass);
        return kill(random_.one_in(3));
      default:
        return finish(*pass, commit(*pass));
    }
  }

  /// Two passes from one watermark: a late commit of a pass that was given up, then its successor.
  void race() {
    const auto first = prepare();
    const auto second = prepare();
    if (!first || !second) return;
    ++counts_.races;
    const auto status = commit(*second);
    commit(*first);
    finish(*second, status);
  }

  std::optional<std::string> compare() {
    auto snapshot = store_->snapshot();
    std::map<Line, Totals> found;
    for (int account = 1; account <= 3; ++account) {
      const std::string name = fmt::format("{:012}", account);
      UsageQuery query{.account = name,
                       .from = {},
                       .to = day_of(clock_.wall()) + std::chrono::days(1),
                       .lines_max = 1 + random_.below(10)};
      do {
        const UsagePage page = usage(**snapshot, query).value();
        for (const UsageLine& line : page.lines) {
          const auto day = line.day.time_since_epoch().count();
          found[{name, static_cast<int>(day), line.kind, line.resource}] = line.totals;
        }
        query.after = page.next;
      } while (!query.after.empty());
    }
    std::erase_if(expected_, [](const auto& line) { return line.second == Totals{}; });
    if (found != expected_) return "totals differ: " + difference(found);
    const Watermark said = read_watermark(**snapshot, "node").value();
    if (said.torn != torn_) return fmt::format("{} torn, {} said", torn_, said.torn);
    if (said.missing != 0) return fmt::format("{} said missing", said.missing);
    if (said.overflowed != dropped_) {
      return fmt::format("{} dropped, {} said", dropped_, said.overflowed);
    }
    return std::nullopt;
  }

  std::string difference(std::map<Line, Totals>& found) {
    std::int64_t wanted = 0;
    std::int64_t got = 0;
    for (const auto& [line, totals] : expected_) wanted += totals.count;
    for (const auto& [line, totals] : found) got += totals.count;
    return fmt::format("{} records appended, {} counted", wanted, got);
  }

  sim::SeededRandom random_;
  sim::ManualClock clock_;
  SeededBugs bugs_;
  Counts& counts_;
  std::unique_ptr<store::Store> store_ = store::open_memory_store();
  std::vector<std::uint64_t> memory_;
  std::unique_ptr<UsageLog> log_;
  std::map<Line, Totals> expected_;
  std::uint64_t dropped_ = 0;
  std::uint64_t torn_ = 0;
};

TEST(MeterSimulation, EachRecordCountsExactlyOnce) {
  const std::uint64_t runs = from_environment("WOLKE_SIM_RUNS", 300);
  const std::uint64_t first = from_environment("WOLKE_SIM_SEED", 1);
  Counts counts;
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    const auto broken = Simulation(seed, {}, counts).run();
    ASSERT_FALSE(broken) << "WOLKE_SIM_SEED=" << seed << " WOLKE_SIM_RUNS=1: " << *broken;
  }
  EXPECT_GT(counts.appended, 100 * runs);
  EXPECT_GT(counts.dropped, runs);
  EXPECT_GT(counts.torn, runs);
  fmt::print(
      "meter simulation: {} runs, {} appended, {} kills, {} commits failed, {} unknown, {} races, "
      "{} torn, {} dropped; 0 lost unsaid, 0 counted twice\n",
      runs, counts.appended, counts.kills, counts.failed, counts.unknown, counts.races, counts.torn,
      counts.dropped);
}

struct Canary {
  const char* name;
  bool SeededBugs::* bug;
};

class SeededBug : public testing::TestWithParam<Canary> {};

TEST_P(SeededBug, IsNoticed) {
  SeededBugs bugs;
  bugs.*GetParam().bug = true;
  Counts counts;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    if (const auto broken = Simulation(seed, bugs, counts).run()) {
      fmt::print("{} is noticed by run {}: {}\n", GetParam().name, seed, *broken);
      return;
    }
  }
  FAIL() << "the simulation does not notice " << GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(All, SeededBug,
                         testing::Values(Canary{"drain_from_tail", &SeededBugs::drain_from_tail},
                                         Canary{"skip_check", &SeededBugs::skip_check},
                                         Canary{"keep_watermark", &SeededBugs::keep_watermark},
                                         Canary{"release_always", &SeededBugs::release_always},
                                         Canary{"ignore_checksum", &SeededBugs::ignore_checksum},
                                         Canary{"forget_overflow", &SeededBugs::forget_overflow}),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace wolke::meter
