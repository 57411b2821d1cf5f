#include "wolke/invoke/placement.h"

#include <gtest/gtest.h>

namespace wolke::invoke {
namespace {

constexpr MachineLoad roomy{
    .committed_bytes = 0, .budget_bytes = 1000, .starting = 0, .starts_max = 4, .idle = 0};

TEST(Admission, AnUnreservedFunctionIsAdmittedUpToWhatReservationsLeave) {
  EXPECT_EQ(admit({.limit = 10, .reserved = 4, .running_unreserved = 5}, {}), Admission::admitted);
  EXPECT_EQ(admit({.limit = 10, .reserved = 4, .running_unreserved = 6}, {}),
            Admission::account_exceeded);
}

TEST(Admission, AReservationIsACapAndAGuarantee) {
  AccountLoad full{.limit = 10, .reserved = 2, .running_unreserved = 8};
  EXPECT_EQ(admit(full, {.running = 1, .reserved = 2}), Admission::admitted);
  EXPECT_EQ(admit({.limit = 10}, {.running = 2, .reserved = 2}), Admission::reserved_exceeded);
}

TEST(Admission, AReservationOfZeroAdmitsNothing) {
  EXPECT_EQ(admit({.limit = 10}, {.running = 0, .reserved = 0}), Admission::reserved_exceeded);
}

TEST(Admission, MoreReservedThanTheLimitLeavesNothing) {
  EXPECT_EQ(admit({.limit = 10, .reserved = 12}, {}), Admission::account_exceeded);
}

TEST(Admission, AThrottleNamesItsReason) {
  EXPECT_EQ(throttled(Admission::reserved_exceeded).fields[1].second,
            "ReservedFunctionConcurrentInvocationLimitExceeded");
  Error account = throttled(Admission::account_exceeded);
  EXPECT_EQ(account.fields[1].second, "ConcurrentInvocationLimitExceeded");
  EXPECT_EQ(account.code, "TooManyRequestsException");
  EXPECT_EQ(account.status, 429);
}

TEST(Placement, AnIdleInstanceIsReused) {
  EXPECT_EQ(place({.idle = 1, .waiting = 1}, roomy, 100), Placement::reuse);
}

TEST(Placement, EachWaitingInvocationHasItsOwnStart) {
  EXPECT_EQ(place({.starting = 1, .waiting = 2}, roomy, 100), Placement::start);
  EXPECT_EQ(place({.starting = 2, .waiting = 2}, roomy, 100), Placement::wait);
}

TEST(Placement, NoMoreStartsAtOnceThanAllowed) {
  MachineLoad busy = roomy;
  busy.starting = 4;
  EXPECT_EQ(place({.waiting = 1}, busy, 100), Placement::wait);
}

TEST(Placement, AFullMachineEvictsIdleInstancesElseWaits) {
  MachineLoad full = roomy;
  full.committed_bytes = 950;
  EXPECT_EQ(place({.waiting = 1}, full, 100), Placement::wait);
  full.idle = 1;
  EXPECT_EQ(place({.waiting = 1}, full, 100), Placement::evict_then_start);
  EXPECT_EQ(place({.waiting = 1}, full, 50), Placement::start);
}

}  // namespace
}  // namespace wolke::invoke
