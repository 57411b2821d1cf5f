#pragma once
// From the bytes that a function writes to its log: lines, cut to what a log event may hold, made
// valid UTF-8, and limited in rate so that one function cannot fill the store. What is dropped is
// counted and said in the log.
//
// A line that starts with 0x1e comes from our runtimes: one log call, its line feeds written as
// carriage returns.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/time.h"

namespace wolke::invoke {

/// CloudWatch Logs: the largest event.
inline constexpr std::size_t log_line_bytes_max = 256 * 1024;
/// One instance may burst, then goes on at the rate.
inline constexpr double log_lines_burst = 20'000;
inline constexpr double log_lines_per_second = 5'000;
inline constexpr double log_bytes_burst = 16.0 * 1024 * 1024;
inline constexpr double log_bytes_per_second = 4.0 * 1024 * 1024;

/// Bytes that are no UTF-8 become U+FFFD each.
std::string valid_utf8(std::string_view text);

class LineCutter {
 public:
  using Sink = std::function<void(std::string line)>;
  /// Calls `sink` for each complete line, without its line feed.
  void feed(std::string_view bytes, const Sink& sink);
  /// What has no line feed yet is a line.
  void finish(const Sink& sink);

 private:
  void emit(const Sink& sink);
  std::string partial_;
  std::size_t cut_bytes_ = 0;  // of the present line, beyond log_line_bytes_max
};

class FloodGate {
 public:
  /// Whether a line of that many bytes may pass now; counts it when not.
  bool admit(std::size_t bytes, Monotonic now);
  bool closed() const { return dropped_lines_ > 0; }
  /// The sentence that says what was dropped, once; nullopt when nothing was.
  std::optional<std::string> take_notice();

 private:
  void refill(Monotonic now);
  double lines_ = log_lines_burst;
  double bytes_ = log_bytes_burst;
  std::optional<Monotonic> filled_;
  std::uint64_t dropped_lines_ = 0;
  std::uint64_t dropped_bytes_ = 0;
};

}  // namespace wolke::invoke
