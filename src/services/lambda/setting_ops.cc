// Concurrency, account settings, and the small configurations that tools read.
#include <fmt/core.h>

#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/ops.h"

namespace wolke::lambda {
namespace {

std::int32_t number(std::uint64_t value) {
  return static_cast<std::int32_t>(value);
}

}  // namespace

// ---- concurrency ----

Result<op::PutFunctionConcurrency::Output> put_concurrency(
    Lambda& service, Tx& tx, const Context& context,
    const op::PutFunctionConcurrency::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  if (!ref.qualifier.empty()) return fail(functions_only());
  TRY(Function function, get_function(tx, ref));
  TRY(Account account, get_account(tx, ref));
  const auto wanted = static_cast<std::uint32_t>(input.reserved_concurrent_executions.value_or(0));
  const Limits& limits = service.parts.limits;
  const std::uint64_t others =
      account.reserved_concurrency - function.reserved_concurrency.value_or(0);
  if (others + wanted + limits.unreserved_concurrency_min > limits.concurrent_executions) {
    return fail(
        invalid_parameter(fmt::format("Specified ReservedConcurrentExecutions for function "
                                      "decreases account's UnreservedConcurrentExecution below "
                                      "its minimum value of [{}].",
                                      limits.unreserved_concurrency_min)));
  }
  account.reserved_concurrency = others + wanted;
  function.reserved_concurrency = wanted;
  tx.put(account_key(ref.account, ref.region), account);
  put_function(tx, ref, function);
  service.resolver.note_change();
  op::PutFunctionConcurrency::Output out;
  out.reserved_concurrent_executions = number(wanted);
  return out;
}

Result<op::GetFunctionConcurrency::Output> get_concurrency(
    Lambda&, Tx& tx, const Context& context, const op::GetFunctionConcurrency::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  TRY(const Function function, get_function(tx, ref));
  op::GetFunctionConcurrency::Output out;
  if (function.reserved_concurrency)
    out.reserved_concurrent_executions = number(*function.reserved_concurrency);
  return out;
}

Result<op::DeleteFunctionConcurrency::Output> delete_concurrency(
    Lambda& service, Tx& tx, const Context& context,
    const op::DeleteFunctionConcurrency::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  if (!ref.qualifier.empty()) return fail(functions_only());
  TRY(Function function, get_function(tx, ref));
  if (!function.reserved_concurrency) return op::DeleteFunctionConcurrency::Output{};
  TRY(Account account, get_account(tx, ref));
  account.reserved_concurrency -=
      std::min<std::uint64_t>(account.reserved_concurrency, *function.reserved_concurrency);
  function.reserved_concurrency.reset();
  tx.put(account_key(ref.account, ref.region), account);
  put_function(tx, ref, function);
  service.resolver.note_change();
  return op::DeleteFunctionConcurrency::Output{};
}

Result<op::GetAccountSettings::Output> get_account_settings(Lambda& service, Tx& tx,
                                                            const Context& context,
                                                            const op::GetAccountSettings::Input&) {
  TRY(const Account account, get_account(tx, FunctionRef{context.account, context.region, {}, {}}));
  const Limits& limits = service.parts.limits;
  op::GetAccountSettings::Output out;
  auto& limit = out.account_limit.emplace();
  limit.total_code_size = static_cast<std::int64_t>(limits.code_storage_bytes);
  limit.code_size_unzipped = static_cast<std::int64_t>(limits::package_unzipped_bytes_max);
  limit.code_size_zipped = static_cast<std::int64_t>(limits::package_zipped_bytes_max);
  limit.concurrent_executions = number(limits.concurrent_executions);
  limit.unreserved_concurrent_executions =
      number(limits.concurrent_executions - account.reserved_concurrency);
  auto& usage = out.account_usage.emplace();
  usage.total_code_size = static_cast<std::int64_t>(account.code_bytes);
  usage.function_count = static_cast<std::int64_t>(account.functions);
  return out;
}

// ---- what Terraform and others read beside a function ----

Result<op::GetFunctionRecursionConfig::Output> get_recursion(
    Lambda&, Tx& tx, const Context& context, const op::GetFunctionRecursionConfig::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  TRY(const Function function, get_function(tx, ref));
  op::GetFunctionRecursionConfig::Output out;
  out.recursive_loop = function.recursion_allowed ? "Allow" : "Terminate";
  return out;
}

Result<op::PutFunctionRecursionConfig::Output> put_recursion(
    Lambda& service, Tx& tx, const Context& context,
    const op::PutFunctionRecursionConfig::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  TRY(Function function, get_function(tx, ref));
  function.recursion_allowed = input.recursive_loop.value_or("Terminate") == "Allow";
  put_function(tx, ref, function);
  service.resolver.note_change();
  op::PutFunctionRecursionConfig::Output out;
  out.recursive_loop = function.recursion_allowed ? "Allow" : "Terminate";
  return out;
}

namespace {

/// Settings of a runtime belong to versions, not to aliases.
Result<FunctionRef> version_of(const Context& context, const std::optional<std::string>& name,
                               const std::optional<std::string>& qualifier) {
  TRY(FunctionRef ref, ref_of(context, name, qualifier));
  if (ref.qualifier.empty()) ref.qualifier = latest;
  if (ref.qualifier == latest || version_number(ref.qualifier)) return ref;
  return fail(invalid_parameter(
      fmt::format("The qualifier {} is not a version of the function.", ref.qualifier)));
}

}  // namespace

Result<op::PutRuntimeManagementConfig::Output> put_runtime_management(
    Lambda&, Tx& tx, const Context& context, const op::PutRuntimeManagementConfig::Input& input) {
  TRY(const FunctionRef ref, version_of(context, input.function_name, input.qualifier));
  TRY(Function function, get_function(tx, ref));
  TRY(const FunctionVersion version, get_version(tx, ref, function));
  const std::string update_on = input.update_runtime_on.value_or("");
  const bool manual = update_on == "Manual";
  if (manual != input.runtime_version_arn.has_value()) {
    return fail(invalid_parameter(
        manual ? "RuntimeVersionArn is required when UpdateRuntimeOn is set to Manual."
               : "RuntimeVersionArn can be specified only when UpdateRuntimeOn is set to "
                 "Manual."));
  }
  RuntimeManagement& kept = function.runtime_management[version.version];
  kept.update_on = update_on;
  kept.arn = input.runtime_version_arn.value_or("");
  put_function(tx, ref, function);
  op::PutRuntimeManagementConfig::Output out;
  out.update_runtime_on = update_on;
  out.function_arn = ref.qualified_arn();
  out.runtime_version_arn = input.runtime_version_arn;
  return out;
}

Result<op::GetRuntimeManagementConfig::Output> get_runtime_management(
    Lambda&, Tx& tx, const Context& context, const op::GetRuntimeManagementConfig::Input& input) {
  TRY(const FunctionRef ref, version_of(context, input.function_name, input.qualifier));
  TRY(const Function function, get_function(tx, ref));
  TRY(const FunctionVersion version, get_version(tx, ref, function));
  const auto found = function.runtime_management.find(version.version);
  op::GetRuntimeManagementConfig::Output out;
  out.function_arn = ref.qualified_arn();
  out.update_runtime_on = "Auto";
  if (found == function.runtime_management.end()) return out;
  out.update_runtime_on = found->second.update_on;
  if (!found->second.arn.empty()) out.runtime_version_arn = found->second.arn;
  return out;
}

Result<op::ListEventSourceMappings::Output> list_event_source_mappings(
    Lambda&, Tx&, const Context&, const op::ListEventSourceMappings::Input&) {
  // None can be created, so the list is truly empty.
  op::ListEventSourceMappings::Output out;
  out.event_source_mappings.emplace();
  return out;
}

Result<op::ListProvisionedConcurrencyConfigs::Output> list_provisioned(
    Lambda&, Tx& tx, const Context& context,
    const op::ListProvisionedConcurrencyConfigs::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  TRY(const Function function, get_function(tx, ref));
  op::ListProvisionedConcurrencyConfigs::Output out;
  out.provisioned_concurrency_configs.emplace();
  return out;
}

// ---- provisioned concurrency: none can be had, and every read says so ----

namespace {

constexpr const char* nothing_to_provision =
    "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";
constexpr const char* nothing_provisioned =
    "The function resource provided must be an alias or a published version.";

/// The version or alias that provisioned concurrency would be for.
Result<FunctionRef> provisioned_for(Tx& tx, const Context& context,
                                    const std::optional<std::string>& name,
                                    const std::optional<std::string>& qualifier,
                                    const char* for_latest) {
  TRY(const FunctionRef ref, ref_of(context, name, qualifier));
  if (ref.qualifier.empty() || ref.qualifier == latest) return fail(invalid_parameter(for_latest));
  const Error missing = version_number(ref.qualifier)
                            ? not_found("Function not found: " + ref.qualified_arn())
                            : not_found("Cannot find alias arn: " + ref.qualified_arn());
  TRY(const auto function, tx.get<Function>(function_key(ref)));
  if (!function) return fail(missing);
  const auto version = get_version(tx, ref, *function);
  if (!version) return fail(version.error().status == 404 ? missing : version.error());
  return ref;
}

}  // namespace

Result<op::PutProvisionedConcurrencyConfig::Output> put_provisioned(
    Lambda&, Tx& tx, const Context& context,
    const op::PutProvisionedConcurrencyConfig::Input& input) {
  TRY(const FunctionRef ref,
      provisioned_for(tx, context, input.function_name, input.qualifier, nothing_to_provision));
  return fail(not_served("Provisioned concurrency, for " + ref.qualified_arn() + ","));
}

Result<op::GetProvisionedConcurrencyConfig::Output> get_provisioned(
    Lambda&, Tx& tx, const Context& context,
    const op::GetProvisionedConcurrencyConfig::Input& input) {
  TRY(const FunctionRef ref,
      provisioned_for(tx, context, input.function_name, input.qualifier, nothing_provisioned));
  return fail(no_provisioned_concurrency());
}

Result<op::DeleteProvisionedConcurrencyConfig::Output> delete_provisioned(
    Lambda&, Tx& tx, const Context& context,
    const op::DeleteProvisionedConcurrencyConfig::Input& input) {
  TRY(const FunctionRef ref,
      provisioned_for(tx, context, input.function_name, input.qualifier, nothing_provisioned));
  return op::DeleteProvisionedConcurrencyConfig::Output{};
}

}  // namespace wolke::lambda
