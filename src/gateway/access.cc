#include "wolke/gateway/access.h"

#include "wolke/base/text.h"
#include "wolke/gateway/request.h"

namespace wolke::gateway {

std::optional<std::uint64_t> object_size_of(const shape::WireResponse& response) {
  if (!response.stream) return std::nullopt;
  if (const std::string* range = net::find_header(response.headers, "content-range")) {
    return parse_u64(std::string_view(*range).substr(range->rfind('/') + 1));
  }
  return response.stream->size();
}

void Gateway::record_access(const Request& request, std::string_view operation) const {
  if (request.bucket().empty()) return;
  const Monotonic now = parts_.env.clock.monotonic();
  const Monotonic received = request.received == Monotonic{} ? request.began : request.received;
  const bool answered = request.answered != Monotonic{};
  parts_.access(
      {.head = *request.head,
       .path = request.path,
       .query = request.target.pairs,
       .operation = operation,
       .request_id = request.id,
       .caller = request.caller.authorizer ? &request.caller.authorizer->principal() : nullptr,
       .authorization = request.caller.authorization ? &*request.caller.authorization : nullptr,
       .at = request.now,
       .status = request.usage.status == 0 ? 200 : request.usage.status,
       .code = request.usage.code,
       .bytes_in = request.usage.bytes_in,
       .bytes_out = request.usage.bytes_out,
       .object_size = request.object_size,
       .total = now - request.began,
       .turn_around = answered ? request.answered - received : now - received,
       .input = request.output ? &request.input : nullptr,
       .output = request.output ? &request.output : nullptr});
}

}  // namespace wolke::gateway
