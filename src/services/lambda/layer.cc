#include "wolke/services/lambda/layer.h"

#include <fmt/core.h>

#include <algorithm>

#include "wolke/base/limits.h"
#include "wolke/base/text.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/shape/json.h"
#include "wolke/store/keys.h"

namespace wolke::lambda {
namespace {

// arn:aws:lambda:REGION:ACCOUNT:layer:NAME[:VERSION]
constexpr std::size_t parts_of_layer = 7, parts_of_version = 8;

bool is_layer_arn(const std::vector<std::string_view>& parts) {
  return parts.size() >= parts_of_layer && parts[0] == "arn" && parts[2] == "lambda" &&
         parts[5] == "layer";
}

store::KeyBuilder versions_of(const LayerRef& ref) {
  store::KeyBuilder key("lambda.layer_version");
  key.text(ref.account).text(ref.region).text(ref.name);
  return key;
}

Result<void> each_version(store::Tx& tx, std::string_view account, std::string_view region,
                          const std::string& prefix,
                          const std::function<void(const store::Record&, LayerVersion)>& take) {
  return each_record(tx, shard_of_functions(account, region), prefix,
                     [&](const store::Record& record) -> Result<void> {
                       TRY(auto version, store::decode<LayerVersion>(record.value, record.key));
                       take(record, std::move(version));
                       return {};
                     });
}

shape::Json statement_tree(const LayerStatement& statement, const std::string& arn) {
  shape::Json principal = statement.principal;
  if (statement.principal != "*") {
    const bool is_arn = statement.principal.starts_with("arn:");
    principal = shape::Json();
    principal.set("AWS", is_arn ? statement.principal
                                : fmt::format("arn:aws:iam::{}:root", statement.principal));
  }
  shape::Json out;
  out.set("Sid", statement.id);
  out.set("Effect", "Allow");
  out.set("Principal", std::move(principal));
  out.set("Action", statement.action);
  out.set("Resource", arn);
  if (!statement.org_id.empty()) {
    shape::Json equals, condition;
    equals.set("aws:PrincipalOrgID", statement.org_id);
    condition.set("StringEquals", std::move(equals));
    out.set("Condition", std::move(condition));
  }
  return out;
}

Error missing_layer(const std::string& arn) {
  return invalid_parameter(fmt::format("Layer version {} does not exist.", arn));
}

Result<void> check_given(const FunctionRef& function, const std::vector<LayerRef>& layers) {
  if (layers.size() > layers_per_function_max)
    return fail(invalid_parameter("Cannot reference more than 5 layers."));
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].region != function.region) {
      return fail(invalid_parameter(
          fmt::format("Layers are not in the same region as the function. Layers are expected to "
                      "be in region {}.",
                      function.region)));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (layers[i].arn() != layers[j].arn()) continue;
      return fail(invalid_parameter(fmt::format(
          "Two different versions of the same layer are not allowed to be referenced in the same "
          "function. {} and {} are versions of the same layer.",
          layers[j].version_arn(), layers[i].version_arn())));
    }
  }
  return {};
}

}  // namespace

std::string LayerRef::arn() const {
  return fmt::format("arn:aws:lambda:{}:{}:layer:{}", region, account, name);
}
std::string LayerRef::version_arn() const {
  return fmt::format("{}:{}", arn(), version);
}

LayerRef parse_layer(std::string_view name, std::string_view account, std::string_view region) {
  const auto parts = split(name, ':');
  if (!is_layer_arn(parts))
    return {std::string(account), std::string(region), std::string(name), 0};
  return {std::string(parts[4]), std::string(parts[3]), std::string(parts[6]), 0};
}

std::optional<LayerRef> parse_layer_version(std::string_view arn) {
  const auto parts = split(arn, ':');
  if (!is_layer_arn(parts) || parts.size() != parts_of_version) return std::nullopt;
  const auto number = parse_u64(parts[7]);
  if (!number) return std::nullopt;
  return LayerRef{std::string(parts[4]), std::string(parts[3]), std::string(parts[6]), *number};
}

store::Key layer_key(const LayerRef& ref) {
  store::KeyBuilder key("lambda.layer");
  key.text(ref.account).text(ref.region).text(ref.name);
  return {shard_of_functions(ref.account, ref.region), key.build()};
}
store::Key layer_version_key(const LayerRef& ref) {
  return {shard_of_functions(ref.account, ref.region),
          versions_of(ref).number(ref.version).build()};
}

Result<std::optional<LayerVersion>> get_layer_version(store::Tx& tx, const LayerRef& ref) {
  return tx.get<LayerVersion>(layer_version_key(ref));
}

Result<std::vector<LayerVersion>> all_layer_versions(store::Tx& tx, const LayerRef& ref) {
  std::vector<LayerVersion> out;
  TRY(each_version(
      tx, ref.account, ref.region, versions_of(ref).build(),
      [&](const store::Record&, LayerVersion version) { out.push_back(std::move(version)); }));
  return out;
}

Result<std::map<std::string, std::vector<LayerVersion>>> all_layers(store::Tx& tx,
                                                                    std::string_view account,
                                                                    std::string_view region) {
  std::map<std::string, std::vector<LayerVersion>> out;
  store::KeyBuilder prefix("lambda.layer_version");
  prefix.text(account).text(region);
  TRY(each_version(tx, account, region, prefix.build(),
                   [&](const store::Record& record, LayerVersion version) {
                     store::KeyReader reader(record.key);
                     for (int i = 0; i < 3; ++i) reader.text();
                     out[reader.text().value_or("")].push_back(std::move(version));
                   }));
  return out;
}

std::string layer_statement_json(const LayerStatement& statement, const std::string& arn) {
  return statement_tree(statement, arn).text();
}

std::string layer_policy_json(const LayerVersion& version, const std::string& arn) {
  shape::Json::Array statements;
  for (const LayerStatement& statement : version.policy)
    statements.push_back(statement_tree(statement, arn));
  shape::Json out;
  out.set("Version", "2012-10-17");
  out.set("Id", "default");
  out.set("Statement", std::move(statements));
  return out.text();
}

std::vector<std::string> layer_digests(const FunctionVersion& version) {
  std::vector<std::string> out;
  for (const LayerUse& layer : version.layers) out.push_back(layer.code.package);
  return out;
}

Result<std::vector<LayerUse>> use_layers(store::Tx& tx, const FunctionRef& function,
                                         const std::vector<std::string>& arns) {
  std::vector<LayerRef> layers;
  for (const std::string& arn : arns) {
    auto layer = parse_layer_version(arn);
    if (!layer) return fail(missing_layer(arn));
    layers.push_back(*std::move(layer));
  }
  TRY(check_given(function, layers));
  std::vector<LayerUse> out;
  for (const LayerRef& layer : layers) {
    TRY(auto version, get_layer_version(tx, layer));
    if (!version) return fail(missing_layer(layer.version_arn()));
    LayerUse use;
    use.arn = layer.version_arn();
    use.code = std::move(version->code);
    out.push_back(std::move(use));
  }
  return out;
}

Result<void> check_unzipped(const FunctionVersion& version) {
  std::uint64_t bytes = version.code.unzipped_bytes;
  for (const LayerUse& layer : version.layers) bytes += layer.code.unzipped_bytes;
  if (version.layers.empty() || bytes <= limits::package_unzipped_bytes_max) return {};
  return fail(invalid_parameter(
      fmt::format("Function code combined with layers exceeds the maximum allowed size of {} "
                  "bytes. The actual size is {} bytes.",
                  limits::package_unzipped_bytes_max, bytes)));
}

}  // namespace wolke::lambda
