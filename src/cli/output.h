#pragma once
// How verbs speak: data on stdout, everything else on stderr; colour only on a terminal (NO_COLOR,
// TERM=dumb and CI are honoured); text from elsewhere is neutralised (base/text.h printable()).

#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/base/time.h"
#include "wolke/shape/json.h"

namespace wolke::cli {

inline constexpr int exit_ok = 0, exit_failure = 1, exit_usage = 2, exit_not_found = 3,
                     exit_unreachable = 4, exit_function_error = 10, exit_timeout = 124,
                     exit_interrupted = 130;

void print(std::string_view line);        // stdout
void tell(std::string_view line);         // stderr
std::string bold(std::string_view text);  // for stderr
/// Says what went wrong on stderr; returns the exit code that fits.
int report(const Error& error);
/// The exit code that fits an error; pure.
int exit_code(const Error& error);
/// Columns, aligned by what a terminal shows; the first row is the heading.
std::vector<std::string> table_lines(const std::vector<std::vector<std::string>>& rows);
void print_table(const std::vector<std::vector<std::string>>& rows);
/// "2026-11-23T13:20:00.123Z  message", one line, neutralised.
std::string log_line(Timestamp at, std::string_view message);
/// A word for a POSIX shell: as it is where that is safe, else in single quotes.
std::string shell_word(std::string_view text);
void print_json(const shape::Json& value);

}  // namespace wolke::cli
