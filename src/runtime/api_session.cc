// Lambda's Runtime API for custom runtimes:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
//
//   initialising ─ first next ─► polling ─ invoke() ─► busy ─ response | error ─► answered ─ next
//   ─► polling …
//
// The runtime asks (`next` waits until there is an invocation), so the session is two mailboxes:
// `work_` for the runtime, `outcome_` for the invoker. Requests that do not fit the state are
// refused with Lambda's texts and change nothing.

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "wolke/async/event.h"
#include "wolke/base/limits.h"
#include "wolke/net/server.h"
#include "wolke/runtime/api_answer.h"
#include "wolke/runtime/extension_api.h"
#include "wolke/runtime/session.h"
#include "wolke/shape/json.h"

namespace wolke::runtime {
namespace {

using async::Task;
using async::Wake;

constexpr std::string_view root = "/2018-06-01/runtime/";
constexpr std::size_t error_bytes_max = 256 * 1024;
constexpr auto stop_grace = std::chrono::milliseconds(0);

class ApiSession final : public Session {
 public:
  ApiSession(async::Loop& loop, Fd listening, ExtensionApi* extensions)
      : extensions_(extensions),
        work_(loop),
        answered_(loop),
        server_(loop, [this](net::Exchange& exchange) { return handle(exchange); }) {
    if (listening.valid()) server_.serve(std::move(listening));
  }

  Task<Outcome> initialise(Monotonic deadline) override { return wait(deadline); }

  Task<Outcome> invoke(Invocation invocation, Monotonic deadline) override {
    if (state_ == State::closed) co_return unheard(std::move(invocation.payload));
    outcome_.reset();
    answered_.reset();
    current_ = std::move(invocation);
    waiting_for_poll_ = true;
    work_.set();
    Outcome outcome = co_await wait(deadline);
    if (outcome.kind == Outcome::Kind::ended && waiting_for_poll_) {
      co_return unheard(std::move(current_.payload));
    }
    co_return outcome;
  }

  void close() override {
    state_ = State::closed;
    work_.set();
    answered_.set();
  }

  Task<void> shut_down() override { co_await server_.stop(stop_grace); }

 private:
  enum class State { initialising, polling, busy, answered, closed };

  static Outcome unheard(std::string payload) {
    return {.kind = Outcome::Kind::unheard, .payload = std::move(payload)};
  }

  Task<Outcome> wait(Monotonic deadline) {
    Wake wake = co_await answered_.wait(deadline);
    if (outcome_) co_return *std::exchange(outcome_, std::nullopt);
    co_return Outcome{.kind = wake == Wake::timed_out ? Outcome::Kind::timed_out
                                                      : Outcome::Kind::ended};
  }

  void deliver(Outcome outcome) {
    outcome_ = std::move(outcome);
    answered_.set();
  }

  Task<void> handle(net::Exchange& exchange) {
    std::string_view target = exchange.head().target;
    const std::string& method = exchange.head().method;
    if (extensions_ && ExtensionApi::serves(target)) return extensions_->handle(exchange);
    if (!target.starts_with(root)) return answer(exchange, 404, "404 page not found\n");
    target.remove_prefix(root.size());
    if (method == "GET" && target == "invocation/next") return next(exchange);
    if (method == "POST" && target == "init/error") return init_error(exchange);
    if (method == "POST" && target.starts_with("invocation/")) {
      target.remove_prefix(std::string_view("invocation/").size());
      std::string id(target.substr(0, target.find('/')));
      if (target.ends_with("/response")) return response(exchange, std::move(id));
      if (target.ends_with("/error")) return error(exchange, std::move(id));
    }
    return answer(exchange, 404, "404 page not found\n");
  }

  Task<void> next(net::Exchange& exchange) {
    if (state_ == State::initialising) {
      deliver({.kind = Outcome::Kind::ready});
    } else if (state_ != State::answered) {
      co_return co_await answer(
          exchange, 403, refusal("InvalidStateTransition", "State transition is not allowed"));
    }
    state_ = State::polling;
    co_await work_.wait(Monotonic::max());
    if (state_ != State::polling || !waiting_for_poll_) {
      exchange.close_after();
      co_return co_await answer(exchange, 500, refusal("Runtime.Closed", "The sandbox is ending"));
    }
    work_.reset();
    waiting_for_poll_ = false;
    state_ = State::busy;
    std::string payload = std::exchange(current_.payload, {});
    auto sent = co_await exchange.respond(invocation_head(), payload);
    if (sent || state_ != State::busy) co_return;
    // The client left its poll: the next one gets the invocation.
    current_.payload = std::move(payload);
    waiting_for_poll_ = true;
    state_ = State::answered;
    work_.set();
  }

  net::ResponseHead invocation_head() const {
    net::ResponseHead head = json_head(200);
    auto& headers = head.headers;
    headers.emplace_back("Lambda-Runtime-Aws-Request-Id", current_.request_id);
    headers.emplace_back("Lambda-Runtime-Deadline-Ms",
                         std::to_string(to_millis(current_.deadline)));
    headers.emplace_back("Lambda-Runtime-Invoked-Function-Arn", current_.invoked_arn);
    if (!current_.trace.empty()) headers.emplace_back("Lambda-Runtime-Trace-Id", current_.trace);
    if (!current_.client_context.empty()) {
      if (auto client = shape::parse_json(current_.client_context)) {
        headers.emplace_back("Lambda-Runtime-Client-Context", client->text());
      }
    }
    return head;
  }

  bool is_current(const std::string& id) const {
    return state_ == State::busy && id == current_.request_id;
  }

  Task<void> wrong_id(net::Exchange& exchange) {
    return answer(exchange, 400, refusal("InvalidRequestID", "Invalid request ID"));
  }

  Task<void> response(net::Exchange& exchange, std::string id) {
    if (!is_current(id)) co_return co_await wrong_id(exchange);
    auto body = co_await read_body(exchange, response_bytes_max);
    // Another connection may have answered meanwhile.
    if (!is_current(id)) co_return co_await wrong_id(exchange);
    state_ = State::answered;
    if (body) {
      co_await answer(exchange, 202, "{\"status\":\"OK\"}\n");
      co_return deliver({.kind = Outcome::Kind::result, .payload = std::move(*body)});
    }
    co_await answer(exchange, 413,
                    refusal("RequestEntityTooLarge",
                            fmt::format("Exceeded maximum allowed payload size ({} bytes).",
                                        response_bytes_max)));
    deliver({.kind = Outcome::Kind::error, .payload = response_too_large_json()});
  }

  Task<void> error(net::Exchange& exchange, std::string id) {
    if (!is_current(id)) co_return co_await wrong_id(exchange);
    std::string json = co_await error_of(exchange);
    if (!is_current(id)) co_return co_await wrong_id(exchange);
    state_ = State::answered;
    co_await answer(exchange, 202, "{\"status\":\"OK\"}\n");
    deliver({.kind = Outcome::Kind::error, .payload = std::move(json)});
  }

  Task<void> init_error(net::Exchange& exchange) {
    if (state_ != State::initialising) {
      co_return co_await answer(
          exchange, 403, refusal("InvalidStateTransition", "State transition is not allowed"));
    }
    std::string json = co_await error_of(exchange);
    co_await answer(exchange, 202, "{\"status\":\"OK\"}\n");
    deliver({.kind = Outcome::Kind::init_error, .payload = std::move(json)});
  }

  /// The error's document as the runtime sent it; made from the type header when there is none.
  Task<std::string> error_of(net::Exchange& exchange) {
    const std::string* header =
        net::find_header(exchange.head().headers, "lambda-runtime-function-error-type");
    std::string type = header ? *header : "Runtime.Unknown";
    auto body = co_await read_body(exchange, error_bytes_max);
    if (body && !body->empty() && shape::parse_json(*body)) co_return std::move(*body);
    co_return service_error_json(type, "Unknown error");
  }

  ExtensionApi* extensions_;  // served at the same address; may be none
  State state_ = State::initialising;
  Invocation current_;
  bool waiting_for_poll_ = false;  // current_ has not been handed out
  async::Event work_;
  std::optional<Outcome> outcome_;
  async::Event answered_;
  net::Server server_;
};

}  // namespace

std::unique_ptr<Session> make_api_session(async::Loop& loop, Fd listening,
                                          ExtensionApi* extensions) {
  return std::make_unique<ApiSession>(loop, std::move(listening), extensions);
}

}  // namespace wolke::runtime
