#include "wolke/services/lambda/errors.h"

#include <fmt/core.h>

#include "wolke/services/lambda/policy.h"

namespace wolke::lambda {
namespace {
Error user_error(const char* code, int status, std::string message) {
  return {
      .code = code, .status = status, .message = std::move(message), .fields = {{"Type", "User"}}};
}
}  // namespace

Error invalid_parameter(std::string message) {
  return user_error("InvalidParameterValueException", 400, std::move(message));
}
Error validation(std::string message) {
  return {.code = "ValidationException", .status = 400, .message = std::move(message)};
}
Error not_found(std::string message) {
  return user_error("ResourceNotFoundException", 404, std::move(message));
}
Error function_not_found(std::string_view arn) {
  return not_found(fmt::format("Function not found: {}", arn));
}
Error function_exists(std::string_view name) {
  return conflict(fmt::format("Function already exist: {}", name));
}
Error conflict(std::string message) {
  return user_error("ResourceConflictException", 409, std::move(message));
}
Error no_policy() {
  return not_found("The resource you requested does not exist.");
}
Error revision_mismatch(std::string_view api) {
  return user_error(
      "PreconditionFailedException", 412,
      fmt::format("The Revision Id provided does not match the latest Revision Id. Call the {} API "
                  "to retrieve the latest Revision Id",
                  api));
}
Error alias_not_found(std::string_view arn) {
  return not_found(fmt::format("Cannot find alias arn: {}", arn));
}
Error code_signing_not_found(std::string_view arn) {
  return user_error("CodeSigningConfigNotFoundException", 404,
                    fmt::format("The code signing configuration cannot be found. Check that the "
                                "provided configuration is not deleted: {}.",
                                arn));
}
Error unsigned_code() {
  return user_error(
      "CodeVerificationFailedException", 400,
      "Lambda cannot deploy the function. The function or layer might be signed using "
      "a signature that the client is not configured to accept. Check the provided "
      "signature for unsigned.");
}
Error no_provisioned_concurrency() {
  return user_error("ProvisionedConcurrencyConfigNotFoundException", 404,
                    "No Provisioned Concurrency Config found for this function");
}
Error functions_only() {
  return invalid_parameter(
      "This operation is permitted on Lambda functions only. Aliases and versions do not "
      "support this operation. Please specify either a function name or an unqualified "
      "function ARN.");
}
Error too_large(std::string message) {
  return user_error("RequestTooLargeException", 413, std::move(message));
}
Error invalid_content(std::string message) {
  return user_error("InvalidRequestContentException", 400, std::move(message));
}
Error code_storage_exceeded() {
  return user_error("CodeStorageExceededException", 400, "Code storage limit exceeded.");
}
Error policy_too_long() {
  return user_error(
      "PolicyLengthExceededException", 400,
      fmt::format("The final policy size is bigger than the limit ({}).", policy_bytes_max));
}
Error cross_account_role() {
  return user_error("AccessDeniedException", 403, "Cross-account pass role is not allowed.");
}
Error could_not_unzip() {
  return invalid_parameter(
      "Could not unzip uploaded file. Please check your file, then try to upload again.");
}
Error not_served(std::string_view what) {
  return invalid_parameter(fmt::format("{} is not served by this server.", what));
}
Error service_exception(std::string message) {
  return {.code = "ServiceException",
          .status = 500,
          .message = std::move(message),
          .fields = {{"Type", "Service"}}};
}

}  // namespace wolke::lambda
