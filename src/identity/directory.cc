#include "wolke/identity/directory.h"

#include "wolke/base/limits.h"
#include "wolke/base/text.h"
#include "wolke/identity/directory_state.h"
#include "wolke/identity/ids.h"
#include "wolke/identity/sigv4_errors.h"

namespace wolke::identity {
namespace {

Principal relaxed_root(const std::string& access_key_id) {
  Principal out;
  out.kind = PrincipalKind::root;
  out.account = is_account_id(access_key_id) ? access_key_id : default_account;
  out.arn = "arn:aws:iam::" + out.account + ":root";
  out.unique_id = out.account;
  out.access_key_id = access_key_id;
  return out;
}

Principal principal_of(const SessionRecord& session) {
  Principal out;
  out.kind = session.kind;
  out.account = session.account;
  out.access_key_id = session.access_key_id;
  out.sandbox_id = session.sandbox_id;
  out.unrestricted = session.unrestricted;
  out.session_policies = session.policies;
  out.session_policies.insert(out.session_policies.end(), session.policy_arns.begin(),
                              session.policy_arns.end());
  if (session.kind == PrincipalKind::assumed_role) {
    out.role_arn = session.role_arn;
    out.role_name = session.role_arn.substr(session.role_arn.rfind('/') + 1);
    out.session_name = session.session_name;
    out.arn = "arn:aws:sts::" + session.account + ":assumed-role/" + out.role_name + "/" +
              session.session_name;
    out.unique_id = session.role_id + ":" + session.session_name;
    out.source_identity = session.source_identity;
    for (const std::string& key : session.transitive_tag_keys) {
      if (auto tag = session.tags.find(key); tag != session.tags.end()) {
        out.transitive_tags.insert(*tag);
      }
    }
  } else if (session.kind == PrincipalKind::federated_user) {
    out.session_name = session.session_name;
    out.federated_by_arn = session.role_arn;
    out.federated_by_id = session.role_id;
    out.arn = "arn:aws:sts::" + session.account + ":federated-user/" + session.session_name;
    out.unique_id = session.account + ":" + session.session_name;
  } else {
    out.user_name = session.user_name;
    out.unique_id = session.role_id;  // the user's own id, or the account
    out.arn = session.role_arn;       // the user's own ARN, or the root's
  }
  return out;
}

Conditions conditions_of(const SessionRecord& session) {
  Conditions out;
  out["aws:tokenissuetime"] = {format_iso8601_seconds(session.issued)};
  if (!session.source_identity.empty()) out["aws:sourceidentity"] = {session.source_identity};
  for (const auto& [key, value] : session.tags) out["aws:principaltag/" + to_lower(key)] = {value};
  if (!session.provider_arn.empty()) {
    out["aws:federatedprovider"] = {session.provider_arn};
    const std::string issuer =
        to_lower(session.provider_arn.substr(session.provider_arn.find('/') + 1));
    out[issuer + ":sub"] = {session.subject};
    out[issuer + ":aud"] = {session.audience};
  }
  return out;
}

Result<Identified> unsigned_caller(Authentication authentication, Dialect dialect) {
  Identified out;
  if (authentication == Authentication::relaxed) {
    out.principal = relaxed_root("");
    out.signature_checked = false;
    return out;
  }
  if (dialect != Dialect::s3) return fail(missing_authentication(dialect));
  return out;
}

/// A key nobody knows, when relaxed: nothing can be verified but that a link is still valid.
Result<Identified> accept_unknown(Identified out, const Expected& expected, Timestamp now) {
  const Authorization& authorization = *out.authorization;
  if (authorization.carrier == Carrier::query) {
    TRY(check_lifetime(authorization, expected.dialect, now));
  }
  out.principal = relaxed_root(authorization.access_key_id);
  out.signature_checked = false;
  return out;
}

Result<Identified> by_session(const Seal& seal, const SessionRecord& session, Identified out,
                              const RawRequest& request, const Expected& expected,
                              std::string_view sandbox_id, Timestamp now) {
  const Authorization& authorization = *out.authorization;
  if (session.access_key_id != authorization.access_key_id)
    return fail(invalid_token(expected.dialect));
  // Source: IAM User Guide, "Compare AWS STS credentials": GetSessionToken (without MFA) and
  // GetFederationToken give none for IAM.
  if (session.kind != PrincipalKind::assumed_role && expected.service == "iam") {
    return fail(invalid_token(expected.dialect));
  }
  const std::string secret = seal.session_secret(session.access_key_id);
  TRY(out.verified, verify(authorization, secret, request, expected, now));
  if (now >= session.expires) return fail(expired_token(expected.dialect));
  if (!session.sandbox_id.empty() && session.sandbox_id != sandbox_id) {
    return fail(invalid_token(expected.dialect));
  }
  out.principal = principal_of(session);
  out.conditions = conditions_of(session);
  return out;
}

}  // namespace

Directory::Directory(Env env, store::Store& store, Seal seal, DirectoryOptions options)
    : state_(std::make_unique<State>(env, store, std::move(seal), options)) {}
Directory::~Directory() = default;

void Directory::set_resource_policies(const ResourcePolicies& policies) {
  state_->resource_policies.store(&policies);
}

Authentication Directory::authentication() const {
  return state_->authentication;
}
const Seal& Directory::seal() const {
  return state_->seal;
}

Result<Identified> Directory::identify(const RawRequest& request, const Expected& expected,
                                       std::string_view sandbox_id, Timestamp now) {
  const Dialect dialect = expected.dialect;
  const bool relaxed = state_->authentication == Authentication::relaxed;
  Identified out;
  TRY(out.authorization, parse_authorization(request, dialect));
  if (!out.authorization && expected.unsigned_allowed) return out;
  if (!out.authorization) return unsigned_caller(state_->authentication, dialect);
  if (out.authorization->version == SignatureVersion::v2) {
    out.authorization->region = state_->region;
    out.authorization->service = expected.service;
  }
  const std::string& id = out.authorization->access_key_id;
  const std::string& token = out.authorization->security_token;
  if (!token.empty()) {
    if (const auto session = state_->seal.open_session(token)) {
      return by_session(state_->seal, *session, std::move(out), request, expected, sandbox_id, now);
    }
    if (!relaxed) return fail(invalid_token(dialect));
  }
  TRY(std::optional<KnownKey> key, state_->find_key(id));
  if (!key) {
    if (!relaxed) return fail(unknown_access_key(dialect, id));
    return accept_unknown(std::move(out), expected, now);
  }
  if (!token.empty()) return fail(invalid_token(dialect));
  TRY(out.verified, verify(*out.authorization, key->secret, request, expected, now));
  // After the signature: only the key's owner learns that it is disabled.
  if (!key->active) return fail(unknown_access_key(dialect, id));
  out.principal = key->principal;
  return out;
}

Result<SessionCredentials> Directory::make_session(const SessionRequest& request, Timestamp now) {
  TRY(std::optional<EntityRecord> role, state_->role(request.role_arn));
  if (!role)
    return fail(
        Error{"NoSuchEntity", 404, "The role with arn " + request.role_arn + " cannot be found."});
  SessionRecord session;
  session.account = parse_iam_arn(request.role_arn)->account;
  session.role_arn = request.role_arn;
  session.role_id = role->id;
  session.session_name = request.session_name;
  session.issued = now;
  session.expires = now + request.lifetime;
  session.policies = request.policies;
  session.policy_arns = request.policy_arns;
  session.tags = request.tags;
  session.sandbox_id = request.sandbox_id;
  session.transitive_tag_keys = request.transitive_tag_keys;
  session.source_identity = request.source_identity;
  session.provider_arn = request.provider_arn;
  session.subject = request.subject;
  session.audience = request.audience;
  return issue(std::move(session));
}

Result<SessionCredentials> Directory::make_federated_session(const Principal& principal,
                                                             const SessionRequest& request,
                                                             Timestamp now) {
  ASSERT(principal.kind == PrincipalKind::user || principal.kind == PrincipalKind::root);
  SessionRecord session;
  session.kind = PrincipalKind::federated_user;
  session.account = principal.account;
  session.role_arn = principal.arn;
  session.role_id = principal.unique_id;
  session.session_name = request.session_name;
  session.issued = now;
  session.expires = now + request.lifetime;
  session.policies = request.policies;
  session.policy_arns = request.policy_arns;
  session.tags = request.tags;
  session.unrestricted = principal.kind == PrincipalKind::root;
  if (session.policies.empty() && session.policy_arns.empty()) {
    session.policies.emplace_back(R"({"Version":"2012-10-17","Statement":[]})");
  }
  return issue(std::move(session));
}

Result<std::optional<OidcProviderRecord>> Directory::oidc_provider(std::string_view account,
                                                                   std::string_view name) {
  TRY(std::unique_ptr<store::Snapshot> snapshot, state_->store.snapshot());
  store::Tx tx(*snapshot);
  return tx.peek<OidcProviderRecord>(keys::oidc_provider(account, name));
}

Result<SessionCredentials> Directory::make_own_session(const Principal& principal,
                                                       std::chrono::seconds lifetime,
                                                       Timestamp now) {
  ASSERT(principal.kind == PrincipalKind::user || principal.kind == PrincipalKind::root);
  SessionRecord session;
  session.kind = principal.kind;
  session.account = principal.account;
  session.role_arn = principal.arn;
  session.role_id = principal.unique_id;
  session.user_name = principal.user_name;
  session.issued = now;
  session.expires = now + lifetime;
  return issue(std::move(session));
}

SessionCredentials Directory::issue(SessionRecord session) const {
  session.access_key_id = make_access_key_id("ASIA", session.account, state_->env.random);
  const Principal principal = principal_of(session);
  return {.access_key_id = session.access_key_id,
          .secret = state_->seal.session_secret(session.access_key_id),
          .token = state_->seal.seal_session(session),
          .expires = session.expires,
          .arn = principal.arn,
          .unique_id = principal.unique_id,
          .unrestricted = session.unrestricted};
}

Result<Directory::RoleTrust> Directory::role_trusts(std::string_view role_arn,
                                                    std::string_view service) {
  TRY(std::optional<EntityRecord> role, state_->role(role_arn));
  if (!role) return RoleTrust::missing;
  const std::shared_ptr<const Policy> policy =
      state_->compiled(role->trust_policy, PolicyKind::trust);
  if (policy == nullptr) return RoleTrust::refused;
  Principal principal;
  principal.kind = PrincipalKind::service;
  principal.service = service;
  const Conditions none;
  const PolicyAnswer answer =
      policy->evaluate({"sts:AssumeRole", role_arn, &principal, {&none, &none}});
  return answer.allowed && !answer.denied ? RoleTrust::trusted : RoleTrust::refused;
}

Result<SessionCredentials> Directory::assume_for_function(std::string_view role_arn,
                                                          std::string_view session_name,
                                                          std::string_view sandbox_id,
                                                          std::chrono::seconds lifetime,
                                                          Timestamp now) {
  TRY(const RoleTrust trust, role_trusts(role_arn, "lambda.amazonaws.com"));
  if (trust == RoleTrust::trusted) {
    return make_session({.role_arn = std::string(role_arn),
                         .session_name = std::string(session_name),
                         .lifetime = lifetime,
                         .sandbox_id = std::string(sandbox_id)},
                        now);
  }
  const std::optional<IamArn> arn = parse_iam_arn(role_arn);
  const bool relaxed = state_->authentication == Authentication::relaxed;
  if (trust == RoleTrust::missing && relaxed && arn && arn->type == "role") {
    SessionRecord session;
    session.account = arn->account;
    session.role_arn = role_arn;
    session.role_id = "AROA00000000000000000";
    session.session_name = session_name;
    session.issued = now;
    session.expires = now + lifetime;
    session.sandbox_id = sandbox_id;
    session.unrestricted = true;
    return issue(std::move(session));
  }
  return fail(Error{"AccessDeniedException", 403,
                    "The role defined for the function cannot be assumed by Lambda."});
}

}  // namespace wolke::identity
