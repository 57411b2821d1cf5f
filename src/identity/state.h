#pragma once
// IAM's records: the only file that knows their keys. Everything of an account lies in one shard
// (partition "iam/<account>"), so an operation on it is one commit. A user, group or role carries
// its inline policies, attachments and tags in its own record: what is decided together is read
// together. Names are unique without regard to case, so keys hold them in lower case.
//
// All functions work on a Tx: operations change through it, the Directory reads through one that it
// never commits.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/base/time.h"
#include "wolke/store/record.h"
#include "wolke/store/tx.h"

namespace wolke::identity {

struct AccountRecord : store::Fields {
  std::string id;
  Timestamp created;
  std::string alias;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, id);
    v(2, created);
    v(3, alias);
  }
};

struct AccessKeyRecord : store::Fields {
  std::string id;
  std::string user_name;  // empty: the account's root
  std::string sealed_secret;
  bool active = true;
  Timestamp created;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, id);
    v(2, user_name);
    v(3, sealed_secret);
    v(4, active);
    v(5, created);
  }
};

/// A user, group or role; one type because policies hang on each of them in the same way.
struct EntityRecord : store::Fields {
  std::string name;
  std::string path;
  std::string id;  // AIDA…, AGPA…, AROA…
  Timestamp created;
  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> inline_policies;  // name -> document as given
  std::vector<std::string> attached;                   // policy ARNs, in the order attached
  std::string boundary;                                // policy ARN or empty
  // Roles.
  std::string description;
  std::string trust_policy;
  std::int32_t max_session_seconds = 3600;
  // Users.
  std::vector<std::string> access_keys;
  std::vector<std::string> groups;  // names
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name);
    v(2, path);
    v(3, id);
    v(4, created);
    v(5, tags);
    v(6, inline_policies);
    v(7, attached);
    v(8, boundary);
    v(9, description);
    v(10, trust_policy);
    v(11, max_session_seconds);
    v(12, access_keys);
    v(13, groups);
  }
};

struct PolicyVersionRecord : store::Fields {
  std::int32_t number = 1;
  std::string document;
  Timestamp created;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, number);
    v(2, document);
    v(3, created);
  }
};

struct PolicyRecord : store::Fields {
  std::string name;
  std::string path;
  std::string id;  // ANPA…
  std::string description;
  Timestamp created;
  Timestamp updated;
  std::map<std::string, std::string> tags;
  std::vector<PolicyVersionRecord> versions;
  std::int32_t default_version = 1;
  std::int32_t last_version = 1;
  std::int32_t attachments = 0;
  std::int32_t boundary_uses = 0;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name);
    v(2, path);
    v(3, id);
    v(4, description);
    v(5, created);
    v(6, updated);
    v(7, tags);
    v(8, versions);
    v(9, default_version);
    v(10, last_version);
    v(11, attachments);
    v(12, boundary_uses);
  }
  const PolicyVersionRecord* version(std::int32_t number) const;
};

struct InstanceProfileRecord : store::Fields {
  std::string name;
  std::string path;
  std::string id;  // AIPA…
  Timestamp created;
  std::map<std::string, std::string> tags;
  std::string role;  // name or empty
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name);
    v(2, path);
    v(3, id);
    v(4, created);
    v(5, tags);
    v(6, role);
  }
};

/// An OpenID Connect provider that roles of the account may trust.
struct OidcProviderRecord : store::Fields {
  std::string name;  // the issuer without its scheme: "issuer.example/path"
  Timestamp created;
  std::vector<std::string> client_ids;
  std::vector<std::string> thumbprints;  // SHA-1 of a certificate, hexadecimal, lower case
  std::map<std::string, std::string> tags;
  bool plain_http = false;  // the issuer's scheme
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name);
    v(2, created);
    v(3, client_ids);
    v(4, thumbprints);
    v(5, tags);
    v(6, plain_http);
  }
  std::string url() const { return (plain_http ? "http://" : "https://") + name; }
};

enum class EntityType : std::uint8_t { user, group, role };

namespace keys {
/// Every key of IAM begins with it; the Directory watches it.
inline constexpr std::string_view prefix = "iam.";
store::Key account(std::string_view account);
store::Key access_key(std::string_view account, std::string_view id);
store::Key entity(EntityType type, std::string_view account, std::string_view name);
store::Key policy(std::string_view account, std::string_view name);
store::Key instance_profile(std::string_view account, std::string_view name);
store::Key oidc_provider(std::string_view account, std::string_view name);
/// The one record of the server itself: which account its operator's first start made.
store::Key installation();
}  // namespace keys

struct InstallationRecord : store::Fields {
  std::string root_account;
  std::string key_check;  // tells the master key that this installation began with
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, root_account);
    v(2, key_check);
  }
};

/// A page of one table of an account, ordered by lower-case name. `after`: the marker, exclusive;
/// empty: from the start.
struct PageRequest {
  std::string after;
  std::size_t count_max = 100;
};
template <class T>
struct PageOf {
  std::vector<T> items;
  std::string next;  // marker; empty: the last page
};
Result<PageOf<EntityRecord>> list_entities(store::Tx& tx, EntityType type, std::string_view account,
                                           const PageRequest& page);
Result<PageOf<PolicyRecord>> list_policies(store::Tx& tx, std::string_view account,
                                           const PageRequest& page);
Result<PageOf<InstanceProfileRecord>> list_instance_profiles(store::Tx& tx,
                                                             std::string_view account,
                                                             const PageRequest& page);
Result<PageOf<OidcProviderRecord>> list_oidc_providers(store::Tx& tx, std::string_view account,
                                                       const PageRequest& page);
/// Every long-term key of an account.
Result<std::vector<AccessKeyRecord>> list_access_keys(store::Tx& tx, std::string_view account);
/// How many there are; reads them all.
Result<std::size_t> count_entities(store::Tx& tx, EntityType type, std::string_view account);

/// The default version's document of a managed policy, the account's own or AWS's; nullopt: no such
/// policy.
Result<std::optional<std::string>> managed_policy_document(store::Tx& tx, std::string_view arn);

}  // namespace wolke::identity
