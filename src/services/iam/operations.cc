// IAM's table: reads as the API reference. What is not here is not served.

#include "wolke/services/iam/asks.h"
#include "wolke/services/iam/ops.h"
#include "wolke/services/iam/policy_set.h"

namespace wolke::iam {
namespace {

template <class Op, auto Run>
constexpr operation::Row on_entity() {
  return operation::row<Iam, Op, Run, entity_asks<Op>>();
}
template <class Op, auto Run>
constexpr operation::Row on_policy() {
  return operation::row<Iam, Op, Run, policy_asks<Op>>();
}
template <class Op, auto Run>
constexpr operation::Row on_profile() {
  return operation::row<Iam, Op, Run, profile_asks<Op>>();
}
template <class Op, auto Run>
constexpr operation::Row on_provider() {
  return operation::row<Iam, Op, Run, provider_asks<Op>>();
}
template <class Op, auto Run>
constexpr operation::Row everywhere() {
  return operation::row<Iam, Op, Run, account_asks<Op>>();
}

}  // namespace

// long: a table
operation::ServiceTable iam_table(Iam* iam) {
  return {
      .model = &model::service(),
      .service = iam,
      .rows =
          {
              // Roles
              on_entity<op::CreateRole, create_role>(),
              operation::row<Iam, op::CreateServiceLinkedRole, create_service_linked_role,
                             service_linked_role_asks>(),
              on_entity<op::DeleteServiceLinkedRole, delete_service_linked_role>(),
              everywhere<op::GetServiceLinkedRoleDeletionStatus,
                         get_service_linked_role_deletion_status>(),
              on_entity<op::GetRole, get_role>(),
              everywhere<op::ListRoles, list_roles>(),
              on_entity<op::UpdateRole, update_role>(),
              on_entity<op::UpdateRoleDescription, update_role_description>(),
              on_entity<op::UpdateAssumeRolePolicy, update_assume_role_policy>(),
              on_entity<op::DeleteRole, delete_role>(),
              on_entity<op::PutRolePolicy, put_inline_policy<op::PutRolePolicy>>(),
              on_entity<op::GetRolePolicy, get_inline_policy<op::GetRolePolicy>>(),
              on_entity<op::ListRolePolicies, list_inline_policies<op::ListRolePolicies>>(),
              on_entity<op::DeleteRolePolicy, delete_inline_policy<op::DeleteRolePolicy>>(),
              on_entity<op::AttachRolePolicy, attach_policy<op::AttachRolePolicy>>(),
              on_entity<op::DetachRolePolicy, detach_policy<op::DetachRolePolicy>>(),
              on_entity<op::ListAttachedRolePolicies,
                        list_attached_policies<op::ListAttachedRolePolicies>>(),
              on_entity<op::PutRolePermissionsBoundary,
                        put_boundary<op::PutRolePermissionsBoundary>>(),
              on_entity<op::DeleteRolePermissionsBoundary,
                        delete_boundary<op::DeleteRolePermissionsBoundary>>(),
              on_entity<op::TagRole, tag_entity<op::TagRole>>(),
              on_entity<op::UntagRole, untag_entity<op::UntagRole>>(),
              on_entity<op::ListRoleTags, list_entity_tags<op::ListRoleTags>>(),
              // Users
              on_entity<op::CreateUser, create_user>(),
              on_entity<op::GetUser, get_user>(),
              everywhere<op::ListUsers, list_users>(),
              on_entity<op::UpdateUser, update_user>(),
              on_entity<op::DeleteUser, delete_user>(),
              on_entity<op::PutUserPolicy, put_inline_policy<op::PutUserPolicy>>(),
              on_entity<op::GetUserPolicy, get_inline_policy<op::GetUserPolicy>>(),
              on_entity<op::ListUserPolicies, list_inline_policies<op::ListUserPolicies>>(),
              on_entity<op::DeleteUserPolicy, delete_inline_policy<op::DeleteUserPolicy>>(),
              on_entity<op::AttachUserPolicy, attach_policy<op::AttachUserPolicy>>(),
              on_entity<op::DetachUserPolicy, detach_policy<op::DetachUserPolicy>>(),
              on_entity<op::ListAttachedUserPolicies,
                        list_attached_policies<op::ListAttachedUserPolicies>>(),
              on_entity<op::PutUserPermissionsBoundary,
                        put_boundary<op::PutUserPermissionsBoundary>>(),
              on_entity<op::DeleteUserPermissionsBoundary,
                        delete_boundary<op::DeleteUserPermissionsBoundary>>(),
              on_entity<op::TagUser, tag_entity<op::TagUser>>(),
              on_entity<op::UntagUser, untag_entity<op::UntagUser>>(),
              on_entity<op::ListUserTags, list_entity_tags<op::ListUserTags>>(),
              // Access keys
              on_entity<op::CreateAccessKey, create_access_key>(),
              on_entity<op::ListAccessKeys, list_access_keys>(),
              on_entity<op::UpdateAccessKey, update_access_key>(),
              on_entity<op::DeleteAccessKey, delete_access_key>(),
              on_entity<op::GetAccessKeyLastUsed, get_access_key_last_used>(),
              // Groups
              on_entity<op::CreateGroup, create_group>(),
              on_entity<op::GetGroup, get_group>(),
              everywhere<op::ListGroups, list_groups>(),
              on_entity<op::DeleteGroup, delete_group>(),
              on_entity<op::AddUserToGroup, add_user_to_group>(),
              on_entity<op::RemoveUserFromGroup, remove_user_from_group>(),
              on_entity<op::ListGroupsForUser, list_groups_for_user>(),
              on_entity<op::PutGroupPolicy, put_inline_policy<op::PutGroupPolicy>>(),
              on_entity<op::GetGroupPolicy, get_inline_policy<op::GetGroupPolicy>>(),
              on_entity<op::ListGroupPolicies, list_inline_policies<op::ListGroupPolicies>>(),
              on_entity<op::DeleteGroupPolicy, delete_inline_policy<op::DeleteGroupPolicy>>(),
              on_entity<op::AttachGroupPolicy, attach_policy<op::AttachGroupPolicy>>(),
              on_entity<op::DetachGroupPolicy, detach_policy<op::DetachGroupPolicy>>(),
              on_entity<op::ListAttachedGroupPolicies,
                        list_attached_policies<op::ListAttachedGroupPolicies>>(),
              // Managed policies
              on_policy<op::CreatePolicy, create_policy>(),
              on_policy<op::GetPolicy, get_policy>(),
              everywhere<op::ListPolicies, list_policies>(),
              on_policy<op::DeletePolicy, delete_policy>(),
              on_policy<op::CreatePolicyVersion, create_policy_version>(),
              on_policy<op::GetPolicyVersion, get_policy_version>(),
              on_policy<op::ListPolicyVersions, list_policy_versions>(),
              on_policy<op::SetDefaultPolicyVersion, set_default_policy_version>(),
              on_policy<op::DeletePolicyVersion, delete_policy_version>(),
              on_policy<op::TagPolicy, tag_policy>(),
              on_policy<op::UntagPolicy, untag_policy>(),
              on_policy<op::ListPolicyTags, list_policy_tags>(),
              on_policy<op::ListEntitiesForPolicy, list_entities_for_policy>(),
              everywhere<op::SimulateCustomPolicy, simulate_custom_policy>(),
              operation::row<Iam, op::SimulatePrincipalPolicy, simulate_principal_policy,
                             simulate_principal_asks>(),
              // OpenID Connect providers
              operation::row<Iam, op::CreateOpenIDConnectProvider, create_oidc_provider,
                             new_provider_asks>(),
              on_provider<op::GetOpenIDConnectProvider, get_oidc_provider>(),
              everywhere<op::ListOpenIDConnectProviders, list_oidc_providers>(),
              on_provider<op::DeleteOpenIDConnectProvider, delete_oidc_provider>(),
              on_provider<op::UpdateOpenIDConnectProviderThumbprint, update_oidc_thumbprints>(),
              on_provider<op::AddClientIDToOpenIDConnectProvider, add_oidc_client>(),
              on_provider<op::RemoveClientIDFromOpenIDConnectProvider, remove_oidc_client>(),
              on_provider<op::TagOpenIDConnectProvider, tag_oidc_provider>(),
              on_provider<op::UntagOpenIDConnectProvider, untag_oidc_provider>(),
              on_provider<op::ListOpenIDConnectProviderTags, list_oidc_provider_tags>(),
              // Instance profiles, the account
              on_profile<op::CreateInstanceProfile, create_instance_profile>(),
              on_profile<op::GetInstanceProfile, get_instance_profile>(),
              on_profile<op::DeleteInstanceProfile, delete_instance_profile>(),
              on_profile<op::AddRoleToInstanceProfile, add_role_to_instance_profile>(),
              on_profile<op::RemoveRoleFromInstanceProfile, remove_role_from_instance_profile>(),
              everywhere<op::ListInstanceProfiles, list_instance_profiles>(),
              on_entity<op::ListInstanceProfilesForRole, list_instance_profiles_for_role>(),
              everywhere<op::CreateAccountAlias, create_account_alias>(),
              everywhere<op::DeleteAccountAlias, delete_account_alias>(),
              everywhere<op::ListAccountAliases, list_account_aliases>(),
              everywhere<op::GenerateCredentialReport, generate_credential_report>(),
              everywhere<op::GetCredentialReport, get_credential_report>(),
              operation::row<Iam, op::GenerateServiceLastAccessedDetails, generate_last_accessed,
                             last_accessed_asks>(),
              everywhere<op::GetServiceLastAccessedDetails, get_last_accessed>(),
              everywhere<op::GetServiceLastAccessedDetailsWithEntities,
                         get_last_accessed_with_entities>(),
              operation::row<Iam, op::ListPoliciesGrantingServiceAccess, list_granting_policies,
                             granting_policies_asks>(),
              everywhere<op::GetAccountSummary, get_account_summary>(),
              everywhere<op::GetAccountAuthorizationDetails, get_account_authorization_details>(),
          },
  };
}

}  // namespace wolke::iam
