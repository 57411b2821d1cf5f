// Users. Source: IAM API Reference, CreateUser and its neighbours.

#include <fmt/format.h>

#include "wolke/identity/ids.h"
#include "wolke/identity/use.h"
#include "wolke/services/iam/ops.h"
#include "wolke/services/iam/policy_set.h"

namespace wolke::iam {

model::User user_model(const Context& context, const EntityRecord& record) {
  model::User out;
  out.path = record.path;
  out.user_name = record.name;
  out.user_id = record.id;
  out.arn = arn_of(context, EntityType::user, record);
  out.create_date = record.created;
  return out;
}

static model::User full_user_model(const Context& context, const EntityRecord& record) {
  model::User out = user_model(context, record);
  out.permissions_boundary = boundary_of(record);
  if (!record.tags.empty()) out.tags = to_model(record.tags);
  return out;
}

Result<op::CreateUser::Output> create_user(Iam& iam, store::Tx& tx, const Context& context,
                                           const op::CreateUser::Input& in) {
  const Target target = target_of(in);
  TRY(check_name(target.name, "userName"));
  EntityRecord record;
  TRY(record.path, checked_path(in.path));
  TRY(auto existing,
      tx.get<EntityRecord>(identity::keys::entity(target.type, context.account, target.name)));
  if (existing)
    return fail(
        entity_already_exists(fmt::format("User with name {} already exists.", target.name)));
  TRY(const std::size_t count, identity::count_entities(tx, EntityType::user, context.account));
  if (count >= iam.limits.users) {
    return fail(limit_exceeded(
        fmt::format("Cannot exceed quota for UsersPerAccount: {}", iam.limits.users)));
  }
  record.name = target.name;
  record.id = identity::make_unique_id("AIDA", *context.random);
  record.created = context.now;
  TRY(add_tags(record.tags, in.tags));
  if (in.permissions_boundary) {
    TRY(set_boundary(tx, context, record, *in.permissions_boundary));
  }
  save(tx, context, target, record);
  op::CreateUser::Output out;
  out.user = full_user_model(context, record);
  return out;
}

Result<op::GetUser::Output> get_user(Iam&, store::Tx& tx, const Context& context,
                                     const op::GetUser::Input& in) {
  const identity::Principal& caller = context.principal();
  op::GetUser::Output out;
  if (!in.user_name && caller.kind == identity::PrincipalKind::root) {
    TRY(const auto account,
        tx.peek<identity::AccountRecord>(identity::keys::account(context.account)));
    out.user.emplace();
    out.user->user_id = context.account;
    out.user->arn = "arn:aws:iam::" + context.account + ":root";
    out.user->create_date = account ? account->created : context.now;
    out.user->path = "/";
    out.user->user_name = "root";
    return out;
  }
  if (!in.user_name && caller.user_name.empty()) {
    return fail(validation_error("Must specify userName when calling with non-User credentials"));
  }
  const Target target{EntityType::user, in.user_name.value_or(caller.user_name)};
  TRY(const EntityRecord record, load(tx, context, target));
  out.user = full_user_model(context, record);
  return out;
}

Result<op::ListUsers::Output> list_users(Iam&, store::Tx& tx, const Context& context,
                                         const op::ListUsers::Input& in) {
  TRY(const identity::PageRequest page, page_request(in.marker, in.max_items));
  TRY(auto found, identity::list_entities(tx, EntityType::user, context.account, page));
  op::ListUsers::Output out;
  out.users.emplace();
  for (const EntityRecord& record : found.items) {
    if (!record.path.starts_with(in.path_prefix.value_or("/"))) continue;
    out.users->push_back(user_model(context, record));
  }
  finish_page(found.next, out);
  return out;
}

Result<op::UpdateUser::Output> update_user(Iam&, store::Tx& tx, const Context& context,
                                           const op::UpdateUser::Input& in) {
  const Target target = target_of(in);
  TRY(EntityRecord record, load(tx, context, target));
  if (in.new_path) {
    TRY(record.path, checked_path(in.new_path));
  }
  if (!in.new_user_name || *in.new_user_name == record.name) {
    save(tx, context, target, record);
    return op::UpdateUser::Output{};
  }
  TRY(check_name(*in.new_user_name, "newUserName"));
  const Target renamed{EntityType::user, *in.new_user_name};
  if (!iequals(renamed.name, target.name)) {
    TRY(auto existing,
        tx.get<EntityRecord>(identity::keys::entity(renamed.type, context.account, renamed.name)));
    if (existing) {
      return fail(
          entity_already_exists(fmt::format("User with name {} already exists.", renamed.name)));
    }
  }
  tx.erase(identity::keys::entity(target.type, context.account, target.name));
  record.name = renamed.name;
  save(tx, context, renamed, record);
  for (const std::string& id : record.access_keys) {
    const store::Key key = identity::keys::access_key(context.account, id);
    TRY(auto access_key, tx.get<identity::AccessKeyRecord>(key));
    if (!access_key) continue;
    access_key->user_name = record.name;
    tx.put(key, *access_key);
  }
  return op::UpdateUser::Output{};
}

Result<op::DeleteUser::Output> delete_user(Iam&, store::Tx& tx, const Context& context,
                                           const op::DeleteUser::Input& in) {
  const Target target = target_of(in);
  TRY(EntityRecord record, load(tx, context, target));
  if (!record.access_keys.empty()) {
    return fail(delete_conflict("Cannot delete entity, must delete access keys first."));
  }
  if (!record.attached.empty()) {
    return fail(delete_conflict("Cannot delete entity, must detach all policies first."));
  }
  if (!record.inline_policies.empty()) {
    return fail(delete_conflict("Cannot delete entity, must delete policies first."));
  }
  if (!record.groups.empty()) {
    return fail(delete_conflict("Cannot delete entity, must remove users from group first."));
  }
  TRY(set_boundary(tx, context, record, ""));
  tx.erase(identity::keys::entity(target.type, context.account, target.name));
  tx.erase(identity::keys::entity_use(context.account, record.id));
  return op::DeleteUser::Output{};
}

}  // namespace wolke::iam
