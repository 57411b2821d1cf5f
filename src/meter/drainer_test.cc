#include "wolke/meter/drainer.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "wolke/meter/totals.h"
#include "wolke/store/engines_for_test.h"

namespace wolke::meter {
namespace {

constexpr std::size_t slots = 4096;
constexpr std::string_view account = "000000000001";
const Timestamp noon = from_millis(1'767'268'800'000);  // 2026-01-01T12:00:00Z

UsageRecord put_object() {
  return {.kind = Kind::operation,
          .account = account,
          .resource = "s3",
          .qualifier = "PutObject",
          .at = noon,
          .duration_us = 500,
          .bytes_in = 100,
          .status = 200};
}

UsageRecord invocation(std::string_view version, bool cold = false) {
  return {.account = account,
          .resource = "arn:f",
          .qualifier = version,
          .at = noon,
          .billed_ms = 10,
          .memory_mb = 128,
          .duration_us = 9'500,
          .cold = cold,
          .error = cold};
}

class DrainerTest : public testing::TestWithParam<store::TestEngine> {
 protected:
  DrainerTest() : engine_(GetParam().open()), pool_(2, 100) {
    log_ = UsageLog::over(std::as_writable_bytes(std::span(memory_)), {}).value();
    drainer_ = std::make_unique<Drainer>(
        Drainer::Parts{.loop = loop_, .pool = pool_, .store = *engine_->store, .log = *log_});
  }

  async::Task<void> drain_then_stop(std::vector<std::uint64_t>& drained, int times) {
    for (int i = 0; i < times; ++i) {
      const auto result = co_await drainer_->drain_now();
      EXPECT_TRUE(result);
      drained.push_back(result.value_or(0));
    }
    loop_.stop();
  }
  std::vector<std::uint64_t> drain(int times = 1) {
    std::vector<std::uint64_t> drained;
    async::Loop& loop = loop_;
    loop.spawn(drain_then_stop(drained, times));
    loop.run();
    return drained;
  }
  std::vector<UsageLine> lines(std::string_view of = account, int days_later = 0) {
    auto snapshot = engine_->store->snapshot().value();
    const auto day = day_of(noon) + std::chrono::days(days_later);
    return usage(*snapshot, {.account = std::string(of), .from = day, .to = day}).value().lines;
  }
  async::Task<void> start_and_stop() {
    drainer_->start();
    drainer_->record(put_object());
    co_await drainer_->stop();
    loop_.stop();
  }
  async::Task<void> fill_and_wait() {
    drainer_->start();
    for (std::size_t i = 0; i < slots / 2; ++i) drainer_->record(put_object());
    // The drainer was woken; the ring empties well before its next regular turn.
    const Monotonic limit = loop_.now() + std::chrono::seconds(60);
    while (log_->pending().first != log_->pending().last && loop_.now() < limit) {
      co_await loop_.sleep_for(std::chrono::milliseconds(1));
    }
    co_await drainer_->stop();
    loop_.stop();
  }

  std::unique_ptr<store::OpenedStore> engine_;
  async::Loop loop_;
  async::Pool pool_;
  std::vector<std::uint64_t> memory_ = std::vector<std::uint64_t>(
      (UsageLog::header_bytes + slots * UsageLog::slot_bytes) / sizeof(std::uint64_t));
  std::unique_ptr<UsageLog> log_;
  std::unique_ptr<Drainer> drainer_;
};

TEST_P(DrainerTest, SumsPerResourceAndKind) {
  drainer_->record(invocation("1", true));
  drainer_->record(invocation("1"));
  drainer_->record(invocation("2"));
  drainer_->record(put_object());
  EXPECT_EQ(drain(), std::vector<std::uint64_t>{4});
  const auto found = lines();
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].resource, "arn:f:1");
  EXPECT_EQ(found[0].kind, Kind::invocation);
  EXPECT_EQ(found[0].totals, (Totals{.count = 2,
                                     .errors = 1,
                                     .cold_starts = 1,
                                     .billed_ms = 20,
                                     .memory_mb_ms = 2560,
                                     .duration_us = 19'000}));
  EXPECT_EQ(found[1].resource, "arn:f:2");
  EXPECT_EQ(found[2].resource, "s3:PutObject");
  EXPECT_EQ(found[2].kind, Kind::operation);
  EXPECT_EQ(found[2].totals, (Totals{.count = 1, .duration_us = 500, .bytes_in = 100}));
}

TEST_P(DrainerTest, ADrainedRecordIsNotCountedAgain) {
  drainer_->record(put_object());
  EXPECT_EQ(drain(2), (std::vector<std::uint64_t>{1, 0}));
  EXPECT_EQ(lines()[0].totals.count, 1);
}

TEST_P(DrainerTest, AccountsAndDaysAreKeptApart) {
  drainer_->record(put_object());
  UsageRecord other = put_object();
  other.account = "000000000002";
  drainer_->record(other);
  other.at += std::chrono::hours(12);  // midnight: the next day
  drainer_->record(other);
  drain();
  EXPECT_EQ(lines().size(), 1u);
  ASSERT_EQ(lines("000000000002").size(), 1u);
  EXPECT_EQ(lines("000000000002")[0].totals.count, 1);
  EXPECT_EQ(lines("000000000002", 1).size(), 1u);
  EXPECT_EQ(lines(account, 1).size(), 0u);
}

TEST_P(DrainerTest, DrainsMoreThanOnePassHolds) {
  for (std::size_t i = 0; i < slots - 1; ++i) drainer_->record(put_object());
  EXPECT_EQ(drain(), std::vector<std::uint64_t>{slots - 1});
  EXPECT_EQ(lines()[0].totals.count, static_cast<std::int64_t>(slots - 1));
}

TEST_P(DrainerTest, StopDrainsWhatIsLeft) {
  loop_.spawn(start_and_stop());
  loop_.run();
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_EQ(lines()[0].totals.count, 1);
}

TEST_P(DrainerTest, AHalfFullRingWakesTheDrainer) {
  loop_.spawn(fill_and_wait());
  loop_.run();
  EXPECT_EQ(lines()[0].totals.count, static_cast<std::int64_t>(slots / 2));
}

TEST_P(DrainerTest, WhatDidNotFitIsSaidInTheWatermark) {
  for (std::size_t i = 0; i < slots + 5; ++i) drainer_->record(put_object());
  drain();
  auto snapshot = engine_->store->snapshot().value();
  EXPECT_EQ(read_watermark(*snapshot, "local").value().overflowed, 5u);
  EXPECT_EQ(lines()[0].totals.count, static_cast<std::int64_t>(slots));
}

TEST_P(DrainerTest, AQueryIsAnsweredInPages) {
  for (int i = 0; i < 7; ++i) drainer_->record(invocation(std::to_string(i)));
  drain();
  auto snapshot = engine_->store->snapshot().value();
  UsageQuery query{
      .account = std::string(account), .from = day_of(noon), .to = day_of(noon), .lines_max = 3};
  std::vector<std::size_t> sizes;
  std::map<std::string, std::int64_t> counts;
  do {
    const UsagePage page = usage(*snapshot, query).value();
    sizes.push_back(page.lines.size());
    for (const UsageLine& line : page.lines) counts[line.resource] += line.totals.count;
    query.after = page.next;
  } while (!query.after.empty());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 3, 1}));
  EXPECT_EQ(counts.size(), 7u);
}

INSTANTIATE_TEST_SUITE_P(Engines, DrainerTest, testing::ValuesIn(store::test_engines()),
                         [](const auto& param) { return param.param.name; });

TEST(Drain, RecordsThatAnOlderStoreNoLongerFindsAreSaidToBeMissing) {
  std::vector<std::uint64_t> memory((UsageLog::header_bytes + 8 * UsageLog::slot_bytes) / 8);
  auto log = UsageLog::over(std::as_writable_bytes(std::span(memory)), {}).value();
  for (std::uint64_t i = 1; i <= 20; ++i) {
    log->append(put_object());
    log->release(i + 1);
  }
  // A store that knows nothing of the twenty: the ring still has eight of them.
  auto store = store::open_memory_store();
  auto snapshot = store->snapshot().value();
  log = UsageLog::over(std::as_writable_bytes(std::span(memory)), {}).value();
  const auto pass = prepare_pass(*snapshot, *log, "local").value();
  ASSERT_TRUE(pass);
  EXPECT_EQ(pass->records, 8u);
  EXPECT_EQ(pass->after.missing, 12u);
}

}  // namespace
}  // namespace wolke::meter
