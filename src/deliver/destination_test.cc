#include "wolke/deliver/destination.h"

#include <gtest/gtest.h>

namespace wolke::deliver {
namespace {

const std::string function = "arn:aws:lambda:us-east-1:000000000000:function:f";
const std::string other = "arn:aws:lambda:us-east-1:000000000000:function:g";
const Timestamp now = from_millis(1'574'632'367'333);

Delivery delivery_of(const std::string& payload) {
  Delivery out;
  out.record.id = "e1";
  out.record.account = "000000000000";
  out.record.payload = payload;
  out.function = function;
  return out;
}

Step ended(Terminal terminal, std::string reason, int attempts) {
  Step step;
  step.terminal = terminal;
  step.reason = std::move(reason);
  step.state.attempts = attempts;
  return step;
}

TEST(Destination, ASuccessIsRecordedAsLambdaDoes) {
  Attempt attempt{.outcome = Outcome::succeeded, .response = R"({"n":2})", .version = "3"};
  EXPECT_EQ(
      invocation_record(delivery_of(R"({"n":1})"), attempt, ended(Terminal::succeeded, "", 1), now),
      R"({"version":"1.0","timestamp":"2019-11-24T21:52:47.333Z",)"
      R"("requestContext":{"requestId":"e1",)"
      R"("functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:3",)"
      R"("condition":"Success","approximateInvokeCount":1},"requestPayload":{"n":1},)"
      R"("responseContext":{"statusCode":200,"executedVersion":"3"},)"
      R"("responsePayload":{"n":2}})");
}

TEST(Destination, AFailureNamesItsConditionAndHowOftenItWasTried) {
  Attempt attempt{.outcome = Outcome::function_error, .response = "{}", .version = "$LATEST"};
  const std::string record =
      invocation_record(delivery_of("1"), attempt,
                        ended(Terminal::destination, "RetriesExhausted: Error: boom", 3), now);
  EXPECT_NE(record.find(R"("condition":"RetriesExhausted","approximateInvokeCount":3)"),
            std::string::npos)
      << record;
  EXPECT_NE(record.find(R"("functionError":"Unhandled")"), std::string::npos) << record;
}

TEST(Destination, WhatNeverRanHasNoResponse) {
  Attempt attempt{.outcome = Outcome::expired};
  const std::string record = invocation_record(
      delivery_of("{}"), attempt, ended(Terminal::destination, "EventAgeExceeded", 0), now);
  EXPECT_EQ(record.find("response"), std::string::npos) << record;
}

TEST(Destination, TheRecordIsSentAsTheRoleThatEndedTheEvent) {
  Attempt attempt{.outcome = Outcome::succeeded, .response = "{}", .version = "1"};
  attempt.policy.on_success = other;
  attempt.policy.role = "arn:aws:iam::000000000000:role/r";
  store::Batch batch;
  add_destination(batch, delivery_of("{}"), attempt, ended(Terminal::succeeded, "", 1), now, "e2");
  ASSERT_EQ(batch.appends.size(), 1U);
  const std::string prefix = inbox_prefix(lane_of(other), other);
  const auto record = store::decode<PendingRecord>(batch.appends[0].value, prefix);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->target, other);
  EXPECT_EQ(record->source, source_of_records);
  EXPECT_EQ(record->source_arn, attempt.policy.role);
}

}  // namespace
}  // namespace wolke::deliver
