#pragma once
// The two decisions before an invocation runs, as pure functions: may it run now (admission), and
// where (placement). Rules: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html

#include <cstddef>
#include <cstdint>
#include <optional>

#include "wolke/base/result.h"

namespace wolke::invoke {

struct AccountLoad {
  std::uint32_t limit = 0;
  std::uint32_t reserved = 0;            // sum over the functions that have a reservation
  std::uint32_t running_unreserved = 0;  // invocations of functions that have none
};

struct FunctionLoad {
  std::uint32_t running = 0;
  std::optional<std::uint32_t> reserved;
};

enum class Admission { admitted, reserved_exceeded, account_exceeded };

/// A reservation is both a guarantee and a cap; the functions without one share what is left of the
/// account's limit.
Admission admit(const AccountLoad& account, const FunctionLoad& function);

/// "TooManyRequestsException" 429 with Lambda's reason; not for Admission::admitted.
Error throttled(Admission admission);

/// One revision's instances, and the invocations that wait for one (the one to be placed included).
struct FleetLoad {
  std::size_t idle = 0;
  std::size_t starting = 0;
  std::size_t waiting = 0;
};

struct MachineLoad {
  std::uint64_t committed_bytes = 0;
  std::uint64_t budget_bytes = 0;
  std::size_t starting = 0;
  std::size_t starts_max = 0;
  std::size_t idle = 0;  // instances of any revision that could be evicted
};

enum class Placement {
  reuse,             // an idle instance takes it
  start,             // a new instance
  evict_then_start,  // a new one, in the place of the longest idle of another revision
  wait,              // for an instance that is starting, or for room
};

Placement place(const FleetLoad& fleet, const MachineLoad& machine, std::uint64_t needed_bytes);

}  // namespace wolke::invoke
