#pragma once
// Layers: how callers name them, how they lie in the store, and how a function comes to have some.
// A layer's versions are numbered for ever: the number of a deleted one is never given again.
//   lambda.layer          account, region, name            the last number given out
//   lambda.layer_version  account, region, name, number    code, what it is for, its policy
// They are in the shard of the account's functions. A function keeps references of its own to the
// code of its layers, so a deleted layer stays usable by the functions that have it.
// Names are pure; the rest is for transactions, on any thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/services/lambda/state.h"

namespace wolke::lambda {

inline constexpr std::size_t layers_per_function_max = 5;  // Lambda: five layers

struct LayerRef {
  std::string account;
  std::string region;
  std::string name;
  std::uint64_t version = 0;  // 0: the layer itself

  std::string arn() const;          // of the layer
  std::string version_arn() const;  // of its version
};

/// A layer's name or ARN; `account` and `region` are the caller's and fill in what a name leaves
/// out. The version is 0.
LayerRef parse_layer(std::string_view name, std::string_view account, std::string_view region);
/// The ARN of a layer version; nullopt when it has another form.
std::optional<LayerRef> parse_layer_version(std::string_view arn);

struct LayerStatement : store::Fields {
  std::string id, action, principal, org_id;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, id), v(2, action), v(3, principal), v(4, org_id);
  }
};

struct LayerVersion : store::Fields {
  std::uint64_t number = 0;
  std::string description, license;
  std::vector<std::string> runtimes, architectures;
  Timestamp created{};
  Code code;
  std::string policy_revision;
  std::vector<LayerStatement> policy;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, number), v(2, description), v(3, license), v(4, runtimes), v(5, architectures);
    v(6, created), v(7, code), v(8, policy_revision), v(9, policy);
  }
};

struct Layer : store::Fields {
  std::string name;
  std::uint64_t last_number = 0;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name), v(2, last_number);
  }
};

store::Key layer_key(const LayerRef& ref);
store::Key layer_version_key(const LayerRef& ref);
/// Nullopt: there is none.
Result<std::optional<LayerVersion>> get_layer_version(store::Tx& tx, const LayerRef& ref);
/// Oldest first.
Result<std::vector<LayerVersion>> all_layer_versions(store::Tx& tx, const LayerRef& ref);
/// Every version of every layer, by layer name.
Result<std::map<std::string, std::vector<LayerVersion>>> all_layers(store::Tx& tx,
                                                                    std::string_view account,
                                                                    std::string_view region);

/// The policy of a layer version as JSON, for people and for the gate.
std::string layer_statement_json(const LayerStatement& statement, const std::string& arn);
std::string layer_policy_json(const LayerVersion& version, const std::string& arn);

/// The packages of a version's layers, in their order.
std::vector<std::string> layer_digests(const FunctionVersion& version);

/// What a function with these layers gets. That the caller may use each was asked at the gate.
/// Errors: those of CreateFunction for layers that are missing, too many, or twice the same.
Result<std::vector<LayerUse>> use_layers(store::Tx& tx, const FunctionRef& function,
                                         const std::vector<std::string>& arns);
/// The code and all layers together must fit into a function.
Result<void> check_unzipped(const FunctionVersion& version);

}  // namespace wolke::lambda
