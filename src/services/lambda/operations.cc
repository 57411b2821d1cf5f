// The operations that are served, and what each needs to be allowed.
#include <iterator>
#include <vector>

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

constexpr Row function_rows[] = {
    serve_task<op::CreateFunction, create_function, asks_of_create>(),
    serve<op::GetFunction, get_function_op, on_function<op::GetFunction>>(),
    serve<op::GetFunctionConfiguration, get_configuration,
          on_function<op::GetFunctionConfiguration>>(),
    serve<op::ListFunctions, list_functions_op, on_account<op::ListFunctions>>(),
    serve_task<op::UpdateFunctionCode, update_code, asks_of_update_code>(),
    serve<op::UpdateFunctionConfiguration, update_configuration, asks_of_update_configuration>(),
    serve<op::DeleteFunction, delete_function, on_function<op::DeleteFunction>>(),
    serve_task<op::Invoke, invoke_function, asks_of_invoke>(),
};

constexpr Row version_rows[] = {
    serve<op::PublishVersion, publish_version, on_function<op::PublishVersion>>(),
    serve<op::ListVersionsByFunction, list_versions, on_function<op::ListVersionsByFunction>>(),
    serve<op::CreateAlias, create_alias, on_function<op::CreateAlias>>(),
    serve<op::GetAlias, get_alias, on_function<op::GetAlias>>(),
    serve<op::ListAliases, list_aliases, on_function<op::ListAliases>>(),
    serve<op::UpdateAlias, update_alias, on_function<op::UpdateAlias>>(),
    serve<op::DeleteAlias, delete_alias, on_function<op::DeleteAlias>>(),
};

constexpr Row access_rows[] = {
    serve<op::AddPermission, add_permission, on_function<op::AddPermission>>(),
    serve<op::RemovePermission, remove_permission, on_function<op::RemovePermission>>(),
    serve<op::GetPolicy, get_policy, on_function<op::GetPolicy>>(),
    serve<op::TagResource, tag_resource, on_resource<op::TagResource>>(),
    serve<op::UntagResource, untag_resource, on_resource<op::UntagResource>>(),
    serve<op::ListTags, list_tags, on_resource<op::ListTags>>(),
};

constexpr Row layer_rows[] = {
    serve_task<op::PublishLayerVersion, publish_layer, asks_of_publish_layer>(),
    serve<op::GetLayerVersion, get_layer_version_op, on_layer_version<op::GetLayerVersion>>(),
    serve<op::GetLayerVersionByArn, get_layer_version_by_arn, asks_of_layer_by_arn>(),
    serve<op::ListLayers, list_layers, on_account<op::ListLayers>>(),
    serve<op::ListLayerVersions, list_layer_versions, on_account<op::ListLayerVersions>>(),
    serve<op::DeleteLayerVersion, delete_layer_version, on_layer_version<op::DeleteLayerVersion>>(),
    serve<op::AddLayerVersionPermission, add_layer_permission,
          on_layer_version<op::AddLayerVersionPermission>>(),
    serve<op::RemoveLayerVersionPermission, remove_layer_permission,
          on_layer_version<op::RemoveLayerVersionPermission>>(),
    serve<op::GetLayerVersionPolicy, get_layer_policy,
          on_layer_version<op::GetLayerVersionPolicy>>(),
};

constexpr Row concurrency_rows[] = {
    serve<op::PutFunctionConcurrency, put_concurrency, on_function<op::PutFunctionConcurrency>>(),
    serve<op::GetFunctionConcurrency, get_concurrency, on_function<op::GetFunctionConcurrency>>(),
    serve<op::DeleteFunctionConcurrency, delete_concurrency,
          on_function<op::DeleteFunctionConcurrency>>(),
    serve<op::PutProvisionedConcurrencyConfig, put_provisioned,
          on_function<op::PutProvisionedConcurrencyConfig>>(),
    serve<op::GetProvisionedConcurrencyConfig, get_provisioned,
          on_function<op::GetProvisionedConcurrencyConfig>>(),
    serve<op::DeleteProvisionedConcurrencyConfig, delete_provisioned,
          on_function<op::DeleteProvisionedConcurrencyConfig>>(),
    serve<op::ListProvisionedConcurrencyConfigs, list_provisioned,
          on_function<op::ListProvisionedConcurrencyConfigs>>(),
    serve<op::GetAccountSettings, get_account_settings, on_account<op::GetAccountSettings>>(),
};

constexpr Row event_rows[] = {
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
};

constexpr Row url_rows[] = {
    serve<op::CreateFunctionUrlConfig, create_url, on_function<op::CreateFunctionUrlConfig>>(),
    serve<op::GetFunctionUrlConfig, get_url, on_function<op::GetFunctionUrlConfig>>(),
    serve<op::UpdateFunctionUrlConfig, update_url, on_function<op::UpdateFunctionUrlConfig>>(),
    serve<op::DeleteFunctionUrlConfig, delete_url, on_function<op::DeleteFunctionUrlConfig>>(),
    serve<op::ListFunctionUrlConfigs, list_urls, on_function<op::ListFunctionUrlConfigs>>(),
};

constexpr Row signing_rows[] = {
    serve<op::CreateCodeSigningConfig, create_code_signing,
          on_account<op::CreateCodeSigningConfig>>(),
    serve<op::GetCodeSigningConfig, get_code_signing_op,
          on_code_signing<op::GetCodeSigningConfig>>(),
    serve<op::UpdateCodeSigningConfig, update_code_signing,
          on_code_signing<op::UpdateCodeSigningConfig>>(),
    serve<op::DeleteCodeSigningConfig, delete_code_signing,
          on_code_signing<op::DeleteCodeSigningConfig>>(),
    serve<op::ListCodeSigningConfigs, list_code_signing, on_account<op::ListCodeSigningConfigs>>(),
    serve<op::ListFunctionsByCodeSigningConfig, list_functions_by_code_signing,
          on_code_signing<op::ListFunctionsByCodeSigningConfig>>(),
    serve<op::PutFunctionCodeSigningConfig, put_function_code_signing, asks_of_put_code_signing>(),
    serve<op::GetFunctionCodeSigningConfig, get_function_code_signing,
          on_function<op::GetFunctionCodeSigningConfig>>(),
    serve<op::DeleteFunctionCodeSigningConfig, delete_function_code_signing,
          on_function<op::DeleteFunctionCodeSigningConfig>>(),
};

constexpr Row setting_rows[] = {
    serve<op::GetFunctionRecursionConfig, get_recursion,
          on_function<op::GetFunctionRecursionConfig>>(),
    serve<op::PutFunctionRecursionConfig, put_recursion,
          on_function<op::PutFunctionRecursionConfig>>(),
    serve<op::PutRuntimeManagementConfig, put_runtime_management,
          on_function<op::PutRuntimeManagementConfig>>(),
    serve<op::GetRuntimeManagementConfig, get_runtime_management,
          on_function<op::GetRuntimeManagementConfig>>(),
    serve<op::ListEventSourceMappings, list_event_source_mappings,
          on_account<op::ListEventSourceMappings>>(),
};

/// One after the other, as they are above.
template <class... Rows>
std::vector<Row> all_of(const Rows&... rows) {
  std::vector<Row> out;
  (out.insert(out.end(), std::begin(rows), std::end(rows)), ...);
  return out;
}

}  // namespace

operation::ServiceTable lambda_table(Lambda* service) {
  return {&model::lambda::service(), service,
          all_of(function_rows, version_rows, access_rows, layer_rows, concurrency_rows, event_rows,
                 url_rows, signing_rows, setting_rows)};
}

}  // namespace wolke::lambda
