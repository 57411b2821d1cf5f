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

class FunctionLogsTest : public ::testing::Test {
 protected:
  void append(const std::string& function, std::string line) {
    logs.append({.function_arn = function, .role_arn = "role"}, Timestamp{}, std::move(line));
  }

  std::vector<std::string> kept;
  std::size_t asked = 0;
  bool allowed = true;
  HandClock clock;
  FunctionLogs logs{[this](const invoke::LogStream&, Timestamp, std::string line) {
                      kept.push_back(std::move(line));
                    },
                    [this](const invoke::LogStream&) -> std::optional<std::string> {
                      ++asked;
                      if (allowed) return std::nullopt;
                      return "no policy allows logs:PutLogEvents";
                    },
                    clock};
};

using Lines = std::vector<std::string>;

TEST_F(FunctionLogsTest, LinesOfARoleWithTheRightsAreKeptAndAskedForOnce) {
  append("f", "1");
  append("f", "2");
  EXPECT_EQ(kept, Lines({"1", "2"}));
  EXPECT_EQ(asked, 1U);
}

TEST_F(FunctionLogsTest, LinesOfARoleWithoutTheRightsAreNotKept) {
  allowed = false;
  append("f", "1");
  EXPECT_EQ(kept, Lines());
}

TEST_F(FunctionLogsTest, AChangeOfRightsIsNoticedWithinASecond) {
  allowed = false;
  append("f", "1");
  allowed = true;
  append("f", "2");
  clock.now += FunctionLogs::rights_age_max;
  append("f", "3");
  EXPECT_EQ(kept, Lines({"3"}));
}

TEST_F(FunctionLogsTest, EachFunctionIsAskedFor) {
  append("f", "1");
  allowed = false;
  append("g", "2");
  EXPECT_EQ(kept, Lines({"1"}));
}

}  // namespace
}  // namespace wolke::app
