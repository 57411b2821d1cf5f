#pragma once
// Lambda's errors, by name. Each carries the member Type ("User" or "Service") as on AWS.

#include <string>
#include <string_view>

#include "wolke/base/result.h"

namespace wolke::lambda {

Error invalid_parameter(std::string message);
Error validation(std::string message);
Error not_found(std::string message);
Error function_not_found(std::string_view arn);
Error function_exists(std::string_view name);
Error conflict(std::string message);
Error no_policy();  // GetPolicy, RemovePermission without one
/// `api`: what tells the revision that would have matched.
Error revision_mismatch(std::string_view api = "GetFunction/GetAlias");
Error alias_not_found(std::string_view arn);
Error code_signing_not_found(std::string_view arn);
Error unsigned_code();  // where a signature is enforced
Error no_provisioned_concurrency();
/// What changes the function itself was asked of a version or an alias.
Error functions_only();
Error too_large(std::string message);
Error invalid_content(std::string message);
Error code_storage_exceeded();
Error policy_too_long();
Error cross_account_role();
Error could_not_unzip();
/// A parameter whose feature is not served; names the parameter.
Error not_served(std::string_view what);
Error service_exception(std::string message);

}  // namespace wolke::lambda
