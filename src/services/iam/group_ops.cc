// Groups: membership lies in the user's record, policies in the group's.

#include <fmt/format.h>

#include <algorithm>

#include "wolke/identity/ids.h"
#include "wolke/services/iam/ops.h"
#include "wolke/services/iam/rules.h"

namespace wolke::iam {
namespace {

constexpr std::size_t groups_per_user_max = 10;

model::Group group_model(const Context& context, const EntityRecord& record) {
  model::Group out;
  out.path = record.path;
  out.group_name = record.name;
  out.group_id = record.id;
  out.arn = arn_of(context, EntityType::group, record);
  out.create_date = record.created;
  return out;
}

bool is_member(const EntityRecord& user, const std::string& group) {
  return std::any_of(user.groups.begin(), user.groups.end(),
                     [&group](const std::string& name) { return iequals(name, group); });
}

Result<std::vector<EntityRecord>> members_of(store::Tx& tx, const Context& context,
                                             const std::string& group) {
  TRY(auto users,
      identity::list_entities(tx, EntityType::user, context.account, {.count_max = 100'000}));
  std::erase_if(users.items,
                [&group](const EntityRecord& user) { return !is_member(user, group); });
  return std::move(users.items);
}

}  // namespace

Result<op::CreateGroup::Output> create_group(Iam&, store::Tx& tx, const Context& context,
                                             const op::CreateGroup::Input& in) {
  const Target target = target_of(in);
  TRY(check_name(target.name, "groupName"));
  EntityRecord record;
  TRY(record.path, checked_path(in.path));
  TRY(auto existing,
      tx.get<EntityRecord>(identity::keys::entity(target.type, context.account, target.name)));
  if (existing) {
    return fail(
        entity_already_exists(fmt::format("Group with name {} already exists.", target.name)));
  }
  record.name = target.name;
  record.id = identity::make_unique_id("AGPA", *context.random);
  record.created = context.now;
  save(tx, context, target, record);
  op::CreateGroup::Output out;
  out.group = group_model(context, record);
  return out;
}

Result<op::GetGroup::Output> get_group(Iam&, store::Tx& tx, const Context& context,
                                       const op::GetGroup::Input& in) {
  TRY(const EntityRecord record, load(tx, context, target_of(in)));
  TRY(const std::vector<EntityRecord> members, members_of(tx, context, record.name));
  std::vector<model::User> users;
  for (const EntityRecord& user : members) users.push_back(user_model(context, user));
  op::GetGroup::Output out;
  out.group = group_model(context, record);
  TRY(page_list(std::move(users), in, out.users, out));
  return out;
}

Result<op::ListGroups::Output> list_groups(Iam&, store::Tx& tx, const Context& context,
                                           const op::ListGroups::Input& in) {
  TRY(const identity::PageRequest page, page_request(in.marker, in.max_items));
  TRY(auto found, identity::list_entities(tx, EntityType::group, context.account, page));
  op::ListGroups::Output out;
  out.groups.emplace();
  for (const EntityRecord& record : found.items) {
    if (!record.path.starts_with(in.path_prefix.value_or("/"))) continue;
    out.groups->push_back(group_model(context, record));
  }
  finish_page(found.next, out);
  return out;
}

Result<op::DeleteGroup::Output> delete_group(Iam&, store::Tx& tx, const Context& context,
                                             const op::DeleteGroup::Input& in) {
  const Target target = target_of(in);
  TRY(const EntityRecord record, load(tx, context, target));
  TRY(const std::vector<EntityRecord> members, members_of(tx, context, record.name));
  if (!members.empty())
    return fail(delete_conflict("Cannot delete entity, must remove users from group first."));
  if (!record.attached.empty()) {
    return fail(delete_conflict("Cannot delete entity, must detach all policies first."));
  }
  if (!record.inline_policies.empty()) {
    return fail(delete_conflict("Cannot delete entity, must delete policies first."));
  }
  tx.erase(identity::keys::entity(target.type, context.account, target.name));
  return op::DeleteGroup::Output{};
}

Result<op::AddUserToGroup::Output> add_user_to_group(Iam&, store::Tx& tx, const Context& context,
                                                     const op::AddUserToGroup::Input& in) {
  const Target user{EntityType::user, *in.user_name};
  TRY(const EntityRecord group, load(tx, context, {EntityType::group, *in.group_name}));
  TRY(EntityRecord record, load(tx, context, user));
  if (is_member(record, group.name)) return op::AddUserToGroup::Output{};
  if (record.groups.size() >= groups_per_user_max) {
    return fail(limit_exceeded(
        fmt::format("Cannot exceed quota for GroupsPerUser: {}", groups_per_user_max)));
  }
  record.groups.push_back(group.name);
  save(tx, context, user, record);
  return op::AddUserToGroup::Output{};
}

Result<op::RemoveUserFromGroup::Output> remove_user_from_group(
    Iam&, store::Tx& tx, const Context& context, const op::RemoveUserFromGroup::Input& in) {
  const Target user{EntityType::user, *in.user_name};
  TRY(const EntityRecord group, load(tx, context, {EntityType::group, *in.group_name}));
  TRY(EntityRecord record, load(tx, context, user));
  std::erase_if(record.groups,
                [&group](const std::string& name) { return iequals(name, group.name); });
  save(tx, context, user, record);
  return op::RemoveUserFromGroup::Output{};
}

Result<op::ListGroupsForUser::Output> list_groups_for_user(Iam&, store::Tx& tx,
                                                           const Context& context,
                                                           const op::ListGroupsForUser::Input& in) {
  TRY(const EntityRecord record, load(tx, context, target_of(in)));
  std::vector<model::Group> all;
  for (const std::string& name : record.groups) {
    TRY(const auto group,
        tx.peek<EntityRecord>(identity::keys::entity(EntityType::group, context.account, name)));
    if (group) all.push_back(group_model(context, *group));
  }
  op::ListGroupsForUser::Output out;
  TRY(page_list(std::move(all), in, out.groups, out));
  return out;
}

}  // namespace wolke::iam
