#include "wolke/gateway/cross_origin.h"

#include "wolke/base/text.h"

namespace wolke::gateway {
namespace {

constexpr std::size_t asked_headers_max = 100;

Error bad_request(std::string message) {
  return {.code = "BadRequest", .status = 400, .message = std::move(message)};
}

Error forbidden(std::string message) {
  return {.code = "AccessForbidden", .status = 403, .message = std::move(message)};
}

bool is_method(std::string_view text) {
  for (std::string_view one : {"GET", "HEAD", "PUT", "POST", "DELETE"}) {
    if (text == one) return true;
  }
  return false;
}

/// The headers that are asked about, lower case; nullopt when they are too many.
std::optional<std::vector<std::string>> asked_headers(const net::RequestHead& head) {
  std::vector<std::string> asked;
  const std::string* names = net::find_header(head.headers, "access-control-request-headers");
  if (!names) return asked;
  for (std::string_view name : split(*names, ',')) {
    if (asked.size() == asked_headers_max) return std::nullopt;
    if (!trim(name).empty()) asked.push_back(to_lower(trim(name)));
  }
  return asked;
}

}  // namespace

std::optional<CrossOriginAsk> ask_of_request(const net::RequestHead& head, std::string bucket) {
  const std::string* origin = net::find_header(head.headers, "origin");
  if (!origin || origin->empty() || bucket.empty()) return std::nullopt;
  std::optional<std::vector<std::string>> headers = asked_headers(head);
  if (!headers) return std::nullopt;
  // S3 judges an actual request by what a preflight would have asked, where it says so itself.
  const std::string* method = net::find_header(head.headers, "access-control-request-method");
  return CrossOriginAsk{.bucket = std::move(bucket),
                        .origin = *origin,
                        .method = method ? *method : head.method,
                        .headers = *std::move(headers)};
}

Result<CrossOriginAsk> ask_of_preflight(const net::RequestHead& head, std::string bucket) {
  CrossOriginAsk ask{
      .bucket = std::move(bucket), .origin = {}, .method = {}, .headers = {}, .preflight = true};
  const std::string* origin = net::find_header(head.headers, "origin");
  if (!origin || origin->empty()) {
    return fail(bad_request("Insufficient information. Origin request header needed."));
  }
  ask.origin = *origin;
  const std::string* method = net::find_header(head.headers, "access-control-request-method");
  if (!method || !is_method(*method)) {
    return fail(bad_request("Invalid Access-Control-Request-Method: " +
                            (method ? *method : std::string("null"))));
  }
  ask.method = *method;
  std::optional<std::vector<std::string>> headers = asked_headers(head);
  if (!headers) return fail(bad_request("Too many headers."));
  ask.headers = *std::move(headers);
  return ask;
}

Result<net::HeaderList> allow_preflight(CrossOriginAnswer answer) {
  if (!answer.configured) {
    return fail(forbidden("CORSResponse: CORS is not enabled for this bucket."));
  }
  if (!answer.headers) {
    return fail(
        forbidden("CORSResponse: This CORS request is not allowed. This is usually because the "
                  "evalution of Origin, request method / Access-Control-Request-Method or "
                  "Access-Control-Request-Headers are not whitelisted by the resource's CORS "
                  "spec."));
  }
  return *std::move(answer.headers);
}

}  // namespace wolke::gateway
