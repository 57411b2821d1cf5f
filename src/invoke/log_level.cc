#include "wolke/invoke/log_level.h"

#include "wolke/base/text.h"
#include "wolke/base/time.h"
#include "wolke/shape/json.h"

namespace wolke::invoke {
namespace {

struct Name {
  std::string_view text;
  LogLevel level;
};

constexpr Name names[] = {
    {"trace", LogLevel::trace},      {"debug", LogLevel::debug},    {"info", LogLevel::info},
    {"information", LogLevel::info}, {"warn", LogLevel::warn},      {"warning", LogLevel::warn},
    {"error", LogLevel::error},      {"critical", LogLevel::fatal}, {"fatal", LogLevel::fatal},
};

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view name) {
  for (const Name& known : names) {
    if (iequals(known.text, name)) return known.level;
  }
  return std::nullopt;
}

LogLevel level_of_line(std::string_view line) {
  if (!line.starts_with('{')) return LogLevel::info;
  auto document = shape::parse_json(trim(line));
  if (!document || !document->object()) return LogLevel::info;
  std::optional<LogLevel> level;
  bool timed = false;
  for (const auto& [key, value] : *document->object()) {
    if (!value.string()) continue;
    if (iequals(key, "level") || iequals(key, "log_level"))
      level = parse_log_level(*value.string());
    if (iequals(key, "timestamp") || iequals(key, "@timestamp") || iequals(key, "time")) {
      timed = timed || parse_iso8601(*value.string()).has_value();
    }
  }
  return timed ? level.value_or(LogLevel::info) : LogLevel::info;
}

}  // namespace wolke::invoke
