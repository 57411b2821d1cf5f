#pragma once
// Detail levels of a function's log in JSON format, and what a line of its output says of itself:
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html. Pure.

#include <cstdint>
#include <optional>
#include <string_view>

namespace wolke::invoke {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, fatal };

/// "TRACE", "warn", "Warning", "CRITICAL"…: in any case, by the names that loggers give them.
std::optional<LogLevel> parse_log_level(std::string_view name);

/// Of one line of a function's output: that of an object with a level and a valid time, else INFO.
LogLevel level_of_line(std::string_view line);

}  // namespace wolke::invoke
