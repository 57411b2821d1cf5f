#pragma once
// Random whose bytes depend on the seed alone (SplitMix64, public domain algorithm by Sebastiano
// Vigna). Threads: any; which thread gets which bytes then depends on their order.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>

#include "wolke/base/env.h"

namespace wolke::sim {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  void fill(std::span<std::byte> out) override {
    while (!out.empty()) {
      const std::uint64_t value = next();
      const std::size_t part = std::min(out.size(), sizeof value);
      std::memcpy(out.data(), &value, part);
      out = out.subspan(part);
    }
  }
  /// True in one of `n` cases.
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  std::uint64_t next() {
    std::uint64_t z = state_.fetch_add(0x9E3779B97F4A7C15ULL) + 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }

  std::atomic<std::uint64_t> state_;
};

}  // namespace wolke::sim
