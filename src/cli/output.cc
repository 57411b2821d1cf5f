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

int report(const Error& error) {
  tell("wolke: " +
       printable(error.message.empty() ? error.code : error.code + ": " + error.message));
  if (error.code == "Usage") return exit_usage;
  if (error.code == "Unreachable") return exit_unreachable;
  if (error.code == "Timeout") return exit_timeout;
  const bool absent = error.status == 404 || error.code == "ResourceNotFoundException" ||
                      error.code.starts_with("NoSuch");
  if (absent || error.status == 403) return exit_not_found;
  return exit_failure;
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += printable(row[i]);
      if (i + 1 < row.size())
        line += std::string(widths[i] - std::min(widths[i], row[i].size()) + 2, ' ');
    }
    print(line);
  }
}

void print_json(const shape::Json& value) {
  print(value.pretty());
}

}  // namespace wolke::cli
