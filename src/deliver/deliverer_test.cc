// The whole deliverer on a real loop and pool over a memory store: from enqueue to the terminal
// record.
#include "wolke/deliver/deliverer.h"

#include <gtest/gtest.h>

#include "wolke/deliver/events.h"
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

}  // namespace
}  // namespace wolke::deliver
