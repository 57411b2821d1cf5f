#include "wolke/identity/directory_state.h"

#include "wolke/identity/ids.h"

namespace wolke::identity {
namespace {

Result<NamedPolicy> managed(Directory::State& state, store::Tx& tx, const std::string& arn) {
  TRY(std::optional<std::string> document, managed_policy_document(tx, arn));
  const std::string name = arn.substr(arn.rfind('/') + 1);
  // A policy that is attached but gone grants nothing; the operations do not let it happen.
  if (!document) return NamedPolicy{name, nullptr};
  return NamedPolicy{name, state.compiled(*document, PolicyKind::identity)};
}

Result<void> add_entity(Directory::State& state, store::Tx& tx, const EntityRecord& entity,
                        Gathered& out) {
  for (const auto& [name, document] : entity.inline_policies) {
    out.policies.identity.push_back(
        {"inline policy " + name, state.compiled(document, PolicyKind::identity)});
  }
  for (const std::string& arn : entity.attached) {
    TRY(NamedPolicy policy, managed(state, tx, arn));
    out.policies.identity.push_back(std::move(policy));
  }
  return {};
}

/// Of the user or role whose policies count.
std::string name_of(const Principal& principal) {
  if (principal.kind == PrincipalKind::assumed_role) return principal.role_name;
  if (principal.kind == PrincipalKind::user) return principal.user_name;
  const std::optional<IamArn> arn = parse_iam_arn(principal.federated_by_arn);
  return arn ? arn->name : "";
}

Result<Gathered> read_policies(Directory::State& state, store::Tx& tx, const Principal& principal) {
  Gathered out;
  const bool is_user = principal.kind != PrincipalKind::assumed_role;
  const std::string name = name_of(principal);
  const EntityType type = is_user ? EntityType::user : EntityType::role;
  TRY(auto entity, tx.peek<EntityRecord>(keys::entity(type, principal.account, name)));
  if (!entity) return out;
  out.unique_id = entity->id;
  out.tags = entity->tags;
  TRY(add_entity(state, tx, *entity, out));
  for (const std::string& group : entity->groups) {
    TRY(auto record,
        tx.peek<EntityRecord>(keys::entity(EntityType::group, principal.account, group)));
    if (!record) continue;
    TRY(add_entity(state, tx, *record, out));
  }
  if (!entity->boundary.empty()) {
    TRY(NamedPolicy boundary, managed(state, tx, entity->boundary));
    out.policies.boundary.push_back(std::move(boundary));
  }
  return out;
}

Principal root_of(const std::string& account) {
  Principal out;
  out.kind = PrincipalKind::root;
  out.account = account;
  out.arn = "arn:aws:iam::" + account + ":root";
  out.unique_id = account;
  return out;
}

Result<std::optional<KnownKey>> read_key(Directory::State& state, store::Tx& tx,
                                         const std::string& id, const std::string& account) {
  TRY(auto record, tx.peek<AccessKeyRecord>(keys::access_key(account, id)));
  if (!record) return std::optional<KnownKey>();
  const std::optional<std::string> secret = state.seal.open_secret(id, record->sealed_secret);
  if (!secret)
    return fail(internal_error("the secret of " + id + " was sealed with another identity.key"));
  KnownKey out{*secret, record->active, {}};
  if (record->user_name.empty()) {
    out.principal = root_of(account);
  } else {
    TRY(auto user,
        tx.peek<EntityRecord>(keys::entity(EntityType::user, account, record->user_name)));
    if (!user) return std::optional<KnownKey>();
    out.principal.kind = PrincipalKind::user;
    out.principal.account = account;
    out.principal.arn = iam_arn(account, "user", user->path, user->name);
    out.principal.unique_id = user->id;
    out.principal.user_name = user->name;
  }
  out.principal.access_key_id = id;
  return std::optional<KnownKey>(std::move(out));
}

}  // namespace

Directory::State::State(Env environment, store::Store& records, Seal sealing, DirectoryOptions how)
    : env(environment),
      store(records),
      seal(std::move(sealing)),
      authentication(how.authentication),
      region(std::move(how.region)),
      resource_policies(how.resource_policies) {
  watch = store.watch(std::string(keys::prefix), [this] { generation.advance(); });
}

Directory::State::~State() {
  store.unwatch(watch);
}

std::shared_ptr<const Policy> Directory::State::compiled(const std::string& document,
                                                         PolicyKind kind) {
  const std::string key = std::to_string(static_cast<int>(kind)) + document;
  if (auto known = documents.find(key, 0)) return *known;
  auto policy = Policy::parse(document, kind);
  std::shared_ptr<const Policy> out = policy ? *policy : nullptr;
  documents.store(key, 0, out);
  return out;
}

Result<std::optional<KnownKey>> Directory::State::find_key(const std::string& access_key_id) {
  const std::optional<std::string> account = account_of_access_key(access_key_id);
  if (!account) return std::optional<KnownKey>();
  const std::uint64_t now = generation.current();
  if (auto known = known_keys.find(access_key_id, now)) return *known;
  TRY(std::unique_ptr<store::Snapshot> snapshot, store.snapshot());
  store::Tx tx(*snapshot);
  TRY(std::optional<KnownKey> key, read_key(*this, tx, access_key_id, *account));
  // Unknown ids are the caller's choice: caching them would let a stranger empty the cache.
  if (key) known_keys.store(access_key_id, now, key);
  return key;
}

Result<std::shared_ptr<const Gathered>> Directory::State::gather(const Principal& principal) {
  const bool has_policies =
      (principal.kind == PrincipalKind::user || principal.kind == PrincipalKind::assumed_role ||
       principal.kind == PrincipalKind::federated_user) &&
      !principal.unrestricted;
  if (!has_policies) return std::make_shared<const Gathered>();
  const bool is_user = principal.kind != PrincipalKind::assumed_role;
  const std::string key = (is_user ? "u" : "r") + principal.account + name_of(principal);
  const std::uint64_t now = generation.current();
  if (auto known = gathered.find(key, now)) return *known;
  TRY(std::unique_ptr<store::Snapshot> snapshot, store.snapshot());
  store::Tx tx(*snapshot);
  TRY(Gathered out, read_policies(*this, tx, principal));
  auto shared = std::make_shared<const Gathered>(std::move(out));
  gathered.store(key, now, shared);
  return shared;
}

Result<std::vector<NamedPolicy>> Directory::State::session_policies(const Principal& principal) {
  std::vector<NamedPolicy> out;
  for (const std::string& policy : principal.session_policies) {
    // A managed policy is named by its ARN, an inline one is a document.
    if (!policy.starts_with("arn:")) {
      out.push_back({"session policy", compiled(policy, PolicyKind::identity)});
      continue;
    }
    TRY(std::unique_ptr<store::Snapshot> snapshot, store.snapshot());
    store::Tx tx(*snapshot);
    TRY(NamedPolicy named, managed(*this, tx, policy));
    out.push_back(std::move(named));
  }
  return out;
}

Result<std::optional<EntityRecord>> Directory::State::role(std::string_view role_arn) {
  const std::optional<IamArn> arn = parse_iam_arn(role_arn);
  if (!arn || arn->type != "role") return std::optional<EntityRecord>();
  TRY(std::unique_ptr<store::Snapshot> snapshot, store.snapshot());
  store::Tx tx(*snapshot);
  TRY(auto record, tx.peek<EntityRecord>(keys::entity(EntityType::role, arn->account, arn->name)));
  if (record && record->path != arn->path) record.reset();
  return record;
}

Result<std::optional<std::string>> Directory::State::trust_policy(const std::string& role_arn) {
  TRY(std::optional<EntityRecord> record, role(role_arn));
  if (!record) return std::optional<std::string>();
  return std::optional<std::string>(record->trust_policy);
}

}  // namespace wolke::identity
