#pragma once
// How verbs speak: data on stdout, everything else on stderr; colour only on a terminal (NO_COLOR,
// TERM=dumb and CI are honoured); text from elsewhere is neutralised (base/text.h printable()).

#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"
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
/// Columns, aligned; the first row is the heading.
void print_table(const std::vector<std::vector<std::string>>& rows);
void print_json(const shape::Json& value);

}  // namespace wolke::cli
