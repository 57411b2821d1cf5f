#include "wolke/services/lambda/resolve.h"

#include <fmt/core.h>

#include "wolke/services/lambda/layer.h"
#include "wolke/services/lambda/merge.h"
#include "wolke/services/lambda/state.h"
#include "wolke/store/tx.h"

namespace wolke::lambda {
namespace {

constexpr std::size_t cache_entries_max = 10'000;
constexpr std::chrono::seconds shut_for{2};

Result<std::vector<std::pair<double, FunctionVersion>>> routes_of(store::Tx& tx,
                                                                  const FunctionRef& ref,
                                                                  const Function& function) {
  std::vector<std::pair<double, FunctionVersion>> out;
  TRY(FunctionVersion main, get_version(tx, ref, function));
  out.emplace_back(0.0, std::move(main));
  if (ref.qualifier.empty() || ref.qualifier == latest || version_number(ref.qualifier)) return out;
  TRY(const auto alias, tx.get<Alias>(alias_key(ref, ref.qualifier)));
  if (!alias) return out;
  for (const auto& [version, weight] : alias->weights) {
    FunctionRef other = ref;
    other.qualifier = version;
    TRY(FunctionVersion additional, get_version(tx, other, function));
    out.emplace_back(weight, std::move(additional));
  }
  return out;
}

deliver::Policy async_policy(const std::optional<AsyncConfig>& config,
                             const FunctionVersion& version) {
  deliver::Policy out;
  out.dead_letter = version.dead_letter;
  out.role = version.role;
  if (!config) return out;
  if (config->retries_max) out.retries_max = static_cast<int>(*config->retries_max);
  if (config->age_max_s) out.age_max = std::chrono::seconds(*config->age_max_s);
  out.on_success = config->on_success;
  out.on_failure = config->on_failure;
  return out;
}

}  // namespace

const invoke::FunctionSpec& ResolvedFunction::choose(double point) const {
  for (std::size_t i = 1; i < routes.size(); ++i) {
    if (point < routes[i].weight) return routes[i].spec;
    point -= routes[i].weight;
  }
  return routes.front().spec;
}

invoke::FunctionSpec spec_of(const FunctionRef& ref, const Function& function,
                             const FunctionVersion& version, std::string package_path) {
  invoke::FunctionSpec out;
  out.account = ref.account;
  out.region = ref.region;
  out.name = ref.name;
  out.version = version.version;
  out.arn = ref.arn();
  out.revision = version.revision;
  out.runtime = version.runtime;
  out.architecture = version.architecture;
  out.handler = version.handler;
  out.role_arn = version.role;
  out.environment = version.environment;
  out.memory_mb = version.memory_mb;
  out.ephemeral_mb = version.ephemeral_mb;
  out.timeout = std::chrono::seconds(version.timeout_s);
  out.package_path = std::move(package_path);
  out.log_group = version.logging.group.empty() ? "/aws/lambda/" + ref.name : version.logging.group;
  out.logging = {.json = version.logging.format == "JSON",
                 .application_level = version.logging.application_level,
                 .system_level = version.logging.system_level};
  out.reserved_concurrency = function.reserved_concurrency;
  return out;
}

Resolver::Resolver(Parts parts) : parts_(parts) {
  watch_ = parts_.store.watch(std::string(watch_prefix), [this] { generation_.fetch_add(1); });
}

Resolver::~Resolver() {
  parts_.store.unwatch(watch_);
}

void Resolver::note_change() {
  const Monotonic until = parts_.clock.monotonic() + shut_for;
  shut_until_ns_.store(until.time_since_epoch().count());
  generation_.fetch_add(1);
}

Resolved Resolver::cached(const FunctionRef& ref) const {
  const auto found = cache_.find(ref.qualified_arn());
  if (found == cache_.end() || found->second.generation != generation_.load()) return nullptr;
  return found->second.resolved;
}

void Resolver::remember(Resolved resolved, Stamp stamp) {
  if (stamp.generation != generation_.load()) return;
  if (parts_.clock.monotonic().time_since_epoch().count() < shut_until_ns_.load()) return;
  if (cache_.size() >= cache_entries_max) cache_.clear();
  std::string key = resolved->ref.qualified_arn();
  cache_[std::move(key)] = {std::move(resolved), stamp.generation};
}

Result<std::string> Resolver::ensure_package(const Code& code) {
  std::string path = parts_.packages.path_of(code.package);
  if (parts_.packages.present(code.package)) return path;
  Body body;
  body.blobs.push_back({code.zip, 0, code.zip.size});
  TRY(const std::string zip, store::read_body(parts_.blobs, body, code.zip.size));
  TRY(const Pin pin, parts_.packages.stage(zip, code.package));
  return path;
}

Result<Resolved> Resolver::load(const FunctionRef& ref) {
  TRY(auto snapshot, parts_.store.snapshot());
  store::Tx tx(*snapshot);
  TRY(const Function function, get_function(tx, ref));
  TRY(const auto versions, routes_of(tx, ref, function));
  auto out = std::make_shared<ResolvedFunction>();
  out->ref = ref;
  for (const auto& [weight, version] : versions) {
    TRY(std::string path, ensure_package(version.code));
    invoke::FunctionSpec spec = spec_of(ref, function, version, std::move(path));
    for (const LayerUse& layer : version.layers) {
      TRY(std::string layer_path, ensure_package(layer.code));
      spec.layer_paths = {std::move(layer_path)};
    }
    if (version.layers.size() > 1) {
      TRY(std::string merged, merge(parts_.packages, layer_digests(version)));
      spec.layer_paths = {std::move(merged)};
    }
    out->routes.push_back({weight, std::move(spec)});
  }
  TRY(auto policy, tx.peek<Policy>(policy_key(ref)));
  out->policy = std::move(policy).value_or(Policy{});
  TRY(const auto async, tx.peek<AsyncConfig>(async_key(ref)));
  out->async = async_policy(async, versions.front().second);
  out->recursion_allowed = function.recursion_allowed;
  return Resolved(std::move(out));
}

}  // namespace wolke::lambda
