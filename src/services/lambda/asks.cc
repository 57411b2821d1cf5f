#include "wolke/services/lambda/asks.h"

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

}  // namespace

Result<Asks> ask_function(const Context& context, std::string_view operation,
                          const std::optional<std::string>& name,
                          const std::optional<std::string>& qualifier) {
  TRY(const FunctionRef ref, ref_of(context, name, qualifier));
  return Asks{{.action = "lambda:" + std::string(operation),
               .resource = ref.qualified_arn(),
               .resource_account = ref.account}};
}

Result<Asks> asks_of_create(Lambda&, const Context& context,
                            const op::CreateFunction::Input& input) {
  TRY(Asks asks, ask_function(context, "CreateFunction", input.function_name, std::nullopt));
  if (input.role) asks.push_back(ask_pass_role(*input.role));
  if (input.code && input.code->s3_bucket && input.code->s3_key) {
    asks.push_back(ask_object(*input.code->s3_bucket, *input.code->s3_key,
                              input.code->s3_object_version.has_value()));
  }
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
  return asks;
}

Result<Asks> asks_of_invoke(Lambda&, const Context& context, const op::Invoke::Input& input) {
  return ask_function(context, "InvokeFunction", input.function_name, input.qualifier);
}

}  // namespace wolke::lambda
