// Functions get their code: CreateFunction and UpdateFunctionCode. They are tasks, for they unzip:
// check the request; fetch the zip (from the request, or from S3 as the caller may); stage it (from
// here blob and package are on stable storage, unreferenced); commit (from here the function is
// there).
#include <fmt/core.h>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/services/lambda/code.h"
#include "wolke/services/lambda/configuration.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/layer.h"
#include "wolke/services/lambda/ops.h"
#include "wolke/services/lambda/side_state.h"

namespace wolke::lambda {
namespace {

/// What is refused before a byte is unzipped.
Result<void> check_new(Lambda& service, Tx& tx, const FunctionRef& ref,
                       const FunctionVersion& version,
                       const std::optional<std::vector<std::string>>& layers) {
  if (layers) {
    TRY(const auto used, use_layers(tx, ref, *layers));
  }
  TRY(const auto existing, tx.peek<Function>(function_key(ref)));
  if (existing) return fail(function_exists(ref.name));
  return check_role(service, tx, ref, version.role);
}

Result<void> check_name(const FunctionRef& ref) {
  if (ref.name.size() <= function_name_max && ref.qualifier.empty()) return {};
  if (!ref.qualifier.empty() && ref.qualifier != latest) {
    return fail(invalid_parameter("The function name of a new function has no qualifier."));
  }
  return fail(
      validation(fmt::format("1 validation error detected: Value '{}' at 'functionName' failed to "
                             "satisfy constraint: Member must have length "
                             "less than or equal to 64",
                             ref.name)));
}

Result<op::CreateFunction::Output> commit_new(Lambda& service, Tx& tx, const Context& context,
                                              const FunctionRef& ref, FunctionVersion version,
                                              const op::CreateFunction::Input& input) {
  TRY(const auto existing, tx.get<Function>(function_key(ref)));
  if (existing) return fail(function_exists(ref.name));
  TRY(check_role(service, tx, ref, version.role));
  if (input.layers) {
    TRY(version.layers, use_layers(tx, ref, *input.layers));
  }
  TRY(check_unzipped(version));
  TRY(check_signature(tx, ref, input.code_signing_config_arn.value_or("")));
  TRY(Account account, get_account(tx, ref));
  TRY(add_code_bytes(service, account, version.code.bytes));
  ++account.functions;
  tx.put(account_key(ref.account, ref.region), account);

  Function function;
  function.name = ref.name;
  function.latest_version = version;
  function.latest_version.revision = context.random->uuid();
  function.latest_version.modified = context.now;
  if (input.tags) function.tags = *input.tags;
  function.code_signing = input.code_signing_config_arn.value_or("");
  refer_code(tx, version, function_key(ref));
  service.resolver.note_change();
  if (input.publish.value_or(false)) {
    TRY(const FunctionVersion published, publish(tx, context, ref, function, input.description));
    put_function(tx, ref, function);
    return describe_change(ref, published, Phase::creating, context.random->uuid());
  }
  put_function(tx, ref, function);
  return describe_change(ref, function.latest_version, Phase::creating, context.random->uuid());
}

}  // namespace

Result<void> check_role(Lambda& service, Tx& tx, const FunctionRef& ref, const std::string& role) {
  const std::vector<std::string_view> arn = split(role, ':');
  if (arn.size() < 5 || arn[4] != ref.account) return fail(cross_account_role());
  const auto& assumable = service.parts.ports.role_assumable;
  if (!assumable) return {};
  TRY(const bool allowed, assumable(tx, role));
  if (allowed) return {};
  return fail(invalid_parameter("The role defined for the function cannot be assumed by Lambda."));
}

async::Task<Result<op::CreateFunction::Output>> create_function(Lambda& service, Context context,
                                                                op::CreateFunction::Input input) {
  CO_TRY(const FunctionRef ref, ref_of(context, input.function_name));
  CO_TRY(check_name(ref));
  CO_TRY(FunctionVersion version, configure(input));
  if (!input.code) co_return fail(invalid_parameter("Please provide a source for function code."));
  CO_TRY(Source source, source_of(*input.code));

  std::function<Result<bool>(Tx&)> early = [&](Tx& tx) -> Result<bool> {
    TRY(check_new(service, tx, ref, version, input.layers));
    return true;
  };
  CO_TRY(const bool may_go_on,
         co_await operation::transact<bool>(service.parts.runner, std::move(early)));
  ASSERT(may_go_on);

  CO_TRY(Staged staged, co_await fetch_and_stage(service, context, std::move(source)));
  version.code = staged.code;
  std::function<Result<op::CreateFunction::Output>(Tx&)> commit = [&](Tx& tx) {
    return commit_new(service, tx, context, ref, version, input);
  };
  co_return co_await operation::transact<op::CreateFunction::Output>(service.parts.runner,
                                                                     std::move(commit));
}

namespace {

Result<op::UpdateFunctionCode::Output> commit_code(Lambda& service, Tx& tx, const Context& context,
                                                   const FunctionRef& ref, const Code& code,
                                                   const op::UpdateFunctionCode::Input& input) {
  TRY(Function function, get_function(tx, ref));
  FunctionVersion& version = function.latest_version;
  if (input.revision_id && *input.revision_id != version.revision_id())
    return fail(revision_mismatch());
  if (input.architectures && !input.architectures->empty())
    version.architecture = input.architectures->front();
  FunctionVersion preview = version;
  preview.code = code;
  TRY(check_unzipped(preview));
  TRY(check_signature(tx, ref, function.code_signing));
  if (input.dry_run.value_or(false)) {
    return describe(ref, preview, false, Phase::settled);
  }
  TRY(Account account, get_account(tx, ref));
  account.code_bytes -= std::min(account.code_bytes, version.code.bytes);
  TRY(add_code_bytes(service, account, code.bytes));
  tx.put(account_key(ref.account, ref.region), account);
  release_code(tx, version.code, function_key(ref));
  refer_code(tx, code, function_key(ref));
  version.code = code;
  version.revise(context.random->uuid());
  version.modified = context.now;
  service.resolver.note_change();
  if (input.publish.value_or(false)) {
    TRY(const FunctionVersion published, publish(tx, context, ref, function, std::nullopt));
    put_function(tx, ref, function);
    return describe(ref, published, true, Phase::settled);
  }
  put_function(tx, ref, function);
  return describe_change(ref, version, Phase::updating, context.random->uuid());
}

}  // namespace

async::Task<Result<op::UpdateFunctionCode::Output>> update_code(
    Lambda& service, Context context, op::UpdateFunctionCode::Input input) {
  CO_TRY(const FunctionRef ref, changeable_ref_of(context, input.function_name));
  CO_TRY(check_architectures(input.architectures));
  if (input.publish_to) co_return fail(not_served("PublishTo"));
  CO_TRY(Source source, source_of(input));

  std::function<Result<bool>(Tx&)> early = [&](Tx& tx) -> Result<bool> {
    TRY(const Function function, get_function(tx, ref));
    const bool stale =
        input.revision_id && *input.revision_id != function.latest_version.revision_id();
    if (stale) return fail(revision_mismatch());
    return true;
  };
  CO_TRY(const bool may_go_on,
         co_await operation::transact<bool>(service.parts.runner, std::move(early)));
  ASSERT(may_go_on);

  CO_TRY(Staged staged, co_await fetch_and_stage(service, context, std::move(source)));
  std::function<Result<op::UpdateFunctionCode::Output>(Tx&)> commit = [&](Tx& tx) {
    return commit_code(service, tx, context, ref, staged.code, input);
  };
  co_return co_await operation::transact<op::UpdateFunctionCode::Output>(service.parts.runner,
                                                                         std::move(commit));
}

}  // namespace wolke::lambda
