// Layers: publish, read, list, delete, and who else may use them.
#include <fmt/core.h>

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/services/lambda/code.h"
#include "wolke/services/lambda/configuration.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/layer.h"
#include "wolke/services/lambda/ops.h"
#include "wolke/services/lambda/page.h"

namespace wolke::lambda {
namespace {

namespace m = model::lambda;

Error no_such_resource() {
  return not_found("The resource you requested does not exist.");
}
Error no_such_version(const LayerRef& ref) {
  return not_found(fmt::format("Layer version {} does not exist.", ref.version_arn()));
}

/// A version's number starts at 1.
Result<LayerRef> version_ref(const Context& context, const std::optional<std::string>& name,
                             const std::optional<std::int64_t>& number) {
  if (number.value_or(0) < 1) return fail(invalid_parameter("Layer Version Cannot be less than 1"));
  LayerRef ref = parse_layer(name.value_or(""), context.account, context.region);
  ref.version = static_cast<std::uint64_t>(*number);
  return ref;
}

/// The members that every answer about a version has.
template <class Out>
void describe_version(Out& out, const LayerRef& ref, const LayerVersion& version) {
  out.layer_version_arn = ref.version_arn();
  out.version = static_cast<std::int64_t>(version.number);
  out.description = version.description;
  out.created_date = format_modified(version.created);
  if (!version.runtimes.empty()) out.compatible_runtimes = version.runtimes;
  if (!version.architectures.empty()) out.compatible_architectures = version.architectures;
  if (!version.license.empty()) out.license_info = version.license;
}

template <class Out>
Out describe_layer(Lambda& service, const Context& context, const LayerRef& ref,
                   const LayerVersion& version) {
  Out out;
  describe_version(out, ref, version);
  out.layer_arn = ref.arn();
  const auto& locate = service.parts.ports.code_location;
  out.content.emplace();
  out.content->location = locate ? locate(context, version.code.zip) : "";
  out.content->code_sha256 = version.code.sha256;
  out.content->code_size = static_cast<std::int64_t>(version.code.bytes);
  return out;
}

m::LayerVersionsListItem describe_in_list(LayerRef ref, const LayerVersion& version) {
  m::LayerVersionsListItem out;
  ref.version = version.number;
  describe_version(out, ref, version);
  return out;
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::ranges::find(all, one) != all.end();
}

/// Lists show the versions that are said to go with a runtime and an architecture.
template <class In>
bool matches(const LayerVersion& version, const In& input) {
  if (input.compatible_runtime && !contains(version.runtimes, *input.compatible_runtime))
    return false;
  return !input.compatible_architecture ||
         contains(version.architectures, *input.compatible_architecture);
}

Result<op::PublishLayerVersion::Output> commit_layer(Lambda& service, Tx& tx,
                                                     const Context& context, LayerRef ref,
                                                     LayerVersion version) {
  TRY(auto found, tx.get<Layer>(layer_key(ref)));
  Layer layer = std::move(found).value_or(Layer{});
  layer.name = ref.name;
  version.number = ref.version = ++layer.last_number;
  version.created = context.now;
  const FunctionRef owner{ref.account, ref.region, {}, {}};
  TRY(Account account, get_account(tx, owner));
  TRY(add_code_bytes(service, account, version.code.bytes));
  tx.put(account_key(ref.account, ref.region), account);
  tx.put(layer_key(ref), layer);
  const store::Key key = layer_version_key(ref);
  tx.put(key, version);
  refer_code(tx, version.code, key);
  return describe_layer<op::PublishLayerVersion::Output>(service, context, ref, version);
}

}  // namespace

async::Task<Result<op::PublishLayerVersion::Output>> publish_layer(
    Lambda& service, Context context, op::PublishLayerVersion::Input input) {
  const LayerRef ref = parse_layer(input.layer_name.value_or(""), context.account, context.region);
  if (ref.account != context.account || ref.region != context.region)
    co_return fail(no_such_resource());
  LayerVersion version;
  version.description = input.description.value_or("");
  version.license = input.license_info.value_or("");
  version.runtimes = input.compatible_runtimes.value_or(std::vector<std::string>{});
  version.architectures = input.compatible_architectures.value_or(std::vector<std::string>{});
  CO_TRY(check_known_runtimes(version.runtimes));
  if (!input.content) co_return fail(invalid_parameter("Please provide a source for layer code."));
  CO_TRY(Source source, source_of(*input.content));
  CO_TRY(Staged staged, co_await fetch_and_stage(service, context, std::move(source)));
  version.code = staged.code;
  std::function<Result<op::PublishLayerVersion::Output>(Tx&)> commit = [&](Tx& tx) {
    return commit_layer(service, tx, context, ref, version);
  };
  CO_TRY(auto out, co_await operation::transact<op::PublishLayerVersion::Output>(
                       service.parts.runner, std::move(commit)));
  // What was said to be empty is answered as empty, here and nowhere else.
  out.compatible_runtimes = std::move(input.compatible_runtimes);
  out.compatible_architectures = std::move(input.compatible_architectures);
  co_return out;
}

Result<op::GetLayerVersion::Output> get_layer_version_op(Lambda& service, Tx& tx,
                                                         const Context& context,
                                                         const op::GetLayerVersion::Input& input) {
  TRY(const LayerRef ref, version_ref(context, input.layer_name, input.version_number));
  TRY(const auto version, get_layer_version(tx, ref));
  if (!version) return fail(no_such_resource());
  return describe_layer<op::GetLayerVersion::Output>(service, context, ref, *version);
}

Result<op::GetLayerVersionByArn::Output> get_layer_version_by_arn(
    Lambda& service, Tx& tx, const Context& context, const op::GetLayerVersionByArn::Input& input) {
  const auto ref = parse_layer_version(input.arn.value_or(""));
  if (!ref) return fail(no_such_resource());
  TRY(const auto version, get_layer_version(tx, *ref));
  if (!version) return fail(no_such_resource());
  return describe_layer<op::GetLayerVersionByArn::Output>(service, context, *ref, *version);
}

Result<op::ListLayers::Output> list_layers(Lambda&, Tx& tx, const Context& context,
                                           const op::ListLayers::Input& input) {
  if (input.compatible_runtime) {
    TRY(check_known_runtime(*input.compatible_runtime));
  }
  TRY(const auto layers, all_layers(tx, context.account, context.region));
  std::vector<m::LayersListItem> all;
  for (const auto& [name, versions] : layers) {
    const LayerRef ref{context.account, context.region, name, 0};
    const auto newest =
        std::find_if(versions.rbegin(), versions.rend(),
                     [&](const LayerVersion& version) { return matches(version, input); });
    if (newest == versions.rend()) continue;
    m::LayersListItem item;
    item.layer_name = name;
    item.layer_arn = ref.arn();
    item.latest_matching_version = describe_in_list(ref, *newest);
    all.push_back(std::move(item));
  }
  op::ListLayers::Output out;
  TRY(out.layers, page_of(std::move(all), input.marker, input.max_items, out.next_marker));
  return out;
}

Result<op::ListLayerVersions::Output> list_layer_versions(
    Lambda&, Tx& tx, const Context& context, const op::ListLayerVersions::Input& input) {
  if (input.compatible_runtime) {
    TRY(check_known_runtime(*input.compatible_runtime));
  }
  const LayerRef ref = parse_layer(input.layer_name.value_or(""), context.account, context.region);
  if (ref.account != context.account) return fail(no_such_resource());
  TRY(auto versions, all_layer_versions(tx, ref));
  std::ranges::reverse(versions);  // newest first
  std::vector<m::LayerVersionsListItem> all;
  for (const LayerVersion& version : versions) {
    if (matches(version, input)) all.push_back(describe_in_list(ref, version));
  }
  op::ListLayerVersions::Output out;
  TRY(out.layer_versions, page_of(std::move(all), input.marker, input.max_items, out.next_marker));
  return out;
}

Result<op::DeleteLayerVersion::Output> delete_layer_version(
    Lambda&, Tx& tx, const Context& context, const op::DeleteLayerVersion::Input& input) {
  TRY(const LayerRef ref, version_ref(context, input.layer_name, input.version_number));
  if (ref.account != context.account) return fail(no_such_resource());
  TRY(const auto version, get_layer_version(tx, ref));
  if (!version) return op::DeleteLayerVersion::Output{};
  const store::Key key = layer_version_key(ref);
  release_code(tx, version->code, key);
  tx.erase(key);
  TRY(Account account, get_account(tx, FunctionRef{ref.account, ref.region, {}, {}}));
  account.code_bytes -= std::min(account.code_bytes, version->code.bytes);
  tx.put(account_key(ref.account, ref.region), account);
  return op::DeleteLayerVersion::Output{};
}

// ---- who else may use a version ----

Result<op::AddLayerVersionPermission::Output> add_layer_permission(
    Lambda&, Tx& tx, const Context& context, const op::AddLayerVersionPermission::Input& input) {
  TRY(const LayerRef ref, version_ref(context, input.layer_name, input.version_number));
  TRY(auto version, get_layer_version(tx, ref));
  if (!version) return fail(no_such_version(ref));
  LayerStatement statement;
  statement.id = input.statement_id.value_or("");
  statement.action = input.action.value_or("");
  statement.principal = input.principal.value_or("");
  statement.org_id = input.organization_id.value_or("");
  if (!statement.org_id.empty() && statement.principal != "*") {
    return fail(invalid_parameter("OrganizationId can be specified only with the principal *."));
  }
  if (std::ranges::any_of(version->policy, [&](const auto& s) { return s.id == statement.id; })) {
    return fail(conflict(fmt::format(
        "The statement id ({}) provided already exists. Please provide a new statement id, or "
        "remove the existing statement.",
        statement.id)));
  }
  if (input.revision_id && *input.revision_id != version->policy_revision)
    return fail(revision_mismatch("GetLayerPolicy"));
  version->policy.push_back(statement);
  if (layer_policy_json(*version, ref.version_arn()).size() > policy_bytes_max)
    return fail(policy_too_long());
  version->policy_revision = context.random->uuid();
  tx.put(layer_version_key(ref), *version);
  op::AddLayerVersionPermission::Output out;
  out.statement = layer_statement_json(statement, ref.version_arn());
  out.revision_id = version->policy_revision;
  return out;
}

Result<op::RemoveLayerVersionPermission::Output> remove_layer_permission(
    Lambda&, Tx& tx, const Context& context, const op::RemoveLayerVersionPermission::Input& input) {
  TRY(const LayerRef ref, version_ref(context, input.layer_name, input.version_number));
  TRY(auto version, get_layer_version(tx, ref));
  if (!version) return fail(no_such_version(ref));
  if (input.revision_id && *input.revision_id != version->policy_revision)
    return fail(revision_mismatch("GetLayerPolicy"));
  const std::string id = input.statement_id.value_or("");
  const auto removed = std::erase_if(version->policy, [&](const auto& s) { return s.id == id; });
  if (removed == 0)
    return fail(not_found(fmt::format("Statement {} is not found in resource policy.", id)));
  version->policy_revision = context.random->uuid();
  tx.put(layer_version_key(ref), *version);
  return op::RemoveLayerVersionPermission::Output{};
}

Result<op::GetLayerVersionPolicy::Output> get_layer_policy(
    Lambda&, Tx& tx, const Context& context, const op::GetLayerVersionPolicy::Input& input) {
  TRY(const LayerRef ref, version_ref(context, input.layer_name, input.version_number));
  TRY(const auto version, get_layer_version(tx, ref));
  if (!version) return fail(no_such_version(ref));
  if (version->policy.empty())
    return fail(not_found("No policy is associated with the given resource."));
  op::GetLayerVersionPolicy::Output out;
  out.policy = layer_policy_json(*version, ref.version_arn());
  out.revision_id = version->policy_revision;
  return out;
}

}  // namespace wolke::lambda
