#include "wolke/services/lambda/running.h"

#include "wolke/deliver/destination.h"
#include "wolke/deliver/lineage.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/function_name.h"
#include "wolke/services/lambda/policy.h"
#include "wolke/shape/json.h"

namespace wolke::lambda {

async::Task<Result<Resolved>> find_function(Lambda& service, FunctionRef ref) {
  if (Resolved cached = service.resolver.cached(ref)) co_return cached;
  const Resolver::Stamp stamp = service.resolver.stamp();
  auto loaded = co_await async::run_on(service.parts.runner.pool, service.parts.runner.loop,
                                       [&service, &ref] { return service.resolver.load(ref); });
  if (!loaded) co_return fail(service_exception("The server is busy. Please try again."));
  if (!*loaded) co_return fail(std::move(*loaded).error());
  service.resolver.remember(**loaded, stamp);
  co_return **std::move(loaded);
}

const invoke::FunctionSpec& choose_route(Lambda& service, const ResolvedFunction& resolved) {
  if (resolved.routes.size() == 1) return resolved.routes.front().spec;
  return resolved.choose(static_cast<double>(service.parts.env.random.below(1'000'000)) / 1e6);
}

Error recursion_stopped() {
  return {.code = "RecursiveInvocationException",
          .status = 400,
          .message =
              "Lambda has detected a recursive loop and stopped it: the function was invoked too "
              "often in this "
              "chain of requests.",
          .fields = {{"Type", "User"}}};
}

// ---- deliveries ----

namespace {

deliver::Attempt ended(deliver::Outcome outcome, std::string reason) {
  deliver::Attempt out;
  out.outcome = outcome;
  out.reason = std::move(reason);
  return out;
}

/// "errorType: errorMessage" of a function's error JSON, cut short.
std::string reason_of(const std::string& payload) {
  constexpr std::size_t reason_bytes_max = 512;
  const auto json = shape::parse_json(payload);
  std::string out = "Unhandled";
  if (json) {
    out = json->string_at("errorType").value_or("Unhandled");
    if (auto message = json->string_at("errorMessage")) out += ": " + *message;
  }
  if (out.size() > reason_bytes_max) out.resize(reason_bytes_max);
  return out;
}

deliver::Attempt attempt_failed(const Error& error) {
  const bool throttled = error.status == 429;
  return ended(throttled ? deliver::Outcome::throttled : deliver::Outcome::server_error,
               error.code + ": " + error.message);
}

std::optional<deliver::Attempt> refuse_service(const ResolvedFunction& resolved,
                                               const deliver::Event& event) {
  const ServiceCaller caller{event.source, event.source_arn, event.source_account};
  if (permits_invoke(resolved.policy, caller)) return std::nullopt;
  return ended(deliver::Outcome::refused,
               "AccessDenied: the function's resource policy does not allow " + event.source +
                   " for " + event.source_arn);
}

/// A destination is told in the name of the role of the function whose event ended.
async::Task<std::optional<deliver::Attempt>> refuse_record(Lambda& service,
                                                           const FunctionRef& target,
                                                           const deliver::Event& event) {
  const auto& may_invoke = service.parts.ports.role_may_invoke;
  if (!may_invoke) co_return std::nullopt;
  const RoleInvokes ask{.role_arn = event.source_arn,
                        .function_name = "destination",
                        .region = target.region,
                        .target_arn = event.target,
                        .target_account = target.account,
                        .now = service.parts.env.clock.wall()};
  auto allowed = co_await async::run_on(service.parts.runner.pool, service.parts.runner.loop,
                                        [&] { return may_invoke(ask); });
  if (!allowed) co_return ended(deliver::Outcome::server_error, "the server is busy");
  if (!*allowed) co_return attempt_failed(allowed->error());
  if (**allowed) co_return std::nullopt;
  co_return ended(deliver::Outcome::refused,
                  "AccessDenied: " + event.source_arn + " may not invoke " + event.target);
}

/// What stands against running the event, before anything is spent on it.
async::Task<std::optional<deliver::Attempt>> refuse(Lambda& service,
                                                    const ResolvedFunction& resolved,
                                                    const deliver::Event& event, Millis age) {
  std::optional<deliver::Attempt> out;
  if (event.source == deliver::source_of_records) {
    out = co_await refuse_record(service, resolved.ref, event);
  } else if (event.source != "lambda") {
    out = refuse_service(resolved, event);
  }
  if (!out && age > resolved.async.age_max) out = ended(deliver::Outcome::expired, "");
  co_return out;
}

deliver::Attempt attempt_of(invoke::InvokeResult result, const std::string& version) {
  deliver::Attempt out;
  out.outcome = deliver::Outcome::succeeded;
  if (result.error != invoke::FunctionError::none) {
    out.outcome = deliver::Outcome::function_error;
    out.reason = reason_of(result.payload);
  }
  out.response = std::move(result.payload);
  out.version = version;
  return out;
}

async::Task<deliver::Attempt> run_event(Lambda& service, Resolved resolved, deliver::Event event) {
  invoke::InvokeRequest request;
  request.request_id = event.id;
  request.invoked_arn = event.target;
  request.payload = std::move(event.payload);
  request.trace = std::move(event.trace);
  if (!resolved->recursion_allowed) {
    auto trace = deliver::next_hop(request.trace, resolved->ref.arn());
    if (!trace)
      co_return ended(deliver::Outcome::refused,
                      "RecursiveInvocation: stopped, the events form a loop");
    request.trace = *std::move(trace);
  }
  const invoke::FunctionSpec& spec = choose_route(service, *resolved);
  auto result = co_await service.parts.invoker.invoke(spec, std::move(request));
  if (!result) co_return attempt_failed(result.error());
  co_return attempt_of(*std::move(result), spec.version);
}

}  // namespace

async::Task<deliver::Attempt> LambdaTarget::attempt(deliver::Event event, Millis age) {
  const std::size_t region_at = std::string_view("arn:aws:lambda:").size();
  const std::string region = event.target.substr(std::min(region_at, event.target.size()),
                                                 event.target.find(':', region_at) - region_at);
  auto ref = parse_function(event.target, std::nullopt, event.account, region);
  if (!ref)
    co_return ended(deliver::Outcome::refused, ref.error().code + ": " + ref.error().message);
  auto resolved = co_await find_function(service_, *ref);
  if (!resolved && resolved.error().status == 404) {
    co_return ended(deliver::Outcome::refused,
                    "ResourceNotFoundException: " + resolved.error().message);
  }
  if (!resolved) co_return attempt_failed(resolved.error());

  auto refused = co_await refuse(service_, **resolved, event, age);
  deliver::Attempt out =
      refused ? *std::move(refused) : co_await run_event(service_, *resolved, std::move(event));
  out.policy = (*resolved)->async;
  out.concurrency = (*resolved)->routes.front().spec.reserved_concurrency;
  co_return out;
}

}  // namespace wolke::lambda
