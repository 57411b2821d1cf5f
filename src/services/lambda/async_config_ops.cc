// Event-invoke configurations: how the deliverer treats a function's asynchronous events.
#include <fmt/core.h>

#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/ops.h"
#include "wolke/services/lambda/page.h"

namespace wolke::lambda {
namespace {

namespace m = model::lambda;

std::string full_arn(FunctionRef ref) {
  if (ref.qualifier.empty()) ref.qualifier = latest;
  return ref.qualified_arn();
}

template <class Out>
Out describe(const FunctionRef& ref, const AsyncConfig& config) {
  Out out;
  out.last_modified = config.modified;
  out.function_arn = full_arn(ref);
  if (config.retries_max)
    out.maximum_retry_attempts = static_cast<std::int32_t>(*config.retries_max);
  if (config.age_max_s)
    out.maximum_event_age_in_seconds = static_cast<std::int32_t>(*config.age_max_s);
  auto& destinations = out.destination_config.emplace();
  destinations.on_success.emplace();
  destinations.on_failure.emplace();
  if (!config.on_success.empty()) destinations.on_success->destination = config.on_success;
  if (!config.on_failure.empty()) destinations.on_failure->destination = config.on_failure;
  return out;
}

/// A function as destination must be there; queues, topics and buses belong to other services.
Result<void> check_destination(Tx& tx, const Context& context, const FunctionRef& ref,
                               const std::string& arn) {
  if (arn.empty() || arn.find(":lambda:") == arn.npos) return {};
  TRY(const FunctionRef target, parse_function(arn, std::nullopt, context.account, context.region));
  if (target.name == ref.name && target.account == ref.account) {
    return fail(invalid_parameter("You can't specify the function as a destination for itself."));
  }
  TRY(const auto found, tx.peek<Function>(function_key(target)));
  if (!found)
    return fail(invalid_parameter(fmt::format("The destination ARN {} is invalid.", arn)));
  return {};
}

template <class Request>
Result<void> apply(Tx& tx, const Context& context, const FunctionRef& ref, const Request& input,
                   AsyncConfig& config) {
  if (input.maximum_retry_attempts)
    config.retries_max = static_cast<std::uint32_t>(*input.maximum_retry_attempts);
  if (input.maximum_event_age_in_seconds) {
    config.age_max_s = static_cast<std::uint32_t>(*input.maximum_event_age_in_seconds);
  }
  if (input.destination_config) {
    const m::DestinationConfig& given = *input.destination_config;
    if (given.on_success) config.on_success = given.on_success->destination.value_or("");
    if (given.on_failure) config.on_failure = given.on_failure->destination.value_or("");
  }
  TRY(check_destination(tx, context, ref, config.on_success));
  return check_destination(tx, context, ref, config.on_failure);
}

/// The function, and the version or alias if one is named.
Result<FunctionRef> existing(Tx& tx, const Context& context, const std::optional<std::string>& name,
                             const std::optional<std::string>& qualifier) {
  TRY(const FunctionRef ref, ref_of(context, name, qualifier));
  // AWS answers this for everything that is missing here.
  const Error missing = not_found("The function doesn't exist.");
  TRY(const auto function, tx.get<Function>(function_key(ref)));
  if (!function) return fail(missing);
  if (!get_version(tx, ref, *function)) return fail(missing);
  return ref;
}

Error no_config(const FunctionRef& ref) {
  return not_found(fmt::format("The function {} doesn't have an EventInvokeConfig", full_arn(ref)));
}

}  // namespace

Result<op::PutFunctionEventInvokeConfig::Output> put_async_config(
    Lambda& service, Tx& tx, const Context& context,
    const op::PutFunctionEventInvokeConfig::Input& input) {
  if (!input.maximum_retry_attempts && !input.maximum_event_age_in_seconds &&
      !input.destination_config) {
    return fail(invalid_parameter(
        "You must specify at least one of error handling or destination setting."));
  }
  TRY(const FunctionRef ref, existing(tx, context, input.function_name, input.qualifier));
  AsyncConfig config;
  TRY(apply(tx, context, ref, input, config));
  config.modified = context.now;
  tx.put(async_key(ref), config);
  service.resolver.note_change();
  return describe<op::PutFunctionEventInvokeConfig::Output>(ref, config);
}

Result<op::UpdateFunctionEventInvokeConfig::Output> update_async_config(
    Lambda& service, Tx& tx, const Context& context,
    const op::UpdateFunctionEventInvokeConfig::Input& input) {
  if (!input.maximum_retry_attempts && !input.maximum_event_age_in_seconds &&
      !input.destination_config) {
    return fail(invalid_parameter(
        "You must specify at least one of error handling or destination setting."));
  }
  TRY(const FunctionRef ref, existing(tx, context, input.function_name, input.qualifier));
  TRY(auto config, tx.get<AsyncConfig>(async_key(ref)));
  if (!config) return fail(no_config(ref));
  TRY(apply(tx, context, ref, input, *config));
  config->modified = context.now;
  tx.put(async_key(ref), *config);
  service.resolver.note_change();
  return describe<op::UpdateFunctionEventInvokeConfig::Output>(ref, *config);
}

Result<op::GetFunctionEventInvokeConfig::Output> get_async_config(
    Lambda&, Tx& tx, const Context& context, const op::GetFunctionEventInvokeConfig::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name, input.qualifier));
  TRY(const auto config, tx.get<AsyncConfig>(async_key(ref)));
  if (!config) return fail(no_config(ref));
  return describe<op::GetFunctionEventInvokeConfig::Output>(ref, *config);
}

Result<op::DeleteFunctionEventInvokeConfig::Output> delete_async_config(
    Lambda& service, Tx& tx, const Context& context,
    const op::DeleteFunctionEventInvokeConfig::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name, input.qualifier));
  TRY(const auto config, tx.get<AsyncConfig>(async_key(ref)));
  if (!config) return fail(no_config(ref));
  tx.erase(async_key(ref));
  service.resolver.note_change();
  return op::DeleteFunctionEventInvokeConfig::Output{};
}

Result<op::ListFunctionEventInvokeConfigs::Output> list_async_configs(
    Lambda&, Tx& tx, const Context& context,
    const op::ListFunctionEventInvokeConfigs::Input& input) {
  TRY(FunctionRef ref, existing(tx, context, input.function_name, std::nullopt));
  TRY(const auto configs, all_async_configs(tx, ref));
  std::vector<m::FunctionEventInvokeConfig> all;
  for (const auto& [qualifier, config] : configs) {
    ref.qualifier = qualifier;
    all.push_back(describe<m::FunctionEventInvokeConfig>(ref, config));
  }
  op::ListFunctionEventInvokeConfigs::Output out;
  TRY(out.function_event_invoke_configs,
      page_of(std::move(all), input.marker, input.max_items, out.next_marker));
  return out;
}

}  // namespace wolke::lambda
