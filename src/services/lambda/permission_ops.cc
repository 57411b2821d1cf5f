// A function's resource policy.
#include <fmt/core.h>

#include <algorithm>

#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/ops.h"

namespace wolke::lambda {
namespace {

bool may_be_alias(const std::string& qualifier) {
  return !qualifier.empty() && qualifier.find('$') == qualifier.npos && !version_number(qualifier);
}

/// What the policy belongs to. Each change of a policy is one of its target's revision too.
struct Target {
  Function function;
  std::optional<FunctionVersion> version;  // when a number is named
  std::optional<Alias> alias;

  const std::string& revision() const {
    if (alias) return alias->revision;
    return version ? version->revision_id() : function.latest_version.revision_id();
  }
  void put(Tx& tx, const FunctionRef& ref, const std::string& revision) {
    if (alias) {
      alias->revision = revision;
      tx.put(alias_key(ref, ref.qualifier), *alias);
    } else if (version) {
      version->later_revision = revision;
      tx.put(version_key(ref, version_number(ref.qualifier).value_or(0)), *version);
    } else {
      function.latest_version.later_revision = revision;
      put_function(tx, ref, function);
    }
  }
};

/// The function, version or alias must be there.
Result<Target> find_target(Tx& tx, const FunctionRef& ref) {
  Target out;
  TRY(out.function, get_function(tx, ref));
  if (ref.qualifier == latest) {
    return fail(invalid_parameter("We currently do not support adding policies for $LATEST."));
  }
  if (ref.qualifier.empty()) return out;
  if (may_be_alias(ref.qualifier)) {
    TRY(out.alias, tx.get<Alias>(alias_key(ref, ref.qualifier)));
    if (!out.alias) return fail(alias_not_found(ref.qualified_arn()));
    return out;
  }
  TRY(out.version, get_version(tx, ref, out.function));
  return out;
}

Statement statement_of(const op::AddPermission::Input& input) {
  Statement out;
  out.id = input.statement_id.value_or("");
  out.action = input.action.value_or("");
  out.principal = input.principal.value_or("");
  out.source_arn = input.source_arn.value_or("");
  out.source_account = input.source_account.value_or("");
  out.event_source_token = input.event_source_token.value_or("");
  out.org_id = input.principal_org_id.value_or("");
  out.url_auth_type = input.function_url_auth_type.value_or("");
  out.via_function_url = input.invoked_via_function_url;
  return out;
}

Result<void> check_statement(const Statement& statement) {
  const std::string& principal = statement.principal;
  const bool account =
      principal.size() == 12 && principal.find_first_not_of("0123456789") == principal.npos;
  const bool known = principal == "*" || account || principal.starts_with("arn:") ||
                     principal.find(".amazonaws.com") != principal.npos;
  if (!known) {
    return fail(invalid_parameter(
        "The provided principal was invalid. Please check the principal and try again."));
  }
  if (statement.action != "*" && !statement.action.starts_with("lambda:")) {
    return fail(invalid_parameter("The action must be one of Lambda."));
  }
  return {};
}

}  // namespace

Result<op::AddPermission::Output> add_permission(Lambda& service, Tx& tx, const Context& context,
                                                 const op::AddPermission::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name, input.qualifier));
  TRY(Target target, find_target(tx, ref));
  const Statement statement = statement_of(input);
  TRY(check_statement(statement));
  const store::Key key = policy_key(ref);
  TRY(auto found, tx.get<Policy>(key));
  // Before there is a policy, its revision is that of the function, version or alias.
  Policy policy = std::move(found).value_or(Policy{.revision = target.revision()});
  if (input.revision_id && *input.revision_id != policy.revision)
    return fail(revision_mismatch("GetPolicy"));
  for (const Statement& existing : policy.statements) {
    if (existing.id != statement.id) continue;
    return fail(
        conflict(fmt::format("The statement id ({}) provided already exists. Please provide a new "
                             "statement id, or remove the existing "
                             "statement.",
                             statement.id)));
  }
  policy.statements.push_back(statement);
  if (policy_json(policy, ref.qualified_arn()).size() > policy_bytes_max) {
    return fail(policy_too_long());
  }
  policy.revision = context.random->uuid();
  tx.put(key, policy);
  target.put(tx, ref, policy.revision);
  service.resolver.note_change();
  op::AddPermission::Output out;
  out.statement = statement_json(statement, ref.qualified_arn());
  return out;
}

Result<op::RemovePermission::Output> remove_permission(Lambda& service, Tx& tx,
                                                       const Context& context,
                                                       const op::RemovePermission::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name, input.qualifier));
  TRY(const auto function, tx.peek<Function>(function_key(ref)));
  if (!function) return fail(not_found("No policy found for: " + ref.qualified_arn()));
  TRY(Target target, find_target(tx, ref));
  const store::Key key = policy_key(ref);
  TRY(auto policy, tx.get<Policy>(key));
  if (!policy) return fail(not_found("No policy is associated with the given resource."));
  if (input.revision_id && *input.revision_id != policy->revision)
    return fail(revision_mismatch("GetPolicy"));
  const std::string id = input.statement_id.value_or("");
  const auto removed =
      std::erase_if(policy->statements, [&](const Statement& s) { return s.id == id; });
  if (removed == 0)
    return fail(not_found(fmt::format("Statement {} is not found in resource policy.", id)));
  service.resolver.note_change();
  policy->revision = context.random->uuid();
  if (policy->statements.empty()) {
    tx.erase(key);
  } else {
    tx.put(key, *policy);
  }
  target.put(tx, ref, policy->revision);
  return op::RemovePermission::Output{};
}

Result<op::GetPolicy::Output> get_policy(Lambda&, Tx& tx, const Context& context,
                                         const op::GetPolicy::Input& input) {
  TRY(const FunctionRef ref, ref_of(context, input.function_name, input.qualifier));
  // A function that is not there has no policy either: AWS answers both alike.
  TRY(const auto policy, tx.get<Policy>(policy_key(ref)));
  if (!policy) return fail(no_policy());
  op::GetPolicy::Output out;
  out.policy = policy_json(*policy, ref.qualified_arn());
  out.revision_id = policy->revision;
  return out;
}

}  // namespace wolke::lambda
