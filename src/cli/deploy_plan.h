#pragma once
// What a deploy is to make: the pure part, from options and files to names, policies and the zip.
// No server is spoken to. Failure: "Usage" for what was typed wrong, and what collect_files() and
// guess_kind() say.

#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/cli/options.h"
#include "wolke/shape/json.h"

namespace wolke::cli {

/// Who may take on a function's role: Lambda.
inline constexpr std::string_view trust_policy =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]})";
/// The inline policy of the role; only roles that deploy made have one of this name.
inline constexpr std::string_view policy_name = "least";

struct Grant {
  std::string bucket;
  std::string prefix;
};
/// "s3:BUCKET[/PREFIX]"; "Usage" otherwise.
Result<Grant> parse_grant(const std::string& text);

/// "Usage" unless Lambda takes it: 1 to 64 letters, digits, - and _.
Result<void> check_function_name(const std::string& name);

struct DeployPlan {
  std::string function;
  std::string role;
  std::string runtime;
  std::string handler;
  std::string handler_file;  // its path on this machine; empty for a custom runtime
  std::string zip;
  std::vector<std::string> left_out;  // paths that are no regular file
  std::string policy;                 // of a new role, JSON
  std::vector<Grant> on;              // buckets whose new objects call the function
  std::vector<Grant> writes;
  DeployOptions options;
};

Result<DeployPlan> plan_deploy(const DeployOptions& options);

/// The policy of a role that is there: what --on and --writes name is replaced, the rest stays.
struct PolicyChange {
  std::string document;
  std::vector<std::string> dropped;  // "s3:PutObject arn:aws:s3:::small/*"
};
PolicyChange change_policy(const DeployPlan& plan, const std::string& current);

std::string role_name(const std::string& function);
/// Of the permission that lets the bucket call the function.
std::string statement_id(const Grant& grant);
/// Of the bucket's notification.
std::string notification_id(const std::string& function);
/// {"Variables":{…}} from NAME=VALUE words.
shape::Json environment_json(const std::vector<std::string>& env);

}  // namespace wolke::cli
