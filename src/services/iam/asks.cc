#include "wolke/services/iam/asks.h"

#include "wolke/identity/ids.h"

namespace wolke::iam {

identity::Ask ask_for(std::string_view operation, std::string resource) {
  identity::Ask out;
  out.action = "iam:" + std::string(operation);
  out.resource = std::move(resource);
  return out;
}

std::string account_of_policy(std::string_view arn) {
  const std::optional<identity::IamArn> parsed = identity::parse_iam_arn(arn);
  return parsed && parsed->account != "aws" ? parsed->account : "";
}

std::string account_in(std::string_view arn) {
  const std::optional<identity::IamArn> parsed = identity::parse_iam_arn(arn);
  return parsed ? parsed->account : "";
}

Result<std::string> entity_arn(Iam& iam, const Context& context, const Target& target,
                               std::string_view path) {
  TRY(const std::unique_ptr<store::Snapshot> snapshot, iam.store.snapshot());
  store::Tx tx(*snapshot);
  TRY(const auto record,
      tx.peek<EntityRecord>(identity::keys::entity(target.type, context.account, target.name)));
  if (record) return arn_of(context, target.type, *record);
  return identity::iam_arn(context.account, type_name(target.type), path, target.name);
}

Result<std::string> profile_arn(Iam& iam, const Context& context, const std::string& name,
                                std::string_view path) {
  TRY(const std::unique_ptr<store::Snapshot> snapshot, iam.store.snapshot());
  store::Tx tx(*snapshot);
  TRY(const auto record, tx.peek<identity::InstanceProfileRecord>(
                             identity::keys::instance_profile(context.account, name)));
  return identity::iam_arn(context.account, "instance-profile", record ? record->path : path, name);
}

}  // namespace wolke::iam
