#pragma once
// The operations of IAM, by file. Each is a transaction (operation/operation.h); the inline,
// attached, boundary and tag operations are templates in policy_set.h.

#include "wolke/services/iam/rules.h"

namespace wolke::iam {

/// As lists show them.
model::Role role_model(const Context& context, const EntityRecord& record);
model::User user_model(const Context& context, const EntityRecord& record);

// role_ops.cc
/// Empty when it was not used yet.
Result<model::RoleLastUsed> last_use_of_role(store::Tx& tx, const Context& context,
                                             const EntityRecord& record);
Result<op::CreateRole::Output> create_role(Iam& iam, store::Tx& tx, const Context& context,
                                           const op::CreateRole::Input& in);
Result<op::GetRole::Output> get_role(Iam& iam, store::Tx& tx, const Context& context,
                                     const op::GetRole::Input& in);
Result<op::ListRoles::Output> list_roles(Iam& iam, store::Tx& tx, const Context& context,
                                         const op::ListRoles::Input& in);
Result<op::UpdateRole::Output> update_role(Iam& iam, store::Tx& tx, const Context& context,
                                           const op::UpdateRole::Input& in);
Result<op::UpdateRoleDescription::Output> update_role_description(
    Iam& iam, store::Tx& tx, const Context& context, const op::UpdateRoleDescription::Input& in);
Result<op::UpdateAssumeRolePolicy::Output> update_assume_role_policy(
    Iam& iam, store::Tx& tx, const Context& context, const op::UpdateAssumeRolePolicy::Input& in);
Result<op::DeleteRole::Output> delete_role(Iam& iam, store::Tx& tx, const Context& context,
                                           const op::DeleteRole::Input& in);

// service_linked_role_ops.cc
Result<op::CreateServiceLinkedRole::Output> create_service_linked_role(
    Iam& iam, store::Tx& tx, const Context& context, const op::CreateServiceLinkedRole::Input& in);
Result<operation::Asks> service_linked_role_asks(Iam& iam, const Context& context,
                                                 const op::CreateServiceLinkedRole::Input& in);

Result<op::DeleteServiceLinkedRole::Output> delete_service_linked_role(
    Iam& iam, store::Tx& tx, const Context& context, const op::DeleteServiceLinkedRole::Input& in);
Result<op::GetServiceLinkedRoleDeletionStatus::Output> get_service_linked_role_deletion_status(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::GetServiceLinkedRoleDeletionStatus::Input& in);

// simulate_ops.cc
Result<op::SimulateCustomPolicy::Output> simulate_custom_policy(
    Iam& iam, store::Tx& tx, const Context& context, const op::SimulateCustomPolicy::Input& in);
Result<op::SimulatePrincipalPolicy::Output> simulate_principal_policy(
    Iam& iam, store::Tx& tx, const Context& context, const op::SimulatePrincipalPolicy::Input& in);
/// On the user, group or role whose policies are tried.
Result<operation::Asks> simulate_principal_asks(Iam& iam, const Context& context,
                                                const op::SimulatePrincipalPolicy::Input& in);

// report_ops.cc
Result<op::GenerateCredentialReport::Output> generate_credential_report(
    Iam& iam, store::Tx& tx, const Context& context, const op::GenerateCredentialReport::Input& in);
Result<op::GetCredentialReport::Output> get_credential_report(
    Iam& iam, store::Tx& tx, const Context& context, const op::GetCredentialReport::Input& in);

// access_advisor_ops.cc
/// On the user, group, role or policy that is asked about.
Result<operation::Asks> last_accessed_asks(Iam& iam, const Context& context,
                                           const op::GenerateServiceLastAccessedDetails::Input& in);
Result<operation::Asks> granting_policies_asks(
    Iam& iam, const Context& context, const op::ListPoliciesGrantingServiceAccess::Input& in);
Result<op::GenerateServiceLastAccessedDetails::Output> generate_last_accessed(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::GenerateServiceLastAccessedDetails::Input& in);
Result<op::GetServiceLastAccessedDetails::Output> get_last_accessed(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::GetServiceLastAccessedDetails::Input& in);
Result<op::GetServiceLastAccessedDetailsWithEntities::Output> get_last_accessed_with_entities(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::GetServiceLastAccessedDetailsWithEntities::Input& in);
Result<op::ListPoliciesGrantingServiceAccess::Output> list_granting_policies(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::ListPoliciesGrantingServiceAccess::Input& in);

// details_ops.cc
Result<op::GetAccountAuthorizationDetails::Output> get_account_authorization_details(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::GetAccountAuthorizationDetails::Input& in);

// oidc_ops.cc
Result<operation::Asks> new_provider_asks(Iam& iam, const Context& context,
                                          const op::CreateOpenIDConnectProvider::Input& in);
Result<op::CreateOpenIDConnectProvider::Output> create_oidc_provider(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::CreateOpenIDConnectProvider::Input& in);
Result<op::GetOpenIDConnectProvider::Output> get_oidc_provider(
    Iam& iam, store::Tx& tx, const Context& context, const op::GetOpenIDConnectProvider::Input& in);
Result<op::ListOpenIDConnectProviders::Output> list_oidc_providers(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::ListOpenIDConnectProviders::Input& in);
Result<op::DeleteOpenIDConnectProvider::Output> delete_oidc_provider(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::DeleteOpenIDConnectProvider::Input& in);
Result<op::UpdateOpenIDConnectProviderThumbprint::Output> update_oidc_thumbprints(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::UpdateOpenIDConnectProviderThumbprint::Input& in);
Result<op::AddClientIDToOpenIDConnectProvider::Output> add_oidc_client(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::AddClientIDToOpenIDConnectProvider::Input& in);
Result<op::RemoveClientIDFromOpenIDConnectProvider::Output> remove_oidc_client(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::RemoveClientIDFromOpenIDConnectProvider::Input& in);
Result<op::TagOpenIDConnectProvider::Output> tag_oidc_provider(
    Iam& iam, store::Tx& tx, const Context& context, const op::TagOpenIDConnectProvider::Input& in);
Result<op::UntagOpenIDConnectProvider::Output> untag_oidc_provider(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::UntagOpenIDConnectProvider::Input& in);
Result<op::ListOpenIDConnectProviderTags::Output> list_oidc_provider_tags(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::ListOpenIDConnectProviderTags::Input& in);

// user_ops.cc
Result<op::CreateUser::Output> create_user(Iam& iam, store::Tx& tx, const Context& context,
                                           const op::CreateUser::Input& in);
Result<op::GetUser::Output> get_user(Iam& iam, store::Tx& tx, const Context& context,
                                     const op::GetUser::Input& in);
Result<op::ListUsers::Output> list_users(Iam& iam, store::Tx& tx, const Context& context,
                                         const op::ListUsers::Input& in);
Result<op::UpdateUser::Output> update_user(Iam& iam, store::Tx& tx, const Context& context,
                                           const op::UpdateUser::Input& in);
Result<op::DeleteUser::Output> delete_user(Iam& iam, store::Tx& tx, const Context& context,
                                           const op::DeleteUser::Input& in);

// access_key_ops.cc
Result<op::CreateAccessKey::Output> create_access_key(Iam& iam, store::Tx& tx,
                                                      const Context& context,
                                                      const op::CreateAccessKey::Input& in);
Result<op::ListAccessKeys::Output> list_access_keys(Iam& iam, store::Tx& tx, const Context& context,
                                                    const op::ListAccessKeys::Input& in);
Result<op::UpdateAccessKey::Output> update_access_key(Iam& iam, store::Tx& tx,
                                                      const Context& context,
                                                      const op::UpdateAccessKey::Input& in);
Result<op::DeleteAccessKey::Output> delete_access_key(Iam& iam, store::Tx& tx,
                                                      const Context& context,
                                                      const op::DeleteAccessKey::Input& in);
Result<op::GetAccessKeyLastUsed::Output> get_access_key_last_used(
    Iam& iam, store::Tx& tx, const Context& context, const op::GetAccessKeyLastUsed::Input& in);

// policy_ops.cc
Result<op::CreatePolicy::Output> create_policy(Iam& iam, store::Tx& tx, const Context& context,
                                               const op::CreatePolicy::Input& in);
Result<op::GetPolicy::Output> get_policy(Iam& iam, store::Tx& tx, const Context& context,
                                         const op::GetPolicy::Input& in);
Result<op::ListPolicies::Output> list_policies(Iam& iam, store::Tx& tx, const Context& context,
                                               const op::ListPolicies::Input& in);
Result<op::DeletePolicy::Output> delete_policy(Iam& iam, store::Tx& tx, const Context& context,
                                               const op::DeletePolicy::Input& in);
Result<op::CreatePolicyVersion::Output> create_policy_version(
    Iam& iam, store::Tx& tx, const Context& context, const op::CreatePolicyVersion::Input& in);
Result<op::GetPolicyVersion::Output> get_policy_version(Iam& iam, store::Tx& tx,
                                                        const Context& context,
                                                        const op::GetPolicyVersion::Input& in);
Result<op::ListPolicyVersions::Output> list_policy_versions(
    Iam& iam, store::Tx& tx, const Context& context, const op::ListPolicyVersions::Input& in);
Result<op::SetDefaultPolicyVersion::Output> set_default_policy_version(
    Iam& iam, store::Tx& tx, const Context& context, const op::SetDefaultPolicyVersion::Input& in);
Result<op::DeletePolicyVersion::Output> delete_policy_version(
    Iam& iam, store::Tx& tx, const Context& context, const op::DeletePolicyVersion::Input& in);
Result<op::TagPolicy::Output> tag_policy(Iam& iam, store::Tx& tx, const Context& context,
                                         const op::TagPolicy::Input& in);
Result<op::UntagPolicy::Output> untag_policy(Iam& iam, store::Tx& tx, const Context& context,
                                             const op::UntagPolicy::Input& in);
Result<op::ListPolicyTags::Output> list_policy_tags(Iam& iam, store::Tx& tx, const Context& context,
                                                    const op::ListPolicyTags::Input& in);
Result<op::ListEntitiesForPolicy::Output> list_entities_for_policy(
    Iam& iam, store::Tx& tx, const Context& context, const op::ListEntitiesForPolicy::Input& in);

// group_ops.cc
Result<op::CreateGroup::Output> create_group(Iam& iam, store::Tx& tx, const Context& context,
                                             const op::CreateGroup::Input& in);
Result<op::GetGroup::Output> get_group(Iam& iam, store::Tx& tx, const Context& context,
                                       const op::GetGroup::Input& in);
Result<op::ListGroups::Output> list_groups(Iam& iam, store::Tx& tx, const Context& context,
                                           const op::ListGroups::Input& in);
Result<op::DeleteGroup::Output> delete_group(Iam& iam, store::Tx& tx, const Context& context,
                                             const op::DeleteGroup::Input& in);
Result<op::AddUserToGroup::Output> add_user_to_group(Iam& iam, store::Tx& tx,
                                                     const Context& context,
                                                     const op::AddUserToGroup::Input& in);
Result<op::RemoveUserFromGroup::Output> remove_user_from_group(
    Iam& iam, store::Tx& tx, const Context& context, const op::RemoveUserFromGroup::Input& in);
Result<op::ListGroupsForUser::Output> list_groups_for_user(Iam& iam, store::Tx& tx,
                                                           const Context& context,
                                                           const op::ListGroupsForUser::Input& in);

// account_ops.cc
Result<std::vector<model::InstanceProfile>> profiles_of_role(store::Tx& tx, const Context& context,
                                                             const std::string& role);
Result<op::CreateInstanceProfile::Output> create_instance_profile(
    Iam& iam, store::Tx& tx, const Context& context, const op::CreateInstanceProfile::Input& in);
Result<op::GetInstanceProfile::Output> get_instance_profile(
    Iam& iam, store::Tx& tx, const Context& context, const op::GetInstanceProfile::Input& in);
Result<op::DeleteInstanceProfile::Output> delete_instance_profile(
    Iam& iam, store::Tx& tx, const Context& context, const op::DeleteInstanceProfile::Input& in);
Result<op::AddRoleToInstanceProfile::Output> add_role_to_instance_profile(
    Iam& iam, store::Tx& tx, const Context& context, const op::AddRoleToInstanceProfile::Input& in);
Result<op::RemoveRoleFromInstanceProfile::Output> remove_role_from_instance_profile(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::RemoveRoleFromInstanceProfile::Input& in);
Result<op::ListInstanceProfiles::Output> list_instance_profiles(
    Iam& iam, store::Tx& tx, const Context& context, const op::ListInstanceProfiles::Input& in);
Result<op::ListInstanceProfilesForRole::Output> list_instance_profiles_for_role(
    Iam& iam, store::Tx& tx, const Context& context,
    const op::ListInstanceProfilesForRole::Input& in);
Result<op::CreateAccountAlias::Output> create_account_alias(
    Iam& iam, store::Tx& tx, const Context& context, const op::CreateAccountAlias::Input& in);
Result<op::DeleteAccountAlias::Output> delete_account_alias(
    Iam& iam, store::Tx& tx, const Context& context, const op::DeleteAccountAlias::Input& in);
Result<op::ListAccountAliases::Output> list_account_aliases(
    Iam& iam, store::Tx& tx, const Context& context, const op::ListAccountAliases::Input& in);
Result<op::GetAccountSummary::Output> get_account_summary(Iam& iam, store::Tx& tx,
                                                          const Context& context,
                                                          const op::GetAccountSummary::Input& in);

}  // namespace wolke::iam
