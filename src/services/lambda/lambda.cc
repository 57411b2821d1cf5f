#include "wolke/services/lambda/lambda.h"

#include "wolke/base/uri.h"
#include "wolke/services/lambda/layer.h"
#include "wolke/services/lambda/policy.h"
#include "wolke/services/lambda/state.h"
#include "wolke/store/tx.h"

namespace wolke::lambda {
namespace {

/// The region part of an ARN; empty when there is none.
std::string region_of(const std::string& arn) {
  std::size_t begin = 0;
  for (int colons = 0; colons < 3; ++colons) {
    begin = arn.find(':', begin);
    if (begin == arn.npos) return {};
    ++begin;
  }
  return arn.substr(begin, arn.find(':', begin) - begin);
}

Result<FunctionRef> ref_of_arn(const std::string& arn) {
  return parse_function(arn, std::nullopt, "", region_of(arn));
}

}  // namespace

Lambda::Lambda(Parts p)
    : parts(std::move(p)),
      resolver({parts.env.clock, parts.runner.store, parts.blobs, parts.packages}) {}

Lambda::~Lambda() = default;

namespace {

Result<std::optional<std::string>> policy_of_layer(store::Store& store, const LayerRef& ref) {
  TRY(auto snapshot, store.snapshot());
  store::Tx tx(*snapshot);
  TRY(const auto version, tx.peek<LayerVersion>(layer_version_key(ref)));
  if (!version || version->policy.empty()) return std::optional<std::string>();
  return std::optional(layer_policy_json(*version, ref.version_arn()));
}

}  // namespace

Result<std::optional<std::string>> function_policy(store::Store& store, const std::string& arn) {
  if (const auto layer = parse_layer_version(arn)) return policy_of_layer(store, *layer);
  const auto ref = ref_of_arn(arn);
  if (!ref) return std::optional<std::string>();
  TRY(auto snapshot, store.snapshot());
  store::Tx tx(*snapshot);
  TRY(const auto policy, tx.peek<Policy>(policy_key(*ref)));
  if (!policy) return std::optional<std::string>();
  return std::optional(policy_json(*policy, ref->qualified_arn()));
}

Result<Permission> check_permission(store::Tx& tx, const std::string& function_arn,
                                    const ServiceCaller& caller) {
  const auto ref = ref_of_arn(function_arn);
  if (!ref) return Permission::no_such_function;
  TRY(const auto function, tx.get<Function>(function_key(*ref)));
  if (!function) return Permission::no_such_function;
  const auto version = get_version(tx, *ref, *function);
  if (!version)
    return version.error().status == 404 ? Result<Permission>(Permission::no_such_function)
                                         : fail(version.error());
  TRY(const auto policy, tx.get<Policy>(policy_key(*ref)));
  if (!policy || !permits_invoke(*policy, caller)) return Permission::not_permitted;
  return Permission::allowed;
}

Result<std::size_t> collect_packages(Lambda& service, Timestamp now) {
  TRY(auto snapshot, service.parts.runner.store.snapshot());
  store::Tx tx(*snapshot);
  return service.parts.packages.collect(
      [&tx](const std::string& digest) -> Result<bool> {
        TRY(const std::int64_t versions, tx.counter(package_key(digest)));
        return versions > 0;
      },
      now);
}

}  // namespace wolke::lambda
