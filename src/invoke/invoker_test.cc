// How instances come, are reused, queue and go: with real interpreters as plain processes.

#include "wolke/invoke/invoker.h"

#include <signal.h>

#include <functional>
#include <set>
#include <utility>

#include "wolke/async/event.h"
#include "wolke/invoke/test_pool.h"

namespace wolke::invoke {
namespace {

using async::Task;
using Answers = std::vector<std::optional<Result<InvokeResult>>>;

constexpr const char* counting =
    "let n = 0; exports.handler = async () => ({pid: process.pid, n: ++n})";
constexpr const char* slow =
    "exports.handler = async () => { await new Promise((r) => setTimeout(r, 200)); return "
    "process.pid }";

class InvokerTest : public PoolTest {
 protected:
  /// One after the other.
  Task<void> call_each(std::vector<FunctionSpec> specs, Answers& out) {
    for (const FunctionSpec& spec : specs) {
      out.emplace_back();
      co_await call_into(spec, request(), out.back());
    }
  }

  /// All at once; ends when the last has.
  Task<void> call_all(std::vector<FunctionSpec> specs, Answers& out) {
    out.resize(specs.size());
    async::Event all_done(loop);
    std::size_t left = specs.size();
    for (std::size_t i = 0; i < specs.size(); ++i) {
      loop.spawn(call_and_count(specs[i], out[i], left, all_done));
    }
    co_await all_done.wait(loop.now() + std::chrono::seconds(60));
  }

  Task<void> call_and_count(FunctionSpec spec, std::optional<Result<InvokeResult>>& out,
                            std::size_t& left, async::Event& all_done) {
    co_await call_into(spec, request(), out);
    if (--left == 0) all_done.set();
  }

  Task<void> call_wait_call(FunctionSpec spec, Answers& out, std::function<bool()> condition) {
    co_await call_into(spec, request(), out[0]);
    co_await wait_until(std::move(condition));
    co_await call_into(spec, request(), out[1]);
  }

  Task<void> call_then_retire(FunctionSpec spec, Answers& out) {
    co_await call_each({spec}, out);
    EXPECT_EQ(invoker->instances().size(), 1U);
    EXPECT_EQ(invoker->running().size(), 1U);
    invoker->retire(spec);
    EXPECT_TRUE(invoker->instances().empty());
    EXPECT_TRUE(invoker->running().empty());
  }

  /// Retires the revision while its invocation runs.
  Task<void> call_and_retire(FunctionSpec spec, Answers& out) {
    std::size_t left = 1;
    async::Event done(loop);
    loop.spawn(call_and_count(spec, out[0], left, done));
    co_await wait_until([this] {
      const auto instances = invoker->instances();
      return !instances.empty() && instances[0].state == "busy";
    });
    invoker->retire(spec);
    co_await done.wait(loop.now() + std::chrono::seconds(60));
  }

  Task<void> wait_until(std::function<bool()> condition) {
    for (int i = 0; i < 2000 && !condition(); ++i) co_await loop.sleep_for(Millis(1));
  }

  void with_options(Options options) {
    Dependencies changed = dependencies();
    changed.options = options;
    invoker = make_invoker(std::move(changed));
  }
};

TEST_F(InvokerTest, ASecondInvocationReusesTheInstance) {
  Answers answers;
  FunctionSpec spec = node(counting);
  run(call_each({spec, spec}, answers));
  auto first = json((**answers[0]).payload), second = json((**answers[1]).payload);
  EXPECT_EQ(first.find("pid")->text(), second.find("pid")->text());
  EXPECT_EQ(second.find("n")->text(), "2");
  EXPECT_GT((**answers[0]).init_duration.count(), 0);
  EXPECT_EQ((**answers[1]).init_duration.count(), 0);
  EXPECT_EQ(log.streams.size(), 1U);
}

TEST_F(InvokerTest, NewCodeGetsANewSandboxAndTheOldOneEnds) {
  Answers answers;
  FunctionSpec old_code = node(counting), new_code = old_code;
  new_code.revision = "2";
  run(call_each({old_code, new_code}, answers));
  auto first = json((**answers[0]).payload), second = json((**answers[1]).payload);
  EXPECT_NE(first.find("pid")->text(), second.find("pid")->text());
  EXPECT_NE(::kill(static_cast<pid_t>(*first.integer_at("pid")), 0), 0);
}

TEST_F(InvokerTest, ARetiredRevisionsIdleInstancesEndAtOnce) {
  Answers answers;
  run(call_then_retire(node(counting), answers));
  EXPECT_TRUE(answers[0]->has_value());
}

TEST_F(InvokerTest, ARetiredRevisionsInvocationInProgressEndsAndThenItsInstance) {
  Answers answers(1);
  FunctionSpec spec = node(slow);
  run(call_and_retire(spec, answers));
  EXPECT_TRUE(answers[0]->has_value()) << answers[0]->error().message;
  EXPECT_EQ((**answers[0]).error, FunctionError::none);
  EXPECT_TRUE(invoker->instances().empty());
}

TEST_F(InvokerTest, ConcurrentInvocationsRunInInstancesOfTheirOwn) {
  Answers answers;
  FunctionSpec spec = node(slow);
  run(call_all({spec, spec, spec}, answers));
  std::set<std::string> pids;
  for (auto& answer : answers) pids.insert((**answer).payload);
  EXPECT_EQ(pids.size(), 3U);
}

TEST_F(InvokerTest, AReservationIsNotExceeded) {
  Answers answers;
  FunctionSpec spec = node(slow);
  spec.reserved_concurrency = 1;
  run(call_all({spec, spec}, answers));
  ASSERT_TRUE(answers[0]->has_value());
  ASSERT_FALSE(answers[1]->has_value());
  EXPECT_EQ(answers[1]->error().code, "TooManyRequestsException");
  EXPECT_EQ(answers[1]->error().fields[1].second,
            "ReservedFunctionConcurrentInvocationLimitExceeded");
}

TEST_F(InvokerTest, AnAccountsLimitIsNotExceeded) {
  Dependencies limited = dependencies();
  limited.concurrency = [](const std::string&) { return AccountConcurrency{.limit = 2}; };
  invoker = make_invoker(std::move(limited));
  Answers answers;
  FunctionSpec spec = node(slow);
  run(call_all({spec, spec, spec}, answers));
  EXPECT_TRUE(answers[0]->has_value());
  EXPECT_TRUE(answers[1]->has_value());
  ASSERT_FALSE(answers[2]->has_value());
  EXPECT_EQ(answers[2]->error().fields[1].second, "ConcurrentInvocationLimitExceeded");
}

TEST_F(InvokerTest, WithoutRoomInvocationsQueueForTheSameInstance) {
  with_options({.memory_budget_bytes = 200ULL << 20});
  Answers answers;
  FunctionSpec spec = node(slow);
  run(call_all({spec, spec, spec}, answers));
  std::set<std::string> pids;
  for (auto& answer : answers) pids.insert((**answer).payload);
  EXPECT_EQ(pids.size(), 1U);
}

TEST_F(InvokerTest, WithoutRoomAnIdleInstanceOfAnotherFunctionMakesPlace) {
  with_options({.memory_budget_bytes = 200ULL << 20});
  Answers answers;
  FunctionSpec first = node(counting), second = first;
  second.arn += "2";
  run(call_each({first, second}, answers));
  ASSERT_TRUE(answers[1]->has_value());
  EXPECT_NE(::kill(static_cast<pid_t>(*json((**answers[0]).payload).integer_at("pid")), 0), 0);
}

TEST_F(InvokerTest, AnInvocationThatNeverGetsRoomIsThrottled) {
  with_options({.memory_budget_bytes = 1, .queue_wait_max = Millis(20)});
  Answers answers;
  run(call_each({node(counting)}, answers));
  ASSERT_FALSE(answers[0]->has_value());
  EXPECT_EQ(answers[0]->error().status, 429);
}

TEST_F(InvokerTest, AnIdleInstanceIsFrozenAndThawedForTheNextInvocation) {
  Answers answers(2);
  std::string state;
  run(call_wait_call(node(counting), answers, [&] {
    for (const auto& instance : invoker->instances()) state = instance.state;
    return state == "frozen";
  }));
  EXPECT_EQ(state, "frozen");
  EXPECT_EQ(json((**answers[1]).payload).find("n")->text(), "2");
}

TEST_F(InvokerTest, AnIdleInstanceExpires) {
  with_options({.idle_expiry = std::chrono::seconds(0)});
  Answers answers(2);
  bool gone = false;
  run(call_wait_call(node(counting), answers,
                     [&] { return gone = gone || invoker->instances().empty(); }));
  EXPECT_TRUE(gone);
  EXPECT_EQ(json((**answers[1]).payload).find("n")->text(), "1");
}

TEST_F(InvokerTest, AnInstanceThatDiedWhileIdleIsReplaced) {
  Answers answers(2);
  bool killed = false;
  run(call_wait_call(node(counting), answers, [&] {
    if (!std::exchange(killed, true)) {
      ::kill(static_cast<pid_t>(*json((**answers[0]).payload).integer_at("pid")), SIGKILL);
    }
    return invoker->instances().empty();
  }));
  EXPECT_EQ(json((**answers[1]).payload).find("n")->text(), "1");
}

TEST_F(InvokerTest, AnInstanceIsReplacedBeforeItsCredentialsExpire) {
  Dependencies hurried = dependencies();
  hurried.credentials = [](const FunctionSpec&, const std::string&) -> Result<SandboxCredentials> {
    return SandboxCredentials{"A", "S", "T", system_env().clock.wall() + std::chrono::minutes(1)};
  };
  invoker = make_invoker(std::move(hurried));
  Answers answers;
  FunctionSpec spec = node(counting);
  run(call_each({spec, spec}, answers));
  EXPECT_EQ(json((**answers[1]).payload).find("n")->text(), "1");
}

TEST_F(InvokerTest, EveryInvocationLeavesAUsageRecord) {
  Answers answers;
  FunctionSpec spec = node(counting);
  run(call_each({spec, spec}, answers));
  ASSERT_EQ(usage.size(), 2U);
  EXPECT_TRUE(usage[0].cold);
  EXPECT_FALSE(usage[1].cold);
  EXPECT_EQ(usage[0].billed_ms, (**answers[0]).billed_ms);
  EXPECT_EQ(usage[0].memory_mb, 128U);
  EXPECT_EQ(usage[0].function_arn, spec.arn);
}

TEST_F(InvokerTest, AfterStopInvocationsAreRefused) {
  FunctionSpec spec = node(counting);
  call(spec);
  std::optional<Result<InvokeResult>> late;
  loop.spawn(call_into(spec, request(), late));
  loop.run();
  ASSERT_TRUE(late);
  ASSERT_FALSE(late->has_value());
  EXPECT_EQ(late->error().code, "ServiceException");
}

TEST_F(InvokerTest, NothingIsLeftRunningAfterStop) {
  Answers answers;
  FunctionSpec spec = node(counting);
  run(call_each({spec}, answers));
  EXPECT_NE(::kill(static_cast<pid_t>(*json((**answers[0]).payload).integer_at("pid")), 0), 0);
  EXPECT_TRUE(invoker->instances().empty());
}

}  // namespace
}  // namespace wolke::invoke
