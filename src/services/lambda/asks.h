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

/// Lists and settings have no resource.
template <class Op>
Result<Asks> on_account(Lambda&, const Context&, const typename Op::Input&) {
  return Asks{{.action = "lambda:" + std::string(Op::operation().name), .resource = "*"}};
}

/// With iam:PassRole on the role, and s3:GetObject on code that lies in S3.
Result<Asks> asks_of_create(Lambda&, const Context&, const op::CreateFunction::Input&);
Result<Asks> asks_of_update_code(Lambda&, const Context&, const op::UpdateFunctionCode::Input&);
Result<Asks> asks_of_update_configuration(Lambda&, const Context&,
                                          const op::UpdateFunctionConfiguration::Input&);
Result<Asks> asks_of_invoke(Lambda&, const Context&, const op::Invoke::Input&);

}  // namespace wolke::lambda
