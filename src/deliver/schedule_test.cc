#include "wolke/deliver/schedule.h"

#include <gtest/gtest.h>

#include <map>

#include "wolke/deliver/events.h"
#include "wolke/store/engines.h"

namespace wolke::deliver {
namespace {

const Timestamp now = from_millis(1'700'000'000'000);

class ScheduleTest : public testing::Test {
 protected:
  static std::string arn(const std::string& name) {
    return "arn:aws:lambda:us-east-1:000000000000:function:" + name;
  }

  void put(const std::string& function, int count, const std::string& payload = "{}") {
    for (int i = 0; i < count; ++i) {
      Event event;
      event.id = function + "-" + std::to_string(next_++);
      event.account = "000000000000";
      event.target = arn(function);
      event.payload = payload;
      event.source = "lambda";
      store::Batch batch;
      enqueue(batch, event, now);
      store::commit_and_wait(*store_, std::move(batch));
    }
  }
  void fill(Timestamp at = now) {
    schedule_.mark_all();
    auto snapshot = store_->snapshot();
    for (const LoadPlan& plan : schedule_.plans(at)) schedule_.merge(*load(**snapshot, plan));
  }
  std::vector<Delivery> take_all() {
    std::vector<Delivery> out;
    while (auto next = schedule_.take()) out.push_back(*std::move(next));
    return out;
  }
  void settle_as(const Delivery& delivery, Outcome outcome, Timestamp at = now) {
    Attempt attempt;
    attempt.outcome = outcome;
    const Step step = after_attempt(state_of(delivery.record), attempt, at, 0.5);
    const auto result = store::commit_and_wait(*store_, settle(delivery, step, at));
    ASSERT_EQ(result.status, store::CommitStatus::committed);
    const bool again = step.terminal == Terminal::pending;
    schedule_.settled(delivery, attempt, again ? std::optional(step.next_attempt) : std::nullopt);
  }

  std::unique_ptr<store::Store> store_ = store::open_memory_store();
  Schedule schedule_{ScheduleOptions{.in_flight_max = 100, .per_function_max = 4, .window = 16}};
  int next_ = 0;
};

TEST_F(ScheduleTest, AnEventIsLeasedOnceWhileItIsInFlight) {
  put("one", 1);
  fill();
  EXPECT_EQ(take_all().size(), 1U);
  fill();
  EXPECT_TRUE(take_all().empty());
}

TEST_F(ScheduleTest, FunctionsTakeTurnsWhateverTheirBacklog) {
  put("noisy", 50);
  put("quiet", 1);
  fill();
  std::map<std::string, int> started;
  for (const Delivery& delivery : take_all()) ++started[delivery.function];
  EXPECT_EQ(started[arn("noisy")], 4);
  EXPECT_EQ(started[arn("quiet")], 1);
}

TEST_F(ScheduleTest, ABacklogIsLoadedAWindowAtATime) {
  put("many", 100);
  std::size_t done = 0;
  for (int rounds = 0; rounds < 200 && done < 100; ++rounds) {
    fill();
    for (const Delivery& delivery : take_all()) {
      settle_as(delivery, Outcome::succeeded);
      ++done;
    }
  }
  EXPECT_EQ(done, 100U);
}

TEST_F(ScheduleTest, EventsOfAFunctionStartInTheirOrder) {
  put("ordered", 10);
  int expected = 0;
  for (int rounds = 0; rounds < 10; ++rounds) {
    fill();
    for (const Delivery& delivery : take_all()) {
      EXPECT_EQ(delivery.record.id, "ordered-" + std::to_string(expected++));
      settle_as(delivery, Outcome::succeeded);
    }
  }
  EXPECT_EQ(expected, 10);
}

TEST_F(ScheduleTest, ARetryComesBackWhenItIsDueAndNotBefore) {
  put("again", 1);
  fill();
  settle_as(take_all().at(0), Outcome::function_error);
  ASSERT_TRUE(schedule_.next_due());
  EXPECT_EQ(*schedule_.next_due(), now + std::chrono::minutes(1));
  fill(now + std::chrono::seconds(59));
  EXPECT_TRUE(take_all().empty());
  fill(now + std::chrono::minutes(1));
  ASSERT_EQ(take_all().size(), 1U);
}

TEST_F(ScheduleTest, ARetryOutlivesACrash) {
  put("again", 1);
  fill();
  settle_as(take_all().at(0), Outcome::function_error);
  Schedule after_crash{ScheduleOptions{}};
  after_crash.mark_all();
  auto snapshot = store_->snapshot();
  for (const LoadPlan& plan : after_crash.plans(now)) after_crash.merge(*load(**snapshot, plan));
  EXPECT_FALSE(after_crash.take());
  ASSERT_TRUE(after_crash.next_due());
  EXPECT_EQ(*after_crash.next_due(), now + std::chrono::minutes(1));
}

TEST_F(ScheduleTest, AThrottledFunctionIsGivenFewerAtOnce) {
  put("slow", 40);
  fill();
  auto first = take_all();
  ASSERT_EQ(first.size(), 4U);
  for (const Delivery& delivery : first) settle_as(delivery, Outcome::throttled);
  fill();
  EXPECT_LT(take_all().size(), 4U);
}

TEST_F(ScheduleTest, TheTargetsOwnConcurrencyIsRespected) {
  put("reserved", 10);
  fill();
  auto first = take_all();
  Attempt attempt;
  attempt.outcome = Outcome::succeeded;
  attempt.concurrency = 1;
  for (const Delivery& delivery : first) schedule_.settled(delivery, attempt, std::nullopt);
  fill();
  EXPECT_EQ(take_all().size(), 1U);
}

TEST_F(ScheduleTest, ALargePayloadIsSplitAndPutTogetherAgain) {
  const std::string payload(900'000, 'p');
  put("large", 1, payload);
  fill();
  Delivery delivery = take_all().at(0);
  EXPECT_TRUE(delivery.record.payload.empty());
  auto snapshot = store_->snapshot();
  ASSERT_TRUE(load_payload(**snapshot, delivery));
  EXPECT_EQ(delivery.record.payload, payload);
  settle_as(delivery, Outcome::succeeded);
  auto after = store_->snapshot();
  EXPECT_FALSE(*(*after)->get(payload_key(delivery.lane, delivery.record.id, 0)));
}

TEST_F(ScheduleTest, TwoSettlementsOfOneEventCannotBothCommit) {
  put("once", 1);
  fill();
  const Delivery delivery = take_all().at(0);
  Attempt attempt;
  attempt.outcome = Outcome::succeeded;
  const Step step = after_attempt(state_of(delivery.record), attempt, now, 0.5);
  EXPECT_EQ(store::commit_and_wait(*store_, settle(delivery, step, now)).status,
            store::CommitStatus::committed);
  EXPECT_EQ(store::commit_and_wait(*store_, settle(delivery, step, now)).status,
            store::CommitStatus::conflict);
}

TEST_F(ScheduleTest, EventsAreListedNewestFirstWithTheirEnd) {
  put("listed", 2);
  fill();
  auto both = take_all();
  settle_as(both[0], Outcome::refused);
  auto snapshot = store_->snapshot();
  const auto failed = *list_events(**snapshot, {.account = "000000000000", .failed_only = true});
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].terminal, Terminal::discarded);
  const auto all =
      *list_events(**snapshot, {.account = "000000000000", .function_arn = arn("listed")});
  EXPECT_EQ(all.size(), 2U);
  EXPECT_TRUE(list_events(**snapshot, {.account = "111111111111"})->empty());
}

TEST_F(ScheduleTest, TerminalRecordsAreSweptWhenTheyAreOld) {
  put("old", 3);
  fill();
  for (const Delivery& delivery : take_all()) settle_as(delivery, Outcome::refused);
  EXPECT_EQ(*sweep_events(*store_, now), 0U);
  EXPECT_EQ(*sweep_events(*store_, now + Millis(1)), 3U);
  auto snapshot = store_->snapshot();
  EXPECT_TRUE(list_events(**snapshot, {.account = "000000000000"})->empty());
}

}  // namespace
}  // namespace wolke::deliver
