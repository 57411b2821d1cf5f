// Versions and aliases.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/services/lambda/configuration.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/ops.h"
#include "wolke/services/lambda/page.h"
#include "wolke/services/lambda/side_state.h"

namespace wolke::lambda {

Result<FunctionVersion> publish(Tx& tx, const Context& context, const FunctionRef& ref,
                                Function& function, const std::optional<std::string>& description) {
  if (function.published_revision == function.latest_version.revision &&
      function.next_version > 1) {
    TRY(auto newest, tx.get<FunctionVersion>(version_key(ref, function.next_version - 1)));
    if (newest) return *std::move(newest);
  }
  FunctionVersion version = function.latest_version;
  const std::uint64_t number = function.next_version++;
  version.version = std::to_string(number);
  version.revise(context.random->uuid());
  version.modified = context.now;
  if (description) version.description = *description;
  function.published_revision = function.latest_version.revision;
  function.latest_version.later_revision = context.random->uuid();
  TRY(Account account, get_account(tx, ref));
  account.code_bytes += version.code.bytes;
  tx.put(account_key(ref.account, ref.region), account);
  const store::Key key = version_key(ref, number);
  tx.put(key, version);
  refer_code(tx, version, key);
  return version;
}

Result<op::PublishVersion::Output> publish_version(Lambda& service, Tx& tx, const Context& context,
                                                   const op::PublishVersion::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  if (input.publish_to) return fail(not_served("PublishTo"));
  TRY(Function function, get_function(tx, ref));
  const FunctionVersion& version = function.latest_version;
  if (input.revision_id && *input.revision_id != version.revision_id())
    return fail(revision_mismatch());
  if (input.code_sha256 && !input.code_sha256->empty() &&
      *input.code_sha256 != version.code.sha256) {
    return fail(
        invalid_parameter(fmt::format("CodeSHA256 ({}) is different from current CodeSHA256 in "
                                      "$LATEST ({}). Please try again with the CodeSHA256 in "
                                      "$LATEST.",
                                      *input.code_sha256, version.code.sha256)));
  }
  TRY(const FunctionVersion published, publish(tx, context, ref, function, input.description));
  put_function(tx, ref, function);
  service.resolver.note_change();
  return describe(ref, published, true, Phase::settled);
}

Result<op::ListVersionsByFunction::Output> list_versions(
    Lambda&, Tx& tx, const Context& context, const op::ListVersionsByFunction::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  TRY(const Function function, get_function(tx, ref));
  TRY(const auto published, all_versions(tx, ref));
  std::vector<model::lambda::FunctionConfiguration> all{
      describe_in_list(ref, function.latest_version, true)};
  for (const FunctionVersion& version : published)
    all.push_back(describe_in_list(ref, version, true));
  op::ListVersionsByFunction::Output out;
  TRY(out.versions, page_of(std::move(all), input.marker, input.max_items, out.next_marker));
  return out;
}

// ---- aliases ----

namespace {

model::lambda::AliasConfiguration describe_alias(const FunctionRef& ref, const Alias& alias) {
  model::lambda::AliasConfiguration out;
  out.alias_arn = ref.arn() + ":" + alias.name;
  out.name = alias.name;
  out.function_version = alias.version;
  out.description = alias.description;
  out.revision_id = alias.revision;
  if (!alias.weights.empty()) {
    out.routing_config.emplace();
    out.routing_config->additional_version_weights = alias.weights;
  }
  return out;
}

Result<void> check_version_exists(Tx& tx, FunctionRef ref, const Function& function,
                                  const std::string& version) {
  ref.qualifier = version;
  TRY(const FunctionVersion found, get_version(tx, ref, function));
  return {};
}

Result<void> set_weights(Tx& tx, const FunctionRef& ref, const Function& function, Alias& alias,
                         const std::optional<model::lambda::AliasRoutingConfiguration>& routing) {
  if (!routing) return {};
  alias.weights = routing->additional_version_weights.value_or(std::map<std::string, double>{});
  if (alias.weights.empty()) return {};
  if (alias.weights.size() > 1) {
    return fail(
        invalid_parameter("Number of items in AdditionalVersionWeights cannot be greater than 1"));
  }
  const auto& [version, weight] = *alias.weights.begin();
  if (version == latest || alias.version == latest) {
    return fail(
        invalid_parameter("$LATEST is not supported for an alias pointing to more than 1 version"));
  }
  if (version == alias.version) {
    return fail(
        invalid_parameter(fmt::format("Invalid function version {}. Function version {} is already "
                                      "included in routing configuration.",
                                      version, version)));
  }
  if (!std::isfinite(weight) || weight < 0 || weight > 1) {
    return fail(invalid_parameter("A version's weight must be between 0.0 and 1.0"));
  }
  return check_version_exists(tx, ref, function, version);
}

}  // namespace

Result<op::CreateAlias::Output> create_alias(Lambda& service, Tx& tx, const Context& context,
                                             const op::CreateAlias::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  TRY(const Function function, get_function(tx, ref));
  Alias alias;
  alias.name = input.name.value_or("");
  if (version_number(alias.name) && parse_u64(alias.name)) {
    return fail(
        validation(fmt::format("1 validation error detected: Value '{}' at 'name' failed to "
                               "satisfy constraint: Member must satisfy regular "
                               "expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
                               alias.name)));
  }
  alias.version = input.function_version.value_or("");
  TRY(check_version_exists(tx, ref, function, alias.version));
  const store::Key key = alias_key(ref, alias.name);
  TRY(const auto existing, tx.get<Alias>(key));
  if (existing)
    return fail(conflict(fmt::format("Alias already exists: {}:{}", ref.arn(), alias.name)));
  TRY(set_weights(tx, ref, function, alias, input.routing_config));
  alias.description = input.description.value_or("");
  alias.revision = context.random->uuid();
  tx.put(key, alias);
  service.resolver.note_change();
  return describe_alias(ref, alias);
}

Result<op::GetAlias::Output> get_alias(Lambda&, Tx& tx, const Context& context,
                                       const op::GetAlias::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  const std::string name = input.name.value_or("");
  TRY(const auto alias, tx.get<Alias>(alias_key(ref, name)));
  if (!alias) return fail(alias_not_found(ref.arn() + ":" + name));
  return describe_alias(ref, *alias);
}

Result<op::ListAliases::Output> list_aliases(Lambda&, Tx& tx, const Context& context,
                                             const op::ListAliases::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  TRY(const Function function, get_function(tx, ref));
  TRY(const auto aliases, all_aliases(tx, ref));
  std::vector<model::lambda::AliasConfiguration> all;
  for (const Alias& alias : aliases) {
    if (input.function_version && alias.version != *input.function_version) continue;
    all.push_back(describe_alias(ref, alias));
  }
  op::ListAliases::Output out;
  TRY(out.aliases, page_of(std::move(all), input.marker, input.max_items, out.next_marker));
  return out;
}

Result<op::UpdateAlias::Output> update_alias(Lambda& service, Tx& tx, const Context& context,
                                             const op::UpdateAlias::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  TRY(const Function function, get_function(tx, ref));
  const std::string name = input.name.value_or("");
  const store::Key key = alias_key(ref, name);
  TRY(auto alias, tx.get<Alias>(key));
  if (!alias) return fail(not_found(fmt::format("Alias not found: {}:{}", ref.arn(), name)));
  if (input.revision_id && *input.revision_id != alias->revision) return fail(revision_mismatch());
  if (input.function_version) {
    TRY(check_version_exists(tx, ref, function, *input.function_version));
    alias->version = *input.function_version;
  }
  if (input.description) alias->description = *input.description;
  TRY(set_weights(tx, ref, function, *alias, input.routing_config));
  alias->revision = context.random->uuid();
  tx.put(key, *alias);
  service.resolver.note_change();
  return describe_alias(ref, *alias);
}

Result<op::DeleteAlias::Output> delete_alias(Lambda& service, Tx& tx, const Context& context,
                                             const op::DeleteAlias::Input& input) {
  TRY(FunctionRef ref, ref_of(context, input.function_name));
  const std::string name = input.name.value_or("");
  ref.qualifier = name;
  tx.erase(alias_key(ref, name));
  tx.erase(policy_key(ref));
  tx.erase(async_key(ref));
  tx.erase(url_key(ref));
  service.resolver.note_change();
  return op::DeleteAlias::Output{};
}

}  // namespace wolke::lambda
