// A seeded world around the real schedule, records and automaton: a memory store, a manual clock, a
// target that succeeds, fails, throttles and refuses at random, and crashes that forget the
// schedule between any two steps. After each run every event that was enqueued has exactly one
// terminal record, and what the rules promise of retries holds.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "wolke/deliver/destination.h"
#include "wolke/deliver/events.h"
#include "wolke/deliver/schedule.h"
#include "wolke/store/engines.h"

namespace wolke::deliver {
namespace {

const std::string account = "000000000000";

std::string function_arn(std::uint64_t number) {
  return "arn:aws:lambda:us-east-1:" + account + ":function:f" + std::to_string(number);
}

enum class SeededBug { none, settle_without_check, forget_retry };

class World {
 public:
  explicit World(std::uint64_t seed, SeededBug bug = SeededBug::none)
      : random_(seed), bug_(bug), store_(store::open_memory_store()) {
    restart();
  }

  void enqueue_some(int count) {
    for (int i = 0; i < count; ++i) {
      Event event;
      event.id = "event-" + std::to_string(next_id_++);
      event.account = account;
      event.target = function_arn(below(5));
      if (below(3) == 0) event.target += ":$LATEST";
      event.payload = below(20) == 0 ? std::string(payload_part_bytes * 2 + 7, 'x') : "{}";
      event.source = "lambda";
      store::Batch batch;
      enqueue(batch, event, now_);
      ASSERT_EQ(store::commit_and_wait(*store_, std::move(batch)).status,
                store::CommitStatus::committed);
      ids_.push_back(event.id);
    }
  }

  /// A crash: what was in flight is forgotten.
  void restart() {
    schedule_ = std::make_unique<Schedule>(
        ScheduleOptions{.in_flight_max = 20, .per_function_max = 6, .window = 8});
    schedule_->mark_all();
    in_flight_.clear();
  }

  void step() {
    const std::uint64_t dice = below(100);
    if (dice < 3) return restart();
    if (dice < 10) return enqueue_some(static_cast<int>(below(5)));
    if (dice < 30) return fill();
    if (dice < 60) return start();
    if (dice < 95) return finish();
    now_ += Millis(below(90'000));
  }

  /// Runs until nothing is pending.
  void drain() {
    for (int rounds = 0; rounds < 5'000; ++rounds) {
      fill();
      for (int i = 0; i < 50; ++i) start();
      while (!in_flight_.empty()) finish();
      if (pending() == 0) return;
      now_ += std::chrono::minutes(1);
    }
    FAIL() << pending() << " events never ended";
  }

  void check() {
    auto statuses = list();
    std::map<std::string, int> terminals;
    for (const EventStatus& status : statuses) {
      ++terminals[status.event.id];
      EXPECT_NE(status.terminal, Terminal::pending);
      EXPECT_LE(status.attempts - throttles_[status.event.id], 3) << status.event.id;
    }
    EXPECT_EQ(terminals.size(), ids_.size());
    for (const std::string& id : ids_) EXPECT_EQ(terminals[id], 1) << id;
  }
  bool all_ended_once() {
    auto statuses = list();
    std::map<std::string, int> terminals;
    for (const EventStatus& status : statuses) ++terminals[status.event.id];
    for (const std::string& id : ids_) {
      if (terminals[id] != 1) return false;
    }
    return true;
  }

  std::size_t pending() {
    std::size_t count = 0;
    for (const EventStatus& status : list()) count += status.terminal == Terminal::pending ? 1 : 0;
    return count;
  }

 private:
  struct Flight {
    Delivery delivery;
    Attempt attempt;
  };

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  std::vector<EventStatus> list() {
    auto snapshot = store_->snapshot();
    auto statuses = list_events(**snapshot, {.account = account, .limit = 1'000'000});
    EXPECT_TRUE(statuses.has_value());
    return *std::move(statuses);
  }

  void fill() {
    schedule_->mark_all();
    auto snapshot = store_->snapshot();
    for (const LoadPlan& plan : schedule_->plans(now_)) {
      auto loaded = load(**snapshot, plan);
      ASSERT_TRUE(loaded.has_value());
      schedule_->merge(*std::move(loaded));
    }
  }

  void start() {
    auto delivery = schedule_->take();
    if (!delivery) return;
    for (const Flight& flight : in_flight_)
      ASSERT_NE(flight.delivery.record.id, delivery->record.id);
    Attempt attempt;
    switch (below(10)) {
      case 0:
        attempt.outcome = Outcome::throttled;
        break;
      case 1:
        attempt.outcome = Outcome::server_error;
        break;
      case 2:
      case 3:
        attempt.outcome = Outcome::function_error;
        break;
      case 4:
        attempt.outcome = Outcome::refused;
        break;
      default:
        attempt.outcome = Outcome::succeeded;
    }
    attempt.reason = "seeded";
    in_flight_.push_back({*std::move(delivery), attempt});
  }

  void finish() {
    if (in_flight_.empty()) return;
    const std::size_t index = below(in_flight_.size());
    const Flight flight = in_flight_[index];
    in_flight_.erase(in_flight_.begin() + static_cast<long>(index));
    const Step step = after_attempt(state_of(flight.delivery.record), flight.attempt, now_, 0.5);
    store::Batch batch = settle(flight.delivery, step, now_);
    if (bug_ == SeededBug::settle_without_check) {
      batch.checks.clear();
      if (below(50) == 0) batch.deletes.clear();
    }
    if (bug_ == SeededBug::forget_retry && step.terminal == Terminal::pending) batch.puts.clear();
    const auto result = store::commit_and_wait(*store_, std::move(batch));
    ASSERT_EQ(result.status, store::CommitStatus::committed);
    const bool throttle = flight.attempt.outcome == Outcome::throttled ||
                          flight.attempt.outcome == Outcome::server_error;
    if (throttle) ++throttles_[flight.delivery.record.id];
    if (below(20) == 0) return restart();  // a crash right after the commit
    const bool again = step.terminal == Terminal::pending;
    schedule_->settled(flight.delivery, flight.attempt,
                       again ? std::optional(step.next_attempt) : std::nullopt);
  }

  std::mt19937_64 random_;
  SeededBug bug_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Schedule> schedule_;
  std::vector<Flight> in_flight_;
  std::vector<std::string> ids_;
  std::map<std::string, int> throttles_;
  Timestamp now_ = from_millis(1'700'000'000'000);
  std::uint64_t next_id_ = 0;
};

TEST(DeliverSimulation, EveryEventEndsExactlyOnceThroughCrashes) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    for (int i = 0; i < 400; ++i) world.step();
    world.drain();
    world.check();
    if (HasFailure()) return;
  }
}

TEST(DeliverSimulation, ASeededLossIsFound) {
  bool found = false;
  for (std::uint64_t seed = 1; seed <= 10 && !found; ++seed) {
    World world(seed, SeededBug::forget_retry);
    for (int i = 0; i < 200; ++i) world.step();
    world.drain();
    found = !world.all_ended_once();
  }
  EXPECT_TRUE(found);
}

TEST(DeliverSimulation, ASeededDoubleSettlementIsFound) {
  bool found = false;
  for (std::uint64_t seed = 1; seed <= 20 && !found; ++seed) {
    World world(seed, SeededBug::settle_without_check);
    for (int i = 0; i < 400; ++i) world.step();
    world.drain();
    found = !world.all_ended_once();
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace wolke::deliver
