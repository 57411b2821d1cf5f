#pragma once
// A clock that stands still until it is moved. Threads: any.

#include <atomic>
#include <chrono>
#include <cstdint>

#include "wolke/base/env.h"

namespace wolke::sim {

class ManualClock final : public Clock {
 public:
  /// 2026-01-01T00:00:00Z
  static constexpr std::int64_t default_start_millis = 1'767'225'600'000;
  explicit ManualClock(Timestamp start = from_millis(default_start_millis))
      : wall_millis_(to_millis(start)) {}

  Timestamp wall() override { return from_millis(wall_millis_.load()); }
  Monotonic monotonic() override {
    return Monotonic(std::chrono::nanoseconds(monotonic_nanos_.load()));
  }
  /// Moves both clocks forward.
  void advance(Millis by) {
    wall_millis_ += by.count();
    monotonic_nanos_ += std::chrono::nanoseconds(by).count();
  }
  /// Sets the wall clock alone, forwards or backwards, as an operator or NTP does.
  void set_wall(Timestamp now) { wall_millis_ = to_millis(now); }

 private:
  std::atomic<std::int64_t> wall_millis_;
  std::atomic<std::int64_t> monotonic_nanos_ = 1'000'000'000;
};

}  // namespace wolke::sim
