#pragma once
// What each operation asks of the gate. Most ask for "lambda:<Operation>" on the function they
// name.

#include <string>

#include "wolke/services/lambda/ops.h"

namespace wolke::lambda {

/// "lambda:" + operation on the named function, or on its version or alias.
Result<Asks> ask_function(const Context& context, std::string_view operation,
                          const std::optional<std::string>& name,
                          const std::optional<std::string>& qualifier);

template <class Op>
Result<Asks> on_function(Lambda&, const Context& context, const typename Op::Input& input) {
  std::optional<std::string> qualifier;
  if constexpr (requires { input.qualifier; }) qualifier = input.qualifier;
  return ask_function(context, Op::operation().name, input.function_name, qualifier);
}

/// Tag operations name the resource by its ARN.
template <class Op>
Result<Asks> on_resource(Lambda&, const Context& context, const typename Op::Input& input) {
  if (input.resource && input.resource->find(":function:") == std::string::npos) {
    return Asks{{.action = "lambda:" + std::string(Op::operation().name),
                 .resource = *input.resource,
                 .resource_account = context.account}};
  }
  return ask_function(context, Op::operation().name, input.resource, std::nullopt);
}

/// "lambda:" + operation on a version of a layer, which may be another account's.
Result<Asks> ask_layer_version(const Context& context, std::string_view operation,
                               const std::optional<std::string>& name,
                               const std::optional<std::int64_t>& number);

template <class Op>
Result<Asks> on_layer_version(Lambda&, const Context& context, const typename Op::Input& input) {
  return ask_layer_version(context, Op::operation().name, input.layer_name, input.version_number);
}

template <class Op>
Result<Asks> on_code_signing(Lambda&, const Context& context, const typename Op::Input& input) {
  return Asks{{.action = "lambda:" + std::string(Op::operation().name),
               .resource = input.code_signing_config_arn.value_or(""),
               .resource_account = context.account}};
}
/// On the function and on the configuration.
Result<Asks> asks_of_put_code_signing(Lambda&, const Context&,
                                      const op::PutFunctionCodeSigningConfig::Input&);

/// Lists and settings have no resource.
template <class Op>
Result<Asks> on_account(Lambda&, const Context&, const typename Op::Input&) {
  return Asks{{.action = "lambda:" + std::string(Op::operation().name), .resource = "*"}};
}

/// With iam:PassRole on the role, s3:GetObject on code that lies in S3, and
/// lambda:GetLayerVersion on each layer.
Result<Asks> asks_of_create(Lambda&, const Context&, const op::CreateFunction::Input&);
Result<Asks> asks_of_update_code(Lambda&, const Context&, const op::UpdateFunctionCode::Input&);
Result<Asks> asks_of_update_configuration(Lambda&, const Context&,
                                          const op::UpdateFunctionConfiguration::Input&);
/// With s3:GetObject on code that lies in S3.
Result<Asks> asks_of_publish_layer(Lambda&, const Context&, const op::PublishLayerVersion::Input&);
Result<Asks> asks_of_layer_by_arn(Lambda&, const Context&, const op::GetLayerVersionByArn::Input&);
Result<Asks> asks_of_invoke(Lambda&, const Context&, const op::Invoke::Input&);

}  // namespace wolke::lambda
