// Access keys of users, and of the account's root when it asks for its own. The secret is shown
// once, at creation.

#include <fmt/format.h>

#include <algorithm>

#include "wolke/identity/ids.h"
#include "wolke/identity/use.h"
#include "wolke/services/iam/ops.h"
#include "wolke/services/iam/rules.h"

namespace wolke::iam {
namespace {

using identity::AccessKeyRecord;

/// The user whose keys are meant: named, or the caller. Empty: the caller is the root and means
/// itself.
Result<std::string> owner_of_keys(const Context& context,
                                  const std::optional<std::string>& user_name) {
  if (user_name) return *user_name;
  const identity::Principal& caller = context.principal();
  if (caller.kind == identity::PrincipalKind::root) return std::string();
  if (!caller.user_name.empty()) return caller.user_name;
  return fail(validation_error("Must specify userName when calling with non-User credentials"));
}

Error no_such_key(const std::string& id) {
  return {"NoSuchEntity", 404, fmt::format("The Access Key with id {} cannot be found.", id)};
}

/// The key, when it is the named user's.
Result<AccessKeyRecord> load_key(store::Tx& tx, const Context& context, const std::string& user,
                                 const std::string& id) {
  TRY(auto record, tx.get<AccessKeyRecord>(identity::keys::access_key(context.account, id)));
  if (!record || !iequals(record->user_name, user)) return fail(no_such_key(id));
  return *std::move(record);
}

}  // namespace

Result<op::CreateAccessKey::Output> create_access_key(Iam& iam, store::Tx& tx,
                                                      const Context& context,
                                                      const op::CreateAccessKey::Input& in) {
  TRY(const std::string user, owner_of_keys(context, in.user_name));
  AccessKeyRecord key;
  key.id = identity::make_access_key_id("AKIA", context.account, *context.random);
  TRY(auto taken, tx.get<AccessKeyRecord>(identity::keys::access_key(context.account, key.id)));
  if (taken) return fail(Error{"ServiceFailure", 500, "A key id was drawn twice; try again."});
  if (!user.empty()) {
    const Target target{EntityType::user, user};
    TRY(EntityRecord record, load(tx, context, target));
    const std::size_t keys_max = iam.limits.access_keys_per_user;
    if (record.access_keys.size() >= keys_max) {
      return fail(
          limit_exceeded(fmt::format("Cannot exceed quota for AccessKeysPerUser: {}", keys_max)));
    }
    record.access_keys.push_back(key.id);
    save(tx, context, target, record);
    key.user_name = record.name;
  }
  const std::string secret = identity::make_secret(*context.random);
  key.sealed_secret = iam.seal.seal_secret(key.id, secret);
  key.created = context.now;
  tx.put(identity::keys::access_key(context.account, key.id), key);
  op::CreateAccessKey::Output out;
  out.access_key = model::AccessKey{.user_name = user.empty() ? "root" : key.user_name,
                                    .access_key_id = key.id,
                                    .status = "Active",
                                    .secret_access_key = secret,
                                    .create_date = key.created};
  return out;
}

Result<op::ListAccessKeys::Output> list_access_keys(Iam&, store::Tx& tx, const Context& context,
                                                    const op::ListAccessKeys::Input& in) {
  TRY(const std::string user, owner_of_keys(context, in.user_name));
  std::vector<std::string> ids;
  std::string name = "root";
  if (user.empty()) {
    if (!context.principal().access_key_id.empty()) ids = {context.principal().access_key_id};
  } else {
    TRY(const EntityRecord record, load(tx, context, {EntityType::user, user}));
    ids = record.access_keys;
    name = record.name;
  }
  std::vector<model::AccessKeyMetadata> all;
  for (const std::string& id : ids) {
    TRY(const auto key, tx.peek<AccessKeyRecord>(identity::keys::access_key(context.account, id)));
    if (!key) continue;
    all.push_back({.user_name = name,
                   .access_key_id = id,
                   .status = key->active ? "Active" : "Inactive",
                   .create_date = key->created});
  }
  op::ListAccessKeys::Output out;
  TRY(page_list(std::move(all), in, out.access_key_metadata, out));
  return out;
}

Result<op::UpdateAccessKey::Output> update_access_key(Iam&, store::Tx& tx, const Context& context,
                                                      const op::UpdateAccessKey::Input& in) {
  TRY(const std::string user, owner_of_keys(context, in.user_name));
  TRY(AccessKeyRecord key, load_key(tx, context, user, *in.access_key_id));
  key.active = *in.status == "Active";
  tx.put(identity::keys::access_key(context.account, key.id), key);
  return op::UpdateAccessKey::Output{};
}

Result<op::DeleteAccessKey::Output> delete_access_key(Iam&, store::Tx& tx, const Context& context,
                                                      const op::DeleteAccessKey::Input& in) {
  TRY(const std::string user, owner_of_keys(context, in.user_name));
  TRY(const AccessKeyRecord key, load_key(tx, context, user, *in.access_key_id));
  tx.erase(identity::keys::access_key(context.account, key.id));
  tx.erase(identity::keys::key_use(context.account, key.id));
  if (!user.empty()) {
    const Target target{EntityType::user, user};
    TRY(EntityRecord record, load(tx, context, target));
    std::erase(record.access_keys, key.id);
    save(tx, context, target, record);
  }
  return op::DeleteAccessKey::Output{};
}

Result<op::GetAccessKeyLastUsed::Output> get_access_key_last_used(
    Iam&, store::Tx& tx, const Context& context, const op::GetAccessKeyLastUsed::Input& in) {
  TRY(const auto key,
      tx.peek<AccessKeyRecord>(identity::keys::access_key(context.account, *in.access_key_id)));
  if (!key) return fail(no_such_key(*in.access_key_id));
  op::GetAccessKeyLastUsed::Output out;
  out.user_name = key->user_name.empty() ? "root" : key->user_name;
  TRY(const auto use,
      tx.peek<identity::KeyUseRecord>(identity::keys::key_use(context.account, *in.access_key_id)));
  // AWS's words for "no data".
  out.access_key_last_used = model::AccessKeyLastUsed{.service_name = "N/A", .region = "N/A"};
  if (use) {
    out.access_key_last_used = model::AccessKeyLastUsed{
        .last_used_date = use->at, .service_name = use->service, .region = use->region};
  }
  return out;
}

}  // namespace wolke::iam
