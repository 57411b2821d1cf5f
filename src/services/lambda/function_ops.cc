// Functions: read, list, reconfigure, delete.
#include <fmt/core.h>

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/services/lambda/configuration.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/ops.h"

namespace wolke::lambda {
namespace {

constexpr std::int32_t list_items_max =
    50;  // Lambda: ListFunctions returns at most 50 items a page

/// The version that `ref` names, under the ARN that `ref` has: an alias stays one.
model::lambda::FunctionConfiguration describe_named(const FunctionRef& ref,
                                                    const FunctionVersion& version) {
  auto out = describe(ref, version, false, Phase::settled);
  out.function_arn = ref.qualified_arn();
  return out;
}

}  // namespace

Result<op::GetFunction::Output> get_function_op(Lambda& service, Tx& tx, const Context& context,
                                                const op::GetFunction::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name, input.qualifier));
  TRY(const Function function, get_function(tx, ref));
  TRY(const FunctionVersion version, get_version(tx, ref, function));
  op::GetFunction::Output out;
  out.configuration = describe_named(ref, version);
  out.code.emplace();
  out.code->repository_type = "S3";
  const auto& locate = service.parts.ports.code_location;
  out.code->location = locate ? locate(context, version.code.zip) : "";
  if (!function.tags.empty()) out.tags = function.tags;
  if (function.reserved_concurrency) {
    out.concurrency.emplace();
    out.concurrency->reserved_concurrent_executions =
        static_cast<std::int32_t>(*function.reserved_concurrency);
  }
  return out;
}

Result<op::GetFunctionConfiguration::Output> get_configuration(
    Lambda&, Tx& tx, const Context& context, const op::GetFunctionConfiguration::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name, input.qualifier));
  TRY(const Function function, get_function(tx, ref));
  TRY(const FunctionVersion version, get_version(tx, ref, function));
  return describe_named(ref, version);
}

Result<op::ListFunctions::Output> list_functions_op(Lambda&, Tx& tx, const Context& context,
                                                    const op::ListFunctions::Input& input) {
  const bool all_versions_too = input.function_version.value_or("") == "ALL";
  const auto after = from_base64(input.marker.value_or(""));
  if (!after) return fail(invalid_parameter("The Marker is not one that this operation gave out."));
  const std::int32_t max = std::clamp(input.max_items.value_or(list_items_max), 1, list_items_max);
  TRY(const auto page,
      list_functions(tx, context.account, context.region, *after, static_cast<std::size_t>(max)));
  op::ListFunctions::Output out;
  out.functions.emplace();
  for (const Function& function : page.items) {
    const FunctionRef ref{context.account, context.region, function.name, {}};
    out.functions->push_back(describe_in_list(ref, function.latest_version, all_versions_too));
    if (!all_versions_too) continue;
    TRY(const auto versions, all_versions(tx, ref));
    for (const FunctionVersion& version : versions)
      out.functions->push_back(describe_in_list(ref, version, true));
  }
  if (!page.next.empty()) out.next_marker = to_base64(page.next);
  return out;
}

Result<op::UpdateFunctionConfiguration::Output> update_configuration(
    Lambda& service, Tx& tx, const Context& context,
    const op::UpdateFunctionConfiguration::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  TRY(Function function, get_function(tx, ref));
  FunctionVersion& version = function.latest_version;
  if (input.revision_id && *input.revision_id != version.revision_id())
    return fail(revision_mismatch());
  TRY(reconfigure(version, input));
  if (input.role) {
    TRY(check_role(service, tx, ref, version.role));
  }
  version.revise(context.random->uuid());
  version.modified = context.now;
  put_function(tx, ref, function);
  service.resolver.note_change();
  return describe_change(ref, version, Phase::updating, context.random->uuid());
}

namespace {

Result<void> delete_one_version(Tx& tx, const FunctionRef& ref) {
  if (ref.qualifier == latest) {
    return fail(
        invalid_parameter("$LATEST version cannot be deleted without deleting the function."));
  }
  const auto number = version_number(ref.qualifier);
  if (!number) {
    return fail(
        invalid_parameter("Deletion of aliases is not currently supported. Use the DeleteAlias API "
                          "to delete an alias."));
  }
  TRY(const auto aliases, all_aliases(tx, ref));
  for (const Alias& alias : aliases) {
    if (alias.version != ref.qualifier && !alias.weights.contains(ref.qualifier)) continue;
    return fail(
        conflict(fmt::format("Version {} is used by alias {}.", ref.qualifier, alias.name)));
  }
  const store::Key key = version_key(ref, *number);
  TRY(const auto version, tx.get<FunctionVersion>(key));
  if (!version) return {};
  release_code(tx, version->code, key);
  tx.erase(key);
  TRY(Account account, get_account(tx, ref));
  account.code_bytes -= std::min(account.code_bytes, version->code.bytes);
  tx.put(account_key(ref.account, ref.region), account);
  return {};
}

}  // namespace

Result<op::DeleteFunction::Output> delete_function(Lambda& service, Tx& tx, const Context& context,
                                                   const op::DeleteFunction::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name, input.qualifier));
  TRY(const Function function, get_function(tx, ref));
  service.resolver.note_change();
  if (!ref.qualifier.empty()) {
    TRY(delete_one_version(tx, ref));
    return op::DeleteFunction::Output{};
  }
  TRY(Account account, get_account(tx, ref));
  std::uint64_t freed = function.latest_version.code.bytes;
  TRY(const auto versions, all_versions(tx, ref));
  for (const FunctionVersion& version : versions) {
    freed += version.code.bytes;
    release_code(tx, version.code, version_key(ref, version_number(version.version).value_or(0)));
  }
  TRY(const auto keys, dependent_keys(tx, ref));
  for (const store::Key& key : keys) tx.erase(key);
  release_code(tx, function.latest_version.code, function_key(ref));
  tx.erase(function_key(ref));
  account.code_bytes -= std::min(account.code_bytes, freed);
  account.functions -= std::min<std::uint64_t>(account.functions, 1);
  account.reserved_concurrency -= std::min<std::uint64_t>(
      account.reserved_concurrency, function.reserved_concurrency.value_or(0));
  tx.put(account_key(ref.account, ref.region), account);
  return op::DeleteFunction::Output{};
}

}  // namespace wolke::lambda
