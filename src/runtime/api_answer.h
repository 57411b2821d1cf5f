#pragma once
// What the Runtime API, the Extensions API and the Telemetry API have in common: their JSON answers
// and refusals, and bodies read up to a bound.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/async/task.h"
#include "wolke/net/http.h"

namespace wolke::runtime {

net::ResponseHead json_head(int status);
async::Task<void> answer(net::Exchange& exchange, int status, std::string body);
/// {"errorMessage":…,"errorType":…}
std::string refusal(std::string_view type, std::string_view message);
/// nullopt: longer than bytes_max, or cut short.
async::Task<std::optional<std::string>> read_body(net::Exchange& exchange, std::size_t bytes_max);

}  // namespace wolke::runtime
