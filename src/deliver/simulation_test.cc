// A seeded world around the real schedule, records and automaton: a memory store, a manual clock, a
// target that succeeds, fails, throttles and refuses at random, and crashes that forget the
// schedule between any two steps. People cancel and replay events meanwhile; each cancelling and
// each load takes several steps, so that they meet in every order. After each run every event that
// was enqueued has exactly one terminal record, nothing was attempted after it was acknowledged as
// cancelled, and what the rules promise of retries holds.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "wolke/deliver/cancel.h"
#include "wolke/deliver/destination.h"
#include "wolke/deliver/events.h"
#include "wolke/deliver/replay.h"
#include "wolke/deliver/schedule.h"
#include "wolke/store/engines.h"

namespace wolke::deliver {
namespace {

const std::string account = "000000000000";

std::string function_arn(std::uint64_t number) {
  return "arn:aws:lambda:us-east-1:" + account + ":function:f" + std::to_string(number);
}

enum class SeededBug {
  none,
  settle_without_check,
  forget_retry,
  cancel_without_check,  // an attempt that ends meanwhile is not noticed
  cancel_without_hold,   // the schedule is not told
  cancel_without_drop,   // the schedule believes a load that began before
};

class WorldClock final : public Clock {
 public:
  explicit WorldClock(const Timestamp& now) : now_(now) {}
  Timestamp wall() override { return now_; }
  Monotonic monotonic() override { return {}; }

 private:
  const Timestamp& now_;
};

class WorldRandom final : public Random {
 public:
  explicit WorldRandom(std::mt19937_64& source) : source_(source) {}
  void fill(std::span<std::byte> out) override {
    for (std::byte& byte : out) byte = static_cast<std::byte>(source_() & 0xff);
  }

 private:
  std::mt19937_64& source_;
};

struct Cancelling {
  CancelRequest request;
  std::map<std::string, Located> found;
  bool searched = false;
};

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
    loads_.clear();
    cancelling_.reset();
  }

  void step() {
    const std::uint64_t dice = below(100);
    if (dice < 3) return restart();
    if (dice < 10) return enqueue_some(static_cast<int>(below(5)));
    if (dice < 20) return cancel_on();
    if (dice < 22) return replay_some();
    if (dice < 32) return fill();
    if (dice < 60) return start();
    if (dice < 95) return finish();
    now_ += Millis(below(90'000));
  }

  /// Runs until nothing is pending.
  void drain() {
    while (cancelling_) cancel_on();
    for (int rounds = 0; rounds < 5'000; ++rounds) {
      fill();
      fill();
      for (int i = 0; i < 50; ++i) start();
      while (!in_flight_.empty()) finish();
      if (pending() == 0) return;
      now_ += std::chrono::minutes(1);
    }
    // A seeded bug may do this; all_ended_once() tells.
    EXPECT_NE(bug_, SeededBug::none) << pending() << " events never ended";
  }

  void check() {
    EXPECT_EQ(attempts_after_cancel, 0);
    EXPECT_EQ(twice_in_flight, 0);
    auto statuses = list();
    std::map<std::string, int> terminals;
    for (const EventStatus& status : statuses) {
      ++terminals[status.event.id];
      EXPECT_NE(status.terminal, Terminal::pending);
      EXPECT_LE(status.attempts - throttles_[status.event.id], 3) << status.event.id;
    }
    EXPECT_EQ(terminals.size(), ids_.size());
    for (const std::string& id : ids_) EXPECT_EQ(terminals[id], 1) << id;
    for (const EventStatus& status : statuses) {
      EXPECT_EQ(status.terminal == Terminal::cancelled, cancelled_.contains(status.event.id));
    }
  }
  bool all_ended_once() {
    auto statuses = list();
    std::map<std::string, int> terminals;
    for (const EventStatus& status : statuses) {
      if (status.terminal == Terminal::pending) return false;
      ++terminals[status.event.id];
    }
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

  int attempts_after_cancel = 0;
  int twice_in_flight = 0;
  std::size_t cancelled() const { return cancelled_.size(); }
  std::size_t replayed() const { return replayed_; }

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

  /// One step reads, the next one merges what was read.
  void fill() {
    if (!loads_.empty()) {
      for (Loaded& loaded : loads_) schedule_->merge(std::move(loaded));
      loads_.clear();
      return;
    }
    schedule_->mark_all();
    auto snapshot = store_->snapshot();
    for (const LoadPlan& plan : schedule_->plans(now_)) {
      auto loaded = load(**snapshot, plan);
      ASSERT_TRUE(loaded.has_value());
      loads_.push_back(*std::move(loaded));
    }
  }

  /// The next step of a cancelling: hold, search, commit. What the Deliverer does in one coroutine.
  void cancel_on() {
    if (!cancelling_) {
      if (ids_.empty()) return;
      cancelling_.emplace().request = {.events = {.account = account}, .by = "somebody"};
      for (std::uint64_t i = below(3) + 1; i > 0; --i) {
        cancelling_->request.events.ids.insert(
            ids_[ids_.size() - 1 - below(std::min(ids_.size(), 30UL))]);
      }
      if (bug_ != SeededBug::cancel_without_hold) schedule_->hold(cancelling_->request.events.ids);
      return;
    }
    if (!cancelling_->searched) {
      auto snapshot = store_->snapshot();
      auto found = find_events(**snapshot, cancelling_->request.events);
      ASSERT_TRUE(found.has_value());
      cancelling_->found = *std::move(found);
      cancelling_->searched = true;
      return;
    }
    CancelOutcomes outcomes;
    store::Batch batch = cancel(cancelling_->found, cancelling_->request, now_, outcomes);
    if (bug_ == SeededBug::cancel_without_check) batch.checks.clear();
    std::set<std::string> ended;
    if (!batch.writes_nothing()) {
      const auto result = store::commit_and_wait(*store_, std::move(batch));
      cancelling_->searched = false;
      if (result.status == store::CommitStatus::conflict) return;
      for (const auto& [id, outcome] : outcomes) {
        if (outcome.what == CancelOutcome::What::cancelled) ended.insert(id);
      }
    }
    cancelled_.insert(ended.begin(), ended.end());
    const std::set<std::string> ids = cancelling_->request.events.ids;
    cancelling_.reset();
    if (bug_ == SeededBug::cancel_without_hold) return;
    if (bug_ != SeededBug::cancel_without_drop) schedule_->drop(ended);
    schedule_->release(ids);
  }

  void replay_some() {
    if (ids_.empty()) return;
    WorldClock clock(now_);
    WorldRandom random(random_);
    const Env env{.clock = clock, .random = random, .disk = system_env().disk};
    auto outcomes = replay(*store_, env, {.account = account, .ids = {ids_[below(ids_.size())]}});
    ASSERT_TRUE(outcomes.has_value());
    for (const auto& [id, outcome] : *outcomes) {
      if (outcome.what != ReplayOutcome::What::replayed) continue;
      ids_.push_back(outcome.replayed_as);
      ++replayed_;
    }
  }

  void start() {
    auto delivery = schedule_->take();
    if (!delivery) return;
    for (const Flight& flight : in_flight_) {
      if (flight.delivery.record.id == delivery->record.id) ++twice_in_flight;
    }
    if (cancelled_.contains(delivery->record.id)) ++attempts_after_cancel;
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
    if (!cancelled_.contains(flight.delivery.record.id)) {
      ASSERT_EQ(result.status, store::CommitStatus::committed);
    }
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
  std::vector<Loaded> loads_;  // read, and not merged yet
  std::optional<Cancelling> cancelling_;
  std::set<std::string> cancelled_;  // acknowledged
  std::size_t replayed_ = 0;
  std::vector<std::string> ids_;
  std::map<std::string, int> throttles_;
  Timestamp now_ = from_millis(1'700'000'000'000);
  std::uint64_t next_id_ = 0;
};

TEST(DeliverSimulation, EveryEventEndsExactlyOnceThroughCrashesCancelsAndReplays) {
  std::size_t cancelled = 0, replayed = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    for (int i = 0; i < 600; ++i) world.step();
    world.drain();
    world.check();
    if (testing::Test::HasFailure()) return;
    cancelled += world.cancelled();
    replayed += world.replayed();
  }
  EXPECT_GT(cancelled, 100U);
  EXPECT_GT(replayed, 50U);
}

/// Whether the checks notice the bug within some seeds.
bool is_found(SeededBug bug) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    World world(seed, bug);
    for (int i = 0; i < 600; ++i) world.step();
    world.drain();
    if (!world.all_ended_once() || world.attempts_after_cancel > 0) return true;
  }
  return false;
}

TEST(DeliverSimulation, ACancelThatIgnoresAnAttemptsEndIsFound) {
  EXPECT_TRUE(is_found(SeededBug::cancel_without_check));
}

TEST(DeliverSimulation, ACancelThatTheScheduleIsNotToldOfIsFound) {
  EXPECT_TRUE(is_found(SeededBug::cancel_without_hold));
}

TEST(DeliverSimulation, ACancelledEventThatALateLoadBringsBackIsFound) {
  EXPECT_TRUE(is_found(SeededBug::cancel_without_drop));
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
