// Instance profiles (kept for tools that make them; no instances exist here), account alias and
// summary.

#include <fmt/format.h>

#include "wolke/identity/ids.h"
#include "wolke/services/iam/ops.h"
#include "wolke/services/iam/rules.h"

namespace wolke::iam {
namespace {

using identity::InstanceProfileRecord;

Result<InstanceProfileRecord> load_profile(store::Tx& tx, const Context& context,
                                           const std::string& name) {
  TRY(auto record,
      tx.get<InstanceProfileRecord>(identity::keys::instance_profile(context.account, name)));
  if (!record) {
    return fail(
        Error{"NoSuchEntity", 404, fmt::format("Instance Profile {} cannot be found.", name)});
  }
  return *std::move(record);
}

Result<model::InstanceProfile> profile_model(store::Tx& tx, const Context& context,
                                             const InstanceProfileRecord& record) {
  model::InstanceProfile out;
  out.path = record.path;
  out.instance_profile_name = record.name;
  out.instance_profile_id = record.id;
  out.arn = identity::iam_arn(context.account, "instance-profile", record.path, record.name);
  out.create_date = record.created;
  out.roles.emplace();
  if (!record.role.empty()) {
    TRY(const auto role, tx.peek<EntityRecord>(identity::keys::entity(
                             EntityType::role, context.account, record.role)));
    if (role) out.roles->push_back(role_model(context, *role));
  }
  if (!record.tags.empty()) out.tags = to_model(record.tags);
  return out;
}

Result<identity::AccountRecord> load_account(store::Tx& tx, const Context& context) {
  TRY(auto record, tx.get<identity::AccountRecord>(identity::keys::account(context.account)));
  if (record) return *std::move(record);
  identity::AccountRecord fresh;
  fresh.id = context.account;
  fresh.created = context.now;
  return fresh;
}

}  // namespace

Result<op::CreateInstanceProfile::Output> create_instance_profile(
    Iam&, store::Tx& tx, const Context& context, const op::CreateInstanceProfile::Input& in) {
  const std::string& name = *in.instance_profile_name;
  TRY(check_name(name, "instanceProfileName"));
  InstanceProfileRecord record;
  TRY(record.path, checked_path(in.path));
  const store::Key key = identity::keys::instance_profile(context.account, name);
  TRY(auto existing, tx.get<InstanceProfileRecord>(key));
  if (existing)
    return fail(entity_already_exists(fmt::format("Instance Profile {} already exists.", name)));
  record.name = name;
  record.id = identity::make_unique_id("AIPA", *context.random);
  record.created = context.now;
  TRY(add_tags(record.tags, in.tags));
  tx.put(key, record);
  op::CreateInstanceProfile::Output out;
  TRY(out.instance_profile, profile_model(tx, context, record));
  return out;
}

Result<op::GetInstanceProfile::Output> get_instance_profile(
    Iam&, store::Tx& tx, const Context& context, const op::GetInstanceProfile::Input& in) {
  TRY(const InstanceProfileRecord record, load_profile(tx, context, *in.instance_profile_name));
  op::GetInstanceProfile::Output out;
  TRY(out.instance_profile, profile_model(tx, context, record));
  return out;
}

Result<op::DeleteInstanceProfile::Output> delete_instance_profile(
    Iam&, store::Tx& tx, const Context& context, const op::DeleteInstanceProfile::Input& in) {
  TRY(const InstanceProfileRecord record, load_profile(tx, context, *in.instance_profile_name));
  if (!record.role.empty()) {
    return fail(
        delete_conflict("Cannot delete entity, must remove roles from instance profile first."));
  }
  tx.erase(identity::keys::instance_profile(context.account, record.name));
  return op::DeleteInstanceProfile::Output{};
}

Result<op::AddRoleToInstanceProfile::Output> add_role_to_instance_profile(
    Iam&, store::Tx& tx, const Context& context, const op::AddRoleToInstanceProfile::Input& in) {
  TRY(InstanceProfileRecord record, load_profile(tx, context, *in.instance_profile_name));
  TRY(const EntityRecord role, load(tx, context, {EntityType::role, *in.role_name}));
  if (!record.role.empty()) {
    return fail(limit_exceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"));
  }
  record.role = role.name;
  tx.put(identity::keys::instance_profile(context.account, record.name), record);
  return op::AddRoleToInstanceProfile::Output{};
}

Result<op::RemoveRoleFromInstanceProfile::Output> remove_role_from_instance_profile(
    Iam&, store::Tx& tx, const Context& context,
    const op::RemoveRoleFromInstanceProfile::Input& in) {
  TRY(InstanceProfileRecord record, load_profile(tx, context, *in.instance_profile_name));
  if (!iequals(record.role, *in.role_name))
    return fail(no_such_entity({EntityType::role, *in.role_name}));
  record.role.clear();
  tx.put(identity::keys::instance_profile(context.account, record.name), record);
  return op::RemoveRoleFromInstanceProfile::Output{};
}

Result<op::ListInstanceProfiles::Output> list_instance_profiles(
    Iam&, store::Tx& tx, const Context& context, const op::ListInstanceProfiles::Input& in) {
  TRY(const identity::PageRequest page, page_request(in.marker, in.max_items));
  TRY(const auto found, identity::list_instance_profiles(tx, context.account, page));
  op::ListInstanceProfiles::Output out;
  out.instance_profiles.emplace();
  for (const InstanceProfileRecord& record : found.items) {
    if (!record.path.starts_with(in.path_prefix.value_or("/"))) continue;
    TRY(model::InstanceProfile profile, profile_model(tx, context, record));
    out.instance_profiles->push_back(std::move(profile));
  }
  finish_page(found.next, out);
  return out;
}

Result<std::vector<model::InstanceProfile>> profiles_of_role(store::Tx& tx, const Context& context,
                                                             const std::string& role) {
  TRY(const auto found,
      identity::list_instance_profiles(tx, context.account, {.count_max = 10'000}));
  std::vector<model::InstanceProfile> out;
  for (const InstanceProfileRecord& record : found.items) {
    if (!iequals(record.role, role)) continue;
    TRY(model::InstanceProfile profile, profile_model(tx, context, record));
    out.push_back(std::move(profile));
  }
  return out;
}

Result<op::ListInstanceProfilesForRole::Output> list_instance_profiles_for_role(
    Iam&, store::Tx& tx, const Context& context, const op::ListInstanceProfilesForRole::Input& in) {
  TRY(const EntityRecord role, load(tx, context, {EntityType::role, *in.role_name}));
  TRY(std::vector<model::InstanceProfile> all, profiles_of_role(tx, context, role.name));
  op::ListInstanceProfilesForRole::Output out;
  TRY(page_list(std::move(all), in, out.instance_profiles, out));
  return out;
}

Result<op::CreateAccountAlias::Output> create_account_alias(
    Iam&, store::Tx& tx, const Context& context, const op::CreateAccountAlias::Input& in) {
  TRY(identity::AccountRecord record, load_account(tx, context));
  record.alias = *in.account_alias;
  tx.put(identity::keys::account(context.account), record);
  return op::CreateAccountAlias::Output{};
}

Result<op::DeleteAccountAlias::Output> delete_account_alias(
    Iam&, store::Tx& tx, const Context& context, const op::DeleteAccountAlias::Input& in) {
  TRY(identity::AccountRecord record, load_account(tx, context));
  if (record.alias != *in.account_alias) {
    return fail(Error{"NoSuchEntity", 404,
                      fmt::format("The account alias {} cannot be found.", *in.account_alias)});
  }
  record.alias.clear();
  tx.put(identity::keys::account(context.account), record);
  return op::DeleteAccountAlias::Output{};
}

Result<op::ListAccountAliases::Output> list_account_aliases(Iam&, store::Tx& tx,
                                                            const Context& context,
                                                            const op::ListAccountAliases::Input&) {
  TRY(const identity::AccountRecord record, load_account(tx, context));
  op::ListAccountAliases::Output out;
  out.account_aliases.emplace();
  if (!record.alias.empty()) out.account_aliases->push_back(record.alias);
  out.is_truncated = false;
  return out;
}

Result<op::GetAccountSummary::Output> get_account_summary(Iam& iam, store::Tx& tx,
                                                          const Context& context,
                                                          const op::GetAccountSummary::Input&) {
  op::GetAccountSummary::Output out;
  auto& map = out.summary_map.emplace();
  TRY(const std::size_t users, identity::count_entities(tx, EntityType::user, context.account));
  TRY(const std::size_t groups, identity::count_entities(tx, EntityType::group, context.account));
  TRY(const std::size_t roles, identity::count_entities(tx, EntityType::role, context.account));
  TRY(const auto policies, identity::list_policies(tx, context.account, {.count_max = 100'000}));
  map["Users"] = static_cast<std::int32_t>(users);
  map["Groups"] = static_cast<std::int32_t>(groups);
  map["Roles"] = static_cast<std::int32_t>(roles);
  map["Policies"] = static_cast<std::int32_t>(policies.items.size());
  map["UsersQuota"] = static_cast<std::int32_t>(iam.limits.users);
  map["RolesQuota"] = static_cast<std::int32_t>(iam.limits.roles);
  map["AccessKeysPerUserQuota"] = static_cast<std::int32_t>(iam.limits.access_keys_per_user);
  map["AttachedPoliciesPerRoleQuota"] =
      static_cast<std::int32_t>(iam.limits.managed_policies_per_role);
  map["AccountAccessKeysPresent"] = 1;
  map["AccountMFAEnabled"] = 0;
  return out;
}

}  // namespace wolke::iam
