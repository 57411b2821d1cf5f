#include "wolke/cli/run_door.h"

#include <fmt/format.h>

#include <utility>

#include "wolke/app/trust.h"
#include "wolke/base/text.h"
#include "wolke/net/client.h"
#include "wolke/shape/json.h"

namespace wolke::cli {

namespace {

constexpr std::size_t body_bytes_max = 256 << 20;
constexpr std::size_t piece_bytes = 256 << 10;
constexpr auto answer_patience = std::chrono::minutes(15);
constexpr std::string_view code = "NoServer";
/// A client error: SDKs retry 5xx and broken connections, and give up on this one at once.
constexpr int refused_status = 400;

/// Of one connection only, or made anew by the one who sends.
bool is_hop_header(std::string_view name) {
  for (std::string_view hop :
       {"connection", "keep-alive", "transfer-encoding", "content-length", "expect", "date"}) {
    if (name == hop) return true;
  }
  return false;
}

net::HeaderList end_to_end(const net::HeaderList& headers, bool request) {
  net::HeaderList out;
  for (const auto& [name, value] : headers) {
    // The date of a request may be signed; of an answer the one who sends makes its own.
    if (is_hop_header(name) && !(request && name == "date")) continue;
    out.emplace_back(name, value);
  }
  return out;
}

async::Task<Result<std::string>> whole_body(net::Exchange& exchange) {
  std::string body;
  for (;;) {
    CO_TRY(std::string piece, co_await exchange.read(piece_bytes));
    if (piece.empty()) co_return body;
    body += piece;
    if (body.size() > body_bytes_max) {
      co_return fail({.code = "EntityTooLarge",
                      .status = refused_status,
                      .message = fmt::format("wolke run passes on bodies of at most {} MB",
                                             body_bytes_max >> 20)});
    }
  }
}

}  // namespace

Refusal refusal_for(const net::RequestHead& head, const std::string& sentence) {
  const std::string* type = net::find_header(head.headers, "content-type");
  const bool json = net::find_header(head.headers, "x-amz-target") ||
                    (type && type->find("json") != std::string::npos) ||
                    head.target.starts_with("/20");  // restJson: "/2015-03-31/functions"
  if (json) {
    shape::Json out;
    out.set("__type", std::string(code));
    out.set("message", sentence);
    return {.content_type = "application/x-amz-json-1.1", .body = out.text()};
  }
  const std::string error = fmt::format("<Code>{}</Code><Message>{}</Message>", code, sentence);
  const bool query = type && type->starts_with("application/x-www-form-urlencoded");
  return {.content_type = "application/xml",
          .body = query ? fmt::format("<ErrorResponse><Error><Type>Sender</Type>{}</Error>"
                                      "</ErrorResponse>",
                                      error)
                        : fmt::format("<Error>{}</Error>", error)};
}

Result<std::unique_ptr<RunDoor>> RunDoor::make(async::Loop& loop, Options options,
                                               const std::string& trust_directory) {
  TRY(std::unique_ptr<net::LocalAuthority> authority,
      net::LocalAuthority::create("wolke run authority", app::aws_domains()));
  TRY(app::write_trust_bundle(authority->certificate_pem(), trust_directory));
  return std::unique_ptr<RunDoor>(new RunDoor(loop, std::move(options), std::move(authority)));
}

RunDoor::RunDoor(async::Loop& loop, Options options, std::unique_ptr<net::LocalAuthority> authority)
    : loop_(loop),
      options_(std::move(options)),
      authority_(std::move(authority)),
      server_(std::make_unique<net::Server>(
          loop, [this](net::Exchange& exchange) { return answer(exchange); })) {}

void RunDoor::serve(Fd listening) {
  server_->serve(std::move(listening));
}

void RunDoor::serve_tls(Fd listening) {
  server_->serve_tls(std::move(listening), authority_->source("s3.amazonaws.com"));
}

async::Task<void> RunDoor::stop() {
  co_await server_->stop(std::chrono::milliseconds(0));
}

async::Task<void> RunDoor::answer(net::Exchange& exchange) {
  if (!std::exchange(called_, true) && options_.first_call) options_.first_call();
  if (options_.upstream.empty()) {
    co_await refuse(exchange);
    co_return;
  }
  Result<void> done = co_await forward(exchange);
  if (done || exchange.started()) co_return;
  options_.sentence = done.error().message;
  co_await refuse(exchange);
}

async::Task<void> RunDoor::refuse(net::Exchange& exchange) {
  Refusal refusal = refusal_for(exchange.head(), options_.sentence);
  net::ResponseHead head{
      .status = refused_status,
      .headers = {{"content-type", refusal.content_type}, {"x-amzn-errortype", std::string(code)}}};
  (void)co_await exchange.respond(std::move(head), std::move(refusal.body));
}

async::Task<Result<void>> RunDoor::forward(net::Exchange& exchange) {
  const Monotonic deadline = loop_.now() + answer_patience;
  CO_TRY(std::string body, co_await whole_body(exchange));
  CO_TRY(std::unique_ptr<net::ClientConnection> connection,
         co_await net::ClientConnection::connect(loop_, options_.upstream, deadline));
  const net::RequestHead& asked = exchange.head();
  net::ClientRequest request{.method = asked.method,
                             .target = asked.target,
                             .headers = end_to_end(asked.headers, true),
                             .body = std::move(body)};
  CO_TRY(net::ClientResponse response,
         co_await connection->send(std::move(request), body_bytes_max, deadline));
  net::ResponseHead head{.status = response.status, .headers = end_to_end(response.headers, false)};
  if (asked.method != "HEAD") {
    co_return co_await exchange.respond(std::move(head), std::move(response.body));
  }
  const std::string* length = net::find_header(response.headers, "content-length");
  CO_TRY(co_await exchange.start(std::move(head), length ? parse_u64(*length) : std::nullopt));
  co_return co_await exchange.finish();
}

}  // namespace wolke::cli
