#pragma once
// The delivery automaton: what becomes of an event after each attempt. Pure: time, policy and
// jitter are passed in, so the same functions run in the server, in unit tests and in the
// simulation.
//
// Rules (Lambda developer guide, "How Lambda handles errors and retries with asynchronous
// invocation"): a function error is retried `retries_max` times, after one and two minutes; a
// throttle or a server error is retried with a back-off that doubles from one second to five
// minutes; nothing is attempted past `age_max`.

#include <optional>
#include <string>

#include "wolke/base/time.h"
#include "wolke/deliver/delivery.h"

namespace wolke::deliver {

inline constexpr int retries_default = 2;
inline constexpr Millis age_max_default = std::chrono::hours(6);
inline constexpr Millis backoff_first = std::chrono::seconds(1);
inline constexpr Millis backoff_longest = std::chrono::minutes(5);

/// How the target wants its events handled; the event-invoke configuration of the function.
struct Policy {
  int retries_max = retries_default;
  Millis age_max = age_max_default;
  std::string on_success;  // destination ARNs; empty: none
  std::string on_failure;
  std::string dead_letter;  // DeadLetterConfig's target
  std::string role;         // as whom destinations are told: the function's execution role
};

enum class Outcome {
  succeeded,
  function_error,  // the function ran and failed
  throttled,       // no capacity; the event was not tried
  server_error,    // our side failed
  refused,         // never deliverable: function gone, not permitted, recursion
  expired,         // older than the target's maximum age; not tried
};

struct Attempt {
  Outcome outcome = Outcome::server_error;
  std::string reason;  // for people and for the record; empty when succeeded
  Policy policy;
  std::optional<unsigned> concurrency;  // what the target can run at once, where it knows
  std::string response;                 // the function's answer, for destinations
  std::string version;                  // executed version, for destinations
};

/// What is remembered of an event between attempts.
struct State {
  Timestamp enqueued{};
  int attempts = 0;  // all of them
  int failures = 0;  // function errors
  int setbacks = 0;  // throttles and server errors since the last attempt that ran
};

struct Step {
  State state;
  Terminal terminal = Terminal::pending;  // pending: attempt again at next_attempt
  std::string reason;
  Timestamp next_attempt{};
};

/// `jitter` in [0, 1) spreads the delays by ±10 %.
Step after_attempt(const State& state, const Attempt& attempt, Timestamp now, double jitter);

}  // namespace wolke::deliver
