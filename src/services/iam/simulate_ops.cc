// SimulateCustomPolicy and SimulatePrincipalPolicy.
#include <fmt/format.h>

#include "wolke/identity/ids.h"
#include "wolke/services/iam/asks.h"
#include "wolke/services/iam/ops.h"
#include "wolke/services/iam/simulation.h"

namespace wolke::iam {
namespace {

using Documents = std::optional<std::vector<std::string>>;

void add_documents(const Documents& documents, std::string_view list,
                   std::vector<SimulatedPolicy>& out) {
  if (!documents) return;
  for (std::size_t i = 0; i < documents->size(); ++i) {
    out.push_back({fmt::format("{}.{}", list, i + 1), (*documents)[i]});
  }
}

Result<void> add_managed(store::Tx& tx, const std::string& arn, std::vector<SimulatedPolicy>& out) {
  TRY(auto document, identity::managed_policy_document(tx, arn));
  // A policy that is not there grants nothing.
  if (document) out.push_back({arn.substr(arn.rfind('/') + 1), *std::move(document)});
  return {};
}

Result<void> add_entity(store::Tx& tx, const EntityRecord& record,
                        std::vector<SimulatedPolicy>& out) {
  for (const auto& [name, document] : record.inline_policies) out.push_back({name, document});
  for (const std::string& arn : record.attached) {
    TRY(add_managed(tx, arn, out));
  }
  return {};
}

Result<Target> source_of(const std::string& arn) {
  const auto parsed = identity::parse_iam_arn(arn);
  if (parsed && parsed->type == "user") return Target{EntityType::user, parsed->name};
  if (parsed && parsed->type == "group") return Target{EntityType::group, parsed->name};
  if (parsed && parsed->type == "role") return Target{EntityType::role, parsed->name};
  return fail(Error{"InvalidInput", 400,
                    fmt::format("Invalid Entity Arn: {} does not clearly define entity type and "
                                "name.",
                                printable(arn))});
}

/// The policies of a user, with its groups', of a group, or of a role.
Result<void> add_source(store::Tx& tx, const Context& context, const std::string& arn,
                        SimulationRequest& out) {
  TRY(const Target target, source_of(arn));
  TRY(const EntityRecord record, load(tx, context, target));
  out.principal.arn = arn;
  out.principal.unique_id = record.id;
  if (target.type == EntityType::user) out.principal.user_name = record.name;
  if (target.type == EntityType::role) {
    out.principal.kind = identity::PrincipalKind::assumed_role;
    out.principal.role_name = record.name;
    out.principal.role_arn = arn;
  }
  TRY(add_entity(tx, record, out.identity));
  for (const std::string& group : record.groups) {
    TRY(const EntityRecord members, load(tx, context, {EntityType::group, group}));
    TRY(add_entity(tx, members, out.identity));
  }
  if (!record.boundary.empty()) {
    TRY(add_managed(tx, record.boundary, out.boundary));
  }
  return {};
}

template <class In>
Result<void> add_input(const In& in, const Context& context, SimulationRequest& out) {
  out.principal.account = context.account;
  if (out.principal.kind == identity::PrincipalKind::anonymous) {
    out.principal.kind = identity::PrincipalKind::user;
  }
  add_documents(in.policy_input_list, "PolicyInputList", out.identity);
  if (in.permissions_boundary_policy_input_list) out.boundary.clear();
  add_documents(in.permissions_boundary_policy_input_list, "PermissionsBoundaryPolicyInputList",
                out.boundary);
  if (in.resource_policy) out.resource.push_back({"ResourcePolicy", *in.resource_policy});
  if (in.caller_arn) out.principal.arn = *in.caller_arn;
  if (in.context_entries) {
    for (const model::ContextEntry& entry : *in.context_entries) {
      out.conditions[to_lower(entry.context_key_name.value_or(""))] =
          entry.context_key_values.value_or(std::vector<std::string>{});
    }
  }
  return {};
}

std::string_view decision_name(const identity::Decision& decision) {
  if (decision.allowed) return "allowed";
  return decision.explicit_deny ? "explicitDeny" : "implicitDeny";
}

std::vector<model::Statement> to_model(const std::vector<SimulatedStatement>& matched) {
  std::vector<model::Statement> out;
  for (const SimulatedStatement& statement : matched) {
    model::Statement& item = out.emplace_back();
    item.source_policy_id = statement.policy;
    item.source_policy_type = "IAM Policy";
    item.start_position.emplace();
    item.start_position->line = statement.begin_line;
    item.start_position->column = statement.begin_column;
    item.end_position.emplace();
    item.end_position->line = statement.end_line;
    item.end_position->column = statement.end_column;
  }
  return out;
}

model::EvaluationResult result_of(const Simulation& simulation, const identity::Ask& ask) {
  const SimulatedAnswer answer = simulation.ask(ask);
  model::EvaluationResult out;
  out.eval_action_name = ask.action;
  out.eval_resource_name = ask.resource;
  out.eval_decision = decision_name(answer.decision);
  out.matched_statements = to_model(answer.matched);
  out.missing_context_values = simulation.missing_keys();
  out.organizations_decision_detail.emplace();
  out.organizations_decision_detail->allowed_by_organizations = true;
  out.eval_decision_details.emplace();
  if (simulation.has_boundary()) {
    out.permissions_boundary_decision_detail.emplace();
    out.permissions_boundary_decision_detail->allowed_by_permissions_boundary =
        answer.allowed_by_boundary;
  }
  if (ask.resource == "*") return out;
  model::ResourceSpecificResult& one = out.resource_specific_results.emplace().emplace_back();
  one.eval_resource_name = ask.resource;
  one.eval_resource_decision = out.eval_decision;
  one.matched_statements = out.matched_statements;
  one.missing_context_values = out.missing_context_values;
  return out;
}

template <class Op>
Result<typename Op::Output> run(SimulationRequest request, const typename Op::Input& in) {
  std::vector<std::string> resources = {"*"};
  if (in.resource_arns && !in.resource_arns->empty()) resources = *in.resource_arns;
  TRY(check_work(request, resources.size() * in.action_names->size()));
  TRY(const Simulation simulation, Simulation::make(std::move(request)));
  std::string owner;
  if (const auto arn = identity::parse_iam_arn(in.resource_owner.value_or(""))) {
    owner = arn->account;
  }
  std::vector<model::EvaluationResult> all;
  std::size_t told = 0;
  for (const std::string& action : *in.action_names) {
    if (action.find(':') == action.npos) {
      return fail(
          Error{"InvalidInput", 400, fmt::format("Invalid Action Name: {}", printable(action))});
    }
    for (const std::string& resource : resources) {
      identity::Ask ask;
      ask.action = action;
      ask.resource = resource;
      ask.resource_account = owner;
      all.push_back(result_of(simulation, ask));
      told += all.back().matched_statements->size() + all.back().missing_context_values->size();
      if (told > simulated_answer_max) return fail(simulation_too_large());
    }
  }
  typename Op::Output out;
  TRY(page_list(std::move(all), in, out.evaluation_results, out));
  return out;
}

}  // namespace

Result<operation::Asks> simulate_principal_asks(Iam&, const Context&,
                                                const op::SimulatePrincipalPolicy::Input& in) {
  identity::Ask ask = ask_for("SimulatePrincipalPolicy", *in.policy_source_arn);
  if (const auto arn = identity::parse_iam_arn(ask.resource)) ask.resource_account = arn->account;
  return operation::Asks{std::move(ask)};
}

Result<op::SimulateCustomPolicy::Output> simulate_custom_policy(
    Iam&, store::Tx&, const Context& context, const op::SimulateCustomPolicy::Input& in) {
  SimulationRequest request;
  TRY(add_input(in, context, request));
  return run<op::SimulateCustomPolicy>(std::move(request), in);
}

Result<op::SimulatePrincipalPolicy::Output> simulate_principal_policy(
    Iam&, store::Tx& tx, const Context& context, const op::SimulatePrincipalPolicy::Input& in) {
  SimulationRequest request;
  TRY(add_source(tx, context, *in.policy_source_arn, request));
  TRY(add_input(in, context, request));
  return run<op::SimulatePrincipalPolicy>(std::move(request), in);
}

}  // namespace wolke::iam
