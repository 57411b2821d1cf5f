#include "wolke/identity/evaluation.h"

#include <fmt/format.h>

namespace wolke::identity {
namespace {

struct Answer {
  bool present = false;
  bool denied = false;
  bool allowed = false;
  Grant grant = Grant::none;
  std::string source;  // 'AmazonS3FullAccess, statement "#1"'
};

std::string source_of(const NamedPolicy& named, const PolicyAnswer& answer) {
  return fmt::format("{}, statement {}", named.name, answer.statement);
}

void add(Answer& out, const NamedPolicy& named, const Question& question) {
  out.present = true;
  if (named.policy == nullptr) {
    out.denied = true;
    out.source = named.name + ", which cannot be read";
    return;
  }
  const PolicyAnswer answer = named.policy->evaluate(question);
  if (answer.denied && !out.denied) {
    out.denied = true;
    out.source = source_of(named, answer);
  }
  if (answer.allowed && (!out.allowed || answer.grant > out.grant)) {
    out.allowed = true;
    out.grant = answer.grant;
    if (!out.denied) out.source = source_of(named, answer);
  }
}

Answer ask_all(const std::vector<NamedPolicy>& policies, const Question& question) {
  Answer out;
  for (const NamedPolicy& named : policies) add(out, named, question);
  return out;
}

Decision deny(std::string why) {
  return {.allowed = false, .explicit_deny = false, .why = std::move(why)};
}

Decision explicit_deny(std::string_view kind, const Answer& answer) {
  return {.allowed = false,
          .explicit_deny = true,
          .why = fmt::format("with an explicit deny in a{} {} ({})",
                             kind.starts_with('i') ? "n" : "", kind, answer.source)};
}

Decision missing(std::string_view kind, const Ask& ask) {
  return deny(fmt::format("no {} allows the {} action", kind, ask.action));
}

Decision allow(std::string_view kind, const Answer& answer) {
  return {
      .allowed = true, .explicit_deny = false, .why = fmt::format("{} ({})", kind, answer.source)};
}

struct Answers {
  Answer identity;
  Answer resource;
  Answer boundary;
  Answer session;
};

/// What remains after no document denied.
Decision combine(const Principal& principal, const Answers& answers, const Ask& ask) {
  const bool caller_only = principal.kind == PrincipalKind::anonymous ||
                           principal.kind == PrincipalKind::service ||
                           principal.kind == PrincipalKind::web_identity;
  if (caller_only) {
    if (!answers.resource.allowed) return missing("resource-based policy", ask);
    return allow("resource-based policy", answers.resource);
  }
  const bool same_account =
      ask.resource_account.empty() || ask.resource_account == principal.account;
  const bool all_rights = principal.kind == PrincipalKind::root || principal.unrestricted;
  const bool by_identity = all_rights || answers.identity.allowed;
  const bool needs_resource = !same_account || ask.resource_policy_must_allow;
  if (needs_resource && !answers.resource.allowed) return missing("resource-based policy", ask);
  if (!same_account && !by_identity) return missing("identity-based policy", ask);
  if (same_account && answers.resource.grant == Grant::direct) {
    return allow("resource-based policy", answers.resource);
  }
  const bool by_resource = same_account && answers.resource.grant >= Grant::role;
  if (!by_identity && !by_resource) return missing("identity-based policy", ask);
  if (answers.boundary.present && !answers.boundary.allowed)
    return missing("permissions boundary", ask);
  if (answers.session.present && !answers.session.allowed) return missing("session policy", ask);
  if (all_rights)
    return {.allowed = true, .explicit_deny = false, .why = "the account's own rights"};
  return answers.identity.allowed ? allow("identity-based policy", answers.identity)
                                  : allow("resource-based policy", answers.resource);
}

/// A bucket's policy cannot lock its owner's root out of itself, even when it denies everyone or
/// cannot be read. Source: S3 API Reference, PutBucketPolicy, GetBucketPolicy, DeleteBucketPolicy.
bool is_owner_mending_policy(const Principal& principal, const Ask& ask) {
  if (principal.kind != PrincipalKind::root) return false;
  if (!ask.resource_account.empty() && ask.resource_account != principal.account) return false;
  return ask.action == "s3:GetBucketPolicy" || ask.action == "s3:PutBucketPolicy" ||
         ask.action == "s3:DeleteBucketPolicy";
}

}  // namespace

Decision evaluate(const Principal& principal, const PolicySet& policies,
                  const NamedPolicy* resource_policy, const Ask& ask, const Conditions& request,
                  const NamedPolicy* grants) {
  const Question question{ask.action, ask.resource, &principal, {&request, &ask.conditions}};
  Answers answers;
  answers.identity = ask_all(policies.identity, question);
  if (answers.identity.denied) return explicit_deny("identity-based policy", answers.identity);
  const bool mending = is_owner_mending_policy(principal, ask);
  if (resource_policy != nullptr && !mending) add(answers.resource, *resource_policy, question);
  if (answers.resource.denied) return explicit_deny("resource-based policy", answers.resource);
  // The owner of the resource is another than the policy's: that one's word counts only against.
  if (ask.resource_policy_only_denies) answers.resource = {};
  if (grants != nullptr) add(answers.resource, *grants, question);
  if (answers.resource.denied) return explicit_deny("resource-based policy", answers.resource);
  answers.boundary = ask_all(policies.boundary, question);
  if (answers.boundary.denied) return explicit_deny("permissions boundary", answers.boundary);
  answers.session = ask_all(policies.session, question);
  if (answers.session.denied) return explicit_deny("session policy", answers.session);
  return combine(principal, answers, ask);
}

}  // namespace wolke::identity
