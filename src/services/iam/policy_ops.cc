// Customer-managed policies and their versions; AWS-managed ones can be read and attached.

#include <fmt/format.h>

#include <algorithm>

#include "wolke/base/uri.h"
#include "wolke/identity/aws_managed.h"
#include "wolke/identity/ids.h"
#include "wolke/identity/policy.h"
#include "wolke/services/iam/ops.h"
#include "wolke/services/iam/rules.h"

namespace wolke::iam {
namespace {

using identity::AwsManagedPolicy;
using identity::PolicyRecord;
using identity::PolicyVersionRecord;

constexpr std::size_t policy_bytes_max = 6144;  // PolicySize
constexpr std::size_t versions_max = 5;         // VersionsPerPolicy

/// AWS's own policies have stood for years; one date for all is enough.
constexpr Timestamp aws_policy_date =
    Timestamp(std::chrono::sys_days(std::chrono::year(2015) / 2 / 6));

std::string version_id(std::int32_t number) {
  return "v" + std::to_string(number);
}

std::optional<std::int32_t> parse_version_id(std::string_view text) {
  if (!text.starts_with('v')) return std::nullopt;
  const auto number = parse_u64(text.substr(1));
  if (!number || *number > 1'000'000'000) return std::nullopt;
  return static_cast<std::int32_t>(*number);
}

std::string arn_of_policy(const Context& context, const PolicyRecord& record) {
  return identity::iam_arn(context.account, "policy", record.path, record.name);
}

model::Policy policy_model(const Context& context, const PolicyRecord& record) {
  model::Policy out;
  out.policy_name = record.name;
  out.policy_id = record.id;
  out.arn = arn_of_policy(context, record);
  out.path = record.path;
  out.default_version_id = version_id(record.default_version);
  out.attachment_count = record.attachments;
  out.permissions_boundary_usage_count = record.boundary_uses;
  out.is_attachable = true;
  out.create_date = record.created;
  out.update_date = record.updated;
  return out;
}

model::Policy policy_model(const AwsManagedPolicy& policy) {
  model::Policy out;
  out.policy_name = std::string(policy.name);
  out.policy_id = std::string(policy.id);
  out.arn = std::string(policy.arn);
  out.path = std::string(policy.path);
  out.default_version_id = "v1";
  out.attachment_count = 0;
  out.permissions_boundary_usage_count = 0;
  out.is_attachable = true;
  out.create_date = aws_policy_date;
  out.update_date = aws_policy_date;
  return out;
}

model::PolicyVersion version_model(const PolicyRecord& record, const PolicyVersionRecord& version) {
  model::PolicyVersion out;
  out.version_id = version_id(version.number);
  out.is_default_version = version.number == record.default_version;
  out.create_date = version.created;
  return out;
}

store::Key key_of(const Context& context, const std::string& arn) {
  return identity::keys::policy(context.account, arn.substr(arn.rfind('/') + 1));
}

/// A policy of the caller's own account. AWS's cannot be changed.
Result<PolicyRecord> load_own(store::Tx& tx, const Context& context, const std::string& arn) {
  const auto parsed = identity::parse_iam_arn(arn);
  if (!parsed || parsed->type != "policy")
    return fail(validation_error(fmt::format("ARN {} is not valid.", arn)));
  if (parsed->account == "aws") {
    return fail(Error{"AccessDenied", 403, "Policies that AWS manages cannot be changed."});
  }
  if (parsed->account != context.account) return fail(no_such_policy(arn));
  TRY(auto record, tx.get<PolicyRecord>(key_of(context, arn)));
  if (!record || record->path != parsed->path) return fail(no_such_policy(arn));
  return *std::move(record);
}

Result<void> check_document(const std::string& document) {
  TRY(identity::Policy::parse(document, identity::PolicyKind::identity));
  if (policy_size(document) > policy_bytes_max) {
    return fail(
        limit_exceeded(fmt::format("Cannot exceed quota for PolicySize: {}", policy_bytes_max)));
  }
  return {};
}

Error no_such_version(const std::string& arn, const std::string& version) {
  return {"NoSuchEntity", 404,
          fmt::format("Policy {} version {} does not exist or is not attachable.", arn, version)};
}

Result<std::size_t> index_of_version(const PolicyRecord& record, const std::string& arn,
                                     const std::string& id) {
  const std::optional<std::int32_t> number = parse_version_id(id);
  for (std::size_t i = 0; i < record.versions.size(); ++i) {
    if (record.versions[i].number == number) return i;
  }
  return fail(no_such_version(arn, id));
}

}  // namespace

Result<op::CreatePolicy::Output> create_policy(Iam&, store::Tx& tx, const Context& context,
                                               const op::CreatePolicy::Input& in) {
  TRY(check_name(*in.policy_name, "policyName"));
  TRY(check_document(*in.policy_document));
  PolicyRecord record;
  TRY(record.path, checked_path(in.path));
  const store::Key key = identity::keys::policy(context.account, *in.policy_name);
  TRY(auto existing, tx.get<PolicyRecord>(key));
  if (existing) {
    return fail(entity_already_exists(fmt::format(
        "A policy called {} already exists. Duplicate names are not allowed.", *in.policy_name)));
  }
  record.name = *in.policy_name;
  record.id = identity::make_unique_id("ANPA", *context.random);
  record.description = in.description.value_or("");
  record.created = context.now;
  record.updated = context.now;
  TRY(add_tags(record.tags, in.tags));
  PolicyVersionRecord version;
  version.document = *in.policy_document;
  version.created = context.now;
  record.versions.push_back(std::move(version));
  tx.put(key, record);
  op::CreatePolicy::Output out;
  out.policy = policy_model(context, record);
  if (!record.tags.empty()) out.policy->tags = to_model(record.tags);
  return out;
}

Result<op::GetPolicy::Output> get_policy(Iam&, store::Tx& tx, const Context& context,
                                         const op::GetPolicy::Input& in) {
  op::GetPolicy::Output out;
  if (const AwsManagedPolicy* policy = identity::find_aws_managed(*in.policy_arn)) {
    out.policy = policy_model(*policy);
    out.policy->description = std::string(policy->description);
    return out;
  }
  if (in.policy_arn->starts_with("arn:aws:iam::aws:")) return fail(no_such_policy(*in.policy_arn));
  TRY(const PolicyRecord record, load_own(tx, context, *in.policy_arn));
  out.policy = policy_model(context, record);
  if (!record.description.empty()) out.policy->description = record.description;
  if (!record.tags.empty()) out.policy->tags = to_model(record.tags);
  return out;
}

Result<op::ListPolicies::Output> list_policies(Iam&, store::Tx& tx, const Context& context,
                                               const op::ListPolicies::Input& in) {
  const std::string scope = in.scope.value_or("All");
  std::vector<model::Policy> all;
  if (scope != "AWS") {
    TRY(const auto own, identity::list_policies(tx, context.account, {.count_max = 10'000}));
    for (const PolicyRecord& record : own.items) all.push_back(policy_model(context, record));
  }
  if (scope != "Local") {
    for (const AwsManagedPolicy& policy : identity::aws_managed_policies())
      all.push_back(policy_model(policy));
  }
  std::erase_if(all, [&in](const model::Policy& policy) {
    if (in.path_prefix && !policy.path->starts_with(*in.path_prefix)) return true;
    if (in.policy_usage_filter == "PermissionsBoundary")
      return *policy.permissions_boundary_usage_count == 0;
    return in.only_attached.value_or(false) && *policy.attachment_count == 0;
  });
  op::ListPolicies::Output out;
  TRY(page_list(std::move(all), in, out.policies, out));
  return out;
}

Result<op::DeletePolicy::Output> delete_policy(Iam&, store::Tx& tx, const Context& context,
                                               const op::DeletePolicy::Input& in) {
  TRY(const PolicyRecord record, load_own(tx, context, *in.policy_arn));
  if (record.attachments > 0 || record.boundary_uses > 0) {
    return fail(delete_conflict("Cannot delete a policy attached to entities."));
  }
  if (record.versions.size() > 1) {
    return fail(delete_conflict(
        "This policy has more than one version. Before you delete a policy, you must delete the "
        "policy's versions. The default version is deleted with the policy."));
  }
  tx.erase(key_of(context, *in.policy_arn));
  return op::DeletePolicy::Output{};
}

Result<op::CreatePolicyVersion::Output> create_policy_version(
    Iam&, store::Tx& tx, const Context& context, const op::CreatePolicyVersion::Input& in) {
  TRY(check_document(*in.policy_document));
  TRY(PolicyRecord record, load_own(tx, context, *in.policy_arn));
  if (record.versions.size() >= versions_max) {
    return fail(
        limit_exceeded("A managed policy can have up to 5 versions. Before you create a new "
                       "version, you must delete an existing "
                       "version."));
  }
  PolicyVersionRecord version;
  version.number = ++record.last_version;
  version.document = *in.policy_document;
  version.created = context.now;
  record.updated = context.now;
  if (in.set_as_default.value_or(false)) record.default_version = version.number;
  record.versions.push_back(version);
  tx.put(key_of(context, *in.policy_arn), record);
  op::CreatePolicyVersion::Output out;
  out.policy_version = version_model(record, version);
  return out;
}

Result<op::GetPolicyVersion::Output> get_policy_version(Iam&, store::Tx& tx, const Context& context,
                                                        const op::GetPolicyVersion::Input& in) {
  op::GetPolicyVersion::Output out;
  if (const AwsManagedPolicy* policy = identity::find_aws_managed(*in.policy_arn)) {
    if (*in.version_id != "v1") return fail(no_such_version(*in.policy_arn, *in.version_id));
    out.policy_version = model::PolicyVersion{.document = percent_encode(policy->document),
                                              .version_id = "v1",
                                              .is_default_version = true,
                                              .create_date = aws_policy_date};
    return out;
  }
  if (in.policy_arn->starts_with("arn:aws:iam::aws:")) return fail(no_such_policy(*in.policy_arn));
  TRY(const PolicyRecord record, load_own(tx, context, *in.policy_arn));
  TRY(const std::size_t index, index_of_version(record, *in.policy_arn, *in.version_id));
  out.policy_version = version_model(record, record.versions[index]);
  out.policy_version->document = percent_encode(record.versions[index].document);
  return out;
}

Result<op::ListPolicyVersions::Output> list_policy_versions(
    Iam&, store::Tx& tx, const Context& context, const op::ListPolicyVersions::Input& in) {
  std::vector<model::PolicyVersion> all;
  if (identity::find_aws_managed(*in.policy_arn) != nullptr) {
    all.push_back({.version_id = "v1", .is_default_version = true, .create_date = aws_policy_date});
  } else {
    TRY(const PolicyRecord record, load_own(tx, context, *in.policy_arn));
    for (auto it = record.versions.rbegin(); it != record.versions.rend(); ++it) {
      all.push_back(version_model(record, *it));
    }
  }
  op::ListPolicyVersions::Output out;
  TRY(page_list(std::move(all), in, out.versions, out));
  return out;
}

Result<op::SetDefaultPolicyVersion::Output> set_default_policy_version(
    Iam&, store::Tx& tx, const Context& context, const op::SetDefaultPolicyVersion::Input& in) {
  TRY(PolicyRecord record, load_own(tx, context, *in.policy_arn));
  TRY(const std::size_t index, index_of_version(record, *in.policy_arn, *in.version_id));
  record.default_version = record.versions[index].number;
  record.updated = context.now;
  tx.put(key_of(context, *in.policy_arn), record);
  return op::SetDefaultPolicyVersion::Output{};
}

Result<op::DeletePolicyVersion::Output> delete_policy_version(
    Iam&, store::Tx& tx, const Context& context, const op::DeletePolicyVersion::Input& in) {
  TRY(PolicyRecord record, load_own(tx, context, *in.policy_arn));
  TRY(const std::size_t index, index_of_version(record, *in.policy_arn, *in.version_id));
  if (record.versions[index].number == record.default_version) {
    return fail(delete_conflict("Cannot delete the default version of a policy."));
  }
  record.versions.erase(record.versions.begin() + static_cast<std::ptrdiff_t>(index));
  tx.put(key_of(context, *in.policy_arn), record);
  return op::DeletePolicyVersion::Output{};
}

Result<op::TagPolicy::Output> tag_policy(Iam&, store::Tx& tx, const Context& context,
                                         const op::TagPolicy::Input& in) {
  TRY(PolicyRecord record, load_own(tx, context, *in.policy_arn));
  TRY(add_tags(record.tags, in.tags));
  tx.put(key_of(context, *in.policy_arn), record);
  return op::TagPolicy::Output{};
}

Result<op::UntagPolicy::Output> untag_policy(Iam&, store::Tx& tx, const Context& context,
                                             const op::UntagPolicy::Input& in) {
  TRY(PolicyRecord record, load_own(tx, context, *in.policy_arn));
  for (const std::string& key : *in.tag_keys) {
    std::erase_if(record.tags, [&](const auto& tag) { return iequals(tag.first, key); });
  }
  tx.put(key_of(context, *in.policy_arn), record);
  return op::UntagPolicy::Output{};
}

Result<op::ListPolicyTags::Output> list_policy_tags(Iam&, store::Tx& tx, const Context& context,
                                                    const op::ListPolicyTags::Input& in) {
  TRY(const PolicyRecord record, load_own(tx, context, *in.policy_arn));
  op::ListPolicyTags::Output out;
  TRY(page_list(to_model(record.tags), in, out.tags, out));
  return out;
}

Result<op::ListEntitiesForPolicy::Output> list_entities_for_policy(
    Iam&, store::Tx& tx, const Context& context, const op::ListEntitiesForPolicy::Input& in) {
  op::ListEntitiesForPolicy::Output out;
  out.policy_groups.emplace();
  out.policy_users.emplace();
  out.policy_roles.emplace();
  out.is_truncated = false;
  const std::string filter = in.entity_filter.value_or("");
  for (const EntityType type : {EntityType::group, EntityType::user, EntityType::role}) {
    if (!filter.empty() && !iequals(filter, type_name(type))) continue;
    TRY(const auto found,
        identity::list_entities(tx, type, context.account, {.count_max = 10'000}));
    for (const EntityRecord& record : found.items) {
      const auto& attached = record.attached;
      if (std::find(attached.begin(), attached.end(), *in.policy_arn) == attached.end()) continue;
      if (type == EntityType::group) {
        out.policy_groups->push_back({.group_name = record.name, .group_id = record.id});
      } else if (type == EntityType::user) {
        out.policy_users->push_back({.user_name = record.name, .user_id = record.id});
      } else {
        out.policy_roles->push_back({.role_name = record.name, .role_id = record.id});
      }
    }
  }
  return out;
}

}  // namespace wolke::iam
