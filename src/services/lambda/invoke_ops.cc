// Invoke: find the function (cached), check the request, then run it now or accept it durably for
// later.
#include <fmt/core.h>

#include "wolke/base/hash.h"
#include "wolke/deliver/lineage.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/ops.h"
#include "wolke/services/lambda/payload.h"
#include "wolke/services/lambda/running.h"

namespace wolke::lambda {
namespace {

constexpr std::size_t client_context_bytes_max = 3583;

Result<void> check_payload(const op::Invoke::Input& input, bool asynchronous) {
  const std::size_t size = input.payload ? input.payload->size() : 0;
  if (asynchronous && size > limits::invoke_async_payload_bytes_max) {
    return fail(too_large(
        fmt::format("{} byte payload is too large for the Event invocation type (limit {} bytes)",
                    size, limits::invoke_async_payload_bytes_max)));
  }
  if (size > limits::invoke_payload_bytes_max) {
    return fail(too_large(
        fmt::format("Request must be smaller than {} bytes for the InvokeFunction operation",
                    limits::invoke_payload_bytes_max)));
  }
  if (size == 0) return {};
  if (auto problem = json_problem(*input.payload))
    return fail(invalid_content(*std::move(problem)));
  return {};
}

Result<std::string> client_context_of(const op::Invoke::Input& input) {
  if (!input.client_context || input.client_context->empty()) return std::string();
  const auto decoded = from_base64(*input.client_context);
  if (input.client_context->size() > client_context_bytes_max || !decoded ||
      json_problem(*decoded)) {
    return fail(invalid_content("Client context must be a valid Base64-encoded JSON object."));
  }
  return *decoded;
}

std::string trace_of(const Context& context) {
  if (context.headers) {
    for (const auto& [name, value] : *context.headers) {
      if (name == "x-amzn-trace-id") return value;
    }
  }
  const auto seconds = to_millis(context.now) / 1000;
  return fmt::format("Root=1-{:08x}-{}", seconds, context.random->hex(12));
}

deliver::Event event_of(const Context& context, const FunctionRef& ref, op::Invoke::Input& input) {
  deliver::Event out;
  out.id = context.request_id;
  out.account = ref.account;
  out.target = ref.qualified_arn();
  out.payload = input.payload && !input.payload->empty() ? *std::move(input.payload) : "{}";
  out.source = "lambda";
  out.source_account = context.account;
  out.trace = trace_of(context);
  return out;
}

/// Accepts an event: durable when this answers.
async::Task<Result<op::Invoke::Output>> accept(Lambda& service, const Context& context,
                                               const FunctionRef& ref, op::Invoke::Input& input) {
  const deliver::Event event = event_of(context, ref, input);
  std::function<Result<bool>(Tx&)> enqueue = [&](Tx& tx) -> Result<bool> {
    deliver::enqueue(tx, event, context.now);
    return true;
  };
  CO_TRY(const bool accepted,
         co_await operation::transact<bool>(service.parts.runner, std::move(enqueue)));
  ASSERT(accepted);
  op::Invoke::Output out;
  out.status_code = 202;
  co_return out;
}

op::Invoke::Output output_of(invoke::InvokeResult result, const std::string& version, bool tail) {
  op::Invoke::Output out;
  out.status_code = 200;
  out.executed_version = version;
  if (result.error != invoke::FunctionError::none) {
    out.function_error = result.error == invoke::FunctionError::handled ? "Handled" : "Unhandled";
  }
  if (tail) out.log_result = to_base64(result.log_tail);
  out.payload = std::move(result.payload);
  return out;
}

}  // namespace

async::Task<Result<op::Invoke::Output>> invoke_function(Lambda& service, Context context,
                                                        op::Invoke::Input input) {
  CO_TRY(const FunctionRef ref, ref_of(context, input.function_name, input.qualifier));
  if (input.tenant_id) co_return fail(not_served("TenantId"));
  if (input.durable_execution_name) co_return fail(not_served("DurableExecutionName"));
  const std::string type = input.invocation_type.value_or("RequestResponse");
  CO_TRY(const Resolved resolved, co_await find_function(service, ref));
  CO_TRY(check_payload(input, type == "Event"));
  if (type == "DryRun") {
    op::Invoke::Output out;
    out.status_code = 204;
    co_return out;
  }
  if (type == "Event") co_return co_await accept(service, context, ref, input);

  invoke::InvokeRequest request;
  request.request_id = context.request_id;
  request.invoked_arn = ref.qualified_arn();
  CO_TRY(request.client_context, client_context_of(input));
  request.trace = trace_of(context);
  if (!resolved->recursion_allowed) {
    auto trace = deliver::next_hop(request.trace, ref.arn());
    if (!trace) co_return fail(recursion_stopped());
    request.trace = *std::move(trace);
  }
  if (input.payload) request.payload = *std::move(input.payload);
  request.want_log_tail = input.log_type.value_or("None") == "Tail";
  const bool tail = request.want_log_tail;
  const invoke::FunctionSpec& spec = choose_route(service, *resolved);
  CO_TRY(invoke::InvokeResult result,
         co_await service.parts.invoker.invoke(spec, std::move(request)));
  co_return output_of(std::move(result), spec.version, tail);
}

}  // namespace wolke::lambda
