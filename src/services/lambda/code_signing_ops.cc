// Code signing configurations, and which function has which. No package that is deployed here
// carries a signature, so one that enforces signatures lets none through; one that warns lets all.
#include <fmt/core.h>

#include <algorithm>

#include "wolke/services/lambda/configuration.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/ops.h"
#include "wolke/services/lambda/page.h"
#include "wolke/services/lambda/side_state.h"
#include "wolke/services/lambda/tags.h"

namespace wolke::lambda {
namespace {

namespace m = model::lambda;

m::CodeSigningConfig describe_config(const Context& context, const CodeSigning& config) {
  m::CodeSigningConfig out;
  out.code_signing_config_id = config.id;
  out.code_signing_config_arn = code_signing_arn(context.account, context.region, config.id);
  out.description = config.description;
  out.allowed_publishers.emplace().signing_profile_version_arns = config.publishers;
  out.code_signing_policies.emplace().untrusted_artifact_on_deployment = config.policy;
  out.last_modified = format_modified(config.modified);
  return out;
}

Result<CodeSigning> existing_config(Tx& tx, const Context& context,
                                    const std::optional<std::string>& arn) {
  TRY(auto config, get_code_signing_config(tx, context.account, context.region, arn.value_or("")));
  if (config) return *std::move(config);
  return fail(not_found(
      fmt::format("The Lambda code signing configuration {} can not be found.", arn.value_or(""))));
}

/// Every function of the account that has this configuration.
Result<std::vector<std::string>> users_of(Tx& tx, const Context& context, const std::string& arn) {
  std::vector<std::string> out;
  std::string after;
  do {
    TRY(const auto page, list_functions(tx, context.account, context.region, after, 1000));
    for (const Function& function : page.items) {
      if (function.code_signing != arn) continue;
      out.push_back(FunctionRef{context.account, context.region, function.name, {}}.arn());
    }
    after = page.next;
  } while (!after.empty());
  return out;
}

template <class Input>
void apply(CodeSigning& config, const Context& context, const Input& input) {
  using List = std::vector<std::string>;
  if (input.description) config.description = *input.description;
  if (input.allowed_publishers)
    config.publishers = input.allowed_publishers->signing_profile_version_arns.value_or(List{});
  if (input.code_signing_policies) {
    config.policy = input.code_signing_policies->untrusted_artifact_on_deployment.value_or("Warn");
  }
  config.modified = context.now;
}

}  // namespace

Result<op::CreateCodeSigningConfig::Output> create_code_signing(
    Lambda&, Tx& tx, const Context& context, const op::CreateCodeSigningConfig::Input& input) {
  CodeSigning config;
  config.id = "csc-" + context.random->hex(9).substr(0, 17);
  config.policy = "Warn";
  apply(config, context, input);
  if (input.tags) {
    TRY(add_tags(config.tags, *input.tags));
  }
  tx.put(code_signing_key(context.account, context.region, config.id), config);
  op::CreateCodeSigningConfig::Output out;
  out.code_signing_config = describe_config(context, config);
  return out;
}

Result<op::GetCodeSigningConfig::Output> get_code_signing_op(
    Lambda&, Tx& tx, const Context& context, const op::GetCodeSigningConfig::Input& input) {
  TRY(const CodeSigning config, existing_config(tx, context, input.code_signing_config_arn));
  op::GetCodeSigningConfig::Output out;
  out.code_signing_config = describe_config(context, config);
  return out;
}

Result<op::UpdateCodeSigningConfig::Output> update_code_signing(
    Lambda&, Tx& tx, const Context& context, const op::UpdateCodeSigningConfig::Input& input) {
  TRY(CodeSigning config, existing_config(tx, context, input.code_signing_config_arn));
  apply(config, context, input);
  tx.put(code_signing_key(context.account, context.region, config.id), config);
  op::UpdateCodeSigningConfig::Output out;
  out.code_signing_config = describe_config(context, config);
  return out;
}

Result<op::DeleteCodeSigningConfig::Output> delete_code_signing(
    Lambda&, Tx& tx, const Context& context, const op::DeleteCodeSigningConfig::Input& input) {
  TRY(const CodeSigning config, existing_config(tx, context, input.code_signing_config_arn));
  TRY(const auto users, users_of(tx, context, *input.code_signing_config_arn));
  if (!users.empty()) {
    return fail(
        conflict("Cannot delete the code signing configuration: it is used by " + users.front()));
  }
  tx.erase(code_signing_key(context.account, context.region, config.id));
  return op::DeleteCodeSigningConfig::Output{};
}

Result<op::ListCodeSigningConfigs::Output> list_code_signing(
    Lambda&, Tx& tx, const Context& context, const op::ListCodeSigningConfigs::Input& input) {
  TRY(const auto configs, all_code_signing_configs(tx, context.account, context.region));
  std::vector<m::CodeSigningConfig> all;
  for (const CodeSigning& config : configs) all.push_back(describe_config(context, config));
  op::ListCodeSigningConfigs::Output out;
  TRY(out.code_signing_configs,
      page_of(std::move(all), input.marker, input.max_items, out.next_marker));
  return out;
}

Result<op::ListFunctionsByCodeSigningConfig::Output> list_functions_by_code_signing(
    Lambda&, Tx& tx, const Context& context,
    const op::ListFunctionsByCodeSigningConfig::Input& input) {
  TRY(const CodeSigning config, existing_config(tx, context, input.code_signing_config_arn));
  TRY(auto users, users_of(tx, context, *input.code_signing_config_arn));
  op::ListFunctionsByCodeSigningConfig::Output out;
  TRY(out.function_arns, page_of(std::move(users), input.marker, input.max_items, out.next_marker));
  return out;
}

// ---- a function's ----

Result<op::PutFunctionCodeSigningConfig::Output> put_function_code_signing(
    Lambda&, Tx& tx, const Context& context, const op::PutFunctionCodeSigningConfig::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  const std::string arn = input.code_signing_config_arn.value_or("");
  TRY(const auto config, get_code_signing_config(tx, context.account, context.region, arn));
  if (!config) return fail(code_signing_not_found(arn));
  TRY(Function function, get_function(tx, ref));
  function.code_signing = arn;
  put_function(tx, ref, function);
  op::PutFunctionCodeSigningConfig::Output out;
  out.code_signing_config_arn = arn;
  out.function_name = ref.name;
  return out;
}

Result<op::GetFunctionCodeSigningConfig::Output> get_function_code_signing(
    Lambda&, Tx& tx, const Context& context, const op::GetFunctionCodeSigningConfig::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  TRY(const Function function, get_function(tx, ref));
  op::GetFunctionCodeSigningConfig::Output out;
  out.code_signing_config_arn = function.code_signing;
  out.function_name = ref.name;
  return out;
}

Result<op::DeleteFunctionCodeSigningConfig::Output> delete_function_code_signing(
    Lambda&, Tx& tx, const Context& context,
    const op::DeleteFunctionCodeSigningConfig::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name));
  TRY(Function function, get_function(tx, ref));
  function.code_signing.clear();
  put_function(tx, ref, function);
  return op::DeleteFunctionCodeSigningConfig::Output{};
}

}  // namespace wolke::lambda
