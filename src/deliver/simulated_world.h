#pragma once
// A seeded world around the real schedule, records and automaton: a memory store, a clock that
// jumps, functions with different rules, targets that succeed, fail, throttle and refuse at random,
// crashes between any two steps. People cancel and replay events meanwhile, old records are swept;
// each cancelling and each load takes several steps, so that they meet in every order. The ledger
// judges; a seeded bug shows that it can.

#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "wolke/deliver/cancel.h"
#include "wolke/deliver/events.h"
#include "wolke/deliver/replay.h"
#include "wolke/deliver/schedule.h"
#include "wolke/deliver/simulated_ledger.h"
#include "wolke/store/engines.h"

namespace wolke::deliver {

enum class SeededBug {
  none,
  settle_without_check,
  forget_retry,
  cancel_without_check,  // an attempt that ends meanwhile is not noticed
  cancel_without_hold,   // the schedule is not told
  cancel_without_drop,   // the schedule believes a load that began before
  tell_afterwards,       // the destination's event is a commit of its own, after the end's
  tell_before,           // … before the end's
  retry_at_once,
  forget_failures,   // the count of a function's errors starts again
  count_throttles,   // a throttle counts as an error of the function
  settled_unsaid,    // the schedule is not told that an attempt ended
  attempt_when_old,  // the maximum age is not looked at
  sweep_early,       // the history is kept for a day
  count,
};

struct Flight {
  Delivery delivery;
  Attempt attempt;
};

struct Cancelling {
  CancelRequest request;
  std::map<std::string, Located> found = {};
  bool searched = false;
};

class World {
 public:
  static constexpr std::size_t in_flight_max = 20;
  static constexpr unsigned per_function_max = 6;
  static constexpr Millis kept = std::chrono::days(14);

  explicit World(std::uint64_t seed, SeededBug bug = SeededBug::none)
      : random_(seed), bug_(bug), store_(store::open_memory_store()) {
    restart();
  }

  void step() {
    const std::uint64_t dice = below(200);
    if (dice < 6) return restart();
    if (dice < 20) return enqueue_some();
    if (dice < 32) return cancel_on();
    if (dice < 35) return replay_some();
    if (dice < 64) return fill();
    if (dice < 120) return start();
    if (dice < 190) return finish();
    if (dice == 190) return sweep();
    if (dice == 191) return jump();
    pass(Millis(below(90'000)));
  }

  /// Runs until nothing is pending, then lets the ledger look at how everything ended.
  void drain() {
    while (cancelling_) cancel_on();
    for (int rounds = 0; rounds < 1'000 && pending() > 0; ++rounds) {
      fill();
      fill();
      for (int i = 0; i < 50; ++i) start();
      while (!in_flight_.empty()) finish();
      pass(std::chrono::minutes(1));
    }
    harvest();
    ledger_.check_ends();
  }

  const Ledger& ledger() const { return ledger_; }
  /// A line for everything that happened, in its order.
  const std::string& journal() const { return journal_; }
  std::size_t cancelled() const { return cancelled_.size(); }
  std::size_t replayed() const { return replayed_; }
  Millis elapsed() const { return std::chrono::duration_cast<Millis>(latest_ - begin); }

 private:
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

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  void note(std::string_view what, std::string_view of) {
    journal_ += fmt::format("{} {} {}\n", to_millis(now_), what, of);
  }

  static std::string function_arn(std::uint64_t number) {
    return fmt::format("arn:aws:lambda:us-east-1:{}:function:f{}", account, number);
  }
  /// f5 and f6 are told; they have no destinations themselves.
  static Policy policy_of(std::string_view function) {
    Policy policy;
    switch (function.back()) {
      case '1':
        policy.on_success = function_arn(5);
        break;
      case '2':
        policy.on_failure = function_arn(5);
        policy.retries_max = 0;
        break;
      case '3':
        policy.on_success = function_arn(5);
        policy.on_failure = function_arn(6);
        policy.age_max = std::chrono::minutes(10);
        break;
      case '4':
        policy.retries_max = 1;
        policy.age_max = std::chrono::hours(1);
        break;
      default:
        break;
    }
    return policy;
  }

  void enqueue_some() {
    for (std::uint64_t i = below(5); i > 0; --i) {
      Event event;
      event.id = fmt::format("event-{}", next_id_++);
      event.account = std::string(account);
      event.target = function_arn(below(5));
      if (below(3) == 0) event.target += ":$LATEST";
      event.payload = below(20) == 0 ? std::string(payload_part_bytes * 2 + 7, 'x') : "{}";
      event.source = "lambda";
      store::Batch batch;
      enqueue(batch, event, now_);
      ASSERT_EQ(store::commit_and_wait(*store_, std::move(batch)).status,
                store::CommitStatus::committed);
      entered(event.id, event.target);
    }
  }

  void entered(const std::string& id, const std::string& target) {
    const std::string function = unqualified(target);
    ids_.push_back(id);
    ledger_.enqueued(id, function, policy_of(function), now_);
    note("enqueued", id);
  }

  /// A crash: what was in flight is forgotten.
  void restart() {
    schedule_ = std::make_unique<Schedule>(ScheduleOptions{
        .in_flight_max = in_flight_max, .per_function_max = per_function_max, .window = 8});
    schedule_->mark_all();
    in_flight_.clear();
    loads_.clear();
    cancelling_.reset();
    ++life_;
    note("restart", "");
  }

  void pass(Millis time) {
    now_ += time;
    latest_ = std::max(latest_, now_);
  }
  /// A machine that slept for days, or a clock that somebody set back.
  void jump() {
    below(4) == 0 ? pass(-Millis(below(3'600'000))) : pass(Millis(below(260'000'000)));
  }

  std::vector<EventStatus> list() {
    auto snapshot = store_->snapshot();
    auto statuses = list_events(**snapshot, {.account = std::string(account), .limit = 1'000'000});
    EXPECT_TRUE(statuses.has_value());
    return *std::move(statuses);
  }

  std::size_t pending() {
    const auto statuses = list();
    return static_cast<std::size_t>(std::ranges::count_if(
        statuses, [](const EventStatus& s) { return s.terminal == Terminal::pending; }));
  }

  /// Shows the ledger everything that is in the store. Events for destinations are found here,
  /// and not where they are made, so that a lost or a doubled one is seen.
  void harvest() {
    const std::vector<EventStatus> statuses = list();
    for (const EventStatus& status : statuses) {
      const std::string& id = status.event.id;
      if (id.starts_with("told ") && !ledger_.has(id)) entered(id, status.event.target);
    }
    ledger_.seen(statuses, latest_, kept);
    for (const EventStatus& status : statuses) {
      const std::string& id = status.event.id;
      if (id.starts_with("told ")) ledger_.told(id.substr(id.find(' ', 5) + 1), status.event);
    }
  }

  void sweep() {
    harvest();
    const Millis age = bug_ == SeededBug::sweep_early ? Millis(std::chrono::days(1)) : kept;
    ASSERT_TRUE(sweep_events(*store_, now_ - age).has_value());
    note("swept", "");
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

  void start();
  Outcome answer(const PendingRecord& record, const Policy& policy);
  void finish();
  store::CommitStatus record_end(const Flight& flight, Step& step);
  void cancel_on();
  void commit_cancel();
  void replay_some();

  static constexpr std::string_view account = "000000000000";
  static constexpr Timestamp begin = Timestamp(Millis(1'700'000'000'000));

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
  Timestamp now_ = begin, latest_ = begin;
  std::uint64_t next_id_ = 0, life_ = 0, told_ = 0;
  Ledger ledger_;
  std::string journal_;
};

inline Outcome World::answer(const PendingRecord& record, const Policy& policy) {
  const bool old = now_ - record.enqueued > policy.age_max;
  if (old && bug_ != SeededBug::attempt_when_old) return Outcome::expired;
  constexpr Outcome outcomes[] = {Outcome::throttled,      Outcome::server_error,
                                  Outcome::function_error, Outcome::function_error,
                                  Outcome::function_error, Outcome::refused};
  const std::uint64_t dice = below(12);
  return dice < std::size(outcomes) ? outcomes[dice] : Outcome::succeeded;
}

inline void World::start() {
  auto delivery = schedule_->take();
  if (!delivery) return;
  const std::string id = delivery->record.id;
  if (id.starts_with("told ") && !ledger_.has(id)) entered(id, delivery->function);
  Attempt attempt;
  attempt.policy = policy_of(delivery->function);
  attempt.outcome = answer(delivery->record, attempt.policy);
  attempt.reason = "seeded";
  if (attempt.outcome != Outcome::expired) ledger_.started(id, life_, now_, latest_);
  note("started", id);
  in_flight_.push_back({*std::move(delivery), attempt});
  const std::string& function = in_flight_.back().delivery.function;
  const auto same = std::ranges::count_if(
      in_flight_, [&](const Flight& flight) { return flight.delivery.function == function; });
  ledger_.running(in_flight_.size(), static_cast<std::size_t>(same), in_flight_max,
                  per_function_max);
}

/// The end of an attempt in the store, with what its destination is told.
inline store::CommitStatus World::record_end(const Flight& flight, Step& step) {
  const auto commit = [this](store::Batch batch) {
    return store::commit_and_wait(*store_, std::move(batch)).status;
  };
  store::Batch batch = settle(flight.delivery, step, now_);
  if (bug_ == SeededBug::settle_without_check) batch.checks.clear();
  if (bug_ == SeededBug::forget_retry && step.terminal == Terminal::pending) batch.puts.clear();
  const std::string id = fmt::format("told {} {}", told_++, flight.delivery.record.id);
  const auto tell = [&](store::Batch& into) {
    add_destination(into, flight.delivery, flight.attempt, step, now_, id);
  };
  if (bug_ == SeededBug::tell_before) {
    store::Batch before;
    tell(before);
    commit(std::move(before));
    return below(20) == 0 ? store::CommitStatus::failed : commit(std::move(batch));
  }
  if (bug_ == SeededBug::tell_afterwards) {
    const store::CommitStatus status = commit(std::move(batch));
    if (status != store::CommitStatus::committed || below(20) == 0) return status;
    store::Batch after;
    tell(after);
    commit(std::move(after));
    return status;
  }
  tell(batch);
  return commit(std::move(batch));
}

inline void World::finish() {
  if (in_flight_.empty()) return;
  const std::size_t index = below(in_flight_.size());
  Flight flight = in_flight_[index];
  in_flight_.erase(in_flight_.begin() + static_cast<long>(index));
  const std::string& id = flight.delivery.record.id;
  const Outcome outcome = flight.attempt.outcome;
  if (bug_ == SeededBug::count_throttles && outcome == Outcome::throttled) {
    flight.attempt.outcome = Outcome::function_error;
  }
  const double jitter = static_cast<double>(below(1000)) / 1000;
  Step step = after_attempt(state_of(flight.delivery.record), flight.attempt, now_, jitter);
  if (bug_ == SeededBug::retry_at_once) step.next_attempt = now_;
  if (bug_ == SeededBug::forget_failures && below(3) == 0) step.state.failures = 0;
  const store::CommitStatus status = record_end(flight, step);
  if (status == store::CommitStatus::failed) return restart();
  if (!cancelled_.contains(id)) ledger_.recorded(id, status == store::CommitStatus::committed);
  if (outcome != Outcome::expired) ledger_.answered(id, life_, outcome, now_);
  note(step.terminal == Terminal::pending ? "to be retried" : "ended", id);
  if (below(20) == 0) return restart();  // a crash right after the commit
  if (bug_ == SeededBug::settled_unsaid && below(10) == 0) return;
  const bool again = step.terminal == Terminal::pending;
  schedule_->settled(flight.delivery, flight.attempt,
                     again ? std::optional(step.next_attempt) : std::nullopt);
}

/// The next step of a cancelling: hold, search, commit. What the Deliverer does in one coroutine.
inline void World::cancel_on() {
  if (!cancelling_) {
    if (ids_.empty()) return;
    cancelling_ = Cancelling();
    cancelling_->request = {.events = {.account = std::string(account)}, .by = "somebody"};
    for (std::uint64_t i = below(3) + 1; i > 0; --i) {
      cancelling_->request.events.ids.insert(
          ids_[ids_.size() - 1 - below(std::min(ids_.size(), 30UL))]);
    }
    if (bug_ != SeededBug::cancel_without_hold) schedule_->hold(cancelling_->request.events.ids);
    return;
  }
  if (cancelling_->searched) return commit_cancel();
  auto snapshot = store_->snapshot();
  auto found = find_events(**snapshot, cancelling_->request.events);
  ASSERT_TRUE(found.has_value());
  cancelling_->found = *std::move(found);
  cancelling_->searched = true;
}

inline void World::commit_cancel() {
  CancelOutcomes outcomes;
  store::Batch batch = cancel(cancelling_->found, cancelling_->request, now_, outcomes);
  if (bug_ == SeededBug::cancel_without_check) batch.checks.clear();
  std::set<std::string> ended;
  if (!batch.writes_nothing()) {
    cancelling_->searched = false;
    const auto result = store::commit_and_wait(*store_, std::move(batch));
    if (result.status == store::CommitStatus::conflict) return;
    for (const auto& [id, outcome] : outcomes) {
      if (outcome.what != CancelOutcome::What::cancelled) continue;
      ended.insert(id);
      ledger_.cancelled(id);
      note("cancelled", id);
    }
  }
  cancelled_.insert(ended.begin(), ended.end());
  const std::set<std::string> ids = cancelling_->request.events.ids;
  cancelling_.reset();
  if (bug_ == SeededBug::cancel_without_hold) return;
  if (bug_ != SeededBug::cancel_without_drop) schedule_->drop(ended);
  schedule_->release(ids);
}

inline void World::replay_some() {
  if (ids_.empty()) return;
  WorldClock clock(now_);
  WorldRandom random(random_);
  const Env env{.clock = clock, .random = random, .disk = system_env().disk};
  const std::string id = ids_[below(ids_.size())];
  auto outcomes = replay(*store_, env, {.account = std::string(account), .ids = {id}});
  ASSERT_TRUE(outcomes.has_value());
  for (const auto& [of, outcome] : *outcomes) {
    if (outcome.what != ReplayOutcome::What::replayed) continue;
    entered(outcome.replayed_as, ledger_.function_of(of));
    ++replayed_;
  }
}

}  // namespace wolke::deliver
