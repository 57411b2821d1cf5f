// Roles that an AWS service would make for itself. Tools make them before they use the service;
// here they are roles like others, under their reserved path, trusted by that service alone.
// Source: IAM User Guide, "Service-linked roles"; API Reference, CreateServiceLinkedRole.

#include <fmt/format.h>

#include <algorithm>

#include "wolke/identity/ids.h"
#include "wolke/services/iam/asks.h"
#include "wolke/services/iam/linked_services.h"
#include "wolke/services/iam/ops.h"

namespace wolke::iam {
namespace {

constexpr std::string_view domain = ".amazonaws.com";
constexpr std::string_view linked_path = "/aws-service-role/";

/// nullptr: no service that has a role of its own.
const LinkedService* find_service(std::string_view name) {
  if (!name.ends_with(domain)) return nullptr;
  const std::string_view principal = name.substr(0, name.size() - domain.size());
  const auto found =
      std::find_if(linked_services.begin(), linked_services.end(),
                   [&](const LinkedService& each) { return each.principal == principal; });
  return found == linked_services.end() ? nullptr : &*found;
}

Result<std::string> role_name(const op::CreateServiceLinkedRole::Input& in) {
  const LinkedService* service = find_service(*in.aws_service_name);
  if (service == nullptr) {
    return fail(Error{"NoSuchEntity", 404,
                      fmt::format("Could not find the service linked role template for {}.",
                                  printable(*in.aws_service_name))});
  }
  std::string out = fmt::format("AWSServiceRoleFor{}", service->role);
  if (!in.custom_suffix) return out;
  if (!service->suffix) {
    return fail(Error{"InvalidInput", 400,
                      fmt::format("Custom suffix is not allowed for {}", *in.aws_service_name)});
  }
  return out + "_" + *in.custom_suffix;
}

std::string path_of(const op::CreateServiceLinkedRole::Input& in) {
  return fmt::format("{}{}/", linked_path, *in.aws_service_name);
}

}  // namespace

Result<operation::Asks> service_linked_role_asks(Iam&, const Context& context,
                                                 const op::CreateServiceLinkedRole::Input& in) {
  // A service that is not known is told so by the operation; nobody has rights on its role.
  const std::string name = role_name(in).value_or("AWSServiceRoleFor");
  identity::Ask ask = ask_for("CreateServiceLinkedRole",
                              identity::iam_arn(context.account, "role", path_of(in), name));
  ask.conditions["iam:awsservicename"] = {*in.aws_service_name};
  return operation::Asks{std::move(ask)};
}

Result<op::CreateServiceLinkedRole::Output> create_service_linked_role(
    Iam&, store::Tx& tx, const Context& context, const op::CreateServiceLinkedRole::Input& in) {
  Target target{.type = EntityType::role};
  TRY(target.name, role_name(in));
  TRY(const auto existing,
      tx.get<EntityRecord>(identity::keys::entity(target.type, context.account, target.name)));
  if (existing) {
    return fail(Error{"InvalidInput", 400,
                      fmt::format("Service role name {} has been taken in this account, please try "
                                  "a different suffix.",
                                  target.name)});
  }
  EntityRecord record;
  record.name = target.name;
  record.path = path_of(in);
  record.id = identity::make_unique_id("AROA", *context.random);
  record.created = context.now;
  record.description = in.description.value_or("");
  record.trust_policy = fmt::format(
      R"({{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{}"}},)"
      R"("Action":"sts:AssumeRole"}}]}})",
      *in.aws_service_name);
  // Nobody but the service can have a session of it. The policy is not kept here, and a policy that
  // is not there denies.
  record.attached.push_back(fmt::format("arn:aws:iam::aws:policy{}{}", linked_path,
                                        find_service(*in.aws_service_name)->policy));
  save(tx, context, target, record);
  op::CreateServiceLinkedRole::Output out;
  out.role = role_model(context, record);
  out.role->max_session_duration.reset();
  return out;
}

Result<op::DeleteServiceLinkedRole::Output> delete_service_linked_role(
    Iam&, store::Tx& tx, const Context& context, const op::DeleteServiceLinkedRole::Input& in) {
  const Target target = target_of(in);
  TRY(const EntityRecord record, load(tx, context, target));
  if (!record.path.starts_with(linked_path)) return fail(no_such_entity(target));
  tx.erase(identity::keys::entity(target.type, context.account, target.name));
  op::DeleteServiceLinkedRole::Output out;
  out.deletion_task_id =
      fmt::format("task{}{}/{}", record.path, record.name, context.random->uuid());
  return out;
}

Result<op::GetServiceLinkedRoleDeletionStatus::Output> get_service_linked_role_deletion_status(
    Iam&, store::Tx&, const Context&, const op::GetServiceLinkedRoleDeletionStatus::Input& in) {
  // task/aws-service-role/SERVICE/ROLE/UUID: the role went when the task began.
  const auto parts = split(*in.deletion_task_id, '/');
  const bool known = parts.size() == 5 && parts[0] == "task" && parts[1] == "aws-service-role" &&
                     find_service(parts[2]) != nullptr && parts[4].size() == 36;
  if (!known) {
    return fail(Error{
        "NoSuchEntity", 404,
        fmt::format("Could not find the deletion task {}.", printable(*in.deletion_task_id))});
  }
  op::GetServiceLinkedRoleDeletionStatus::Output out;
  out.status = "SUCCEEDED";
  return out;
}

}  // namespace wolke::iam
