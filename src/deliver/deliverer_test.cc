// The whole deliverer on a real loop and pool over a memory store: from enqueue to the terminal
// record.
#include "wolke/deliver/deliverer.h"

#include <gtest/gtest.h>

#include "wolke/deliver/events.h"
#include "wolke/deliver/replay.h"
#include "wolke/store/engines.h"

namespace wolke::deliver {
namespace {

class FakeTarget final : public Target {
 public:
  explicit FakeTarget(std::function<Attempt(const Event&)> decide) : decide_(std::move(decide)) {}
  async::Task<Attempt> attempt(Event event, Millis) override {
    ++attempts;
    co_return decide_(event);
  }
  int attempts = 0;

 private:
  std::function<Attempt(const Event&)> decide_;
};

class DelivererTest : public testing::Test {
 protected:
  void enqueue_one(const std::string& id, const std::string& function,
                   const std::string& payload = "{}") {
    Event event{.id = id,
                .account = "000000000000",
                .target = function,
                .payload = payload,
                .source = "lambda"};
    store::Batch batch;
    enqueue(batch, event, env_.clock.wall());
    store_->commit(std::move(batch), [](store::CommitResult) {});
  }
  std::vector<EventStatus> list() {
    auto snapshot = store_->snapshot();
    return *list_events(**snapshot, {.account = "000000000000"});
  }
  std::size_t ended() {
    std::size_t count = 0;
    for (const EventStatus& status : list()) count += status.terminal == Terminal::pending ? 0 : 1;
    return count;
  }

  /// Starts a deliverer, then calls `feed`, then stops when `done` holds.
  void run(FakeTarget& target, std::function<void()> feed, std::function<bool()> done) {
    async::Loop loop;
    async::Pool pool(1, 100);
    Deliverer deliverer({env_, *store_, pool, loop, target}, {});
    loop.spawn(drive(deliverer, loop, feed, done));
    loop.run();
  }
  static async::Task<void> drive(Deliverer& deliverer, async::Loop& loop,
                                 std::function<void()>& feed, std::function<bool()>& done) {
    deliverer.start();
    feed();
    const Monotonic deadline = loop.now() + std::chrono::seconds(10);
    while (!done() && loop.now() < deadline) co_await loop.sleep_for(std::chrono::milliseconds(1));
    co_await deliverer.stop();
    loop.stop();
  }

  const std::string f_ = "arn:aws:lambda:us-east-1:000000000000:function:f";
  const std::string g_ = "arn:aws:lambda:us-east-1:000000000000:function:g";
  Env env_ = system_env();
  std::unique_ptr<store::Store> store_ = store::open_memory_store();
};

Attempt success(const Event&) {
  return {.outcome = Outcome::succeeded};
}

TEST_F(DelivererTest, EventsFromBeforeAndAfterTheStartAreDelivered) {
  enqueue_one("before", f_);
  FakeTarget target(success);
  run(target, [&] { enqueue_one("after", f_); }, [&] { return ended() == 2; });
  EXPECT_EQ(ended(), 2U);
  EXPECT_EQ(target.attempts, 2);
  for (const EventStatus& status : list()) EXPECT_EQ(status.terminal, Terminal::succeeded);
}

TEST_F(DelivererTest, LargePayloadsReachTheTargetWhole) {
  const std::string payload = "\"" + std::string(700'000, 'x') + "\"";
  std::string seen;
  FakeTarget target([&](const Event& event) {
    seen = event.payload;
    return success(event);
  });
  run(target, [&] { enqueue_one("large", f_, payload); }, [&] { return ended() == 1; });
  EXPECT_EQ(seen, payload);
}

TEST_F(DelivererTest, AFunctionErrorWaitsForItsRetryWithTheReasonOnRecord) {
  FakeTarget target([](const Event&) {
    return Attempt{.outcome = Outcome::function_error, .reason = "Error: boom"};
  });
  run(
      target, [&] { enqueue_one("e", f_); },
      [&] { return !list().empty() && list()[0].attempts == 1; });
  const auto statuses = list();
  ASSERT_EQ(statuses.size(), 1U);
  EXPECT_EQ(statuses[0].terminal, Terminal::pending);
  EXPECT_EQ(statuses[0].reason, "Error: boom");
  EXPECT_GT(statuses[0].next_attempt, env_.clock.wall() + std::chrono::seconds(40));
  EXPECT_EQ(target.attempts, 1);
}

TEST_F(DelivererTest, AFailureDestinationGetsTheInvocationRecord) {
  std::string record;
  FakeTarget target([&](const Event& event) {
    if (event.target == g_) {
      record = event.payload;
      return success(event);
    }
    Attempt attempt{.outcome = Outcome::refused, .reason = "AccessDenied"};
    attempt.policy.on_failure = g_;
    return attempt;
  });
  run(target, [&] { enqueue_one("e", f_, R"({"n":1})"); }, [&] { return ended() == 2; });
  EXPECT_NE(record.find(R"("requestPayload":{"n":1})"), std::string::npos) << record;
  EXPECT_NE(record.find(R"("condition":"AccessDenied")"), std::string::npos) << record;
}

TEST_F(DelivererTest, ManyEventsOfManyFunctionsAllEnd) {
  FakeTarget target(success);
  run(
      target,
      [&] {
        for (int i = 0; i < 300; ++i)
          enqueue_one("e" + std::to_string(i), f_ + std::to_string(i % 40));
      },
      [&] { return target.attempts >= 300 && ended() >= 100; });
  EXPECT_EQ(target.attempts, 300);
}

/// Holds every attempt until it is let go.
class HeldTarget final : public Target {
 public:
  explicit HeldTarget(async::Loop& loop) : go(loop), begun(loop), loop_(loop) {}
  async::Task<Attempt> attempt(Event event, Millis) override {
    tried.push_back(event.id);
    begun.set();
    co_await go.wait(loop_.now() + std::chrono::seconds(20));
    co_return Attempt{.outcome = Outcome::succeeded};
  }
  async::Event go, begun;
  std::vector<std::string> tried;

 private:
  async::Loop& loop_;
};

class CancelTest : public DelivererTest {
 protected:
  /// One at a time: the first event is attempted, the others wait in memory.
  async::Task<void> drive(std::function<async::Task<void>(Deliverer&, HeldTarget&)>& steps) {
    HeldTarget target(loop_);
    Deliverer deliverer({env_, *store_, pool_, loop_, target}, {.per_function_max = 1});
    deliverer.start();
    co_await target.begun.wait(loop_.now() + std::chrono::seconds(10));
    co_await steps(deliverer, target);
    target.go.set();
    const Monotonic deadline = loop_.now() + std::chrono::seconds(10);
    while (ended() < list().size() && loop_.now() < deadline) {
      co_await loop_.sleep_for(std::chrono::milliseconds(1));
    }
    co_await deliverer.stop();
    tried_ = target.tried;
    loop_.stop();
  }
  void run(std::function<async::Task<void>(Deliverer&, HeldTarget&)> steps) {
    loop_.spawn(drive(steps));
    loop_.run();
  }
  static CancelRequest request(std::set<std::string> ids) {
    return {.events = {.account = "000000000000", .ids = std::move(ids)}, .by = "arn:somebody"};
  }
  EventStatus status(const std::string& id) {
    for (EventStatus& one : list()) {
      if (one.event.id == id) return one;
    }
    return {};
  }

  async::Loop loop_;
  async::Pool pool_{1, 100};
  std::vector<std::string> tried_;
};

TEST_F(CancelTest, AnEventThatWaitsInMemoryIsNotAttempted) {
  for (const char* id : {"a", "b", "c"}) enqueue_one(id, f_);
  CancelOutcomes outcomes;
  run([&](Deliverer& deliverer, HeldTarget&) -> async::Task<void> {
    outcomes = *co_await deliverer.cancel(request({"b", "none"}));
  });
  EXPECT_EQ(outcomes["b"].what, CancelOutcome::What::cancelled);
  EXPECT_FALSE(outcomes["b"].under_way);
  EXPECT_EQ(outcomes["none"].what, CancelOutcome::What::unknown);
  EXPECT_EQ(tried_, std::vector<std::string>({"a", "c"}));
  EXPECT_EQ(status("b").terminal, Terminal::cancelled);
  EXPECT_EQ(status("b").reason, "Cancelled by arn:somebody");
}

TEST_F(CancelTest, AnAttemptThatIsUnderWayEndsUnrecorded) {
  enqueue_one("a", f_);
  CancelOutcomes outcomes;
  run([&](Deliverer& deliverer, HeldTarget&) -> async::Task<void> {
    outcomes = *co_await deliverer.cancel(request({"a"}));
  });
  EXPECT_TRUE(outcomes["a"].under_way);
  EXPECT_EQ(list().size(), 1U);
  EXPECT_EQ(status("a").terminal, Terminal::cancelled);
}

TEST_F(CancelTest, AnEventThatHasEndedStaysAsItEnded) {
  enqueue_one("a", f_);
  CancelOutcomes outcomes;
  run([&](Deliverer& deliverer, HeldTarget& target) -> async::Task<void> {
    target.go.set();
    const Monotonic deadline = loop_.now() + std::chrono::seconds(10);
    while (ended() == 0 && loop_.now() < deadline) {
      co_await loop_.sleep_for(std::chrono::milliseconds(1));
    }
    outcomes = *co_await deliverer.cancel(request({"a"}));
  });
  EXPECT_EQ(outcomes["a"].what, CancelOutcome::What::ended_before);
  EXPECT_EQ(outcomes["a"].terminal, Terminal::succeeded);
  EXPECT_EQ(status("a").terminal, Terminal::succeeded);
}

TEST_F(CancelTest, AnotherAccountsEventIsUnknown) {
  enqueue_one("a", f_);
  CancelRequest strangers = request({"a"});
  strangers.events.account = "111111111111";
  CancelOutcomes outcomes;
  run([&](Deliverer& deliverer, HeldTarget&) -> async::Task<void> {
    outcomes = *co_await deliverer.cancel(strangers);
  });
  EXPECT_EQ(outcomes["a"].what, CancelOutcome::What::unknown);
  EXPECT_EQ(status("a").terminal, Terminal::succeeded);
}

TEST_F(CancelTest, ACancelledEventIsReplayedWithItsWholePayload) {
  const std::string payload = "\"" + std::string(700'000, 'x') + "\"";
  enqueue_one("first", f_);
  enqueue_one("large", f_, payload);
  ReplayOutcomes outcomes;
  run([&](Deliverer& deliverer, HeldTarget&) -> async::Task<void> {
    EXPECT_TRUE(co_await deliverer.cancel(request({"large"})));
    outcomes = *replay(*store_, env_, request({"large", "first"}).events);
  });
  EXPECT_EQ(outcomes["first"].what, ReplayOutcome::What::pending);
  ASSERT_EQ(outcomes["large"].what, ReplayOutcome::What::replayed);
  const std::string again = outcomes["large"].replayed_as;
  EXPECT_EQ(tried_, std::vector<std::string>({"first", again}));
  EXPECT_EQ(status(again).event.origin, "large");
  EXPECT_EQ(status("large").replayed_as, again);
  EXPECT_EQ(status("large").terminal, Terminal::cancelled);
  const auto refused = *replay(*store_, env_, request({again}).events);
  EXPECT_EQ(refused.at(again).what, ReplayOutcome::What::no_payload);
}

}  // namespace
}  // namespace wolke::deliver
