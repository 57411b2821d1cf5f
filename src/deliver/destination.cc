#include "wolke/deliver/destination.h"

#include "wolke/shape/json.h"

namespace wolke::deliver {
namespace {

shape::Json json_or_null(const std::string& text) {
  if (text.empty()) return {};
  auto parsed = shape::parse_json(text);
  return parsed ? *std::move(parsed) : shape::Json();
}

std::string condition_of(const Step& step) {
  if (step.terminal == Terminal::succeeded) return "Success";
  return step.reason.substr(0, step.reason.find(':'));
}

}  // namespace

std::string invocation_record(const Delivery& delivery, const Attempt& attempt, const Step& step,
                              Timestamp now) {
  const bool ran =
      attempt.outcome == Outcome::succeeded || attempt.outcome == Outcome::function_error;
  shape::Json request;
  request.set("requestId", delivery.record.id);
  request.set("functionArn",
              delivery.function + ":" + (attempt.version.empty() ? "$LATEST" : attempt.version));
  request.set("condition", condition_of(step));
  request.set("approximateInvokeCount", step.state.attempts);
  shape::Json out;
  out.set("version", "1.0");
  out.set("timestamp", format_iso8601(now));
  out.set("requestContext", std::move(request));
  out.set("requestPayload", json_or_null(delivery.record.payload));
  if (ran) {
    shape::Json response;
    response.set("statusCode", 200);
    response.set("executedVersion", attempt.version);
    if (attempt.outcome == Outcome::function_error) response.set("functionError", "Unhandled");
    out.set("responseContext", std::move(response));
    out.set("responsePayload", json_or_null(attempt.response));
  }
  return out.text();
}

void add_destination(store::Batch& batch, const Delivery& delivery, const Attempt& attempt,
                     const Step& step, Timestamp now, const std::string& id) {
  std::string target;
  if (step.terminal == Terminal::destination) target = attempt.policy.on_failure;
  if (step.terminal == Terminal::succeeded) target = attempt.policy.on_success;
  if (target.find(":lambda:") == std::string::npos) return;
  Event event;
  event.id = id;
  event.account = delivery.record.account;
  event.target = target;
  event.payload = invocation_record(delivery, attempt, step, now);
  event.source = source_of_records;
  event.source_arn = attempt.policy.role;
  event.source_account = delivery.record.account;
  event.trace = delivery.record.trace;
  enqueue(batch, event, now);
}

}  // namespace wolke::deliver
