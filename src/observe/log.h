#pragma once
// The server's own log: JSON lines when stderr is no terminal, human lines on one. Never secrets,
// never a caller's payload. Threads: any.

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace wolke::observe {

enum class Level { debug, info, warning, error };
using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;

void log(Level level, std::string_view component, std::string_view message, LogFields fields = {});
void set_log_level(Level level);

}  // namespace wolke::observe
