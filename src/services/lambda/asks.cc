#include "wolke/services/lambda/asks.h"

#include <algorithm>

#include "wolke/services/lambda/layer.h"

namespace wolke::lambda {
namespace {

identity::Ask ask_pass_role(const std::string& role) {
  return {.action = "iam:PassRole",
          .resource = role,
          .conditions = {{"iam:passedtoservice", {"lambda.amazonaws.com"}}}};
}

identity::Ask ask_object(const std::string& bucket, const std::string& key, bool versioned) {
  return {.action = versioned ? "s3:GetObjectVersion" : "s3:GetObject",
          .resource = "arn:aws:s3:::" + bucket + "/" + key};
}

identity::Ask ask_use_of(const LayerRef& layer) {
  return {.action = "lambda:GetLayerVersion",
          .resource = layer.version_arn(),
          .resource_account = layer.account};
}

/// The layers of a function that is made or changed; what is no layer's ARN, the operation refuses.
void ask_layers(const std::optional<std::vector<std::string>>& arns, Asks& asks) {
  for (const std::string& arn : arns.value_or(std::vector<std::string>{})) {
    if (const auto layer = parse_layer_version(arn)) asks.push_back(ask_use_of(*layer));
  }
}

}  // namespace

Result<Asks> ask_layer_version(const Context& context, std::string_view operation,
                               const std::optional<std::string>& name,
                               const std::optional<std::int64_t>& number) {
  LayerRef ref = parse_layer(name.value_or(""), context.account, context.region);
  ref.version = static_cast<std::uint64_t>(std::max<std::int64_t>(number.value_or(0), 0));
  return Asks{{.action = "lambda:" + std::string(operation),
               .resource = ref.version_arn(),
               .resource_account = ref.account}};
}

Result<Asks> asks_of_publish_layer(Lambda&, const Context& context,
                                   const op::PublishLayerVersion::Input& input) {
  const LayerRef ref = parse_layer(input.layer_name.value_or(""), context.account, context.region);
  Asks asks{{.action = "lambda:PublishLayerVersion",
             .resource = ref.arn(),
             .resource_account = ref.account}};
  if (input.content && input.content->s3_bucket && input.content->s3_key) {
    asks.push_back(ask_object(*input.content->s3_bucket, *input.content->s3_key,
                              input.content->s3_object_version.has_value()));
  }
  return asks;
}

Result<Asks> asks_of_layer_by_arn(Lambda&, const Context& context,
                                  const op::GetLayerVersionByArn::Input& input) {
  const std::string arn = input.arn.value_or("");
  if (const auto layer = parse_layer_version(arn)) return Asks{ask_use_of(*layer)};
  return Asks{
      {.action = "lambda:GetLayerVersion", .resource = arn, .resource_account = context.account}};
}

Result<Asks> ask_function(const Context& context, std::string_view operation,
                          const std::optional<std::string>& name,
                          const std::optional<std::string>& qualifier) {
  TRY(const FunctionRef ref, ref_of(context, name, qualifier));
  return Asks{{.action = "lambda:" + std::string(operation),
               .resource = ref.qualified_arn(),
               .resource_account = ref.account}};
}

Result<Asks> asks_of_put_code_signing(Lambda&, const Context& context,
                                      const op::PutFunctionCodeSigningConfig::Input& input) {
  TRY(Asks asks,
      ask_function(context, "PutFunctionCodeSigningConfig", input.function_name, std::nullopt));
  asks.push_back({.action = "lambda:PutFunctionCodeSigningConfig",
                  .resource = input.code_signing_config_arn.value_or(""),
                  .resource_account = context.account});
  return asks;
}

Result<Asks> asks_of_create(Lambda&, const Context& context,
                            const op::CreateFunction::Input& input) {
  TRY(Asks asks, ask_function(context, "CreateFunction", input.function_name, std::nullopt));
  if (input.role) asks.push_back(ask_pass_role(*input.role));
  if (input.code && input.code->s3_bucket && input.code->s3_key) {
    asks.push_back(ask_object(*input.code->s3_bucket, *input.code->s3_key,
                              input.code->s3_object_version.has_value()));
  }
  ask_layers(input.layers, asks);
  return asks;
}

Result<Asks> asks_of_update_code(Lambda&, const Context& context,
                                 const op::UpdateFunctionCode::Input& input) {
  TRY(Asks asks, ask_function(context, "UpdateFunctionCode", input.function_name, std::nullopt));
  if (input.s3_bucket && input.s3_key) {
    asks.push_back(
        ask_object(*input.s3_bucket, *input.s3_key, input.s3_object_version.has_value()));
  }
  return asks;
}

Result<Asks> asks_of_update_configuration(Lambda&, const Context& context,
                                          const op::UpdateFunctionConfiguration::Input& input) {
  TRY(Asks asks,
      ask_function(context, "UpdateFunctionConfiguration", input.function_name, std::nullopt));
  if (input.role) asks.push_back(ask_pass_role(*input.role));
  ask_layers(input.layers, asks);
  return asks;
}

Result<Asks> asks_of_invoke(Lambda&, const Context& context, const op::Invoke::Input& input) {
  return ask_function(context, "InvokeFunction", input.function_name, input.qualifier);
}

}  // namespace wolke::lambda
