#include "wolke/deliver/automaton.h"

#include <gtest/gtest.h>

namespace wolke::deliver {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Timestamp start = from_millis(1'700'000'000'000);

Attempt ended(Outcome outcome, std::string reason = "why") {
  Attempt out;
  out.outcome = outcome;
  out.reason = std::move(reason);
  return out;
}

State fresh() {
  return {.enqueued = start};
}

/// Middle of the jitter: delays are exact.
constexpr double no_jitter = 0.5;

TEST(Automaton, ASuccessIsTerminal) {
  const Step step = after_attempt(fresh(), ended(Outcome::succeeded, ""), start, no_jitter);
  EXPECT_EQ(step.terminal, Terminal::succeeded);
  EXPECT_EQ(step.state.attempts, 1);
}

TEST(Automaton, AFunctionErrorIsRetriedAfterOneThenTwoMinutesThenDiscarded) {
  Step step = after_attempt(fresh(), ended(Outcome::function_error), start, no_jitter);
  EXPECT_EQ(step.terminal, Terminal::pending);
  EXPECT_EQ(step.next_attempt, start + minutes(1));
  step = after_attempt(step.state, ended(Outcome::function_error), start + minutes(1), no_jitter);
  EXPECT_EQ(step.terminal, Terminal::pending);
  EXPECT_EQ(step.next_attempt, start + minutes(3));
  step = after_attempt(step.state, ended(Outcome::function_error), start + minutes(3), no_jitter);
  EXPECT_EQ(step.terminal, Terminal::discarded);
  EXPECT_EQ(step.reason, "RetriesExhausted: why");
  EXPECT_EQ(step.state.attempts, 3);
}

TEST(Automaton, JitterStaysWithinTenPercent) {
  const Step least = after_attempt(fresh(), ended(Outcome::function_error), start, 0.0);
  const Step most = after_attempt(fresh(), ended(Outcome::function_error), start, 0.999999);
  EXPECT_EQ(least.next_attempt, start + seconds(54));
  EXPECT_GE(most.next_attempt, start + seconds(65));
  EXPECT_LE(most.next_attempt, start + seconds(66));
}

TEST(Automaton, NoRetriesMeansOneAttempt) {
  Attempt attempt = ended(Outcome::function_error);
  attempt.policy.retries_max = 0;
  EXPECT_EQ(after_attempt(fresh(), attempt, start, no_jitter).terminal, Terminal::discarded);
}

TEST(Automaton, ThrottlesBackOffDoublingUpToFiveMinutes) {
  State state = fresh();
  Timestamp now = start;
  std::vector<std::int64_t> delays;
  for (int i = 0; i < 12; ++i) {
    const Step step = after_attempt(state, ended(Outcome::throttled), now, no_jitter);
    ASSERT_EQ(step.terminal, Terminal::pending);
    delays.push_back((step.next_attempt - now) / seconds(1));
    state = step.state;
    now = step.next_attempt;
  }
  EXPECT_EQ(delays, (std::vector<std::int64_t>{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300}));
}

TEST(Automaton, ThrottlesDoNotUseUpTheRetries) {
  State state = fresh();
  for (int i = 0; i < 5; ++i) {
    state = after_attempt(state, ended(Outcome::throttled), start, no_jitter).state;
  }
  EXPECT_EQ(state.failures, 0);
  const Step step = after_attempt(state, ended(Outcome::function_error), start, no_jitter);
  EXPECT_EQ(step.terminal, Terminal::pending);
  EXPECT_EQ(step.state.setbacks, 0);
}

TEST(Automaton, AServerErrorIsTriedAtTheMaximumAgeAndThenDiscarded) {
  State state = fresh();
  state.setbacks = 20;
  const Timestamp late = start + hours(6) - minutes(1);
  Step step = after_attempt(state, ended(Outcome::server_error), late, no_jitter);
  EXPECT_EQ(step.terminal, Terminal::pending);
  EXPECT_EQ(step.next_attempt, start + hours(6));
  step = after_attempt(step.state, ended(Outcome::server_error), step.next_attempt, no_jitter);
  EXPECT_EQ(step.terminal, Terminal::discarded);
  EXPECT_EQ(step.reason, "EventAgeExceeded: why");
}

TEST(Automaton, AnEventPastItsAgeWasNotAttempted) {
  Attempt attempt = ended(Outcome::expired);
  const Step step = after_attempt(fresh(), attempt, start + age_max_default + Millis(1), no_jitter);
  EXPECT_EQ(step.terminal, Terminal::discarded);
  EXPECT_EQ(step.reason, "EventAgeExceeded: why");
  EXPECT_EQ(step.state.attempts, 0);
}

TEST(Automaton, ARetryThatWouldComeTooLateIsNotPlanned) {
  Attempt attempt = ended(Outcome::function_error);
  attempt.policy.age_max = seconds(60);
  const Step step = after_attempt(fresh(), attempt, start + seconds(30), no_jitter);
  EXPECT_EQ(step.terminal, Terminal::discarded);
  EXPECT_EQ(step.reason, "EventAgeExceeded: why");
}

TEST(Automaton, ARefusalIsDiscardedAtOnceWithItsReason) {
  const Step step =
      after_attempt(fresh(), ended(Outcome::refused, "AccessDenied: no"), start, no_jitter);
  EXPECT_EQ(step.terminal, Terminal::discarded);
  EXPECT_EQ(step.reason, "AccessDenied: no");
}

TEST(Automaton, AFunctionAsFailureDestinationIsATerminalStateOfItsOwn) {
  Attempt attempt = ended(Outcome::refused, "AccessDenied");
  attempt.policy.on_failure = "arn:aws:lambda:us-east-1:000000000000:function:undertaker";
  EXPECT_EQ(after_attempt(fresh(), attempt, start, no_jitter).terminal, Terminal::destination);
}

TEST(Automaton, ADeadLetterQueueThatIsNotServedIsNamedInTheRecord) {
  Attempt attempt = ended(Outcome::refused, "AccessDenied");
  attempt.policy.dead_letter = "arn:aws:sqs:us-east-1:000000000000:dead";
  const Step step = after_attempt(fresh(), attempt, start, no_jitter);
  EXPECT_EQ(step.terminal, Terminal::discarded);
  EXPECT_NE(step.reason.find("arn:aws:sqs:us-east-1:000000000000:dead"), std::string::npos);
}

}  // namespace
}  // namespace wolke::deliver
