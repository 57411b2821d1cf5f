#include "wolke/runtime/api_answer.h"

#include <utility>

#include "wolke/base/limits.h"
#include "wolke/shape/json.h"

namespace wolke::runtime {

using async::Task;

net::ResponseHead json_head(int status) {
  return {.status = status, .headers = {{"content-type", "application/json"}}};
}

Task<void> answer(net::Exchange& exchange, int status, std::string body) {
  // A client that has gone needs no answer.
  [[maybe_unused]] auto sent = co_await exchange.respond(json_head(status), std::move(body));
}

std::string refusal(std::string_view type, std::string_view message) {
  std::string out = "{\"errorMessage\":";
  shape::append_json_string(out, message);
  out += ",\"errorType\":";
  shape::append_json_string(out, type);
  return out + "}";
}

Task<std::optional<std::string>> read_body(net::Exchange& exchange, std::size_t bytes_max) {
  std::string body;
  for (;;) {
    auto piece = co_await exchange.read(limits::body_piece_bytes);
    if (!piece) co_return std::nullopt;
    if (piece->empty()) co_return body;
    body += *piece;
    if (body.size() > bytes_max) co_return std::nullopt;
  }
}

}  // namespace wolke::runtime
