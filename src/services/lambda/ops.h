#pragma once
// The operations' declarations; the table in operations.cc reads as the API reference. *_ops.cc
// define them.

#include "wolke/model/lambda/operations.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/lambda.h"

namespace wolke::lambda {

namespace op = model::lambda::op;
using operation::Asks;
using operation::Context;
using store::Tx;

// function_ops.cc
Result<op::GetFunction::Output> get_function_op(Lambda&, Tx&, const Context&,
                                                const op::GetFunction::Input&);
Result<op::GetFunctionConfiguration::Output> get_configuration(
    Lambda&, Tx&, const Context&, const op::GetFunctionConfiguration::Input&);
Result<op::ListFunctions::Output> list_functions_op(Lambda&, Tx&, const Context&,
                                                    const op::ListFunctions::Input&);
Result<op::UpdateFunctionConfiguration::Output> update_configuration(
    Lambda&, Tx&, const Context&, const op::UpdateFunctionConfiguration::Input&);
Result<op::DeleteFunction::Output> delete_function(Lambda&, Tx&, const Context&,
                                                   const op::DeleteFunction::Input&);

// code_ops.cc
/// The role that a function gets: one of its own account, which Lambda may assume.
Result<void> check_role(Lambda&, Tx&, const FunctionRef&, const std::string& role);
async::Task<Result<op::CreateFunction::Output>> create_function(Lambda&, Context,
                                                                op::CreateFunction::Input);
async::Task<Result<op::UpdateFunctionCode::Output>> update_code(Lambda&, Context,
                                                                op::UpdateFunctionCode::Input);

// version_ops.cc
Result<op::PublishVersion::Output> publish_version(Lambda&, Tx&, const Context&,
                                                   const op::PublishVersion::Input&);
Result<op::ListVersionsByFunction::Output> list_versions(Lambda&, Tx&, const Context&,
                                                         const op::ListVersionsByFunction::Input&);
Result<op::CreateAlias::Output> create_alias(Lambda&, Tx&, const Context&,
                                             const op::CreateAlias::Input&);
Result<op::GetAlias::Output> get_alias(Lambda&, Tx&, const Context&, const op::GetAlias::Input&);
Result<op::ListAliases::Output> list_aliases(Lambda&, Tx&, const Context&,
                                             const op::ListAliases::Input&);
Result<op::UpdateAlias::Output> update_alias(Lambda&, Tx&, const Context&,
                                             const op::UpdateAlias::Input&);
Result<op::DeleteAlias::Output> delete_alias(Lambda&, Tx&, const Context&,
                                             const op::DeleteAlias::Input&);

// layer_ops.cc
async::Task<Result<op::PublishLayerVersion::Output>> publish_layer(Lambda&, Context,
                                                                   op::PublishLayerVersion::Input);
Result<op::GetLayerVersion::Output> get_layer_version_op(Lambda&, Tx&, const Context&,
                                                         const op::GetLayerVersion::Input&);
Result<op::GetLayerVersionByArn::Output> get_layer_version_by_arn(
    Lambda&, Tx&, const Context&, const op::GetLayerVersionByArn::Input&);
Result<op::ListLayers::Output> list_layers(Lambda&, Tx&, const Context&,
                                           const op::ListLayers::Input&);
Result<op::ListLayerVersions::Output> list_layer_versions(Lambda&, Tx&, const Context&,
                                                          const op::ListLayerVersions::Input&);
Result<op::DeleteLayerVersion::Output> delete_layer_version(Lambda&, Tx&, const Context&,
                                                            const op::DeleteLayerVersion::Input&);
Result<op::AddLayerVersionPermission::Output> add_layer_permission(
    Lambda&, Tx&, const Context&, const op::AddLayerVersionPermission::Input&);
Result<op::RemoveLayerVersionPermission::Output> remove_layer_permission(
    Lambda&, Tx&, const Context&, const op::RemoveLayerVersionPermission::Input&);
Result<op::GetLayerVersionPolicy::Output> get_layer_policy(Lambda&, Tx&, const Context&,
                                                           const op::GetLayerVersionPolicy::Input&);

// permission_ops.cc
Result<op::AddPermission::Output> add_permission(Lambda&, Tx&, const Context&,
                                                 const op::AddPermission::Input&);
Result<op::RemovePermission::Output> remove_permission(Lambda&, Tx&, const Context&,
                                                       const op::RemovePermission::Input&);
Result<op::GetPolicy::Output> get_policy(Lambda&, Tx&, const Context&, const op::GetPolicy::Input&);

// tag_ops.cc
Result<op::TagResource::Output> tag_resource(Lambda&, Tx&, const Context&,
                                             const op::TagResource::Input&);
Result<op::UntagResource::Output> untag_resource(Lambda&, Tx&, const Context&,
                                                 const op::UntagResource::Input&);
Result<op::ListTags::Output> list_tags(Lambda&, Tx&, const Context&, const op::ListTags::Input&);

// setting_ops.cc
Result<op::PutFunctionConcurrency::Output> put_concurrency(
    Lambda&, Tx&, const Context&, const op::PutFunctionConcurrency::Input&);
Result<op::GetFunctionConcurrency::Output> get_concurrency(
    Lambda&, Tx&, const Context&, const op::GetFunctionConcurrency::Input&);
Result<op::DeleteFunctionConcurrency::Output> delete_concurrency(
    Lambda&, Tx&, const Context&, const op::DeleteFunctionConcurrency::Input&);
Result<op::GetAccountSettings::Output> get_account_settings(Lambda&, Tx&, const Context&,
                                                            const op::GetAccountSettings::Input&);
Result<op::GetFunctionRecursionConfig::Output> get_recursion(
    Lambda&, Tx&, const Context&, const op::GetFunctionRecursionConfig::Input&);
Result<op::PutFunctionRecursionConfig::Output> put_recursion(
    Lambda&, Tx&, const Context&, const op::PutFunctionRecursionConfig::Input&);
Result<op::PutRuntimeManagementConfig::Output> put_runtime_management(
    Lambda&, Tx&, const Context&, const op::PutRuntimeManagementConfig::Input&);
Result<op::GetRuntimeManagementConfig::Output> get_runtime_management(
    Lambda&, Tx&, const Context&, const op::GetRuntimeManagementConfig::Input&);
Result<op::ListEventSourceMappings::Output> list_event_source_mappings(
    Lambda&, Tx&, const Context&, const op::ListEventSourceMappings::Input&);
Result<op::ListProvisionedConcurrencyConfigs::Output> list_provisioned(
    Lambda&, Tx&, const Context&, const op::ListProvisionedConcurrencyConfigs::Input&);

Result<op::PutProvisionedConcurrencyConfig::Output> put_provisioned(
    Lambda&, Tx&, const Context&, const op::PutProvisionedConcurrencyConfig::Input&);
Result<op::GetProvisionedConcurrencyConfig::Output> get_provisioned(
    Lambda&, Tx&, const Context&, const op::GetProvisionedConcurrencyConfig::Input&);
Result<op::DeleteProvisionedConcurrencyConfig::Output> delete_provisioned(
    Lambda&, Tx&, const Context&, const op::DeleteProvisionedConcurrencyConfig::Input&);

// url_ops.cc
Result<op::CreateFunctionUrlConfig::Output> create_url(Lambda&, Tx&, const Context&,
                                                       const op::CreateFunctionUrlConfig::Input&);
Result<op::GetFunctionUrlConfig::Output> get_url(Lambda&, Tx&, const Context&,
                                                 const op::GetFunctionUrlConfig::Input&);
Result<op::UpdateFunctionUrlConfig::Output> update_url(Lambda&, Tx&, const Context&,
                                                       const op::UpdateFunctionUrlConfig::Input&);
Result<op::DeleteFunctionUrlConfig::Output> delete_url(Lambda&, Tx&, const Context&,
                                                       const op::DeleteFunctionUrlConfig::Input&);
Result<op::ListFunctionUrlConfigs::Output> list_urls(Lambda&, Tx&, const Context&,
                                                     const op::ListFunctionUrlConfigs::Input&);

// code_signing_ops.cc
Result<op::CreateCodeSigningConfig::Output> create_code_signing(
    Lambda&, Tx&, const Context&, const op::CreateCodeSigningConfig::Input&);
Result<op::GetCodeSigningConfig::Output> get_code_signing_op(
    Lambda&, Tx&, const Context&, const op::GetCodeSigningConfig::Input&);
Result<op::UpdateCodeSigningConfig::Output> update_code_signing(
    Lambda&, Tx&, const Context&, const op::UpdateCodeSigningConfig::Input&);
Result<op::DeleteCodeSigningConfig::Output> delete_code_signing(
    Lambda&, Tx&, const Context&, const op::DeleteCodeSigningConfig::Input&);
Result<op::ListCodeSigningConfigs::Output> list_code_signing(
    Lambda&, Tx&, const Context&, const op::ListCodeSigningConfigs::Input&);
Result<op::ListFunctionsByCodeSigningConfig::Output> list_functions_by_code_signing(
    Lambda&, Tx&, const Context&, const op::ListFunctionsByCodeSigningConfig::Input&);
Result<op::PutFunctionCodeSigningConfig::Output> put_function_code_signing(
    Lambda&, Tx&, const Context&, const op::PutFunctionCodeSigningConfig::Input&);
Result<op::GetFunctionCodeSigningConfig::Output> get_function_code_signing(
    Lambda&, Tx&, const Context&, const op::GetFunctionCodeSigningConfig::Input&);
Result<op::DeleteFunctionCodeSigningConfig::Output> delete_function_code_signing(
    Lambda&, Tx&, const Context&, const op::DeleteFunctionCodeSigningConfig::Input&);

// async_config_ops.cc
Result<op::PutFunctionEventInvokeConfig::Output> put_async_config(
    Lambda&, Tx&, const Context&, const op::PutFunctionEventInvokeConfig::Input&);
Result<op::UpdateFunctionEventInvokeConfig::Output> update_async_config(
    Lambda&, Tx&, const Context&, const op::UpdateFunctionEventInvokeConfig::Input&);
Result<op::GetFunctionEventInvokeConfig::Output> get_async_config(
    Lambda&, Tx&, const Context&, const op::GetFunctionEventInvokeConfig::Input&);
Result<op::DeleteFunctionEventInvokeConfig::Output> delete_async_config(
    Lambda&, Tx&, const Context&, const op::DeleteFunctionEventInvokeConfig::Input&);
Result<op::ListFunctionEventInvokeConfigs::Output> list_async_configs(
    Lambda&, Tx&, const Context&, const op::ListFunctionEventInvokeConfigs::Input&);

// invoke_ops.cc
async::Task<Result<op::Invoke::Output>> invoke_function(Lambda&, Context, op::Invoke::Input);

/// The caller's view of a function's name.
inline Result<FunctionRef> ref_of(const Context& context, const std::optional<std::string>& name,
                                  const std::optional<std::string>& qualifier = std::nullopt) {
  return parse_function(name.value_or(""), qualifier, context.account, context.region);
}

/// What an update changes: the function, or $LATEST by name. Versions stay as they were published.
inline Result<FunctionRef> changeable_ref_of(const Context& context,
                                             const std::optional<std::string>& name) {
  TRY(FunctionRef ref, ref_of(context, name));
  if (!ref.qualifier.empty() && ref.qualifier != latest) return fail(functions_only());
  return ref;
}

/// Publishes $LATEST; nothing new is made when it did not change since the newest version. Shared
/// by three operations.
Result<FunctionVersion> publish(Tx& tx, const Context& context, const FunctionRef& ref,
                                Function& function, const std::optional<std::string>& description);

}  // namespace wolke::lambda
