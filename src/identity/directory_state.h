#pragma once
// What the parts of directory.h share; private to identity/. `gather` and `find_key` read through
// the caches; a miss opens a snapshot.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "wolke/base/guarded.h"
#include "wolke/identity/directory.h"
#include "wolke/identity/directory_cache.h"
#include "wolke/identity/state.h"

namespace wolke::identity {

/// A long-term access key, opened.
struct KnownKey {
  std::string secret;
  bool active = true;
  Principal principal;
};

/// What hangs on a principal in IAM's records.
struct Gathered {
  PolicySet policies;  // without session policies
  std::map<std::string, std::string> tags;
  std::string unique_id;  // of the user or role as it is now; empty: it no longer exists
};

struct Directory::State {
  State(Env environment, store::Store& records, Seal keys, DirectoryOptions how);
  ~State();

  Result<std::optional<KnownKey>> find_key(const std::string& access_key_id);
  Result<std::shared_ptr<const Gathered>> gather(const Principal& principal);
  /// nullptr: it does not parse.
  std::shared_ptr<const Policy> compiled(const std::string& document, PolicyKind kind);
  /// The trust policy of a role; nullopt: no such role.
  Result<std::optional<std::string>> trust_policy(const std::string& role_arn);
  Result<std::optional<EntityRecord>> role(std::string_view role_arn);
  /// The policies of a session beside its role's.
  Result<std::vector<NamedPolicy>> session_policies(const Principal& principal);

  Env env;
  store::Store& store;
  Seal seal;
  Authentication authentication;
  std::string region;
  std::atomic<const ResourcePolicies*> resource_policies;
  Generation generation;
  GenerationCache<std::optional<KnownKey>> known_keys{4096};
  GenerationCache<std::shared_ptr<const Gathered>> gathered{4096};
  /// Compiled documents by text: they never go stale.
  GenerationCache<std::shared_ptr<const Policy>> documents{4096};
  std::uint64_t watch = 0;
};

}  // namespace wolke::identity
