// Whose lines are kept.

#include "wolke/app/function_logs.h"

#include <gtest/gtest.h>

#include <vector>

namespace wolke::app {
namespace {

class HandClock final : public Clock {
 public:
  Timestamp wall() override { return Timestamp{}; }
  Monotonic monotonic() override { return now; }
  Monotonic now{};
};

using What = LogAnswer::What;

/// Answers when it is let.
class Rights {
 public:
  explicit Rights(async::Loop& loop) : loop_(loop), open(loop) { open.set(); }
  async::Task<LogAnswer> answer() {
    ++asked;
    co_await open.wait(loop_.now() + std::chrono::seconds(10));
    co_return now;
  }

 private:
  async::Loop& loop_;

 public:
  async::Event open;
  LogAnswer now{What::allowed};
  std::size_t asked = 0;
};

class FunctionLogsTest : public ::testing::Test {
 protected:
  void append(const std::string& function, std::string line) {
    logs.append({.function_arn = function, .role_arn = "role"}, Timestamp{}, std::move(line));
  }
  void a_second_passes() { clock.now += FunctionLogs::rights_age_max; }

  /// Runs these on the loop, each when what the one before it began has ended; then stops.
  void run(std::vector<std::function<void()>> steps) {
    loop.spawn(drive(steps));
    loop.run();
  }
  /// What a step began goes on by wakes alone, a turn of the loop each: no time need pass.
  async::Task<void> a_few_turns() {
    for (int turn = 0; turn < 16; ++turn) {
      async::Completion<bool> turned(loop);
      turned.setter()(true);
      EXPECT_TRUE(co_await turned);
    }
  }
  async::Task<void> drive(std::vector<std::function<void()>>& steps) {
    for (std::function<void()>& step : steps) {
      step();
      co_await a_few_turns();
    }
    co_await logs.stop();
    loop.stop();
  }

  std::vector<std::string> kept;
  HandClock clock;
  async::Loop loop;
  Rights rights{loop};
  FunctionLogs logs{[this](const invoke::LogStream&, Timestamp, std::string line) {
                      kept.push_back(std::move(line));
                    },
                    [this](const invoke::LogStream&) { return rights.answer(); }, clock, loop};
};

using Lines = std::vector<std::string>;

TEST_F(FunctionLogsTest, LinesOfARoleWithTheRightsAreKeptAndAskedForOnce) {
  run({[&] { append("f", "1"); }, [&] { append("f", "2"); }});
  EXPECT_EQ(kept, Lines({"1", "2"}));
  EXPECT_EQ(rights.asked, 1U);
}

TEST_F(FunctionLogsTest, LinesOfARoleWithoutTheRightsAreNotKept) {
  rights.now = {What::refused, "no policy allows logs:PutLogEvents"};
  run({[&] { append("f", "1"); }, [&] { append("f", "2"); }});
  EXPECT_EQ(kept, Lines());
}

TEST_F(FunctionLogsTest, AChangeOfRightsIsNoticedWithinASecond) {
  rights.now = {What::refused, "no"};
  run({[&] { append("f", "1"); },
       [&] {
         rights.now = {What::allowed};
         append("f", "2");
         a_second_passes();
         append("f", "3");
       },
       [&] {
         rights.now = {What::refused, "no"};
         a_second_passes();
         append("f", "4");
       }});
  EXPECT_EQ(kept, Lines({"3"}));
}

TEST_F(FunctionLogsTest, EachFunctionIsAskedFor) {
  run({[&] { append("f", "1"); },
       [&] {
         rights.now = {What::refused, "no"};
         append("g", "2");
       }});
  EXPECT_EQ(kept, Lines({"1"}));
}

TEST_F(FunctionLogsTest, LinesThatComeBeforeTheAnswerWaitForItInTheirOrder) {
  rights.open.reset();
  run({[&] { append("f", "1"); },
       [&] {
         append("f", "2");
         EXPECT_EQ(kept, Lines());
         rights.open.set();
       },
       [&] { append("f", "3"); }});
  EXPECT_EQ(kept, Lines({"1", "2", "3"}));
  EXPECT_EQ(rights.asked, 1U);
}

TEST_F(FunctionLogsTest, WhereTheStoreCannotBeReadTheLastAnswerHolds) {
  run({[&] { append("f", "1"); },
       [&] {
         rights.now = {What::unknown, "the disk failed"};
         a_second_passes();
         append("f", "2");
       },
       [&] { append("f", "3"); }});
  EXPECT_EQ(kept, Lines({"1", "2", "3"}));
  EXPECT_EQ(rights.asked, 2U);
}

TEST_F(FunctionLogsTest, WithoutALastAnswerTheQuestionIsAskedAgainAndTheLinesWait) {
  rights.now = {What::unknown, "the disk failed"};
  run({[&] { append("f", "1"); },
       [&] {
         rights.now = {What::allowed};
         append("f", "2");
       }});
  // stop() asks once more.
  EXPECT_EQ(kept, Lines({"1", "2"}));
  EXPECT_EQ(rights.asked, 2U);
}

TEST_F(FunctionLogsTest, NoMoreThanItsShareOfLinesWaits) {
  rights.open.reset();
  const std::string line(FunctionLogs::held_bytes_max / 4, 'x');
  run({[&] {
         for (int i = 0; i < 100; ++i) append("f", line);
       },
       [&] { rights.open.set(); }});
  EXPECT_EQ(kept.size(), 4U);
}

TEST(LogRights, AStoreThatCannotBeReadIsNoAnswer) {
  // A snapshot that fails is what a sick disk gives.
  class SickStore final : public store::Store {
   public:
    Result<std::unique_ptr<store::Snapshot>> snapshot() override {
      return fail({.code = "DiskError", .status = 500, .message = "I/O error"});
    }
    void commit(store::Batch, std::function<void(store::CommitResult)>) override {}
    std::uint64_t watch(std::string, std::function<void()>) override { return 0; }
    void unwatch(std::uint64_t) override {}
  };
  SickStore store;
  async::Loop loop;
  async::Pool pool(1, 10);
  Env env = system_env();
  identity::Directory directory(env, store, identity::Seal(std::string(32, 'k'), env.random), {});
  const LogRights rights = rights_to_log(
      {.directory = directory, .store = store, .clock = env.clock, .pool = pool, .loop = loop});
  LogAnswer answer{What::allowed};
  auto drive = [&]() -> async::Task<void> {
    answer = co_await rights({.account = "111111111111",
                              .function_name = "f",
                              .role_arn = "arn:aws:iam::111111111111:role/r"});
    loop.stop();
  };
  loop.spawn(drive());
  loop.run();
  EXPECT_EQ(answer.what, What::unknown);
}

}  // namespace
}  // namespace wolke::app
