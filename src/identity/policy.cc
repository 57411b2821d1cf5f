#include "wolke/identity/policy.h"

#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/identity/statement.h"

namespace wolke::identity {
namespace {

std::string root_arn(const std::string& account) {
  return "arn:aws:iam::" + account + ":root";
}

Grant match_aws(const std::string& text, const Principal& who) {
  if (who.account.empty()) return Grant::none;
  if (text == who.account || text == root_arn(who.account)) {
    return who.kind == PrincipalKind::root ? Grant::direct : Grant::delegated;
  }
  if (text == who.arn) return Grant::direct;
  if (who.kind == PrincipalKind::federated_user && text == who.federated_by_arn) {
    return Grant::role;
  }
  if (who.kind == PrincipalKind::assumed_role && text == who.role_arn) return Grant::role;
  // A deleted and recreated user or role is another one: policies may hold the unique id.
  const bool has_own_id = !who.unique_id.empty() && who.kind != PrincipalKind::federated_user;
  if (has_own_id && text == who.unique_id.substr(0, who.unique_id.find(':'))) {
    return who.kind == PrincipalKind::assumed_role ? Grant::role : Grant::direct;
  }
  return Grant::none;
}

Grant match_entry(const PrincipalEntry& entry, const Principal& who) {
  switch (entry.type) {
    case PrincipalType::everyone:
      return who.kind == PrincipalKind::service || who.kind == PrincipalKind::root ? Grant::direct
                                                                                   : Grant::role;
    case PrincipalType::aws:
      return who.kind == PrincipalKind::service || who.kind == PrincipalKind::web_identity
                 ? Grant::none
                 : match_aws(entry.text, who);
    case PrincipalType::service:
      return who.kind == PrincipalKind::service && entry.text == who.service ? Grant::direct
                                                                             : Grant::none;
    case PrincipalType::federated:
      return who.kind == PrincipalKind::web_identity && entry.text == who.arn ? Grant::direct
                                                                              : Grant::none;
    case PrincipalType::canonical_user:
      break;
  }
  return Grant::none;
}

/// The `resource` pattern list against the ARN.
Match match_resources(const std::vector<ResourcePattern>& patterns, const Question& question) {
  Match out = Match::no;
  for (const ResourcePattern& pattern : patterns) {
    const Match match =
        match_arn(pattern.parts, pattern.whole, question.resource, question.context);
    if (match == Match::yes) return Match::yes;
    if (match == Match::unresolved) out = Match::unresolved;
  }
  return out;
}

}  // namespace

Policy::Policy() = default;
Policy::~Policy() = default;

std::size_t Policy::statements() const {
  return statements_.size();
}

bool Policy::is_public() const {
  return std::any_of(statements_.begin(), statements_.end(), [](const Statement& statement) {
    const bool everyone = std::any_of(
        statement.principals.begin(), statement.principals.end(),
        [](const PrincipalEntry& entry) { return entry.type == PrincipalType::everyone; });
    return statement.allow && (everyone || statement.not_principal) && statement.condition.empty();
  });
}

Grant Policy::Statement::grant_to(const Principal* principal) const {
  if (!has_principal) return Grant::direct;
  if (principal == nullptr) return Grant::none;
  Grant best = Grant::none;
  for (const PrincipalEntry& entry : principals)
    best = std::max(best, match_entry(entry, *principal));
  if (!not_principal) return best;
  return best == Grant::none ? Grant::role : Grant::none;
}

Truth Policy::Statement::applies(const Question& question, std::string_view action_lower) const {
  const bool named = std::any_of(actions.begin(), actions.end(), [&](const Pattern& pattern) {
    return pattern.match(action_lower, question.context) == Match::yes;
  });
  if (named == not_action) return Truth::no;
  bool broken = false;
  if (!resources.empty()) {
    const Match match = match_resources(resources, question);
    // An unresolved variable in NotResource leaves open what is excluded; in Resource it names
    // nothing.
    if (match == Match::unresolved && not_resource) {
      broken = true;
    } else if ((match == Match::yes) == not_resource) {
      return Truth::no;
    }
  }
  const Truth truth = condition.holds(question.context);
  if (truth == Truth::no) return Truth::no;
  return broken || truth == Truth::broken ? Truth::broken : Truth::yes;
}

PolicyAnswer Policy::evaluate(const Question& question) const {
  const std::string action = to_lower(question.action);
  PolicyAnswer answer;
  for (const Statement& statement : statements_) {
    if (statement.allow && answer.grant == Grant::direct) continue;  // nothing to gain
    const Grant grant = statement.grant_to(question.principal);
    if (grant == Grant::none) continue;
    const Truth truth = statement.applies(question, action);
    if (truth == Truth::no || (truth == Truth::broken && statement.allow)) continue;
    if (!statement.allow) return {.denied = true, .statement = statement.name};
    if (!answer.allowed) answer.statement = statement.name;
    answer.allowed = true;
    answer.grant = std::max(answer.grant, grant);
  }
  return answer;
}

}  // namespace wolke::identity
