#include "wolke/observe/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

#include "wolke/base/text.h"
#include "wolke/base/time.h"

namespace wolke::observe {

namespace {

// The one piece of process-wide state: a threshold. The stream is the process's stderr by
// definition.
std::atomic<Level> threshold{Level::info};

std::string_view level_text(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "";
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

void set_log_level(Level level) {
  threshold = level;
}

void log(Level level, std::string_view component, std::string_view message, LogFields fields) {
  if (level < threshold.load(std::memory_order_relaxed)) return;
  auto now = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  static const bool terminal = ::isatty(STDERR_FILENO) == 1;
  std::string line;
  if (terminal) {
    line = fmt::format("{} {:<7} {}: {}", format_iso8601(now).substr(11, 12), level_text(level),
                       component, printable(message));
    for (const auto& [key, value] : fields) line += fmt::format(" {}={}", key, printable(value));
  } else {
    line = fmt::format("{{\"ts\":\"{}\",\"level\":\"{}\",\"component\":\"{}\",\"msg\":",
                       format_iso8601(now), level_text(level), component);
    append_quoted(line, message);
    for (const auto& [key, value] : fields) {
      line += fmt::format(",\"{}\":", key);
      append_quoted(line, value);
    }
    line += '}';
  }
  line += '\n';
  // One write, so that lines of several threads and processes do not mix.
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace wolke::observe
