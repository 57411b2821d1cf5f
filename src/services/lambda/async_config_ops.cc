// Event-invoke configurations: how the deliverer treats a function's asynchronous events.
#include <fmt/core.h>

#include "wolke/base/text.h"
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

enum class DestinationKind { function, not_served, unknown };

DestinationKind kind_of(const std::string& arn) {
  const auto parts = split(arn, ':');
  if (parts.size() < 6) return DestinationKind::unknown;
  if (parts[2] == "lambda") {
    return parts[5] == "function" ? DestinationKind::function : DestinationKind::unknown;
  }
  const bool of_aws =
      parts[2] == "sqs" || parts[2] == "sns" || parts[2] == "events" || parts[2] == "s3";
  return of_aws ? DestinationKind::not_served : DestinationKind::unknown;
}

std::string shown(const char* name, const std::string& arn) {
  return arn.empty() ? "null" : fmt::format("{}(destination={})", name, arn);
}

/// A function as destination must be there, and the role must be allowed to invoke it.
Result<void> check_function(Lambda& service, Tx& tx, const FunctionRef& ref,
                            const FunctionVersion& version, const std::string& arn, Timestamp now) {
  TRY(const FunctionRef target, parse_function(arn, std::nullopt, ref.account, ref.region));
  TRY(const auto found, tx.peek<Function>(function_key(target)));
  if (!found)
    return fail(invalid_parameter(fmt::format("The destination ARN {} is invalid.", arn)));
  if (target.name == ref.name && target.account == ref.account) {
    return fail(invalid_parameter("You can't specify the function as a destination for itself."));
  }
  const auto& may_invoke = service.parts.ports.role_may_invoke;
  if (!may_invoke) return {};
  TRY(const bool allowed, may_invoke({.role_arn = version.role,
                                      .function_name = ref.name,
                                      .region = ref.region,
                                      .target_arn = arn,
                                      .target_account = target.account,
                                      .now = now}));
  if (allowed) return {};
  return fail(invalid_parameter(fmt::format(
      "The function's execution role does not have permissions to call InvokeFunction on {}",
      arn)));
}

/// Queues, topics, buses and buckets are no destinations here: what would be lost is refused.
Result<void> check_destinations(Lambda& service, Tx& tx, const FunctionRef& ref,
                                const FunctionVersion& version, const AsyncConfig& config) {
  for (const std::string& arn : {config.on_failure, config.on_success}) {
    if (arn.empty()) continue;
    switch (kind_of(arn)) {
      case DestinationKind::unknown:
        return fail(invalid_parameter(fmt::format(
            "The provided destination config DestinationConfig(onSuccess={}, "
            "onFailure={}) is invalid.",
            shown("OnSuccess", config.on_success), shown("OnFailure", config.on_failure))));
      case DestinationKind::not_served:
        return fail(not_served(fmt::format("The destination {}", arn)));
      case DestinationKind::function:
        break;
    }
    TRY(check_function(service, tx, ref, version, arn, config.modified));
  }
  return {};
}

/// The function, or the version or alias that is named.
struct Existing {
  FunctionRef ref;
  FunctionVersion version;
};

template <class Request>
Result<void> apply(Lambda& service, Tx& tx, const Existing& of, Timestamp now, const Request& input,
                   AsyncConfig& config) {
  config.modified = now;
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
  return check_destinations(service, tx, of.ref, of.version, config);
}

Result<Existing> existing(Tx& tx, const Context& context, const std::optional<std::string>& name,
                          const std::optional<std::string>& qualifier) {
  Existing out;
  TRY(out.ref, ref_of(context, name, qualifier));
  // AWS answers this for everything that is missing here.
  const Error missing = not_found("The function doesn't exist.");
  TRY(const auto function, tx.get<Function>(function_key(out.ref)));
  if (!function) return fail(missing);
  auto version = get_version(tx, out.ref, *function);
  if (!version) return fail(version.error().status == 404 ? missing : version.error());
  out.version = *std::move(version);
  return out;
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
  TRY(const Existing of, existing(tx, context, input.function_name, input.qualifier));
  const FunctionRef& ref = of.ref;
  AsyncConfig config;
  TRY(apply(service, tx, of, context.now, input, config));
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
  TRY(const Existing of, existing(tx, context, input.function_name, input.qualifier));
  const FunctionRef& ref = of.ref;
  TRY(auto config, tx.get<AsyncConfig>(async_key(ref)));
  if (!config) return fail(no_config(ref));
  TRY(apply(service, tx, of, context.now, input, *config));
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
  TRY(const Existing of, existing(tx, context, input.function_name, std::nullopt));
  FunctionRef ref = of.ref;
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
