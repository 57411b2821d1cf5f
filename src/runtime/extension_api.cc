#include "wolke/runtime/extension_api.h"

#include <fmt/core.h>

#include <utility>

#include "wolke/base/text.h"
#include "wolke/runtime/api_answer.h"
#include "wolke/shape/json.h"

namespace wolke::runtime {
namespace {

using async::Task;
using async::Wake;
using shape::Json;

constexpr std::string_view root = "/2020-01-01/extension/";
constexpr std::size_t request_bytes_max = 64 * 1024;
constexpr std::size_t error_type_bytes_max = 256;
constexpr const char* accepted = "{\"status\":\"OK\"}\n";

std::string header_of(net::Exchange& exchange, std::string_view name) {
  const std::string* value = net::find_header(exchange.head().headers, name);
  return value ? *value : std::string();
}

std::string identifier_of(net::Exchange& exchange) {
  return header_of(exchange, "lambda-extension-identifier");
}

Task<void> refuse(net::Exchange& exchange, Error error) {
  co_await answer(exchange, error.status, refusal(error.code, error.message));
}

Error bad_request(std::string message) {
  return {.code = "InvalidRequestFormat", .status = 403, .message = std::move(message)};
}

/// {"events":["INVOKE", …]}
Result<std::vector<std::string>> events_of(const std::string& body) {
  TRY(Json request, shape::parse_json(body));
  if (!request.object()) return fail(bad_request("the body is no JSON object"));
  std::vector<std::string> events;
  const Json* listed = request.find("events");
  if (!listed || listed->is_null()) return events;
  if (!listed->array()) return fail(bad_request("events is no array"));
  for (const Json& event : *listed->array()) {
    if (!event.string()) return fail(bad_request("an event is no string"));
    events.push_back(*event.string());
  }
  return events;
}

bool wants_account(net::Exchange& exchange) {
  for (const auto& [name, value] : exchange.head().headers) {
    if (name != "lambda-extension-accept-feature") continue;
    for (std::string_view feature : split(value, ',')) {
      if (trim(feature) == "accountId") return true;
    }
  }
  return false;
}

std::string_view name_of(ShutdownReason reason) {
  switch (reason) {
    case ShutdownReason::spindown:
      return "spindown";
    case ShutdownReason::timeout:
      return "timeout";
    case ShutdownReason::failure:
      return "failure";
  }
  return "";
}

}  // namespace

ExtensionApi::ExtensionApi(async::Loop& loop, Random& random, ExtensionSetup setup,
                           Telemetry& telemetry, std::function<void()> on_fault)
    : random_(random),
      telemetry_(telemetry),
      setup_(std::move(setup)),
      on_fault_(std::move(on_fault)),
      book_(std::move(setup_.external)),
      changed_(loop) {}

bool ExtensionApi::serves(std::string_view target) {
  return target.starts_with(root) || Telemetry::serves(target);
}

Task<void> ExtensionApi::handle(net::Exchange& exchange) {
  std::string_view path = exchange.head().target;
  if (Telemetry::serves(path)) return subscribe(exchange);
  const std::string& method = exchange.head().method;
  path.remove_prefix(path.starts_with(root) ? root.size() : path.size());
  if (method == "POST" && path == "register") return enroll(exchange);
  if (method == "GET" && path == "event/next") return next(exchange);
  if (method == "POST" && path == "init/error") return report_error(exchange, true);
  if (method == "POST" && path == "exit/error") return report_error(exchange, false);
  return answer(exchange, 404, "404 page not found\n");
}

Task<void> ExtensionApi::enroll(net::Exchange& exchange) {
  const std::string name = header_of(exchange, "lambda-extension-name");
  auto body = co_await read_body(exchange, request_bytes_max);
  Result<std::vector<std::string>> events =
      body ? events_of(*body) : fail(bad_request("the body is too large"));
  if (!events) co_return co_await refuse(exchange, bad_request(events.error().message));
  auto index = book_.enroll(name, *events, random_.uuid());
  if (!index) co_return co_await refuse(exchange, std::move(index).error());
  Json out;
  out.set("functionName", setup_.function_name);
  out.set("functionVersion", setup_.function_version);
  out.set("handler", setup_.handler);
  if (wants_account(exchange)) out.set("accountId", setup_.account);
  net::ResponseHead head = json_head(200);
  head.headers.emplace_back("Lambda-Extension-Identifier", book_.all()[*index].id);
  changed();
  [[maybe_unused]] auto sent = co_await exchange.respond(std::move(head), out.text());
}

Task<void> ExtensionApi::next(net::Exchange& exchange) {
  auto index = book_.find(identifier_of(exchange));
  if (!index) co_return co_await refuse(exchange, std::move(index).error());
  auto begun = book_.next(*index);
  changed();
  if (!begun) co_return co_await refuse(exchange, std::move(begun).error());
  std::optional<std::string> event;
  while (!(event = book_.take_event(*index))) {
    changed_.reset();
    if (closed_ || co_await changed_.wait(Monotonic::max()) == Wake::cancelled || closed_) {
      exchange.close_after();
      co_return co_await answer(exchange, 500, refusal("Extension.Closed", "The sandbox ends"));
    }
  }
  changed();
  net::ResponseHead head = json_head(200);
  head.headers.emplace_back("Lambda-Extension-Event-Identifier", random_.uuid());
  auto sent = co_await exchange.respond(std::move(head), *event);
  if (!sent) book_.give_back(*index, *std::move(event));
}

Task<void> ExtensionApi::subscribe(net::Exchange& exchange) {
  auto index = book_.find(identifier_of(exchange));
  if (!index) co_return co_await refuse(exchange, std::move(index).error());
  co_await telemetry_.subscribe(exchange, book_.all()[*index].name);
}

Task<void> ExtensionApi::report_error(net::Exchange& exchange, bool at_init) {
  auto index = book_.find(identifier_of(exchange));
  if (!index) co_return co_await refuse(exchange, std::move(index).error());
  std::string type = header_of(exchange, "lambda-extension-function-error-type");
  if (type.empty()) {
    co_return co_await refuse(exchange,
                              {.code = "Extension.MissingHeader",
                               .status = 403,
                               .message = "Lambda-Extension-Function-Error-Type not found"});
  }
  if (type.size() > error_type_bytes_max) type.resize(error_type_bytes_max);
  auto told = at_init ? book_.init_error(*index, std::move(type))
                      : book_.exit_error(*index, std::move(type));
  if (!told) co_return co_await refuse(exchange, std::move(told).error());
  co_await answer(exchange, 202, accepted);
  changed();
}

// ---- the environment's life

void ExtensionApi::changed() {
  if (book_.fault() && !std::exchange(fault_told_, true)) on_fault_();
  changed_.set();
}

void ExtensionApi::launch_failed(std::size_t index, const std::string& why) {
  book_.launch_failed(index, why);
  changed();
}

void ExtensionApi::process_ended(std::size_t index, const std::string& how) {
  book_.process_ended(index, how);
  changed();
}

void ExtensionApi::begin_invoke(const Invocation& invocation) {
  Json event;
  event.set("eventType", "INVOKE");
  event.set("deadlineMs", to_millis(invocation.deadline));
  event.set("requestId", invocation.request_id);
  event.set("invokedFunctionArn", invocation.invoked_arn);
  Json tracing;
  tracing.set("type", "X-Amzn-Trace-Id");
  tracing.set("value", invocation.trace);
  event.set("tracing", std::move(tracing));
  book_.begin_invoke(event.text());
  changed();
}

void ExtensionApi::begin_shutdown(ShutdownReason reason, Timestamp deadline) {
  Json event;
  event.set("eventType", "SHUTDOWN");
  event.set("shutdownReason", name_of(reason));
  event.set("deadlineMs", to_millis(deadline));
  book_.begin_shutdown(event.text());
  changed();
}

Task<ExtensionApi::Settled> ExtensionApi::wait(bool (ExtensionBook::*condition)() const,
                                               Monotonic deadline) {
  for (;;) {
    if (book_.fault()) co_return Settled::fault;
    if (closed_) co_return Settled::ended;
    if ((book_.*condition)()) co_return Settled::done;
    changed_.reset();
    const Wake wake = co_await changed_.wait(deadline);
    if (wake == Wake::cancelled) co_return Settled::ended;
    if (wake == Wake::timed_out && !changed_.is_set()) co_return Settled::timed_out;
  }
}

Task<ExtensionApi::Settled> ExtensionApi::registered(Monotonic deadline) {
  return wait(&ExtensionBook::all_registered, deadline);
}

Task<ExtensionApi::Settled> ExtensionApi::ready(Monotonic deadline) {
  return wait(&ExtensionBook::all_ready, deadline);
}

/// A fault is no reason to cut the others short.
Task<ExtensionApi::Settled> ExtensionApi::farewell(Monotonic deadline) {
  while (!closed_ && !book_.farewell_done()) {
    changed_.reset();
    const Wake wake = co_await changed_.wait(deadline);
    if (wake == Wake::cancelled) co_return Settled::ended;
    if (wake == Wake::timed_out) co_return Settled::timed_out;
  }
  co_return closed_ ? Settled::ended : Settled::done;
}

void ExtensionApi::close() {
  closed_ = true;
  changed_.set();
}

}  // namespace wolke::runtime
