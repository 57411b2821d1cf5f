#pragma once
// Records that stand beside functions: URLs and code signing configurations. They lie in the shard
// of the account's functions.
//   lambda.url           account, region, function, qualifier   "" is the unqualified function's
//   lambda.code_signing  account, region, id
// Inside transactions, any thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wolke/services/lambda/state.h"

namespace wolke::lambda {

struct UrlCors : store::Fields {
  std::optional<bool> credentials;
  std::optional<std::vector<std::string>> headers, methods, origins, exposed;
  std::optional<std::int32_t> max_age;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, credentials), v(2, headers), v(3, methods), v(4, origins), v(5, exposed), v(6, max_age);
  }
};

/// A function's URL. It is configuration: nothing answers at it yet.
struct UrlConfig : store::Fields {
  std::string id, auth_type, invoke_mode;  // the mode: empty until one was asked for
  std::optional<UrlCors> cors;
  Timestamp created{}, modified{};
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, id), v(2, auth_type), v(3, invoke_mode), v(4, cors), v(5, created), v(6, modified);
  }
};

struct CodeSigning : store::Fields {
  std::string id, description, policy;  // "Warn" or "Enforce"
  std::vector<std::string> publishers;
  Timestamp modified{};
  std::map<std::string, std::string> tags;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, id), v(2, description), v(3, policy), v(4, publishers), v(5, modified), v(6, tags);
  }
};

store::Key url_key(const FunctionRef& ref);  // of ref.qualifier
Result<std::vector<std::pair<std::string, UrlConfig>>> all_urls(store::Tx& tx,
                                                                const FunctionRef& ref);

std::string code_signing_arn(std::string_view account, std::string_view region,
                             std::string_view id);
/// Nullopt: no such ARN in this account and region, or no such configuration.
Result<std::optional<CodeSigning>> get_code_signing_config(store::Tx& tx, std::string_view account,
                                                           std::string_view region,
                                                           const std::string& arn);
store::Key code_signing_key(std::string_view account, std::string_view region, std::string_view id);
Result<std::vector<CodeSigning>> all_code_signing_configs(store::Tx& tx, std::string_view account,
                                                          std::string_view region);

/// Nothing that is deployed here is signed, so where a signature is enforced nothing is deployed.
Result<void> check_signature(store::Tx& tx, const FunctionRef& ref, const std::string& arn);

}  // namespace wolke::lambda
