#include "wolke/deliver/automaton.h"

#include <algorithm>
#include <cmath>

namespace wolke::deliver {
namespace {

Millis spread(Millis delay, double jitter) {
  const double factor = 0.9 + 0.2 * jitter;
  return Millis(static_cast<Millis::rep>(static_cast<double>(delay.count()) * factor));
}

Millis backoff(int setbacks) {
  // 2^9 s is already past the longest delay.
  const int doublings = std::clamp(setbacks - 1, 0, 9);
  return std::min<Millis>(backoff_longest, backoff_first * (1 << doublings));
}

/// The end of an event that could not be processed. Queues and topics as targets are another
/// service's business; as long as none is there, the event is discarded and the record says what
/// was configured.
Step failed(State state, const Policy& policy, std::string condition, const std::string& reason) {
  Step step;
  step.state = state;
  step.terminal = Terminal::discarded;
  step.reason = std::move(condition);
  if (!reason.empty()) step.reason += ": " + reason;
  if (policy.on_failure.find(":lambda:") != std::string::npos) {
    step.terminal = Terminal::destination;
  } else if (!policy.on_failure.empty()) {
    step.reason += "; destination " + policy.on_failure + " is not of a service that is served";
  }
  if (!policy.dead_letter.empty()) {
    step.reason +=
        "; dead-letter target " + policy.dead_letter + " is not of a service that is served";
  }
  return step;
}

Step retry(State state, std::string reason, Timestamp next) {
  Step step;
  step.state = state;
  step.reason = std::move(reason);
  step.next_attempt = next;
  return step;
}

Step after_function_error(State state, const Attempt& attempt, Timestamp now, double jitter) {
  ++state.failures;
  state.setbacks = 0;
  if (state.failures > attempt.policy.retries_max) {
    return failed(state, attempt.policy, "RetriesExhausted", attempt.reason);
  }
  const Millis delay = std::chrono::minutes(state.failures == 1 ? 1 : 2);
  const Timestamp next = now + spread(delay, jitter);
  if (next > state.enqueued + attempt.policy.age_max) {
    return failed(state, attempt.policy, "EventAgeExceeded", attempt.reason);
  }
  return retry(state, attempt.reason, next);
}

Step after_setback(State state, const Attempt& attempt, Timestamp now, double jitter) {
  ++state.setbacks;
  const Timestamp last = state.enqueued + attempt.policy.age_max;
  if (now >= last) return failed(state, attempt.policy, "EventAgeExceeded", attempt.reason);
  const Timestamp next = std::min(last, now + spread(backoff(state.setbacks), jitter));
  return retry(state, attempt.reason, next);
}

}  // namespace

Step after_attempt(const State& before, const Attempt& attempt, Timestamp now, double jitter) {
  State state = before;
  ++state.attempts;
  switch (attempt.outcome) {
    case Outcome::succeeded: {
      Step step;
      step.state = state;
      step.terminal = Terminal::succeeded;
      return step;
    }
    case Outcome::function_error:
      return after_function_error(state, attempt, now, jitter);
    case Outcome::throttled:
    case Outcome::server_error:
      return after_setback(state, attempt, now, jitter);
    case Outcome::refused:
      return failed(state, attempt.policy, attempt.reason, "");
    case Outcome::expired:
      --state.attempts;  // it was not tried
      return failed(state, attempt.policy, "EventAgeExceeded", attempt.reason);
  }
  ASSERT(false && "every outcome has its step");
  return {};
}

}  // namespace wolke::deliver
