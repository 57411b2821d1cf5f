#include "wolke/services/lambda/policy.h"

#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/shape/json.h"

namespace wolke::lambda {
namespace {

using shape::Json;

bool is_account_id(std::string_view text) {
  return text.size() == 12 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Json principal_json(const std::string& principal) {
  if (principal == "*") return principal;
  Json out;
  if (is_account_id(principal)) {
    out.set("AWS", "arn:aws:iam::" + principal + ":root");
  } else if (principal.starts_with("arn:")) {
    out.set("AWS", principal);
  } else {
    out.set("Service", principal);
  }
  return out;
}

Json conditions_json(const Statement& s) {
  Json equals, like, booleans;
  if (!s.event_source_token.empty()) equals.set("lambda:EventSourceToken", s.event_source_token);
  if (!s.url_auth_type.empty()) equals.set("lambda:FunctionUrlAuthType", s.url_auth_type);
  if (!s.source_account.empty()) equals.set("AWS:SourceAccount", s.source_account);
  if (!s.org_id.empty()) equals.set("aws:PrincipalOrgID", s.org_id);
  if (!s.source_arn.empty()) like.set("AWS:SourceArn", s.source_arn);
  if (s.via_function_url)
    booleans.set("lambda:InvokedViaFunctionUrl", *s.via_function_url ? "true" : "false");
  Json out;
  if (!equals.is_null()) out.set("StringEquals", std::move(equals));
  if (!booleans.is_null()) out.set("Bool", std::move(booleans));
  if (!like.is_null()) out.set("ArnLike", std::move(like));
  return out;
}

Json statement_tree(const Statement& statement, const std::string& resource) {
  Json out;
  out.set("Sid", statement.id);
  out.set("Effect", "Allow");
  out.set("Principal", principal_json(statement.principal));
  out.set("Action", statement.action);
  out.set("Resource", resource);
  Json conditions = conditions_json(statement);
  if (!conditions.is_null()) out.set("Condition", std::move(conditions));
  return out;
}

bool permits(const Statement& s, const ServiceCaller& caller) {
  if (!glob_match(to_lower(s.action), "lambda:invokefunction")) return false;
  if (s.principal != caller.service && s.principal != "*") return false;
  if (!s.source_arn.empty() && !arn_like(s.source_arn, caller.source_arn)) return false;
  if (!s.source_account.empty() && s.source_account != caller.source_account) return false;
  // Conditions that a service's own call cannot meet.
  return s.event_source_token.empty() && s.url_auth_type.empty() && s.org_id.empty() &&
         !s.via_function_url;
}

}  // namespace

std::string statement_json(const Statement& statement, const std::string& resource) {
  return statement_tree(statement, resource).text();
}

std::string policy_json(const Policy& policy, const std::string& resource) {
  Json::Array statements;
  for (const Statement& statement : policy.statements)
    statements.push_back(statement_tree(statement, resource));
  Json out;
  out.set("Version", "2012-10-17");
  out.set("Id", "default");
  out.set("Statement", std::move(statements));
  return out.text();
}

bool arn_like(std::string_view pattern, std::string_view arn) {
  for (int part = 0; part < 5; ++part) {
    const std::size_t a = pattern.find(':'), b = arn.find(':');
    if (a == pattern.npos || b == arn.npos) return false;
    if (!glob_match(pattern.substr(0, a), arn.substr(0, b))) return false;
    pattern.remove_prefix(a + 1);
    arn.remove_prefix(b + 1);
  }
  return glob_match(pattern, arn);
}

bool permits_invoke(const Policy& policy, const ServiceCaller& caller) {
  return std::any_of(policy.statements.begin(), policy.statements.end(),
                     [&](const Statement& statement) { return permits(statement, caller); });
}

}  // namespace wolke::lambda
