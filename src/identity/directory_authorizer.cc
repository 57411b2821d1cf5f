// Authorizers (directory.h): a caller, its policies and the request's condition keys, ready to be
// asked.

#include "wolke/base/text.h"
#include "wolke/identity/directory_state.h"

namespace wolke::identity {
namespace {

std::string_view principal_type(PrincipalKind kind) {
  switch (kind) {
    case PrincipalKind::root:
      return "Account";
    case PrincipalKind::user:
      return "User";
    case PrincipalKind::assumed_role:
      return "AssumedRole";
    case PrincipalKind::service:
      return "Service";
    case PrincipalKind::federated_user:
      return "FederatedUser";
    case PrincipalKind::web_identity:
    case PrincipalKind::anonymous:
      break;
  }
  return "Anonymous";
}

/// Source: IAM User Guide "AWS global condition context keys".
Conditions request_conditions(const Principal& principal, const RequestFacts& facts,
                              const std::map<std::string, std::string>& tags) {
  Conditions out;
  for (const auto& [key, value] : tags) out["aws:principaltag/" + to_lower(key)] = {value};
  for (const auto& [key, values] : facts.credentials) out[key] = values;
  out["aws:currenttime"] = {format_iso8601_seconds(facts.now)};
  out["aws:epochtime"] = {std::to_string(to_millis(facts.now) / 1000)};
  out["aws:securetransport"] = {facts.secure_transport ? "true" : "false"};
  out["aws:principaltype"] = {std::string(principal_type(principal.kind))};
  out["aws:principalisawsservice"] = {principal.kind == PrincipalKind::service ? "true" : "false"};
  auto add = [&out](const char* key, const std::string& value) {
    if (!value.empty()) out[key] = {value};
  };
  add("aws:sourceip", facts.source_ip);
  add("aws:useragent", facts.user_agent);
  add("aws:referer", facts.referer);
  add("aws:requestedregion", facts.region);
  add("aws:principalaccount", principal.account);
  add("aws:principalarn", principal.role_arn.empty() ? principal.arn : principal.role_arn);
  add("aws:userid", principal.kind == PrincipalKind::anonymous ? "anonymous" : principal.unique_id);
  add("aws:username", principal.user_name);
  add("aws:principalservicename", principal.service);
  return out;
}

class DirectoryAuthorizer : public Authorizer {
 public:
  DirectoryAuthorizer(Directory::State& state, Principal principal, PolicySet policies,
                      Conditions request)
      : state_(state),
        principal_(std::move(principal)),
        policies_(std::move(policies)),
        request_(std::move(request)) {}

  const Principal& principal() const override { return principal_; }

  Decision decide(const Ask& ask) const override {
    if (principal_.kind == PrincipalKind::federated_user && ask.action.starts_with("sts:")) {
      return {.allowed = false, .explicit_deny = true, .why = "federated users cannot call STS"};
    }
    Result<std::optional<std::string>> document = policy_document(ask);
    if (!document) {
      return {
          .allowed = false, .explicit_deny = true, .why = "the resource's policy cannot be read"};
    }
    const bool trust = is_role(ask.resource);
    const std::optional<NamedPolicy> resource =
        compiled(trust ? "the role's trust policy" : "the resource's policy", *document,
                 trust ? PolicyKind::trust : PolicyKind::resource);
    std::optional<std::string> list;
    if (!ask.grants.empty()) list = ask.grants;
    const std::optional<NamedPolicy> grants =
        compiled("the resource's access control list", list, PolicyKind::resource);
    return evaluate(principal_, policies_, resource ? &*resource : nullptr, ask, request_,
                    grants ? &*grants : nullptr);
  }

 private:
  static bool is_role(const std::string& arn) {
    return arn.starts_with("arn:aws:iam::") && arn.find(":role/") != std::string::npos;
  }

  std::optional<NamedPolicy> compiled(const char* name, const std::optional<std::string>& document,
                                      PolicyKind kind) const {
    if (!document) return std::nullopt;
    return NamedPolicy{name, state_.compiled(*document, kind)};
  }

  Result<std::optional<std::string>> policy_document(const Ask& ask) const {
    if (is_role(ask.resource)) {
      // A trust policy speaks of sts actions only; iam:* on the role is the identity policies'
      // matter.
      if (!ask.action.starts_with("sts:")) return std::optional<std::string>();
      return state_.trust_policy(ask.resource);
    }
    const ResourcePolicies* port = state_.resource_policies.load();
    if (port == nullptr || ask.resource.empty() || ask.resource == "*")
      return std::optional<std::string>();
    return port->policy_of(ask.resource);
  }

  Directory::State& state_;
  Principal principal_;
  PolicySet policies_;
  Conditions request_;
};

}  // namespace

Result<std::unique_ptr<Authorizer>> Directory::make_authorizer(Principal principal,
                                                               const RequestFacts& facts) {
  TRY(std::shared_ptr<const Gathered> gathered, state_->gather(principal));
  const std::string own_id = principal.kind == PrincipalKind::federated_user
                                 ? principal.federated_by_id
                                 : principal.unique_id.substr(0, principal.unique_id.find(':'));
  PolicySet policies;
  // A session of a role that was deleted, or made anew under the same name, has no rights.
  if (gathered->unique_id == own_id) policies = gathered->policies;
  TRY(policies.session, state_->session_policies(principal));
  Conditions request = request_conditions(principal, facts, gathered->tags);
  return std::unique_ptr<Authorizer>(std::make_unique<DirectoryAuthorizer>(
      *state_, std::move(principal), std::move(policies), std::move(request)));
}

std::unique_ptr<Authorizer> Directory::make_service_authorizer(std::string_view service,
                                                               std::string_view source_arn,
                                                               std::string_view source_account,
                                                               Timestamp now) {
  Principal principal;
  principal.kind = PrincipalKind::service;
  principal.service = service;
  RequestFacts facts;
  facts.now = now;
  facts.secure_transport = true;
  Conditions request = request_conditions(principal, facts, {});
  if (!source_arn.empty()) request["aws:sourcearn"] = {std::string(source_arn)};
  if (!source_account.empty()) request["aws:sourceaccount"] = {std::string(source_account)};
  return std::make_unique<DirectoryAuthorizer>(*state_, std::move(principal), PolicySet{},
                                               std::move(request));
}

}  // namespace wolke::identity
