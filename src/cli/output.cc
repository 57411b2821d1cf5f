#include "wolke/cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "wolke/base/text.h"

namespace wolke::cli {

namespace {

bool colour() {
  auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value && *value;
  };
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && !set("NO_COLOR") && !set("CI") && terminal &&
         std::string_view(terminal) != "dumb";
}

/// Characters, not bytes: UTF-8 continuation bytes do not count.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

void write_line(std::FILE* out, std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), out);
  std::fputc('\n', out);
  std::fflush(out);
}

}  // namespace

void print(std::string_view line) {
  write_line(stdout, line);
}
void tell(std::string_view line) {
  write_line(stderr, line);
}

std::string bold(std::string_view text) {
  return colour() ? "\x1b[1m" + std::string(text) + "\x1b[0m" : std::string(text);
}

int exit_code(const Error& error) {
  if (error.code == "Usage") return exit_usage;
  if (error.code == "Unreachable") return exit_unreachable;
  if (error.code == "Timeout") return exit_timeout;
  const bool absent = error.status == 404 || error.code == "ResourceNotFoundException" ||
                      error.code.starts_with("NoSuch");
  return absent || error.status == 403 ? exit_not_found : exit_failure;
}

int report(const Error& error) {
  tell("wolke: " +
       printable(error.message.empty() ? error.code : error.code + ": " + error.message));
  return exit_code(error);
}

std::vector<std::string> table_lines(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> shown;
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    std::vector<std::string>& cells = shown.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string cell = row[i];
      std::replace(cell.begin(), cell.end(), '\n', ' ');
      cells.push_back(printable(cell));
      widths[i] = std::max(widths[i], characters(cells[i]));
    }
  }
  std::vector<std::string> lines;
  for (const auto& cells : shown) {
    std::string& line = lines.emplace_back();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      line += cells[i];
      if (i + 1 < cells.size()) line += std::string(widths[i] - characters(cells[i]) + 2, ' ');
    }
  }
  return lines;
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  for (const std::string& line : table_lines(rows)) print(line);
}

std::string log_line(Timestamp at, std::string_view message) {
  while (message.ends_with('\n') || message.ends_with(' ') || message.ends_with('\t')) {
    message.remove_suffix(1);
  }
  return format_iso8601(at) + "  " + printable(message);
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view safe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+=,";
  if (!text.empty() && text.find_first_not_of(safe) == std::string_view::npos) {
    return std::string(text);
  }
  std::string out = "'";
  for (char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

void print_json(const shape::Json& value) {
  print(value.pretty());
}

}  // namespace wolke::cli
