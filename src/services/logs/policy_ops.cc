// Resource policies of the account's logs: recorded, as nothing of this server writes to logs under
// one.
#include <algorithm>

#include "wolke/services/logs/errors.h"
#include "wolke/services/logs/ops.h"
#include "wolke/shape/json.h"

namespace wolke::logs {
namespace {

constexpr std::size_t policies_max = 10;  // CloudWatch Logs: for each region and account
constexpr std::size_t document_bytes_max = 5120;

GroupName here(const Context& context) {
  return {context.account, context.region, ""};
}

model::logs::ResourcePolicy describe(const ResourcePolicy& policy) {
  model::logs::ResourcePolicy out;
  out.policy_name = policy.name;
  out.policy_document = policy.document;
  out.last_updated_time = to_millis(policy.updated);
  return out;
}

Result<void> check(const ResourcePolicy& policy) {
  if (policy.name.empty()) return fail(invalid_parameter("policyName is required."));
  if (policy.document.size() > document_bytes_max) {
    return fail(invalid_parameter("A resource policy has at most 5120 characters."));
  }
  const auto document = shape::parse_json(policy.document);
  if (!document || document->find("Statement") == nullptr) {
    return fail(invalid_parameter("Policy document is not valid."));
  }
  return {};
}

}  // namespace

Result<op::PutResourcePolicy::Output> put_resource_policy(
    Logs&, Tx& tx, const Context& context, const op::PutResourcePolicy::Input& input) {
  if (input.resource_arn) return fail(not_served("A resource policy of one log group"));
  if (input.expected_revision_id) return fail(not_served("expectedRevisionId"));
  ResourcePolicy policy;
  policy.name = input.policy_name.value_or("");
  policy.document = input.policy_document.value_or("");
  policy.updated = context.now;
  TRY(check(policy));
  const store::Key key = policy_key(here(context), policy.name);
  TRY(const auto known, tx.get<ResourcePolicy>(key));
  if (!known) {
    TRY(const auto others, list_policies(tx, here(context)));
    if (others.size() >= policies_max) return fail(limit_exceeded());
  }
  tx.put(key, policy);
  op::PutResourcePolicy::Output out;
  out.resource_policy = describe(policy);
  return out;
}

Result<op::DescribeResourcePolicies::Output> describe_resource_policies(
    Logs&, Tx& tx, const Context& context, const op::DescribeResourcePolicies::Input& input) {
  if (input.resource_arn || input.policy_scope.value_or("ACCOUNT") != "ACCOUNT") {
    return fail(not_served("A resource policy of one log group"));
  }
  TRY(const auto policies, list_policies(tx, here(context)));
  op::DescribeResourcePolicies::Output out;
  out.resource_policies.emplace();
  const auto max = static_cast<std::size_t>(
      std::clamp<std::int32_t>(input.limit.value_or(policies_max), 1, policies_max));
  for (const ResourcePolicy& policy : policies) {
    if (input.next_token && policy.name <= *input.next_token) continue;
    if (out.resource_policies->size() == max) {
      out.next_token = out.resource_policies->back().policy_name;
      break;
    }
    out.resource_policies->push_back(describe(policy));
  }
  return out;
}

Result<op::DeleteResourcePolicy::Output> delete_resource_policy(
    Logs&, Tx& tx, const Context& context, const op::DeleteResourcePolicy::Input& input) {
  if (input.resource_arn) return fail(not_served("A resource policy of one log group"));
  const std::string name = input.policy_name.value_or("");
  const store::Key key = policy_key(here(context), name);
  TRY(const auto known, tx.get<ResourcePolicy>(key));
  if (!known) {
    Error missing = no_such_resource();
    missing.message = "Policy with name [" + name + "] does not exist.";
    return fail(std::move(missing));
  }
  tx.erase(key);
  return op::DeleteResourcePolicy::Output{};
}

}  // namespace wolke::logs
