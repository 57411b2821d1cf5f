// GetAccountAuthorizationDetails: users, groups, roles and managed policies with all that hangs on
// them, in this order, one page after the other. Source: IAM API Reference.

#include <algorithm>
#include <variant>

#include "wolke/base/uri.h"
#include "wolke/identity/aws_managed.h"
#include "wolke/identity/ids.h"
#include "wolke/services/iam/ops.h"
#include "wolke/services/iam/rules.h"

namespace wolke::iam {
namespace {

constexpr std::size_t all_of_account = 100'000;

using Detail = std::variant<model::UserDetail, model::GroupDetail, model::RoleDetail,
                            model::ManagedPolicyDetail>;

std::vector<model::PolicyDetail> inline_details(const EntityRecord& record) {
  std::vector<model::PolicyDetail> out;
  for (const auto& [name, document] : record.inline_policies)
    out.push_back({.policy_name = name, .policy_document = percent_encode(document)});
  return out;
}

std::vector<model::AttachedPolicy> attached_details(const EntityRecord& record) {
  std::vector<model::AttachedPolicy> out;
  for (const std::string& arn : record.attached)
    out.push_back({.policy_name = arn.substr(arn.rfind('/') + 1), .policy_arn = arn});
  return out;
}

/// What users, groups and roles have in common.
template <class T>
T common_details(const Context& context, EntityType type, const EntityRecord& record) {
  T out;
  out.path = record.path;
  out.arn = arn_of(context, type, record);
  out.create_date = record.created;
  out.attached_managed_policies = attached_details(record);
  return out;
}

Detail user_details(const Context& context, const EntityRecord& record) {
  auto out = common_details<model::UserDetail>(context, EntityType::user, record);
  out.user_name = record.name;
  out.user_id = record.id;
  out.user_policy_list = inline_details(record);
  out.group_list = record.groups;
  out.permissions_boundary = boundary_of(record);
  out.tags = to_model(record.tags);
  return out;
}

Detail group_details(const Context& context, const EntityRecord& record) {
  auto out = common_details<model::GroupDetail>(context, EntityType::group, record);
  out.group_name = record.name;
  out.group_id = record.id;
  out.group_policy_list = inline_details(record);
  return out;
}

Result<Detail> role_details(store::Tx& tx, const Context& context, const EntityRecord& record) {
  auto out = common_details<model::RoleDetail>(context, EntityType::role, record);
  out.role_name = record.name;
  out.role_id = record.id;
  out.role_policy_list = inline_details(record);
  out.assume_role_policy_document = percent_encode(record.trust_policy);
  out.permissions_boundary = boundary_of(record);
  out.tags = to_model(record.tags);
  TRY(out.role_last_used, last_use_of_role(tx, context, record));
  TRY(out.instance_profile_list, profiles_of_role(tx, context, record.name));
  return out;
}

Detail policy_details(const Context& context, const identity::PolicyRecord& record) {
  model::ManagedPolicyDetail out;
  out.policy_name = record.name;
  out.policy_id = record.id;
  out.arn = identity::iam_arn(context.account, "policy", record.path, record.name);
  out.path = record.path;
  out.default_version_id = "v" + std::to_string(record.default_version);
  out.attachment_count = record.attachments;
  out.permissions_boundary_usage_count = record.boundary_uses;
  out.is_attachable = true;
  if (!record.description.empty()) out.description = record.description;
  out.create_date = record.created;
  out.update_date = record.updated;
  out.policy_version_list.emplace();
  for (auto version = record.versions.rbegin(); version != record.versions.rend(); ++version) {
    out.policy_version_list->push_back(
        {.document = percent_encode(version->document),
         .version_id = "v" + std::to_string(version->number),
         .is_default_version = version->number == record.default_version,
         .create_date = version->created});
  }
  return out;
}

Detail policy_details(const identity::AwsManagedPolicy& policy, std::int32_t attachments) {
  model::ManagedPolicyDetail out;
  out.policy_name = std::string(policy.name);
  out.policy_id = std::string(policy.id);
  out.arn = std::string(policy.arn);
  out.path = std::string(policy.path);
  out.default_version_id = "v1";
  out.attachment_count = attachments;
  out.permissions_boundary_usage_count = 0;
  out.is_attachable = true;
  out.description = std::string(policy.description);
  out.policy_version_list.emplace().push_back({.document = percent_encode(policy.document),
                                               .version_id = "v1",
                                               .is_default_version = true});
  return out;
}

class Collector {
 public:
  Collector(store::Tx& tx, const Context& context, const std::vector<std::string>& filter)
      : tx_(tx), context_(context), filter_(filter) {}

  Result<void> entities(EntityType type, std::string_view name) {
    TRY(const auto found,
        identity::list_entities(tx_, type, context_.account, {.count_max = all_of_account}));
    for (const EntityRecord& record : found.items) {
      for (const std::string& arn : record.attached) ++attachments_[arn];
      if (!wanted(name)) continue;
      if (type == EntityType::user) {
        all.push_back(user_details(context_, record));
      } else if (type == EntityType::group) {
        all.push_back(group_details(context_, record));
      } else {
        TRY(Detail detail, role_details(tx_, context_, record));
        all.push_back(std::move(detail));
      }
    }
    return {};
  }

  /// After the entities: of AWS's own policies those that are attached to one are listed.
  Result<void> policies() {
    if (wanted("LocalManagedPolicy")) {
      TRY(const auto own,
          identity::list_policies(tx_, context_.account, {.count_max = all_of_account}));
      for (const identity::PolicyRecord& record : own.items)
        all.push_back(policy_details(context_, record));
    }
    if (!wanted("AWSManagedPolicy")) return {};
    for (const identity::AwsManagedPolicy& policy : identity::aws_managed_policies()) {
      const auto used = attachments_.find(policy.arn);
      if (used != attachments_.end()) all.push_back(policy_details(policy, used->second));
    }
    return {};
  }

  std::vector<Detail> all;

 private:
  bool wanted(std::string_view kind) const {
    return filter_.empty() || std::find(filter_.begin(), filter_.end(), kind) != filter_.end();
  }

  store::Tx& tx_;
  const Context& context_;
  const std::vector<std::string>& filter_;
  std::map<std::string, std::int32_t, std::less<>> attachments_;
};

}  // namespace

Result<op::GetAccountAuthorizationDetails::Output> get_account_authorization_details(
    Iam&, store::Tx& tx, const Context& context,
    const op::GetAccountAuthorizationDetails::Input& in) {
  const std::vector<std::string> filter = in.filter.value_or(std::vector<std::string>());
  Collector collector(tx, context, filter);
  TRY(collector.entities(EntityType::user, "User"));
  TRY(collector.entities(EntityType::group, "Group"));
  TRY(collector.entities(EntityType::role, "Role"));
  TRY(collector.policies());

  op::GetAccountAuthorizationDetails::Output out;
  std::optional<std::vector<Detail>> page;
  TRY(page_list(std::move(collector.all), in, page, out));
  out.user_detail_list.emplace();
  out.group_detail_list.emplace();
  out.role_detail_list.emplace();
  out.policies.emplace();
  for (Detail& detail : *page) {
    if (auto* user = std::get_if<model::UserDetail>(&detail)) {
      out.user_detail_list->push_back(std::move(*user));
    } else if (auto* group = std::get_if<model::GroupDetail>(&detail)) {
      out.group_detail_list->push_back(std::move(*group));
    } else if (auto* role = std::get_if<model::RoleDetail>(&detail)) {
      out.role_detail_list->push_back(std::move(*role));
    } else {
      out.policies->push_back(std::get<model::ManagedPolicyDetail>(std::move(detail)));
    }
  }
  return out;
}

}  // namespace wolke::iam
