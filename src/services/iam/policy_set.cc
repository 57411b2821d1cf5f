#include "wolke/services/iam/policy_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "wolke/identity/ids.h"
#include "wolke/identity/policy.h"

namespace wolke::iam {
namespace {

std::size_t inline_bytes_max(EntityType type) {
  switch (type) {
    case EntityType::user:
      return 2048;
    case EntityType::group:
      return 5120;
    case EntityType::role:
      break;
  }
  return 10240;
}

Error no_such_inline(EntityType type, const std::string& name) {
  return {"NoSuchEntity", 404,
          fmt::format("The {} policy with name {} cannot be found.", type_name(type), name)};
}

std::optional<identity::IamArn> own_policy(const Context& context, const std::string& arn) {
  const auto parsed = identity::parse_iam_arn(arn);
  if (!parsed || parsed->type != "policy" || parsed->account != context.account)
    return std::nullopt;
  return parsed;
}

enum class Use : std::uint8_t { attachment, boundary };

Result<void> count(store::Tx& tx, const Context& context, const std::string& arn, Use use,
                   int delta) {
  const auto parsed = own_policy(context, arn);
  if (!parsed) return {};
  const store::Key key = identity::keys::policy(context.account, parsed->name);
  TRY(auto policy, tx.get<identity::PolicyRecord>(key));
  if (!policy) return {};
  (use == Use::attachment ? policy->attachments : policy->boundary_uses) += delta;
  tx.put(key, *policy);
  return {};
}

/// A policy of the account itself or of AWS.
Result<bool> attachable(store::Tx& tx, const Context& context, const std::string& arn) {
  const auto parsed = identity::parse_iam_arn(arn);
  if (!parsed || (parsed->account != "aws" && parsed->account != context.account)) return false;
  TRY(const auto document, identity::managed_policy_document(tx, arn));
  return document.has_value();
}

}  // namespace

Result<void> put_inline(EntityRecord& record, EntityType type, const std::string& name,
                        const std::string& document) {
  TRY(check_name(name, "policyName"));
  TRY(identity::Policy::parse(document, identity::PolicyKind::identity));
  record.inline_policies[name] = document;
  std::size_t total = 0;
  for (const auto& [key, text] : record.inline_policies) total += policy_size(text);
  if (total > inline_bytes_max(type)) {
    return fail(limit_exceeded(fmt::format("Maximum policy size of {} bytes exceeded for {} {}",
                                           inline_bytes_max(type), type_name(type), record.name)));
  }
  return {};
}

Result<void> delete_inline(EntityRecord& record, EntityType type, const std::string& name) {
  if (record.inline_policies.erase(name) == 0) return fail(no_such_inline(type, name));
  return {};
}

Result<std::string> get_inline(const EntityRecord& record, EntityType type,
                               const std::string& name) {
  const auto found = record.inline_policies.find(name);
  if (found == record.inline_policies.end()) return fail(no_such_inline(type, name));
  return found->second;
}

Result<void> count_attachment(store::Tx& tx, const Context& context, const std::string& arn,
                              int delta) {
  return count(tx, context, arn, Use::attachment, delta);
}

Result<void> attach(const Iam& iam, store::Tx& tx, const Context& context, EntityRecord& record,
                    EntityType type, const std::string& arn) {
  if (!arn.starts_with("arn:")) return fail(validation_error("Invalid ARN:  Could not be parsed!"));
  if (!identity::parse_iam_arn(arn))
    return fail(Error{"InvalidInput", 400, fmt::format("ARN {} is not valid.", arn)});
  TRY(const bool exists, attachable(tx, context, arn));
  if (!exists) {
    return fail(Error{"NoSuchEntity", 404,
                      fmt::format("Policy {} does not exist or is not attachable.", arn)});
  }
  if (std::find(record.attached.begin(), record.attached.end(), arn) != record.attached.end())
    return {};
  const std::size_t attached_max = iam.limits.managed_policies_per_role;
  if (record.attached.size() >= attached_max) {
    const std::string_view quota = type == EntityType::role    ? "PoliciesPerRole"
                                   : type == EntityType::group ? "PoliciesPerGroup"
                                                               : "PoliciesPerUser";
    return fail(limit_exceeded(fmt::format("Cannot exceed quota for {}: {}", quota, attached_max)));
  }
  record.attached.push_back(arn);
  return count(tx, context, arn, Use::attachment, 1);
}

Result<void> detach(store::Tx& tx, const Context& context, EntityRecord& record,
                    const std::string& arn) {
  if (std::erase(record.attached, arn) == 0) return fail(no_such_policy(arn));
  return count(tx, context, arn, Use::attachment, -1);
}

Result<void> set_boundary(store::Tx& tx, const Context& context, EntityRecord& record,
                          const std::string& arn) {
  if (!arn.empty()) {
    TRY(const bool exists, attachable(tx, context, arn));
    if (!exists) {
      return fail(Error{"NoSuchEntity", 404,
                        fmt::format("Scope ARN: {} does not exist or is not attachable.", arn)});
    }
    TRY(count(tx, context, arn, Use::boundary, 1));
  }
  if (!record.boundary.empty()) {
    TRY(count(tx, context, record.boundary, Use::boundary, -1));
  }
  record.boundary = arn;
  return {};
}

}  // namespace wolke::iam
