#include "wolke/cli/deploy_script.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "wolke/cli/output.h"

namespace wolke::cli {

namespace {

using shape::Json;

std::string bucket_line(const std::string& aws, const std::string& bucket) {
  return fmt::format("{0} s3api head-bucket --bucket {1} 2>/dev/null || {0} s3 mb s3://{1}", aws,
                     bucket);
}

/// The zip, without what deploy leaves out: hidden files and __pycache__.
std::string zip_line(const std::string& path) {
  std::error_code error;
  const std::string where = shell_word(path);
  if (!std::filesystem::is_directory(path, error)) {
    return fmt::format("code=$(mktemp -d)/code.zip; zip -qj \"$code\" {}", where);
  }
  return fmt::format(
      "code=$(mktemp -d)/code.zip; (cd {} && zip -qr \"$code\" . -x '.*' '*/.*' '__pycache__/*' "
      "'*/__pycache__/*')",
      where);
}

/// As change_policy(): what was named in place of its old statement, by the query of the aws CLI.
std::string role_policy_lines(const std::string& aws, const DeployPlan& plan) {
  std::string kept, fresh;
  for (const Json& statement :
       *shape::parse_json(plan.policy).value_or(Json()).find("Statement")->array()) {
    const std::string action = statement.find("Action")->text();
    if (action.find("s3:") == std::string::npos) continue;
    kept += fmt::format("{}Action!=`{}`", kept.empty() ? "?" : " && ", action);
    std::string literal = statement.text();
    for (std::size_t at = 0; (at = literal.find('`', at)) != std::string::npos; at += 2) {
      literal.insert(at, "\\");
    }
    fresh += fmt::format(", `[{}]`", literal);
  }
  const std::string query = fmt::format(
      "PolicyDocument.{{Version: Version, Statement: [Statement[{}]{}][]}}", kept, fresh);
  return fmt::format(
      "policy=$({0} iam get-role-policy --role-name {1} --policy-name {2} --output json "
      "--query {3} 2>/dev/null || printf %s {4})\n"
      "{0} iam put-role-policy --role-name {1} --policy-name {2} --policy-document \"$policy\"",
      aws, plan.role, policy_name, shell_word(query), shell_word(plan.policy));
}

std::string function_lines(const std::string& aws, const DeployPlan& plan) {
  const DeployOptions& options = plan.options;
  const std::string both = fmt::format("--runtime {} --handler {} --role \"$role\"",
                                       shell_word(plan.runtime), shell_word(plan.handler));
  const std::string memory =
      fmt::format(" --memory-size {}", options.memory_mb.value_or(default_memory_mb));
  const std::string timeout =
      fmt::format(" --timeout {}", options.timeout_s.value_or(default_timeout_s));
  const std::string environment =
      " --environment " + shell_word(environment_json(options.env).text());
  // As in deploy(): an update names only what was named.
  const std::string update = both + (options.memory_mb ? memory : "") +
                             (options.timeout_s ? timeout : "") +
                             (options.env.empty() ? "" : environment);
  return fmt::format(
      "if {0} lambda get-function --function-name {1} >/dev/null 2>&1; then\n"
      "  {0} lambda update-function-code --function-name {1} --zip-file \"fileb://$code\"\n"
      "  {0} lambda wait function-updated-v2 --function-name {1}\n"
      "  {0} lambda update-function-configuration --function-name {1} {3}\n"
      "  {0} lambda wait function-updated-v2 --function-name {1}\n"
      "else\n"
      "  {0} lambda create-function --function-name {1} {2} --zip-file \"fileb://$code\"\n"
      "  {0} lambda wait function-active-v2 --function-name {1}\n"
      "fi",
      aws, plan.function, both + memory + timeout + environment, update);
}

std::string permission_line(const std::string& aws, const DeployPlan& plan, const Grant& grant) {
  return fmt::format(
      "{0} lambda get-policy --function-name {1} --query Policy --output text 2>/dev/null | "
      "grep -q '\"{2}\"' || {0} lambda add-permission --function-name {1} --statement-id {2} "
      "--action lambda:InvokeFunction --principal s3.amazonaws.com --source-arn arn:aws:s3:::{3}",
      aws, plan.function, statement_id(grant), grant.bucket);
}

/// The bucket's other notifications stay: the old document with our entry in place of our old one,
/// made by the query (JMESPath) of the aws CLI itself.
std::string notification_lines(const std::string& aws, const DeployPlan& plan, const Grant& grant) {
  const std::string id = notification_id(plan.function);
  Json entry;
  entry.set("Id", id);
  entry.set("LambdaFunctionArn", "ARN");
  entry.set("Events", Json::Array{"s3:ObjectCreated:*"});
  if (!grant.prefix.empty()) {
    Json rule, key, filter;
    rule.set("Name", "prefix");
    rule.set("Value", grant.prefix);
    key.set("FilterRules", Json::Array{rule});
    filter.set("Key", key);
    entry.set("Filter", filter);
  }
  // The entry is a literal between backquotes, which it may hold only escaped.
  std::string literal = entry.text();
  for (std::size_t at = 0; (at = literal.find('`', at)) != std::string::npos; at += 2) {
    literal.insert(at, "\\");
  }
  std::string query = fmt::format(
      "{{LambdaFunctionConfigurations: [LambdaFunctionConfigurations[?Id!=`\"{}\"`] || `[]`, "
      "`[{}]`][]}}",
      id, literal);
  std::string quoted = shell_word(query);
  quoted.replace(quoted.find("\"ARN\""), 5, "\"'\"$arn\"'\"");
  return fmt::format(
      "arn=$({0} lambda get-function --function-name {1} --query Configuration.FunctionArn "
      "--output text)\n"
      "notifications=$({0} s3api get-bucket-notification-configuration --bucket {2} --output json "
      "--query {3})\n"
      "{0} s3api put-bucket-notification-configuration --bucket {2} "
      "--notification-configuration \"$notifications\"",
      aws, plan.function, grant.bucket, quoted);
}

}  // namespace

std::vector<std::string> deploy_script(const DeployPlan& plan, const std::string& aws) {
  std::vector<std::string> out;
  std::set<std::string> buckets;
  for (const std::vector<Grant>* grants : {&plan.on, &plan.writes}) {
    for (const Grant& grant : *grants) {
      if (buckets.insert(grant.bucket).second) out.push_back(bucket_line(aws, grant.bucket));
    }
  }
  out.push_back(fmt::format(
      "{0} iam get-role --role-name {1} >/dev/null 2>&1 || {0} iam create-role --role-name {1} "
      "--assume-role-policy-document {2}",
      aws, plan.role, shell_word(trust_policy)));
  out.push_back(role_policy_lines(aws, plan));
  out.push_back(fmt::format("role=$({} iam get-role --role-name {} --query Role.Arn --output text)",
                            aws, plan.role));
  out.push_back(zip_line(plan.options.path));
  out.push_back(function_lines(aws, plan));
  for (const Grant& grant : plan.on) {
    out.push_back(permission_line(aws, plan, grant));
    out.push_back(notification_lines(aws, plan, grant));
  }
  return out;
}

}  // namespace wolke::cli
