// Tags, concurrency, account settings, and the small configurations that tools read.
#include <fmt/core.h>

#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/ops.h"

namespace wolke::lambda {
namespace {

constexpr std::size_t tags_max = 50;

Result<FunctionRef> tagged_function(const Context& context,
                                    const std::optional<std::string>& resource) {
  const std::string arn = resource.value_or("");
  // None of these can be made here, so none is there.
  if (arn.find(":event-source-mapping:") != arn.npos)
    return fail(not_found("Event source mapping not found: " + arn));
  if (arn.find(":capacity-provider:") != arn.npos)
    return fail(not_found("Capacity provider not found: " + arn));
  if (arn.find(":function:") == arn.npos) return fail(not_served("Tagging of " + arn));
  TRY(const FunctionRef ref, ref_of(context, arn));
  if (!ref.qualifier.empty()) {
    return fail(
        invalid_parameter(fmt::format("Tags on function aliases and versions are not supported. "
                                      "Please specify a function ARN.")));
  }
  return ref;
}

std::int32_t number(std::uint64_t value) {
  return static_cast<std::int32_t>(value);
}

}  // namespace

Result<op::TagResource::Output> tag_resource(Lambda&, Tx& tx, const Context& context,
                                             const op::TagResource::Input& input) {
  TRY(const FunctionRef ref, tagged_function(context, input.resource));
  if (!input.tags || input.tags->empty())
    return fail(invalid_parameter("An error occurred and the request cannot be processed."));
  TRY(Function function, get_function(tx, ref));
  for (const auto& [key, value] : *input.tags) {
    if (to_lower(key).starts_with("aws:")) {
      return fail(invalid_parameter("Tag keys that begin with aws: are reserved."));
    }
    function.tags[key] = value;
  }
  if (function.tags.size() > tags_max)
    return fail(invalid_parameter("Number of tags exceeds resource tag limit."));
  put_function(tx, ref, function);
  return op::TagResource::Output{};
}

Result<op::UntagResource::Output> untag_resource(Lambda&, Tx& tx, const Context& context,
                                                 const op::UntagResource::Input& input) {
  TRY(const FunctionRef ref, tagged_function(context, input.resource));
  TRY(Function function, get_function(tx, ref));
  for (const std::string& key : input.tag_keys.value_or(std::vector<std::string>{}))
    function.tags.erase(key);
  put_function(tx, ref, function);
  return op::UntagResource::Output{};
}

Result<op::ListTags::Output> list_tags(Lambda&, Tx& tx, const Context& context,
                                       const op::ListTags::Input& input) {
  TRY(const FunctionRef ref, tagged_function(context, input.resource));
  TRY(const Function function, get_function(tx, ref));
  op::ListTags::Output out;
  out.tags = function.tags;
  return out;
}

// ---- concurrency ----

Result<op::PutFunctionConcurrency::Output> put_concurrency(
    Lambda& service, Tx& tx, const Context& context,
    const op::PutFunctionConcurrency::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  if (!ref.qualifier.empty()) {
    return fail(invalid_parameter(
        "This operation is permitted on Lambda functions only. Aliases and versions do not "
        "support this operation. Please specify either a function name or an unqualified "
        "function ARN."));
  }
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

Result<op::GetFunctionCodeSigningConfig::Output> get_code_signing(
    Lambda&, Tx& tx, const Context& context, const op::GetFunctionCodeSigningConfig::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  TRY(const Function function, get_function(tx, ref));
  op::GetFunctionCodeSigningConfig::Output out;
  out.code_signing_config_arn = "";
  out.function_name = ref.name;
  return out;
}

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

Result<op::GetRuntimeManagementConfig::Output> get_runtime_management(
    Lambda&, Tx& tx, const Context& context, const op::GetRuntimeManagementConfig::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name, input.qualifier));
  TRY(const Function function, get_function(tx, ref));
  TRY(const FunctionVersion version, get_version(tx, ref, function));
  op::GetRuntimeManagementConfig::Output out;
  out.update_runtime_on = "Auto";
  out.function_arn = ref.arn() + ":" + version.version;
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

}  // namespace wolke::lambda
