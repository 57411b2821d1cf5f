#pragma once
// Wall-clock and monotonic time as types, and the four text forms that AWS's protocols use. Pure
// functions.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wolke {

using Millis = std::chrono::milliseconds;
/// Wall time, UTC, millisecond resolution (what AWS's wire formats can carry).
using Timestamp = std::chrono::sys_time<Millis>;
/// Monotonic time since an arbitrary start, for durations and deadlines.
using Monotonic = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

std::string format_iso8601(Timestamp t);          // 2026-11-23T09:51:13.000Z
std::string format_iso8601_seconds(Timestamp t);  // 2026-11-23T09:51:13Z
std::string format_rfc1123(Timestamp t);          // Mon, 23 Nov 2026 09:51:13 GMT
std::string format_amz_date(Timestamp t);         // 20261123T095113Z
std::string format_unix_seconds(Timestamp t);     // 1795427473.123, no trailing zeros

std::optional<Timestamp> parse_iso8601(
    std::string_view text);  // with or without fraction, Z or +hh:mm
std::optional<Timestamp> parse_rfc1123(std::string_view text);
std::optional<Timestamp> parse_amz_date(std::string_view text);  // strict
std::optional<Timestamp> parse_unix_seconds(std::string_view text);

inline std::int64_t to_millis(Timestamp t) {
  return t.time_since_epoch().count();
}
inline Timestamp from_millis(std::int64_t ms) {
  return Timestamp(Millis(ms));
}

}  // namespace wolke
