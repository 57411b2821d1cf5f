#include "wolke/base/time.h"

#include <fmt/format.h>

#include <array>

#include "wolke/base/text.h"

namespace wolke {

namespace {

constexpr std::array<std::string_view, 7> weekdays = {"Sun", "Mon", "Tue", "Wed",
                                                      "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Parts {
  int year = 0;
  unsigned month = 0, day = 0, weekday = 0;
  int hour = 0, minute = 0, second = 0, millis = 0;
};

Parts parts_of(Timestamp t) {
  auto days = std::chrono::floor<std::chrono::days>(t);
  std::chrono::year_month_day date(days);
  std::chrono::hh_mm_ss<Millis> clock(t - days);
  Parts p;
  p.year = static_cast<int>(date.year());
  p.month = static_cast<unsigned>(date.month());
  p.day = static_cast<unsigned>(date.day());
  p.weekday = std::chrono::weekday(days).c_encoding();
  p.hour = static_cast<int>(clock.hours().count());
  p.minute = static_cast<int>(clock.minutes().count());
  p.second = static_cast<int>(clock.seconds().count());
  p.millis = static_cast<int>(clock.subseconds().count());
  return p;
}

std::optional<Timestamp> from_parts(const Parts& p) {
  std::chrono::year_month_day date{std::chrono::year(p.year), std::chrono::month(p.month),
                                   std::chrono::day(p.day)};
  if (!date.ok() || p.hour > 23 || p.minute > 59 || p.second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(p.hour) + std::chrono::minutes(p.minute) +
         std::chrono::seconds(p.second) + Millis(p.millis);
}

/// Reads exactly `count` digits at `at`.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

bool has(std::string_view text, std::size_t at, char c) {
  return at < text.size() && text[at] == c;
}

}  // namespace

std::string format_iso8601(Timestamp t) {
  Parts p = parts_of(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", p.year, p.month, p.day, p.hour,
                     p.minute, p.second, p.millis);
}

std::string format_iso8601_seconds(Timestamp t) {
  Parts p = parts_of(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", p.year, p.month, p.day, p.hour,
                     p.minute, p.second);
}

std::string format_rfc1123(Timestamp t) {
  Parts p = parts_of(t);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[p.weekday], p.day,
                     months[p.month - 1], p.year, p.hour, p.minute, p.second);
}

std::string format_amz_date(Timestamp t) {
  Parts p = parts_of(t);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", p.year, p.month, p.day, p.hour, p.minute,
                     p.second);
}

std::string format_unix_seconds(Timestamp t) {
  std::int64_t ms = to_millis(t);
  std::string text =
      fmt::format("{}{}.{:03}", ms < 0 ? "-" : "", std::abs(ms) / 1000, std::abs(ms) % 1000);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::optional<Timestamp> parse_iso8601(std::string_view text) {
  auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  if (!year || !month || !day || !has(text, 4, '-') || !has(text, 7, '-')) return std::nullopt;
  Parts p{.year = *year, .month = unsigned(*month), .day = unsigned(*day)};
  if (text.size() == 10) return from_parts(p);
  auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!hour || !minute || !second || !(has(text, 10, 'T') || has(text, 10, ' ')) ||
      !has(text, 13, ':') || !has(text, 16, ':')) {
    return std::nullopt;
  }
  p.hour = *hour, p.minute = *minute, p.second = *second;
  std::size_t at = 19;
  if (has(text, at, '.')) {
    int scale = 100;
    std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) {
      p.millis += (text[at] - '0') * scale;
    }
    if (at == first) return std::nullopt;
  }
  std::optional<Timestamp> t = from_parts(p);
  if (!t) return std::nullopt;
  std::string_view zone = text.substr(at);
  if (zone.empty() || zone == "Z" || zone == "z") return t;
  auto zone_hours = digits(zone, 1, 2);
  auto zone_minutes = digits(zone, zone.size() == 6 ? 4 : 3, 2);
  if ((zone.size() != 5 && zone.size() != 6) || (zone[0] != '+' && zone[0] != '-') || !zone_hours ||
      !zone_minutes || (zone.size() == 6 && zone[3] != ':')) {
    return std::nullopt;
  }
  if (*zone_hours > 23 || *zone_minutes > 59) return std::nullopt;
  auto offset = std::chrono::minutes(*zone_hours * 60 + *zone_minutes);
  return zone[0] == '+' ? *t - offset : *t + offset;
}

std::optional<Timestamp> parse_rfc1123(std::string_view text) {
  // "Mon, 23 Nov 2026 09:51:13 GMT"
  if (text.size() < 29 || !has(text, 3, ',') || !text.ends_with("GMT")) return std::nullopt;
  auto day = digits(text, 5, 2), year = digits(text, 12, 4);
  auto hour = digits(text, 17, 2), minute = digits(text, 20, 2), second = digits(text, 23, 2);
  if (!day || !year || !hour || !minute || !second) return std::nullopt;
  Parts p{.year = *year, .day = unsigned(*day)};
  for (unsigned i = 0; i < months.size(); ++i) {
    if (iequals(months[i], text.substr(8, 3))) p.month = i + 1;
  }
  p.hour = *hour, p.minute = *minute, p.second = *second;
  return from_parts(p);
}

std::optional<Timestamp> parse_amz_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  auto year = digits(text, 0, 4), month = digits(text, 4, 2), day = digits(text, 6, 2);
  auto hour = digits(text, 9, 2), minute = digits(text, 11, 2), second = digits(text, 13, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  Parts p{.year = *year, .month = unsigned(*month), .day = unsigned(*day)};
  p.hour = *hour, p.minute = *minute, p.second = *second;
  return from_parts(p);
}

std::optional<Timestamp> parse_unix_seconds(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::size_t dot = text.find('.');
  auto seconds = parse_u64(text.substr(0, dot));
  if (!seconds || *seconds > 253402300799ULL) return std::nullopt;  // year 9999
  std::int64_t ms = std::int64_t(*seconds) * 1000;
  if (dot != std::string_view::npos) {
    std::int64_t scale = 100;
    for (char c : text.substr(dot + 1)) {
      if (c < '0' || c > '9') return std::nullopt;
      ms += (c - '0') * scale;
      scale /= 10;
    }
  }
  return from_millis(negative ? -ms : ms);
}

}  // namespace wolke
