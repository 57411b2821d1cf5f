#include "wolke/invoke/placement.h"

namespace wolke::invoke {

Admission admit(const AccountLoad& account, const FunctionLoad& function) {
  if (function.reserved) {
    return function.running < *function.reserved ? Admission::admitted
                                                 : Admission::reserved_exceeded;
  }
  std::uint32_t shared = account.limit > account.reserved ? account.limit - account.reserved : 0;
  return account.running_unreserved < shared ? Admission::admitted : Admission::account_exceeded;
}

Error throttled(Admission admission) {
  bool reserved = admission == Admission::reserved_exceeded;
  return {.code = "TooManyRequestsException",
          .status = 429,
          .message = "Rate Exceeded.",
          .fields = {{"Type", "User"},
                     {"Reason", reserved ? "ReservedFunctionConcurrentInvocationLimitExceeded"
                                         : "ConcurrentInvocationLimitExceeded"}}};
}

Placement place(const FleetLoad& fleet, const MachineLoad& machine, std::uint64_t needed_bytes) {
  if (fleet.idle > 0) return Placement::reuse;
  if (fleet.starting >= fleet.waiting) return Placement::wait;
  if (machine.starting >= machine.starts_max) return Placement::wait;
  if (machine.committed_bytes + needed_bytes <= machine.budget_bytes) return Placement::start;
  return machine.idle > 0 ? Placement::evict_then_start : Placement::wait;
}

}  // namespace wolke::invoke
