// Roles that an AWS service would make for itself. Tools make them before they use the service;
// here they are roles like others, under their reserved path, trusted by that service alone.
// Source: IAM User Guide, "Service-linked roles"; API Reference, CreateServiceLinkedRole.

#include <fmt/format.h>

#include <array>

#include "wolke/identity/ids.h"
#include "wolke/services/iam/asks.h"
#include "wolke/services/iam/ops.h"

namespace wolke::iam {
namespace {

constexpr std::string_view domain = ".amazonaws.com";

/// Service principal -> what follows "AWSServiceRoleFor".
constexpr auto names = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"apidestinations.events", "AmazonEventBridgeApiDestinations"},
    {"autoscaling", "AutoScaling"},
    {"dynamodb.application-autoscaling", "ApplicationAutoScaling_DynamoDBTable"},
    {"ecs", "ECS"},
    {"elasticache", "ElastiCache"},
    {"elasticloadbalancing", "ElasticLoadBalancing"},
    {"events", "CloudWatchEvents"},
    {"lambda.application-autoscaling", "ApplicationAutoScaling_LambdaConcurrency"},
    {"ops.apigateway", "APIGateway"},
    {"rds", "RDS"},
    {"replicator.lambda", "LambdaReplicator"},
});

Result<std::string> role_name(const op::CreateServiceLinkedRole::Input& in) {
  const std::string_view service = *in.aws_service_name;
  if (service.ends_with(domain)) {
    const std::string_view principal = service.substr(0, service.size() - domain.size());
    for (const auto& [known, name] : names) {
      if (known != principal) continue;
      std::string out = fmt::format("AWSServiceRoleFor{}", name);
      if (in.custom_suffix) out += "_" + *in.custom_suffix;
      return out;
    }
  }
  return fail(Error{
      "NoSuchEntity", 404,
      fmt::format("Could not find the service linked role template for {}.", printable(service))});
}

std::string path_of(const op::CreateServiceLinkedRole::Input& in) {
  return fmt::format("/aws-service-role/{}/", *in.aws_service_name);
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
      R"({{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":["{}"]}},)"
      R"("Action":["sts:AssumeRole"]}}]}})",
      *in.aws_service_name);
  save(tx, context, target, record);
  op::CreateServiceLinkedRole::Output out;
  out.role = role_model(context, record);
  out.role->max_session_duration.reset();
  return out;
}

}  // namespace wolke::iam
