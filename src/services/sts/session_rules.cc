#include "wolke/services/sts/session_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/identity/ids.h"
#include "wolke/identity/policy.h"

namespace wolke::sts {
namespace {

constexpr std::int32_t duration_min = 900;
constexpr std::size_t session_policy_bytes_max = 2048;
constexpr std::size_t session_policy_arns_max = 10;

}  // namespace

Error validation_error(std::string text) {
  return {"ValidationError", 400, std::move(text)};
}

Error invalid_parameter(std::string text) {
  return {"InvalidParameterValue", 400, std::move(text)};
}

Result<void> check_session_name(const std::string& name, std::string_view member,
                                std::size_t size_max) {
  const bool valid = name.size() >= 2 && name.size() <= size_max &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                              (c >= 'A' && c <= 'Z') ||
                              std::string_view("_+=,.@-").find(c) != std::string_view::npos;
                     });
  if (valid) return {};
  return fail(validation_error(
      fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: "
                  "Member must satisfy regular expression pattern: [\\w+=,.@-]*",
                  printable(name), member)));
}

Result<std::int32_t> session_seconds(const std::optional<std::int32_t>& wanted,
                                     const Duration& bounds) {
  const std::int32_t seconds =
      wanted.value_or(std::min(bounds.seconds_default, bounds.seconds_max));
  if (seconds < duration_min) {
    return fail(
        validation_error(fmt::format("1 validation error detected: Value '{}' at 'durationSeconds' "
                                     "failed to satisfy constraint: "
                                     "Member must have value greater than or equal to {}",
                                     seconds, duration_min)));
  }
  if (seconds > bounds.seconds_max) return fail(validation_error(bounds.too_long));
  return seconds;
}

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

Result<void> add_policies(store::Tx& tx, const std::optional<std::string>& policy,
                          const std::optional<std::vector<model::PolicyDescriptorType>>& arns,
                          identity::SessionRequest& out) {
  if (policy) {
    if (policy->size() > session_policy_bytes_max) {
      return fail(Error{"PackedPolicyTooLarge", 400,
                        "The session policy is longer than 2,048 characters."});
    }
    TRY(identity::Policy::parse(*policy, identity::PolicyKind::identity));
    out.policies.push_back(*policy);
  }
  if (!arns) return {};
  if (arns->size() > session_policy_arns_max) {
    return fail(validation_error("At most 10 managed policies can be session policies."));
  }
  for (const model::PolicyDescriptorType& descriptor : *arns) {
    const std::string arn = descriptor.arn.value_or("");
    TRY(const auto document, identity::managed_policy_document(tx, arn));
    if (!document)
      return fail(
          Error{"NoSuchEntity", 404, fmt::format("Policy {} was not found.", printable(arn))});
    out.policy_arns.push_back(arn);
  }
  return {};
}

bool has_key(const Tags& tags, std::string_view key) {
  return std::ranges::any_of(tags, [key](const auto& one) { return iequals(one.first, key); });
}

Result<Tags> checked_tags(const TagList& wanted) {
  Tags out;
  if (!wanted) return out;
  for (const model::Tag& tag : *wanted) {
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
  if (out.size() > session_tags_max)
    return fail(validation_error("A session has at most 50 tags."));
  return out;
}

void add_tag_conditions(const Tags& tags, identity::Ask& ask) {
  for (const auto& [key, value] : tags) {
    ask.conditions["aws:requesttag/" + to_lower(key)] = {value};
    ask.conditions["aws:tagkeys"].push_back(key);
  }
}

std::optional<std::int32_t> packed_size(const identity::SessionRequest& request) {
  std::size_t bytes = 0;
  for (const std::string& policy : request.policies) bytes += policy.size();
  for (const std::string& arn : request.policy_arns) bytes += arn.size();
  for (const auto& [key, value] : request.tags) bytes += key.size() + value.size();
  if (bytes == 0) return std::nullopt;
  return static_cast<std::int32_t>(std::min<std::size_t>(100, 1 + bytes * 100 / 4096));
}

model::Credentials to_model(const identity::SessionCredentials& session) {
  return {.access_key_id = session.access_key_id,
          .secret_access_key = session.secret,
          .session_token = session.token,
          .expiration = session.expires};
}

}  // namespace wolke::sts
