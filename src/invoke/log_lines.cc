#include "wolke/invoke/log_lines.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "wolke/base/text.h"

namespace wolke::invoke {
namespace {

constexpr char record_separator = '\x1e';

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// Length of the valid sequence that starts at `at`; 0 when there is none.
std::size_t sequence_at(std::string_view text, std::size_t at) {
  auto first = static_cast<unsigned char>(text[at]);
  std::size_t length = first < 0x80   ? 1
                       : first < 0xC2 ? 0
                       : first < 0xE0 ? 2
                       : first < 0xF0 ? 3
                       : first < 0xF5 ? 4
                                      : 0;
  if (length == 0 || at + length > text.size()) return 0;
  return is_valid_utf8(text.substr(at, length)) ? length : 0;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = sequence_at(text, at);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      ++at;
    } else {
      out.append(text.substr(at, length));
      at += length;
    }
  }
  return out;
}

void LineCutter::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    std::size_t line_feed = bytes.find('\n');
    std::string_view part = bytes.substr(0, line_feed);
    std::size_t room = log_line_bytes_max - partial_.size();
    partial_.append(part.substr(0, room));
    if (part.size() > room) cut_bytes_ += part.size() - room;
    if (line_feed == std::string_view::npos) return;
    emit(sink);
    bytes.remove_prefix(line_feed + 1);
  }
}

void LineCutter::finish(const Sink& sink) {
  if (!partial_.empty()) emit(sink);
}

void LineCutter::emit(const Sink& sink) {
  std::string line = std::exchange(partial_, {});
  std::size_t cut = std::exchange(cut_bytes_, 0);
  if (cut > 0) {
    std::string notice = fmt::format(" [line cut: {} more bytes]", cut);
    line.resize(log_line_bytes_max - notice.size());
    // Not in the middle of a character.
    while (!line.empty() && is_continuation(line.back())) line.pop_back();
    if (!line.empty() && static_cast<unsigned char>(line.back()) >= 0xC0) line.pop_back();
    line += notice;
  }
  if (!line.empty() && line.front() == record_separator) {
    line.erase(0, 1);
    std::ranges::replace(line, '\r', '\n');
  }
  if (!is_valid_utf8(line)) line = valid_utf8(line);
  sink(std::move(line));
}

bool FloodGate::admit(std::size_t bytes, Monotonic now) {
  refill(now);
  if (lines_ < 1 || bytes_ < static_cast<double>(bytes)) {
    ++dropped_lines_;
    dropped_bytes_ += bytes;
    return false;
  }
  lines_ -= 1;
  bytes_ -= static_cast<double>(bytes);
  return true;
}

void FloodGate::refill(Monotonic now) {
  if (filled_) {
    double seconds = std::chrono::duration<double>(now - *filled_).count();
    lines_ = std::min(log_lines_burst, lines_ + seconds * log_lines_per_second);
    bytes_ = std::min(log_bytes_burst, bytes_ + seconds * log_bytes_per_second);
  }
  filled_ = now;
}

std::optional<std::string> FloodGate::take_notice() {
  if (dropped_lines_ == 0) return std::nullopt;
  return fmt::format(
      "[log truncated: {} lines, {} bytes dropped; an instance may log {:.0f} lines and {:.0f} "
      "bytes a second]",
      std::exchange(dropped_lines_, 0), std::exchange(dropped_bytes_, 0), log_lines_per_second,
      log_bytes_per_second);
}

}  // namespace wolke::invoke
