#pragma once
// The only file that knows how functions lie in the store. An account's functions of one region are
// one shard, so that creating, publishing and counting commit together; they change rarely.
//   lambda.function  account, region, name                 $LATEST and what belongs to all versions
//   lambda.version   account, region, name, number         published, immutable
//   lambda.alias     account, region, name, alias
//   lambda.policy    account, region, name, qualifier      resource policy; "" is the unqualified
//   function's lambda.async     account, region, name, qualifier      event-invoke configuration
//   lambda.account   account, region                       totals that limits are checked against
//   lambda.package   digest                                counter of versions that use the package

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wolke/base/body.h"
#include "wolke/services/lambda/function_name.h"
#include "wolke/store/record.h"
#include "wolke/store/tx.h"

namespace wolke::lambda {

struct Code : store::Fields {
  BlobRef zip;
  std::string sha256;   // base64, as CodeSha256
  std::string package;  // hex, the package's directory
  std::uint64_t bytes = 0;
  std::uint64_t unzipped_bytes = 0;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, zip), v(2, sha256), v(3, package), v(4, bytes), v(5, unzipped_bytes);
  }
};

/// A layer as a function has it: with its code, so that deleting the layer takes nothing from it.
struct LayerUse : store::Fields {
  std::string arn;  // of the layer version
  Code code;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, arn), v(2, code);
  }
};

/// A network that a function is said to be in; nothing is connected to it.
struct Vpc : store::Fields {
  std::vector<std::string> subnets, groups;
  bool ipv6 = false;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, subnets), v(2, groups), v(3, ipv6);
  }
};

/// A file system that a function is said to have; nothing is mounted.
struct FileSystem : store::Fields {
  std::string arn, path;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, arn), v(2, path);
  }
};

struct Logging : store::Fields {
  std::string format = "Text";
  std::string application_level, system_level;  // JSON format only
  std::string group;                            // empty: /aws/lambda/NAME
  template <class V>
  void visit(V&& v) {
    v(1, format), v(2, application_level), v(3, system_level), v(4, group);
  }
};

/// A version's code and configuration: $LATEST's, or a published snapshot of it.
struct FunctionVersion : store::Fields {
  std::string version;  // "$LATEST" or a number
  std::string revision;
  Timestamp modified{};
  std::string description, runtime, handler, role, kms_key, tracing, dead_letter, architecture,
      snap_start;
  std::uint32_t timeout_s = 3, memory_mb = 128, ephemeral_mb = 512;
  std::map<std::string, std::string> environment;
  Logging logging;
  Code code;
  bool environment_given = false;  // also an empty one is answered then
  /// RevisionId after a change that leaves code and configuration as they are (a permission, a
  /// publication); empty: `revision`. Instances are kept by `revision`, so such a change ends none.
  std::string later_revision;
  std::vector<LayerUse> layers;  // in the order of their merging: a later one wins
  std::optional<Vpc> vpc;
  std::vector<FileSystem> file_systems;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, version), v(2, revision), v(3, modified), v(4, description), v(5, runtime), v(6, handler),
        v(7, role);
    v(8, kms_key), v(9, tracing), v(10, dead_letter), v(11, architecture), v(12, snap_start),
        v(13, timeout_s);
    v(14, memory_mb), v(15, ephemeral_mb), v(16, environment), v(17, logging), v(18, code);
    v(19, environment_given), v(20, later_revision), v(21, layers), v(22, vpc);
    v(23, file_systems);
  }
  const std::string& revision_id() const {
    return later_revision.empty() ? revision : later_revision;
  }
  /// Code or configuration changed.
  void revise(std::string id) {
    revision = std::move(id);
    later_revision.clear();
  }
};

/// When a version's runtime changes; here it is always the one that this server has.
struct RuntimeManagement : store::Fields {
  std::string update_on, arn;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, update_on), v(2, arn);
  }
};

struct Function : store::Fields {
  std::string name;
  FunctionVersion latest_version;
  std::uint64_t next_version = 1;
  std::string published_revision;  // $LATEST's revision when the newest version was made from it
  std::map<std::string, std::string> tags;
  std::optional<std::uint32_t> reserved_concurrency;
  bool recursion_allowed = false;
  std::string code_signing;                                     // ARN; empty: none
  std::map<std::string, RuntimeManagement> runtime_management;  // by version; missing: Auto
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name), v(2, latest_version), v(3, next_version), v(4, published_revision), v(5, tags);
    v(6, reserved_concurrency), v(7, recursion_allowed), v(8, code_signing);
    v(9, runtime_management);
  }
};

struct Alias : store::Fields {
  std::string name, version, description, revision;
  std::map<std::string, double> weights;  // of additional versions
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name), v(2, version), v(3, description), v(4, revision), v(5, weights);
  }
};

/// One AddPermission; its JSON form is made in policy.cc.
struct Statement : store::Fields {
  std::string id, action, principal, source_arn, source_account, event_source_token, org_id,
      url_auth_type;
  std::optional<bool> via_function_url;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, id), v(2, action), v(3, principal), v(4, source_arn), v(5, source_account),
        v(6, event_source_token);
    v(7, org_id), v(8, url_auth_type), v(9, via_function_url);
  }
};

struct Policy : store::Fields {
  std::string revision;
  std::vector<Statement> statements;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, revision), v(2, statements);
  }
};

struct AsyncConfig : store::Fields {
  Timestamp modified{};
  std::optional<std::uint32_t> retries_max, age_max_s;
  std::string on_success, on_failure;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, modified), v(2, retries_max), v(3, age_max_s), v(4, on_success), v(5, on_failure);
  }
};

struct Account : store::Fields {
  std::uint64_t code_bytes = 0, functions = 0, reserved_concurrency = 0;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, code_bytes), v(2, functions), v(3, reserved_concurrency);
  }
};

/// Every key of this service begins with it: what the resolver watches.
inline constexpr std::string_view watch_prefix = "lambda.";

store::Shard shard_of_functions(std::string_view account, std::string_view region);
store::Key function_key(const FunctionRef& ref);
store::Key version_key(const FunctionRef& ref, std::uint64_t number);
store::Key alias_key(const FunctionRef& ref, std::string_view alias);
store::Key policy_key(const FunctionRef& ref);  // of ref.qualifier
store::Key async_key(const FunctionRef& ref);   // of ref.qualifier
store::Key account_key(std::string_view account, std::string_view region);
store::Key package_key(std::string_view digest);

/// All records under `prefix`, in key order, given to `take`.
Result<void> each_record(store::Tx& tx, store::Shard shard, const std::string& prefix,
                         const std::function<Result<void>(const store::Record&)>& take);

/// Reads the function, or "Function not found" with the ARN as the caller gave it.
Result<Function> get_function(store::Tx& tx, const FunctionRef& ref);
/// $LATEST, a version or an alias's main version, named by ref.qualifier.
Result<FunctionVersion> get_version(store::Tx& tx, const FunctionRef& ref,
                                    const Function& function);
Result<Account> get_account(store::Tx& tx, const FunctionRef& ref);

void put_function(store::Tx& tx, const FunctionRef& ref, const Function& function);
/// Puts or erases references to a zip and its package; `holder` is the key of the record that has
/// them.
void refer_code(store::Tx& tx, const Code& code, const store::Key& holder);
void release_code(store::Tx& tx, const Code& code, const store::Key& holder);
/// The same for all that a version has: its own code and its layers'.
void refer_code(store::Tx& tx, const FunctionVersion& version, const store::Key& holder);
void release_code(store::Tx& tx, const FunctionVersion& version, const store::Key& holder);

/// A page of records under a prefix, decoded. `after`: last part of the key to continue behind;
/// empty: from the start.
template <class T>
struct Listed {
  std::vector<T> items;
  std::string next;  // empty: no more
};
Result<Listed<Function>> list_functions(store::Tx& tx, std::string_view account,
                                        std::string_view region, std::string_view after,
                                        std::size_t max);
Result<std::vector<FunctionVersion>> all_versions(store::Tx& tx, const FunctionRef& ref);
Result<std::vector<Alias>> all_aliases(store::Tx& tx, const FunctionRef& ref);
Result<std::vector<std::pair<std::string, AsyncConfig>>> all_async_configs(store::Tx& tx,
                                                                           const FunctionRef& ref);
/// Keys of everything that belongs to the function besides its own record.
Result<std::vector<store::Key>> dependent_keys(store::Tx& tx, const FunctionRef& ref);

}  // namespace wolke::lambda
