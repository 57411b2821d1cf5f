// Functions: read, list, reconfigure, delete.
#include <fmt/core.h>

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/services/lambda/configuration.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/layer.h"
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

namespace {

/// Where a list of all versions goes on: `function` was told whole, or up to a version of it.
struct ListPlace {
  std::string function;
  std::optional<std::uint64_t> version;  // $LATEST is 0, as it comes first
};

Result<ListPlace> list_place(const std::optional<std::string>& marker) {
  const auto decoded = from_base64(marker.value_or(""));
  if (!decoded)
    return fail(invalid_parameter("The Marker is not one that this operation gave out."));
  const std::size_t colon = decoded->find(':');
  if (colon == decoded->npos) return ListPlace{*decoded, std::nullopt};
  return ListPlace{decoded->substr(0, colon),
                   version_number(decoded->substr(colon + 1)).value_or(0)};
}

/// Adds the function's versions to the page until it is full; `place` follows.
Result<void> add_versions(Tx& tx, const FunctionRef& ref, const Function& function, std::size_t max,
                          ListPlace& place, op::ListFunctions::Output& out) {
  TRY(auto versions, all_versions(tx, ref));
  versions.insert(versions.begin(), function.latest_version);
  for (const FunctionVersion& version : versions) {
    const std::uint64_t number = version_number(version.version).value_or(0);
    if (place.version && place.function == ref.name && number <= *place.version) continue;
    if (out.functions->size() == max) {
      out.next_marker = to_base64(
          place.version ? fmt::format("{}:{}", place.function, *place.version) : place.function);
      return {};
    }
    out.functions->push_back(describe_in_list(ref, version, true));
    place = {ref.name, number};
  }
  place = {ref.name, std::nullopt};
  return {};
}

Result<op::ListFunctions::Output> list_every_version(Tx& tx, const Context& context,
                                                     ListPlace place, std::size_t max) {
  op::ListFunctions::Output out;
  out.functions.emplace();
  FunctionRef ref{context.account, context.region, place.function, {}};
  if (place.version) {
    TRY(const auto begun, tx.get<Function>(function_key(ref)));
    if (begun) {
      TRY(add_versions(tx, ref, *begun, max, place, out));
    }
    place.version = out.next_marker ? place.version : std::nullopt;
  }
  bool more = true;
  while (more && !out.next_marker) {
    TRY(const auto page, list_functions(tx, ref.account, ref.region, place.function, max));
    for (const Function& function : page.items) {
      ref.name = function.name;
      TRY(add_versions(tx, ref, function, max, place, out));
      if (out.next_marker) break;
    }
    more = !page.next.empty();
  }
  return out;
}

}  // namespace

Result<op::ListFunctions::Output> list_functions_op(Lambda&, Tx& tx, const Context& context,
                                                    const op::ListFunctions::Input& input) {
  TRY(const ListPlace place, list_place(input.marker));
  const auto max = static_cast<std::size_t>(
      std::clamp(input.max_items.value_or(list_items_max), 1, list_items_max));
  if (input.function_version.value_or("") == "ALL")
    return list_every_version(tx, context, place, max);
  TRY(const auto page, list_functions(tx, context.account, context.region, place.function, max));
  op::ListFunctions::Output out;
  out.functions.emplace();
  for (const Function& function : page.items) {
    const FunctionRef ref{context.account, context.region, function.name, {}};
    out.functions->push_back(describe_in_list(ref, function.latest_version, false));
  }
  if (!page.next.empty()) out.next_marker = to_base64(page.next);
  return out;
}

Result<op::UpdateFunctionConfiguration::Output> update_configuration(
    Lambda& service, Tx& tx, const Context& context,
    const op::UpdateFunctionConfiguration::Input& input) {
  TRY(const FunctionRef ref, changeable_ref_of(context, input.function_name));
  TRY(Function function, get_function(tx, ref));
  FunctionVersion& version = function.latest_version;
  if (input.revision_id && *input.revision_id != version.revision_id())
    return fail(revision_mismatch());
  TRY(reconfigure(version, input));
  if (input.layers) {
    const store::Key holder = function_key(ref);
    release_code(tx, version, holder);
    TRY(version.layers, use_layers(tx, ref, *input.layers));
    TRY(check_unzipped(version));
    refer_code(tx, version, holder);
  }
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
  release_code(tx, *version, key);
  tx.erase(key);
  // What was configured for this version goes with it: no list tells of it any more.
  tx.erase(policy_key(ref));
  tx.erase(async_key(ref));
  TRY(Function function, get_function(tx, ref));
  if (function.runtime_management.erase(ref.qualifier) > 0) put_function(tx, ref, function);
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
    release_code(tx, version, version_key(ref, version_number(version.version).value_or(0)));
  }
  TRY(const auto keys, dependent_keys(tx, ref));
  for (const store::Key& key : keys) tx.erase(key);
  release_code(tx, function.latest_version, function_key(ref));
  tx.erase(function_key(ref));
  account.code_bytes -= std::min(account.code_bytes, freed);
  account.functions -= std::min<std::uint64_t>(account.functions, 1);
  account.reserved_concurrency -= std::min<std::uint64_t>(
      account.reserved_concurrency, function.reserved_concurrency.value_or(0));
  tx.put(account_key(ref.account, ref.region), account);
  return op::DeleteFunction::Output{};
}

}  // namespace wolke::lambda
