// Roles. Source: IAM API Reference, CreateRole and its neighbours.

#include <fmt/format.h>

#include "wolke/identity/ids.h"
#include "wolke/identity/policy.h"
#include "wolke/identity/use.h"
#include "wolke/services/iam/ops.h"
#include "wolke/services/iam/policy_set.h"

namespace wolke::iam {
namespace {

constexpr std::size_t trust_bytes_max =
    4096;  // RolesTrustPolicyLength, raised; the default quota is 2,048

Result<void> check_trust_policy(const std::string& document) {
  TRY(identity::Policy::parse(document, identity::PolicyKind::trust));
  if (policy_size(document) > trust_bytes_max) {
    return fail(
        limit_exceeded(fmt::format("Cannot exceed quota for ACLSizePerRole: {}", trust_bytes_max)));
  }
  return {};
}

Result<void> check_session_duration(const std::optional<std::int32_t>& seconds) {
  if (!seconds || (*seconds >= 3600 && *seconds <= 43200)) return {};
  return fail(validation_error(fmt::format(
      "1 validation error detected: Value '{}' at 'maxSessionDuration' failed to satisfy "
      "constraint: Member must be between 3600 and 43200",
      *seconds)));
}

}  // namespace

model::Role role_model(const Context& context, const EntityRecord& record) {
  model::Role out;
  out.path = record.path;
  out.role_name = record.name;
  out.role_id = record.id;
  out.arn = arn_of(context, EntityType::role, record);
  out.create_date = record.created;
  out.assume_role_policy_document = percent_encode(record.trust_policy);
  if (!record.description.empty()) out.description = record.description;
  out.max_session_duration = record.max_session_seconds;
  return out;
}

Result<model::RoleLastUsed> last_use_of_role(store::Tx& tx, const Context& context,
                                             const EntityRecord& record) {
  TRY(const auto use,
      tx.peek<identity::EntityUseRecord>(identity::keys::entity_use(context.account, record.id)));
  const std::string service = use ? use->last_service() : "";
  if (service.empty()) return model::RoleLastUsed{};
  return model::RoleLastUsed{.last_used_date = use->services.at(service),
                             .region = use->regions.at(service)};
}

/// GetRole, CreateRole and the like show more than lists do.
static model::Role full_role_model(const Context& context, const EntityRecord& record) {
  model::Role out = role_model(context, record);
  out.permissions_boundary = boundary_of(record);
  if (!record.tags.empty()) out.tags = to_model(record.tags);
  out.role_last_used.emplace();
  return out;
}

Result<op::CreateRole::Output> create_role(Iam& iam, store::Tx& tx, const Context& context,
                                           const op::CreateRole::Input& in) {
  const Target target = target_of(in);
  TRY(check_name(target.name, "roleName"));
  TRY(check_trust_policy(*in.assume_role_policy_document));
  TRY(check_session_duration(in.max_session_duration));
  EntityRecord record;
  TRY(record.path, checked_path(in.path));
  TRY(auto existing,
      tx.get<EntityRecord>(identity::keys::entity(target.type, context.account, target.name)));
  if (existing)
    return fail(
        entity_already_exists(fmt::format("Role with name {} already exists.", target.name)));
  TRY(const std::size_t count, identity::count_entities(tx, EntityType::role, context.account));
  if (count >= iam.limits.roles) {
    return fail(limit_exceeded(
        fmt::format("Cannot exceed quota for RolesPerAccount: {}", iam.limits.roles)));
  }
  record.name = target.name;
  record.id = identity::make_unique_id("AROA", *context.random);
  record.created = context.now;
  record.trust_policy = *in.assume_role_policy_document;
  record.description = in.description.value_or("");
  record.max_session_seconds = in.max_session_duration.value_or(3600);
  TRY(add_tags(record.tags, in.tags));
  if (in.permissions_boundary) {
    TRY(set_boundary(tx, context, record, *in.permissions_boundary));
  }
  save(tx, context, target, record);
  op::CreateRole::Output out;
  out.role = full_role_model(context, record);
  // What a role is by itself is told by GetRole only.
  out.role->max_session_duration.reset();
  out.role->role_last_used.reset();
  return out;
}

Result<op::GetRole::Output> get_role(Iam&, store::Tx& tx, const Context& context,
                                     const op::GetRole::Input& in) {
  TRY(const EntityRecord record, load(tx, context, target_of(in)));
  op::GetRole::Output out;
  out.role = full_role_model(context, record);
  TRY(out.role->role_last_used, last_use_of_role(tx, context, record));
  return out;
}

Result<op::ListRoles::Output> list_roles(Iam&, store::Tx& tx, const Context& context,
                                         const op::ListRoles::Input& in) {
  TRY(const identity::PageRequest page, page_request(in.marker, in.max_items));
  TRY(auto found, identity::list_entities(tx, EntityType::role, context.account, page));
  op::ListRoles::Output out;
  out.roles.emplace();
  for (const EntityRecord& record : found.items) {
    if (!record.path.starts_with(in.path_prefix.value_or("/"))) continue;
    out.roles->push_back(role_model(context, record));
  }
  finish_page(found.next, out);
  return out;
}

Result<op::UpdateRole::Output> update_role(Iam&, store::Tx& tx, const Context& context,
                                           const op::UpdateRole::Input& in) {
  const Target target = target_of(in);
  TRY(check_session_duration(in.max_session_duration));
  TRY(EntityRecord record, load(tx, context, target));
  if (in.description) record.description = *in.description;
  if (in.max_session_duration) record.max_session_seconds = *in.max_session_duration;
  save(tx, context, target, record);
  return op::UpdateRole::Output{};
}

Result<op::UpdateRoleDescription::Output> update_role_description(
    Iam&, store::Tx& tx, const Context& context, const op::UpdateRoleDescription::Input& in) {
  const Target target = target_of(in);
  TRY(EntityRecord record, load(tx, context, target));
  record.description = *in.description;
  save(tx, context, target, record);
  op::UpdateRoleDescription::Output out;
  out.role = full_role_model(context, record);
  return out;
}

Result<op::UpdateAssumeRolePolicy::Output> update_assume_role_policy(
    Iam&, store::Tx& tx, const Context& context, const op::UpdateAssumeRolePolicy::Input& in) {
  const Target target = target_of(in);
  TRY(check_trust_policy(*in.policy_document));
  TRY(EntityRecord record, load(tx, context, target));
  record.trust_policy = *in.policy_document;
  save(tx, context, target, record);
  return op::UpdateAssumeRolePolicy::Output{};
}

Result<op::DeleteRole::Output> delete_role(Iam&, store::Tx& tx, const Context& context,
                                           const op::DeleteRole::Input& in) {
  const Target target = target_of(in);
  TRY(EntityRecord record, load(tx, context, target));
  if (!record.attached.empty()) {
    return fail(delete_conflict("Cannot delete entity, must detach all policies first."));
  }
  if (!record.inline_policies.empty()) {
    return fail(delete_conflict("Cannot delete entity, must delete policies first."));
  }
  TRY(const auto profiles,
      identity::list_instance_profiles(tx, context.account, {.count_max = 10'000}));
  for (const auto& profile : profiles.items) {
    if (iequals(profile.role, record.name)) {
      return fail(
          delete_conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
  }
  TRY(set_boundary(tx, context, record, ""));
  tx.erase(identity::keys::entity(target.type, context.account, target.name));
  tx.erase(identity::keys::entity_use(context.account, record.id));
  return op::DeleteRole::Output{};
}

}  // namespace wolke::iam
