// Temporary credentials. Source: STS API Reference, AssumeRole and GetSessionToken.

#include <fmt/format.h>

#include <algorithm>

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

Result<void> add_tags(const op::AssumeRole::Input& in, identity::SessionRequest& out) {
  if (!in.tags) return {};
  if (in.tags->size() > session_tags_max)
    return fail(validation_error("A session has at most 50 tags."));
  for (const model::Tag& tag : *in.tags) {
    const std::string key = tag.key.value_or("");
    if (to_lower(key).starts_with("aws:")) {
      return fail(Error{"InvalidParameterValue", 400,
                        "Tag keys that begin with 'aws:' are reserved for internal use."});
    }
    const bool again = std::any_of(out.tags.begin(), out.tags.end(),
                                   [&key](const auto& one) { return iequals(one.first, key); });
    if (again) {
      return fail(
          Error{"InvalidParameterValue", 400,
                "Duplicate tag keys found. Please note that Tag keys are case insensitive."});
    }
    out.tags.emplace(key, tag.value.value_or(""));
  }
  return {};
}

/// What would bind a session further than it can be here is refused, not left out.
Result<void> check_served(const op::AssumeRole::Input& in) {
  std::string_view unserved;
  if (in.transitive_tag_keys && !in.transitive_tag_keys->empty()) unserved = "TransitiveTagKeys";
  if (in.source_identity) unserved = "SourceIdentity";
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

}  // namespace

Result<operation::Asks> assume_role_asks(Sts&, const Context&, const op::AssumeRole::Input& in) {
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
  operation::Asks asks = {std::move(ask)};
  if (in.tags && !in.tags->empty()) {
    for (const model::Tag& tag : *in.tags) {
      asks[0].conditions["aws:requesttag/" + to_lower(tag.key.value_or(""))] = {
          tag.value.value_or("")};
      asks[0].conditions["aws:tagkeys"].push_back(tag.key.value_or(""));
    }
    asks.push_back(asks[0]);
    asks[1].action = "sts:TagSession";
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
  TRY(add_tags(in, request));
  TRY(const identity::SessionCredentials session, sts.directory.make_session(request, context.now));
  op::AssumeRole::Output out;
  out.credentials = to_model(session);
  out.assumed_role_user =
      model::AssumedRoleUser{.assumed_role_id = session.unique_id, .arn = session.arn};
  if (in.policy || in.policy_arns) {
    std::size_t bytes = in.policy ? in.policy->size() : 0;
    for (const std::string& arn : request.policy_arns) bytes += arn.size();
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
