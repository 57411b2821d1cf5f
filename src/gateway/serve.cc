#include "wolke/gateway/serve.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "wolke/base/hash.h"
#include "wolke/base/limits.h"
#include "wolke/base/text.h"
#include "wolke/gateway/access.h"
#include "wolke/gateway/body_source.h"
#include "wolke/gateway/detect.h"
#include "wolke/gateway/form_upload.h"
#include "wolke/gateway/quirks.h"
#include "wolke/gateway/request.h"
#include "wolke/gateway/staging.h"
#include "wolke/identity/link.h"
#include "wolke/observe/log.h"
#include "wolke/shape/protocol.h"

namespace wolke::gateway {

namespace {

constexpr std::size_t requests_in_progress_max = 4096;

Error access_denied(const identity::Principal& principal, const identity::Ask& ask,
                    const std::string& why, bool s3) {
  std::string who = principal.arn.empty() ? "anonymous" : principal.arn;
  return Error{
      .code = s3 ? "AccessDenied" : "AccessDeniedException",
      .status = 403,
      .message = fmt::format("User: {} is not authorized to perform: {} on resource: {} because {}",
                             who, ask.action, ask.resource, why)};
}

}  // namespace

Error not_served(const std::string& service, const std::string& operation) {
  return Error{.code = "NotImplemented",
               .status = 501,
               .message = fmt::format(
                   "wolke does not serve {}{}{}; `wolke version --operations` lists what it does.",
                   service, operation.empty() ? "" : ":", operation)};
}

const operation::Row* find_row(const operation::ServiceTable& table,
                               const shape::Operation* operation) {
  for (const operation::Row& row : table.rows) {
    if (row.operation == operation) return &row;
  }
  return nullptr;
}

Gateway::Gateway(GatewayParts parts) : parts_(std::move(parts)) {}

async::Task<void> Gateway::serve(net::Exchange& exchange, std::string sandbox_id) {
  Request request;
  request.head = &exchange.head();
  request.sandbox_id = std::move(sandbox_id);
  request.began = parts_.env.clock.monotonic();
  request.now = parts_.env.clock.wall();
  request.id = parts_.env.random.uuid();
  ++in_progress_;
  Result<void> answered = co_await answer(exchange, request);
  if (!answered) {
    if (exchange.started()) {
      exchange.close_after();  // the length that was announced cannot be kept: only cutting the
                               // connection tells so
    } else {
      co_await send_error(exchange, request, std::move(answered).error());
    }
  }
  --in_progress_;
  for (const BlobRef& blob : request.staged) parts_.blobs.settle(blob);
  record(request);
}

async::Task<Result<void>> Gateway::answer(net::Exchange& exchange, Request& request) {
  if (in_progress_ > requests_in_progress_max) {
    co_return fail(
        {.code = "SlowDown", .status = 503, .message = "Please reduce your request rate."});
  }
  int status = 0;
  std::string text;
  if (parts_.health && parts_.health(*request.head, status, text)) {
    net::ResponseHead head{.status = status, .headers = {{"content-type", "application/json"}}};
    co_return co_await exchange.respond(std::move(head), std::move(text));
  }
  CO_TRY(request.target, split_target(request.head->target));
  if (identity::is_content_link(request.target.path)) {
    co_return co_await send_content(exchange, request);  // its signature is all that it needs
  }
  find_service(*request.head, request);
  if (request.head->method == "OPTIONS") co_return co_await answer_preflight(exchange, request);
  if (auto ask = ask_of_request(*request.head, request.bucket())) {
    CO_TRY(CrossOriginAnswer allowed, co_await ask_cross_origin(*std::move(ask)));
    request.cross_origin = std::move(allowed.headers).value_or(net::HeaderList{});
  }
  if (request.table &&
      is_form_upload(*request.table->model, *request.head, request.target, request.path)) {
    co_return co_await serve_form(exchange, request);
  }
  CO_TRY(detect(*request.head, request));
  // Query protocols name their operation in the body, and some clients sign no payload hash: small
  // bodies come first then. Streamed bodies wait until the caller is admitted.
  const bool streamed = request.streamed();
  if (!streamed) {
    CO_TRY(co_await admit_body(exchange, request));
  }
  CO_TRY(co_await authenticate(request));
  // From here the caller is known.
  if (!request.operation) co_return fail(not_served(request.service_name, ""));
  CO_TRY(decode(request));
  CO_TRY(co_await authorize(request));
  // From here the operation is allowed.
  if (streamed) {
    CO_TRY(co_await stage_streamed(exchange, request));
  }
  request.received = parts_.env.clock.monotonic();
  CO_TRY(shape::Value output, co_await dispatch(request));
  // From here its effects are durable.
  co_return co_await send(exchange, request, std::move(output));
}

/// The service, and path and bucket as they are, whatever the style.
void Gateway::find_service(const net::RequestHead& head, Request& request) {
  const std::string* host = net::find_header(head.headers, "host");
  request.host = host ? *host : "localhost";
  request.headers = head.headers;
  request.service_name = detect_service(head, request.target, parts_.services);
  for (const operation::ServiceTable& table : parts_.services) {
    if (table.model->signing_name == request.service_name) request.table = &table;
  }
  request.path = request.target.path;
  if (request.service_name == "s3") {
    std::string bucket = virtual_host_bucket(request.host);
    request.virtual_host = !bucket.empty();
    request.path = path_style(bucket, request.target.path);
  }
}

async::Task<Result<CrossOriginAnswer>> Gateway::ask_cross_origin(CrossOriginAsk ask) {
  if (!parts_.cross_origin) co_return CrossOriginAnswer{};
  auto work = [&]() { return parts_.cross_origin(ask); };
  std::optional<Result<CrossOriginAnswer>> answer =
      co_await async::run_on(parts_.pool, parts_.loop, work);
  if (!answer)
    co_return fail(
        {.code = "SlowDown", .status = 503, .message = "Please reduce your request rate."});
  co_return *std::move(answer);
}

async::Task<Result<void>> Gateway::answer_preflight(net::Exchange& exchange, Request& request) {
  CO_TRY(CrossOriginAsk ask, ask_of_preflight(*request.head, request.bucket()));
  CO_TRY(CrossOriginAnswer answer, co_await ask_cross_origin(std::move(ask)));
  net::ResponseHead head{.status = 200, .headers = {}};
  CO_TRY(head.headers, allow_preflight(std::move(answer)));
  add_common_headers(fallback_model(*request.head), request.id, head.headers);
  co_return co_await exchange.respond(std::move(head), std::string());
}

Result<void> Gateway::detect(const net::RequestHead& head, Request& request) {
  if (!request.table) return fail(not_served(request.service_name, ""));
  if (needs_body_to_route(*request.table->model, head, request.target)) return {};
  request.operation = route(*request.table->model, head, request.target, request.path, "");
  if (!request.operation)
    return fail(unknown_operation(*request.table->model, head, request.target));
  request.row = find_row(*request.table, request.operation);
  if (!request.row)
    return fail(not_served(request.service_name, std::string(request.operation->name)));
  return {};
}

async::Task<Result<void>> Gateway::admit_body(net::Exchange& exchange, Request& request) {
  const std::size_t bytes_max = buffered_body_bytes_max(request.operation);
  if (exchange.body_length().value_or(0) > bytes_max) {
    exchange.close_after();
    co_return fail(body_too_large(request.operation, bytes_max));
  }
  NextPiece next = [&exchange]() { return exchange.read(limits::body_piece_bytes); };
  Result<std::string> body = co_await buffer_body(std::move(next), bytes_max);
  if (!body) co_return fail(std::move(body).error());
  request.body = *std::move(body);
  request.usage.bytes_in = request.body.size();
  if (!request.operation && request.table) {
    if (!claimed_scope(request.headers, request.target.pairs)) {
      if (const operation::ServiceTable* named = service_of_form(request.body, parts_.services)) {
        request.table = named;
        request.service_name = named->model->signing_name;
      }
    }
    request.operation =
        route(*request.table->model, *request.head, request.target, request.path, request.body);
    if (!request.operation)
      co_return fail(unknown_operation(*request.table->model, *request.head, request.target));
    request.row = find_row(*request.table, request.operation);
    if (!request.row)
      co_return fail(not_served(request.service_name, std::string(request.operation->name)));
  }
  co_return Result<void>();
}

async::Task<Result<void>> Gateway::authenticate(Request& request) {
  const std::string* agent = net::find_header(request.head->headers, "user-agent");
  Approach approach{.raw = {.method = request.head->method,
                            .path = request.target.path,
                            .query = request.target.query,
                            .headers = &request.head->headers,
                            .form = request.form ? &*request.form : nullptr},
                    .dialect = dialect_of(*request.table->model),
                    .signing_name = request.service_name,
                    .source_ip = request.head->peer,
                    .user_agent = agent ? *agent : "",
                    .tls = request.head->tls,
                    .sandbox_id = request.sandbox_id,
                    .now = request.now,
                    .unsigned_allowed = needs_no_signature(request.operation)};
  auto work = [&]() -> Result<Caller> {
    std::string body_sha256 = request.streamed() ? "" : to_hex(sha256(request.body));
    TRY(Caller caller, parts_.authentication.authenticate(approach, body_sha256));
    if (!request.streamed() && caller.authorization && caller.signature_checked) {
      TRY(identity::check_payload(*caller.authorization, body_sha256, approach.dialect));
    }
    return caller;
  };
  std::optional<Result<Caller>> caller = co_await async::run_on(parts_.pool, parts_.loop, work);
  if (!caller)
    co_return fail(
        {.code = "SlowDown", .status = 503, .message = "Please reduce your request rate."});
  if (!*caller) co_return fail(std::move(*caller).error());
  request.caller = *std::move(*caller);
  if (approach.dialect == identity::Dialect::s3 && request.caller.authorization &&
      request.caller.authorization->carrier == identity::Carrier::query) {
    add_link_headers(request.target.pairs, request.headers);
    // A copy's source makes it another operation, which the request was not admitted as.
    shape::WireRequest wire{.method = request.head->method,
                            .path = request.path,
                            .query = &request.target.pairs,
                            .headers = &request.headers};
    if (shape::match_rest(*request.table->model, wire) != request.operation)
      co_return fail(hoisted_operation());
  }
  request.context = operation::Context{.request_id = request.id,
                                       .account = request.caller.authorizer->principal().account,
                                       .region = request.caller.region,
                                       .now = request.now,
                                       .random = &parts_.env.random,
                                       .authorizer = request.caller.authorizer.get(),
                                       .host = request.host,
                                       .tls = request.head->tls,
                                       .source_ip = approach.source_ip,
                                       .user_agent = approach.user_agent,
                                       .virtual_host = request.virtual_host,
                                       .headers = &request.headers};
  co_return Result<void>();
}

Result<void> Gateway::decode(Request& request) {
  // The body of a buffered S3 or JSON request may itself be aws-chunked (some SDKs stream
  // everything).
  if (!request.streamed() && request.caller.authorization &&
      identity::is_streaming(request.caller.authorization->payload)) {
    TRY(request.body, decode_whole_chunked(request.caller, request.headers, request.body));
  }
  TRY(check_digests(request.headers, request.body, request.streamed(), *request.operation));
  shape::WireRequest wire{.method = request.head->method,
                          .path = request.path,
                          .query = &request.target.pairs,
                          .headers = &request.headers,
                          .body = request.body};
  TRY(request.input, shape::decode_input(*request.operation, wire));
  return {};
}

async::Task<Result<void>> Gateway::authorize(Request& request) {
  auto work = [&]() -> Result<void> {
    TRY(operation::Asks asks,
        request.row->asks(request.table->service, request.context, request.input));
    if (!asks.empty()) request.resource_account = asks.front().resource_account;
    for (const identity::Ask& ask : asks) {
      identity::Decision decision = request.caller.authorizer->decide(ask);
      if (!decision.allowed) {
        return fail(access_denied(request.caller.authorizer->principal(), ask, decision.why,
                                  request.table->model->protocol != shape::Protocol::rest_json &&
                                      request.table->model->protocol != shape::Protocol::json11));
      }
    }
    return {};
  };
  std::optional<Result<void>> allowed = co_await async::run_on(parts_.pool, parts_.loop, work);
  if (!allowed)
    co_return fail(
        {.code = "SlowDown", .status = 503, .message = "Please reduce your request rate."});
  co_return std::move(*allowed);
}

async::Task<Result<void>> Gateway::stage_streamed(net::Exchange& exchange, Request& request) {
  CO_TRY(BodySource source,
         open_body_source(exchange, request.caller, request.headers, *request.operation));
  NextPiece next = [&source]() { return source.next(); };
  const bool literal = request.caller.authorization &&
                       request.caller.authorization->payload == identity::Payload::literal;
  StagingPlan plan{
      .digests = wanted_digests(request.headers, literal),
      .bytes_max = source.bytes_max(),
      .key = {.account = request.resource_account, .customer_key = customer_key(request.headers)}};
  Staging staging{.loop = parts_.loop, .pool = parts_.pool, .blobs = parts_.blobs};
  CO_TRY(Body body, co_await stage_body(staging, std::move(next), std::move(plan)));
  for (const BlobRange& range : body.blobs) request.staged.push_back(range.blob);
  CO_TRY(source.check_end(body.size()));
  if (literal && request.caller.signature_checked) {
    CO_TRY(identity::check_payload(*request.caller.authorization, to_hex(body.digests.at("sha256")),
                                   identity::Dialect::s3));
  }
  request.usage.bytes_in = body.size();
  if (source.has_trailers()) {
    // Checksums came after the body: the input is decoded again with them in place.
    request.headers = source.headers_with_trailers();
    CO_TRY(decode(request));
  }
  const shape::Member& member = *shape::streaming_member(request.operation->input);
  void* slot = static_cast<char*>(request.input.data()) + member.offset;
  *static_cast<std::optional<Body>*>(slot) = std::move(body);
  co_return Result<void>();
}

async::Task<Result<shape::Value>> Gateway::dispatch(Request& request) {
  if (request.row->run_task) {
    co_return co_await request.row->run_task(request.table->service, request.context,
                                             std::move(request.input));
  }
  operation::Runner runner{.store = parts_.store, .pool = parts_.pool, .loop = parts_.loop};
  std::function<Result<shape::Value>(store::Tx&)> body = [&request](store::Tx& tx) {
    return request.row->run(request.table->service, tx, request.context, request.input);
  };
  co_return co_await operation::transact<shape::Value>(runner, std::move(body));
}

async::Task<Result<void>> Gateway::send(net::Exchange& exchange, Request& request,
                                        shape::Value output) {
  CO_TRY(shape::WireResponse response,
         shape::encode_output(*request.operation, output, request.id));
  for (auto& header : response.headers) header.first = to_lower(header.first);
  if (request.form) answer_form(*request.form, uploaded(request), response);
  add_common_headers(*request.table->model, request.id, response.headers);
  finish_response(*request.operation, request.context, response);
  std::ranges::copy(request.cross_origin, std::back_inserter(response.headers));
  request.usage.status = response.status;
  if (parts_.access && request.operation->name == "DeleteObjects") {
    request.output = std::move(output);
  }
  co_return co_await send_body(exchange, request, std::move(response));
}

async::Task<Result<void>> Gateway::send_body(net::Exchange& exchange, Request& request,
                                             shape::WireResponse response) {
  request.object_size = object_size_of(response);
  request.answered = parts_.env.clock.monotonic();
  std::optional<std::uint64_t> announced = take_content_length(response.headers);
  net::ResponseHead head{.status = response.status, .headers = std::move(response.headers)};
  const bool head_only = request.head->method == "HEAD";
  if (head_only && announced) {
    CO_TRY(co_await exchange.start(std::move(head), *announced));
    co_return co_await exchange.finish();
  }
  if (response.stream && response.stream->live) {
    co_return co_await send_live(exchange, request, std::move(head), *response.stream->live);
  }
  if (!response.stream || response.stream->blobs.empty()) {
    std::string bytes =
        response.stream ? std::move(response.stream->inline_bytes) : std::move(response.body);
    request.usage.bytes_out = bytes.size();
    co_return co_await exchange.respond(std::move(head), std::move(bytes));
  }
  request.usage.bytes_out = response.stream->size();
  CO_TRY(co_await exchange.start(std::move(head), response.stream->size()));
  Staging staging{.loop = parts_.loop, .pool = parts_.pool, .blobs = parts_.blobs};
  CO_TRY(co_await send_blobs(staging, exchange, response.stream->blobs,
                             customer_key(request.headers)));
  co_return co_await exchange.finish();
}

/// Until the content ends, the client goes away or the server stops.
async::Task<Result<void>> Gateway::send_live(net::Exchange& exchange, Request& request,
                                             net::ResponseHead head, LiveBody& live) {
  CO_TRY(co_await exchange.start(std::move(head), std::nullopt));
  auto next = [&]() { return live.next(parts_.env.clock.wall()); };
  while (true) {
    std::optional<Result<std::optional<std::string>>> piece =
        co_await async::run_on(parts_.pool, parts_.loop, next);
    if (piece) {  // else the pool is busy: the next piece has what this one would have had
      if (!*piece) co_return fail(std::move(*piece).error());
      if (!**piece) break;
      const std::string& bytes = ***piece;
      request.usage.bytes_out += bytes.size();
      CO_TRY(co_await exchange.write(bytes));
    }
    const async::Wake wake = co_await parts_.loop.sleep_for(live.pause());
    if (wake == async::Wake::cancelled) break;
  }
  co_return co_await exchange.finish();
}

async::Task<Result<void>> Gateway::send_content(net::Exchange& exchange, Request& request) {
  if (request.head->method != "GET") {
    co_return fail({.code = "MethodNotAllowed",
                    .status = 405,
                    .message = "The specified method is not allowed against this resource."});
  }
  CO_TRY(const BlobRef blob, identity::open_content_link(parts_.seal, request.target.path,
                                                         request.target.pairs, request.now));
  // From here the bearer may have this blob, if it is still there: its function may be gone.
  auto present = [&]() { return parts_.blobs.open(blob).has_value(); };
  const std::optional<bool> found = co_await async::run_on(parts_.pool, parts_.loop, present);
  if (!found)
    co_return fail(
        {.code = "SlowDown", .status = 503, .message = "Please reduce your request rate."});
  if (!*found) {
    co_return fail(
        {.code = "NoSuchKey", .status = 404, .message = "The specified key does not exist."});
  }
  net::ResponseHead head{.status = 200, .headers = {{"content-type", "application/zip"}}};
  add_common_headers(fallback_model(*request.head), request.id, head.headers);
  CO_TRY(co_await exchange.start(std::move(head), blob.size));
  Staging staging{.loop = parts_.loop, .pool = parts_.pool, .blobs = parts_.blobs};
  const std::vector<BlobRange> whole = {{.blob = blob, .offset = 0, .length = blob.size}};
  CO_TRY(co_await send_blobs(staging, exchange, whole, {}));
  co_return co_await exchange.finish();
}

async::Task<void> Gateway::send_error(net::Exchange& exchange, Request& request, Error error) {
  if (error.is_server_fault() && error.status != 501 && error.status != 503) {
    observe::log(
        observe::Level::error, "gateway", error.message,
        {{"requestId", request.id}, {"code", error.code}, {"service", request.service_name}});
    error = public_error(request.table ? request.table->model : nullptr, std::move(error));
  }
  request.answered = parts_.env.clock.monotonic();
  request.usage.code = error.code;
  request.usage.status = error.status;
  const shape::Service& service =
      request.table ? *request.table->model : fallback_model(*request.head);
  const bool head_only = request.head->method == "HEAD";
  shape::WireResponse response = shape::encode_error(service, request.operation, error, request.id,
                                                     request.target.path, head_only);
  for (auto& [name, value] : error.headers) response.headers.emplace_back(name, std::move(value));
  add_common_headers(service, request.id, response.headers);
  std::ranges::copy(request.cross_origin, std::back_inserter(response.headers));
  net::ResponseHead head{.status = response.status, .headers = std::move(response.headers)};
  Result<void> sent = co_await exchange.respond(std::move(head), std::move(response.body));
  if (!sent) exchange.close_after();
}

void Gateway::record(const Request& request) const {
  const std::string operation = request.form        ? "PostObject"
                                : request.operation ? std::string(request.operation->name)
                                                    : "";
  if (parts_.access) record_access(request, operation);
  if (parts_.used && request.caller.authorization && request.caller.signature_checked) {
    parts_.used(request.caller.authorizer->principal(), request.service_name, request.caller.region,
                request.now);
  }
  if (!parts_.meter || !request.table) return;
  OperationUsage usage = request.usage;
  usage.account = request.caller.authorizer ? request.caller.authorizer->principal().account : "";
  usage.service = request.service_name;
  usage.operation = operation;
  usage.request_id = request.id;
  usage.took = std::chrono::duration_cast<std::chrono::microseconds>(parts_.env.clock.monotonic() -
                                                                     request.began);
  parts_.meter(usage);
}

}  // namespace wolke::gateway
