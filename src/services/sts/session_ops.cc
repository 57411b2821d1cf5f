// Temporary credentials for who has some. Source: STS API Reference, AssumeRole, GetSessionToken,
// GetFederationToken.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "wolke/base/text.h"
#include "wolke/identity/ids.h"
#include "wolke/identity/policy.h"
#include "wolke/identity/state.h"
#include "wolke/services/sts/ops.h"
#include "wolke/services/sts/session_rules.h"

namespace wolke::sts {
namespace {

using identity::PrincipalKind;

constexpr std::int32_t chained_duration_max = 3600;
constexpr std::int32_t token_duration_max = 129'600;
constexpr std::int32_t token_duration_default = 43'200;
constexpr std::int32_t root_token_duration_max = 3600;

/// Of GetSessionToken and GetFederationToken.
Duration token_duration(bool root) {
  return {.seconds_max = root ? root_token_duration_max : token_duration_max,
          .seconds_default = token_duration_default,
          .too_long = "The requested DurationSeconds exceeds the longest session of this caller."};
}

/// Users and roots with long-term keys.
Result<void> check_own_key(const identity::Principal& caller, std::string_view operation) {
  const bool own = caller.kind == PrincipalKind::root || caller.kind == PrincipalKind::user;
  if (own && !caller.access_key_id.starts_with("ASIA")) return {};
  return fail(Error{"AccessDenied", 403,
                    fmt::format("Cannot call {} with session credentials", operation)});
}

/// The tags that are passed, and those that come with the caller's session: these stay transitive,
/// and nothing replaces them. Source: IAM User Guide, "Chaining roles with session tags".
Result<void> add_tags(const op::AssumeRole::Input& in, const Tags& inherited,
                      identity::SessionRequest& out) {
  TRY(out.tags, checked_tags(in.tags));
  for (const auto& [key, value] : inherited) {
    if (!has_key(out.tags, key)) continue;
    return fail(invalid_parameter(
        "One of the specified transitive tag keys can't be set because it conflicts with a "
        "transitive tag key from the calling session."));
  }
  for (const std::string& key : in.transitive_tag_keys.value_or(std::vector<std::string>())) {
    const auto tag =
        std::ranges::find_if(out.tags, [&key](const auto& one) { return iequals(one.first, key); });
    if (tag == out.tags.end()) {
      return fail(invalid_parameter(
          "The specified transitive tag key must be included in the requested tags."));
    }
    out.transitive_tag_keys.push_back(tag->first);
  }
  for (const auto& [key, value] : inherited) {
    out.tags.emplace(key, value);
    out.transitive_tag_keys.push_back(key);
  }
  if (out.tags.size() > session_tags_max)
    return fail(validation_error("A session has at most 50 tags."));
  return {};
}

/// Once somebody is named as the one behind a chain of sessions, nobody else can be.
Result<std::string> source_identity_of(const op::AssumeRole::Input& in,
                                       const identity::Principal& caller) {
  if (!caller.source_identity.empty() && in.source_identity &&
      *in.source_identity != caller.source_identity) {
    return fail(Error{"AccessDenied", 403,
                      "The source identity of the calling session cannot be changed."});
  }
  return caller.source_identity.empty() ? in.source_identity.value_or("") : caller.source_identity;
}

/// What would bind a session further than it can be here is refused, not left out.
Result<void> check_served(const op::AssumeRole::Input& in) {
  std::string_view unserved;
  if (in.provided_contexts && !in.provided_contexts->empty()) unserved = "ProvidedContexts";
  if (in.serial_number || in.token_code) unserved = "multi-factor authentication";
  if (unserved.empty()) return {};
  return fail(Error{"InvalidParameterValue", 400,
                    fmt::format("AssumeRole with {} is not served by this server.", unserved)});
}

void add_tag_conditions(const op::AssumeRole::Input& in, const Tags& inherited,
                        identity::Ask& ask) {
  auto add = [&ask](const std::string& key, const std::string& value) {
    ask.conditions["aws:requesttag/" + to_lower(key)] = {value};
    ask.conditions["aws:tagkeys"].push_back(key);
  };
  for (const model::Tag& tag : in.tags.value_or(std::vector<model::Tag>())) {
    add(tag.key.value_or(""), tag.value.value_or(""));
  }
  for (const auto& [key, value] : inherited) {
    add(key, value);
    ask.conditions["sts:transitivetagkeys"].push_back(key);
  }
  for (const std::string& key : in.transitive_tag_keys.value_or(std::vector<std::string>())) {
    ask.conditions["sts:transitivetagkeys"].push_back(key);
  }
}

}  // namespace

Result<operation::Asks> assume_role_asks(Sts&, const Context& context,
                                         const op::AssumeRole::Input& in) {
  identity::Ask ask;
  ask.action = "sts:AssumeRole";
  ask.resource = in.role_arn.value_or("");
  const auto arn = identity::parse_iam_arn(ask.resource);
  if (!arn || arn->type != "role") {
    return fail(validation_error(fmt::format("{} is invalid", printable(ask.resource))));
  }
  ask.resource_account = arn->account;
  ask.resource_policy_must_allow = true;
  ask.conditions["sts:rolesessionname"] = {in.role_session_name.value_or("")};
  if (in.external_id) ask.conditions["sts:externalid"] = {*in.external_id};
  const Tags& inherited = context.principal().transitive_tags;
  add_tag_conditions(in, inherited, ask);
  const bool tags = (in.tags && !in.tags->empty()) || !inherited.empty();
  TRY(const std::string source, source_identity_of(in, context.principal()));
  if (!source.empty()) ask.conditions["sts:sourceidentity"] = {source};
  operation::Asks asks = {ask};
  // What a session brings along has to be allowed like what is passed.
  if (tags) {
    asks.push_back(ask);
    asks.back().action = "sts:TagSession";
  }
  if (!source.empty()) {
    asks.push_back(ask);
    asks.back().action = "sts:SetSourceIdentity";
  }
  return asks;
}

Result<op::AssumeRole::Output> assume_role(Sts& sts, store::Tx& tx, const Context& context,
                                           const op::AssumeRole::Input& in) {
  TRY(check_served(in));
  TRY(check_session_name(*in.role_session_name, "roleSessionName", 64));
  TRY(const identity::EntityRecord role, load_role(tx, *in.role_arn));
  const bool chained = context.principal().kind == PrincipalKind::assumed_role;
  TRY(const std::int32_t seconds,
      chained
          ? session_seconds(in.duration_seconds,
                            {.seconds_max = chained_duration_max,
                             .too_long = "The requested DurationSeconds exceeds the 1 hour session "
                                         "limit for roles assumed by role chaining"})
          : session_seconds(in.duration_seconds, {.seconds_max = role.max_session_seconds,
                                                  .too_long = too_long_for_role}));
  identity::SessionRequest request;
  request.role_arn = *in.role_arn;
  request.session_name = *in.role_session_name;
  request.lifetime = std::chrono::seconds(seconds);
  // What is bound to a sandbox stays bound: a function's session cannot be carried out through
  // another role.
  request.sandbox_id = context.principal().sandbox_id;
  TRY(add_policies(tx, in.policy, in.policy_arns, request));
  TRY(add_tags(in, context.principal().transitive_tags, request));
  TRY(request.source_identity, source_identity_of(in, context.principal()));
  TRY(const identity::SessionCredentials session, sts.directory.make_session(request, context.now));
  op::AssumeRole::Output out;
  out.credentials = to_model(session);
  out.assumed_role_user =
      model::AssumedRoleUser{.assumed_role_id = session.unique_id, .arn = session.arn};
  if (!request.source_identity.empty()) out.source_identity = request.source_identity;
  out.packed_policy_size = packed_size(request);
  return out;
}

Result<op::GetSessionToken::Output> get_session_token(Sts& sts, store::Tx&, const Context& context,
                                                      const op::GetSessionToken::Input& in) {
  const identity::Principal& caller = context.principal();
  const bool root = caller.kind == PrincipalKind::root;
  TRY(check_own_key(caller, "GetSessionToken"));
  TRY(const std::int32_t seconds, session_seconds(in.duration_seconds, token_duration(root)));
  TRY(const identity::SessionCredentials session,
      sts.directory.make_own_session(caller, std::chrono::seconds(seconds), context.now));
  op::GetSessionToken::Output out;
  out.credentials = to_model(session);
  return out;
}

Result<operation::Asks> federation_token_asks(Sts&, const Context& context,
                                              const op::GetFederationToken::Input& in) {
  identity::Ask ask;
  ask.action = "sts:GetFederationToken";
  ask.resource = fmt::format("arn:aws:sts::{}:federated-user/{}", context.principal().account,
                             in.name.value_or(""));
  TRY(const Tags tags, checked_tags(in.tags));
  add_tag_conditions(tags, ask);
  operation::Asks asks = {ask};
  if (!tags.empty()) {
    asks.push_back(ask);
    asks.back().action = "sts:TagSession";
  }
  return asks;
}

Result<op::GetFederationToken::Output> get_federation_token(
    Sts& sts, store::Tx& tx, const Context& context, const op::GetFederationToken::Input& in) {
  constexpr std::size_t name_characters_max = 32;
  const identity::Principal& caller = context.principal();
  TRY(check_own_key(caller, "GetFederationToken"));
  TRY(check_session_name(*in.name, "name", name_characters_max));
  TRY(const std::int32_t seconds,
      session_seconds(in.duration_seconds, token_duration(caller.kind == PrincipalKind::root)));
  identity::SessionRequest request;
  request.session_name = *in.name;
  request.lifetime = std::chrono::seconds(seconds);
  TRY(add_policies(tx, in.policy, in.policy_arns, request));
  TRY(request.tags, checked_tags(in.tags));
  TRY(const identity::SessionCredentials session,
      sts.directory.make_federated_session(caller, request, context.now));
  op::GetFederationToken::Output out;
  out.credentials = to_model(session);
  out.federated_user =
      model::FederatedUser{.federated_user_id = session.unique_id, .arn = session.arn};
  out.packed_policy_size = packed_size(request);
  return out;
}

}  // namespace wolke::sts
