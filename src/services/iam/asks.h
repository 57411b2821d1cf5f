#pragma once
// What IAM's operations ask of the policies: the action is the operation's name, the resource the
// ARN of what it is about. ARNs hold the path, which requests do not name: it is read from the
// store; for what does not exist yet it comes from the input.

#include "wolke/services/iam/rules.h"

namespace wolke::iam {

identity::Ask ask_for(std::string_view operation, std::string resource);

/// The ARN of an entity that may exist; `path` (or "/") is used when it does not.
Result<std::string> entity_arn(Iam& iam, const Context& context, const Target& target,
                               std::string_view path);
Result<std::string> profile_arn(Iam& iam, const Context& context, const std::string& name,
                                std::string_view path);

/// The account that a managed policy belongs to; empty for AWS's own, which are everybody's.
std::string account_of_policy(std::string_view arn);

/// The account that an ARN names; empty when it is none.
std::string account_in(std::string_view arn);

template <class In>
void add_conditions(const In& in, identity::Conditions& conditions) {
  if constexpr (requires { in.policy_arn; })
    conditions["iam:policyarn"] = {in.policy_arn.value_or("")};
  if constexpr (requires { in.permissions_boundary; }) {
    if (in.permissions_boundary) conditions["iam:permissionsboundary"] = {*in.permissions_boundary};
  }
  if constexpr (requires { in.tags; }) add_tag_conditions(conditions, in.tags);
  if constexpr (requires { in.tag_keys; }) {
    if (in.tag_keys) conditions["aws:tagkeys"] = *in.tag_keys;
  }
}

template <class In>
std::string path_in(const In& in) {
  if constexpr (requires { in.path; }) {
    return in.path.value_or("/");
  } else {
    return "/";
  }
}

/// On a user, group or role. A user that is left out is the caller; the root asks for itself.
template <class Op>
Result<operation::Asks> entity_asks(Iam& iam, const Context& context,
                                    const typename Op::Input& in) {
  Target target;
  if constexpr (
      requires { in.role_name; } || requires { in.group_name; } || requires { in.user_name; }) {
    target = target_of(in);
  } else {
    target.type = EntityType::user;
  }
  identity::Ask ask = ask_for(Op::operation().name, "*");
  if (target.name.empty()) target.name = context.principal().user_name;
  if (!target.name.empty()) {
    TRY(ask.resource, entity_arn(iam, context, target, path_in(in)));
  }
  add_conditions(in, ask.conditions);
  operation::Asks asks = {std::move(ask)};
  // A rename needs the right on both names.
  if constexpr (requires { in.new_user_name; }) {
    const Target renamed{EntityType::user, in.new_user_name.value_or(target.name)};
    TRY(std::string arn, entity_arn(iam, context, renamed, in.new_path.value_or("/")));
    if (arn != asks[0].resource) asks.push_back(ask_for(Op::operation().name, std::move(arn)));
  }
  return asks;
}

template <class Op>
Result<operation::Asks> policy_asks(Iam&, const Context& context, const typename Op::Input& in) {
  identity::Ask ask = ask_for(Op::operation().name, "*");
  if constexpr (requires { in.policy_arn; }) {
    ask.resource = in.policy_arn.value_or("*");
    ask.resource_account = account_of_policy(ask.resource);
  } else {
    ask.resource =
        "arn:aws:iam::" + context.account + ":policy" + path_in(in) + in.policy_name.value_or("");
  }
  identity::Conditions conditions;
  add_conditions(in, conditions);
  conditions.erase("iam:policyarn");
  ask.conditions = std::move(conditions);
  return operation::Asks{std::move(ask)};
}

template <class Op>
Result<operation::Asks> profile_asks(Iam& iam, const Context& context,
                                     const typename Op::Input& in) {
  TRY(std::string arn,
      profile_arn(iam, context, in.instance_profile_name.value_or(""), path_in(in)));
  operation::Asks asks = {ask_for(Op::operation().name, std::move(arn))};
  add_conditions(in, asks[0].conditions);
  if constexpr (requires { in.role_name; }) {
    // Adding a role to a profile passes it to the instances.
    if (std::string_view(Op::operation().name).starts_with("Add")) {
      const Target role{EntityType::role, in.role_name.value_or("")};
      TRY(std::string role_arn, entity_arn(iam, context, role, "/"));
      asks.push_back(ask_for("PassRole", std::move(role_arn)));
      asks.back().conditions["iam:passedtoservice"] = {"ec2.amazonaws.com"};
    }
  }
  return asks;
}

/// On an OpenID Connect provider, which requests name by its ARN.
template <class Op>
Result<operation::Asks> provider_asks(Iam&, const Context&, const typename Op::Input& in) {
  operation::Asks asks = {
      ask_for(Op::operation().name, in.open_id_connect_provider_arn.value_or("*"))};
  asks[0].resource_account = account_in(asks[0].resource);
  add_conditions(in, asks[0].conditions);
  return asks;
}

template <class Op>
Result<operation::Asks> account_asks(Iam&, const Context&, const typename Op::Input&) {
  return operation::Asks{ask_for(Op::operation().name, "*")};
}

}  // namespace wolke::iam
