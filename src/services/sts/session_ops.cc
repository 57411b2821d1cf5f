// Temporary credentials. Source: STS API Reference, AssumeRole and GetSessionToken.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "wolke/base/text.h"
#include "wolke/identity/ids.h"
#include "wolke/identity/policy.h"
#include "wolke/identity/state.h"
#include "wolke/services/sts/ops.h"

namespace wolke::sts {
namespace {

using identity::PrincipalKind;

constexpr std::int32_t duration_min = 900;
constexpr std::int32_t chained_duration_max = 3600;
constexpr std::int32_t token_duration_max = 129'600;
constexpr std::int32_t root_token_duration_max = 3600;
constexpr std::size_t session_policy_bytes_max = 2048;
constexpr std::size_t session_policy_arns_max = 10;
constexpr std::size_t session_tags_max = 50;

Error validation_error(std::string text) {
  return {"ValidationError", 400, std::move(text)};
}

Result<void> check_session_name(const std::string& name) {
  const bool valid =
      name.size() >= 2 && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("_+=,.@-").find(c) != std::string_view::npos;
      });
  if (valid) return {};
  return fail(validation_error(fmt::format(
      "1 validation error detected: Value '{}' at 'roleSessionName' failed to satisfy constraint: "
      "Member must satisfy regular expression pattern: [\\w+=,.@-]*",
      printable(name))));
}

Result<std::int32_t> session_seconds(const std::optional<std::int32_t>& wanted,
                                     std::int32_t seconds_max, std::int32_t seconds_default,
                                     const char* too_long) {
  const std::int32_t seconds = wanted.value_or(std::min(seconds_default, seconds_max));
  if (seconds < duration_min) {
    return fail(
        validation_error(fmt::format("1 validation error detected: Value '{}' at 'durationSeconds' "
                                     "failed to satisfy constraint: "
                                     "Member must have value greater than or equal to {}",
                                     seconds, duration_min)));
  }
  if (seconds > seconds_max) return fail(validation_error(too_long));
  return seconds;
}

/// The role named by the ARN, as its record has it.
Result<identity::EntityRecord> load_role(store::Tx& tx, const std::string& role_arn) {
  const auto arn = identity::parse_iam_arn(role_arn);
  if (!arn || arn->type != "role")
    return fail(validation_error(fmt::format("{} is invalid", printable(role_arn))));
  TRY(auto record, tx.peek<identity::EntityRecord>(identity::keys::entity(
                       identity::EntityType::role, arn->account, arn->name)));
  // The gate refused before, in the same words as for a role that does not trust the caller.
  if (!record || record->path != arn->path) {
    return fail(
        Error{"AccessDenied", 403, fmt::format("The role {} cannot be assumed.", role_arn)});
  }
  return *std::move(record);
}

Result<void> add_policies(store::Tx& tx, const op::AssumeRole::Input& in,
                          identity::SessionRequest& out) {
  if (in.policy) {
    if (in.policy->size() > session_policy_bytes_max) {
      return fail(Error{"PackedPolicyTooLarge", 400,
                        "The session policy is longer than 2,048 characters."});
    }
    TRY(identity::Policy::parse(*in.policy, identity::PolicyKind::identity));
    out.policies.push_back(*in.policy);
  }
  if (!in.policy_arns) return {};
  if (in.policy_arns->size() > session_policy_arns_max) {
    return fail(validation_error("At most 10 managed policies can be session policies."));
  }
  for (const model::PolicyDescriptorType& descriptor : *in.policy_arns) {
    const std::string arn = descriptor.arn.value_or("");
    TRY(const auto document, identity::managed_policy_document(tx, arn));
    if (!document)
      return fail(
          Error{"NoSuchEntity", 404, fmt::format("Policy {} was not found.", printable(arn))});
    out.policy_arns.push_back(arn);
  }
  return {};
}

/// Session tags by their keys, which are the same whatever their case.
using Tags = std::map<std::string, std::string>;

bool has_key(const Tags& tags, std::string_view key) {
  return std::ranges::any_of(tags, [key](const auto& one) { return iequals(one.first, key); });
}

Error invalid_parameter(std::string text) {
  return {"InvalidParameterValue", 400, std::move(text)};
}

Result<Tags> requested_tags(const op::AssumeRole::Input& in) {
  Tags out;
  if (!in.tags) return out;
  for (const model::Tag& tag : *in.tags) {
    const std::string key = tag.key.value_or("");
    if (to_lower(key).starts_with("aws:")) {
      return fail(
          invalid_parameter("Tag keys that begin with 'aws:' are reserved for internal use."));
    }
    if (has_key(out, key)) {
      return fail(invalid_parameter(
          "Duplicate tag keys found. Please note that Tag keys are case insensitive."));
    }
    out.emplace(key, tag.value.value_or(""));
  }
  return out;
}

/// The tags that are passed, and those that come with the caller's session: these stay transitive,
/// and nothing replaces them. Source: IAM User Guide, "Chaining roles with session tags".
Result<void> add_tags(const op::AssumeRole::Input& in, const Tags& inherited,
                      identity::SessionRequest& out) {
  TRY(out.tags, requested_tags(in));
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

model::Credentials to_model(const identity::SessionCredentials& session) {
  return {.access_key_id = session.access_key_id,
          .secret_access_key = session.secret,
          .session_token = session.token,
          .expiration = session.expires};
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
  TRY(check_session_name(*in.role_session_name));
  TRY(const identity::EntityRecord role, load_role(tx, *in.role_arn));
  const bool chained = context.principal().kind == PrincipalKind::assumed_role;
  TRY(const std::int32_t seconds,
      chained
          ? session_seconds(in.duration_seconds, chained_duration_max, chained_duration_max,
                            "The requested DurationSeconds exceeds the 1 hour session limit for "
                            "roles assumed by "
                            "role chaining")
          : session_seconds(
                in.duration_seconds, role.max_session_seconds, chained_duration_max,
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."));
  identity::SessionRequest request;
  request.role_arn = *in.role_arn;
  request.session_name = *in.role_session_name;
  request.lifetime = std::chrono::seconds(seconds);
  // What is bound to a sandbox stays bound: a function's session cannot be carried out through
  // another role.
  request.sandbox_id = context.principal().sandbox_id;
  TRY(add_policies(tx, in, request));
  TRY(add_tags(in, context.principal().transitive_tags, request));
  TRY(request.source_identity, source_identity_of(in, context.principal()));
  TRY(const identity::SessionCredentials session, sts.directory.make_session(request, context.now));
  op::AssumeRole::Output out;
  out.credentials = to_model(session);
  out.assumed_role_user =
      model::AssumedRoleUser{.assumed_role_id = session.unique_id, .arn = session.arn};
  if (!request.source_identity.empty()) out.source_identity = request.source_identity;
  if (in.policy || in.policy_arns || !request.tags.empty()) {
    std::size_t bytes = in.policy ? in.policy->size() : 0;
    for (const std::string& arn : request.policy_arns) bytes += arn.size();
    for (const auto& [key, value] : request.tags) bytes += key.size() + value.size();
    out.packed_policy_size =
        static_cast<std::int32_t>(std::min<std::size_t>(100, 1 + bytes * 100 / 4096));
  }
  return out;
}

Result<op::GetSessionToken::Output> get_session_token(Sts& sts, store::Tx&, const Context& context,
                                                      const op::GetSessionToken::Input& in) {
  const identity::Principal& caller = context.principal();
  const bool root = caller.kind == PrincipalKind::root;
  if ((!root && caller.kind != PrincipalKind::user) || caller.access_key_id.starts_with("ASIA")) {
    return fail(Error{"AccessDenied", 403, "Cannot call GetSessionToken with session credentials"});
  }
  TRY(const std::int32_t seconds,
      session_seconds(in.duration_seconds, root ? root_token_duration_max : token_duration_max,
                      43'200,
                      "The requested DurationSeconds exceeds the longest session of this caller."));
  TRY(const identity::SessionCredentials session,
      sts.directory.make_own_session(caller, std::chrono::seconds(seconds), context.now));
  op::GetSessionToken::Output out;
  out.credentials = to_model(session);
  return out;
}

}  // namespace wolke::sts
