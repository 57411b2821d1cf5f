// The operations that are served, and what each needs to be allowed.
#include "wolke/services/lambda/asks.h"
#include "wolke/services/lambda/ops.h"

namespace wolke::lambda {
namespace {

using operation::Row;

template <class Op, auto Run, auto AsksOf>
constexpr Row serve() {
  return operation::row<Lambda, Op, Run, AsksOf>();
}
template <class Op, auto Run, auto AsksOf>
constexpr Row serve_task() {
  return operation::task_row<Lambda, Op, Run, AsksOf>();
}

}  // namespace

operation::ServiceTable lambda_table(Lambda* service) {
  static constexpr Row rows[] = {
      serve_task<op::CreateFunction, create_function, asks_of_create>(),
      serve<op::GetFunction, get_function_op, on_function<op::GetFunction>>(),
      serve<op::GetFunctionConfiguration, get_configuration,
            on_function<op::GetFunctionConfiguration>>(),
      serve<op::ListFunctions, list_functions_op, on_account<op::ListFunctions>>(),
      serve_task<op::UpdateFunctionCode, update_code, asks_of_update_code>(),
      serve<op::UpdateFunctionConfiguration, update_configuration, asks_of_update_configuration>(),
      serve<op::DeleteFunction, delete_function, on_function<op::DeleteFunction>>(),
      serve_task<op::Invoke, invoke_function, asks_of_invoke>(),

      serve<op::PublishVersion, publish_version, on_function<op::PublishVersion>>(),
      serve<op::ListVersionsByFunction, list_versions, on_function<op::ListVersionsByFunction>>(),
      serve<op::CreateAlias, create_alias, on_function<op::CreateAlias>>(),
      serve<op::GetAlias, get_alias, on_function<op::GetAlias>>(),
      serve<op::ListAliases, list_aliases, on_function<op::ListAliases>>(),
      serve<op::UpdateAlias, update_alias, on_function<op::UpdateAlias>>(),
      serve<op::DeleteAlias, delete_alias, on_function<op::DeleteAlias>>(),

      serve<op::AddPermission, add_permission, on_function<op::AddPermission>>(),
      serve<op::RemovePermission, remove_permission, on_function<op::RemovePermission>>(),
      serve<op::GetPolicy, get_policy, on_function<op::GetPolicy>>(),

      serve<op::TagResource, tag_resource, on_resource<op::TagResource>>(),
      serve<op::UntagResource, untag_resource, on_resource<op::UntagResource>>(),
      serve<op::ListTags, list_tags, on_resource<op::ListTags>>(),

      serve<op::PutFunctionConcurrency, put_concurrency, on_function<op::PutFunctionConcurrency>>(),
      serve<op::GetFunctionConcurrency, get_concurrency, on_function<op::GetFunctionConcurrency>>(),
      serve<op::DeleteFunctionConcurrency, delete_concurrency,
            on_function<op::DeleteFunctionConcurrency>>(),
      serve<op::ListProvisionedConcurrencyConfigs, list_provisioned,
            on_function<op::ListProvisionedConcurrencyConfigs>>(),
      serve<op::GetAccountSettings, get_account_settings, on_account<op::GetAccountSettings>>(),

      serve<op::PutFunctionEventInvokeConfig, put_async_config,
            on_function<op::PutFunctionEventInvokeConfig>>(),
      serve<op::UpdateFunctionEventInvokeConfig, update_async_config,
            on_function<op::UpdateFunctionEventInvokeConfig>>(),
      serve<op::GetFunctionEventInvokeConfig, get_async_config,
            on_function<op::GetFunctionEventInvokeConfig>>(),
      serve<op::DeleteFunctionEventInvokeConfig, delete_async_config,
            on_function<op::DeleteFunctionEventInvokeConfig>>(),
      serve<op::ListFunctionEventInvokeConfigs, list_async_configs,
            on_function<op::ListFunctionEventInvokeConfigs>>(),

      serve<op::GetFunctionCodeSigningConfig, get_code_signing,
            on_function<op::GetFunctionCodeSigningConfig>>(),
      serve<op::GetFunctionRecursionConfig, get_recursion,
            on_function<op::GetFunctionRecursionConfig>>(),
      serve<op::PutFunctionRecursionConfig, put_recursion,
            on_function<op::PutFunctionRecursionConfig>>(),
      serve<op::GetRuntimeManagementConfig, get_runtime_management,
            on_function<op::GetRuntimeManagementConfig>>(),
      serve<op::ListEventSourceMappings, list_event_source_mappings,
            on_account<op::ListEventSourceMappings>>(),
  };
  return {&model::lambda::service(), service, {std::begin(rows), std::end(rows)}};
}

}  // namespace wolke::lambda
