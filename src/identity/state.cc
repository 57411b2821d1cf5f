#include "wolke/identity/state.h"

#include "wolke/base/text.h"
#include "wolke/identity/aws_managed.h"
#include "wolke/identity/ids.h"
#include "wolke/store/keys.h"

namespace wolke::identity {
namespace {

store::Shard shard(std::string_view account) {
  return store::shard_of("iam/" + std::string(account));
}

std::string_view table_of(EntityType type) {
  switch (type) {
    case EntityType::user:
      return "iam.user";
    case EntityType::group:
      return "iam.group";
    case EntityType::role:
      break;
  }
  return "iam.role";
}

std::string table_prefix(std::string_view table, std::string_view account) {
  return store::KeyBuilder(table).text(account).build();
}

template <class T>
Result<PageOf<T>> list(store::Tx& tx, std::string_view table, std::string_view account,
                       const PageRequest& page) {
  store::Scan scan;
  scan.shard = shard(account);
  const std::string prefix = table_prefix(table, account);
  scan.begin = prefix;
  if (!page.after.empty()) {
    scan.begin = store::KeyBuilder(table).text(account).text(to_lower(page.after)).build() + '\0';
  }
  scan.end = store::prefix_end(prefix);
  scan.records_max = page.count_max + 1;
  PageOf<T> out;
  bool more = true;
  while (more && out.items.size() <= page.count_max) {
    TRY(store::Page records, tx.scan(scan));
    for (const store::Record& record : records.records) {
      TRY(T item, store::decode<T>(record.value, record.key));
      out.items.push_back(std::move(item));
      scan.begin = record.key + '\0';
    }
    more = records.more;
  }
  if (out.items.size() > page.count_max) {
    out.items.resize(page.count_max);
    out.next = out.items.back().name;
  }
  return out;
}

}  // namespace

const PolicyVersionRecord* PolicyRecord::version(std::int32_t number) const {
  for (const PolicyVersionRecord& candidate : versions) {
    if (candidate.number == number) return &candidate;
  }
  return nullptr;
}

namespace keys {

store::Key account(std::string_view account) {
  return {shard(account), table_prefix("iam.account", account)};
}
store::Key access_key(std::string_view account, std::string_view id) {
  return {shard(account), store::KeyBuilder("iam.key").text(account).text(id).build()};
}
store::Key entity(EntityType type, std::string_view account, std::string_view name) {
  return {shard(account),
          store::KeyBuilder(table_of(type)).text(account).text(to_lower(name)).build()};
}
store::Key policy(std::string_view account, std::string_view name) {
  return {shard(account),
          store::KeyBuilder("iam.policy").text(account).text(to_lower(name)).build()};
}
store::Key instance_profile(std::string_view account, std::string_view name) {
  return {shard(account),
          store::KeyBuilder("iam.profile").text(account).text(to_lower(name)).build()};
}
store::Key oidc_provider(std::string_view account, std::string_view name) {
  return {shard(account), store::KeyBuilder("iam.oidc").text(account).text(to_lower(name)).build()};
}
store::Key installation() {
  return {store::shard_of("iam"), store::KeyBuilder("iam.installation").build()};
}

}  // namespace keys

Result<PageOf<EntityRecord>> list_entities(store::Tx& tx, EntityType type, std::string_view account,
                                           const PageRequest& page) {
  return list<EntityRecord>(tx, table_of(type), account, page);
}

Result<PageOf<PolicyRecord>> list_policies(store::Tx& tx, std::string_view account,
                                           const PageRequest& page) {
  return list<PolicyRecord>(tx, "iam.policy", account, page);
}

Result<PageOf<InstanceProfileRecord>> list_instance_profiles(store::Tx& tx,
                                                             std::string_view account,
                                                             const PageRequest& page) {
  return list<InstanceProfileRecord>(tx, "iam.profile", account, page);
}

Result<PageOf<OidcProviderRecord>> list_oidc_providers(store::Tx& tx, std::string_view account,
                                                       const PageRequest& page) {
  return list<OidcProviderRecord>(tx, "iam.oidc", account, page);
}

Result<std::vector<AccessKeyRecord>> list_access_keys(store::Tx& tx, std::string_view account) {
  store::Scan scan;
  scan.shard = shard(account);
  scan.begin = table_prefix("iam.key", account);
  scan.end = store::prefix_end(scan.begin);
  std::vector<AccessKeyRecord> out;
  for (bool more = true; more;) {
    TRY(const store::Page page, tx.scan(scan));
    for (const store::Record& record : page.records) {
      TRY(AccessKeyRecord key, store::decode<AccessKeyRecord>(record.value, record.key));
      out.push_back(std::move(key));
      scan.begin = record.key + '\0';
    }
    more = page.more;
  }
  return out;
}

Result<std::size_t> count_entities(store::Tx& tx, EntityType type, std::string_view account) {
  constexpr std::size_t every = 1'000'000;
  TRY(auto page, list_entities(tx, type, account, {.count_max = every}));
  return page.items.size();
}

Result<std::optional<std::string>> managed_policy_document(store::Tx& tx, std::string_view arn) {
  const std::optional<IamArn> parsed = parse_iam_arn(arn);
  if (!parsed || parsed->type != "policy") return std::optional<std::string>();
  if (parsed->account == "aws") {
    const AwsManagedPolicy* policy = find_aws_managed(arn);
    if (policy == nullptr) return std::optional<std::string>();
    return std::optional<std::string>(policy->document);
  }
  TRY(auto record, tx.get<PolicyRecord>(keys::policy(parsed->account, parsed->name)));
  if (!record || record->path != parsed->path) return std::optional<std::string>();
  const PolicyVersionRecord* version = record->version(record->default_version);
  if (version == nullptr) return std::optional<std::string>();
  return std::optional<std::string>(version->document);
}

}  // namespace wolke::identity
