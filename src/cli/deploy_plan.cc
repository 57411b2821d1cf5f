#include "wolke/cli/deploy_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "wolke/base/limits.h"
#include "wolke/cli/code_files.h"
#include "wolke/cli/guess.h"

namespace wolke::cli {

namespace {

using shape::Json;

constexpr std::size_t function_name_max = 64;
constexpr const char* reads_action = "s3:GetObject";
constexpr const char* writes_action = "s3:PutObject";
constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view digits = "0123456789";

bool only_of(std::string_view text, const std::string& characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

std::unexpected<Error> usage(std::string sentence) {
  return fail({.code = "Usage", .status = 400, .message = std::move(sentence)});
}

std::string object_arn(const Grant& grant) {
  return fmt::format("arn:aws:s3:::{}/{}*", grant.bucket, grant.prefix);
}

/// Logs, reading what calls it, writing where it was told: nothing else.
std::string least_policy(const std::vector<Grant>& reads, const std::vector<Grant>& writes) {
  auto statement = [](Json::Array actions, Json::Array resources) {
    Json out;
    out.set("Effect", "Allow");
    out.set("Action", std::move(actions));
    out.set("Resource", std::move(resources));
    return out;
  };
  auto arns = [](const std::vector<Grant>& grants) {
    Json::Array out;
    for (const Grant& grant : grants) out.push_back(object_arn(grant));
    return out;
  };
  Json::Array statements;
  statements.push_back(
      statement({"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}, {"*"}));
  if (!reads.empty()) statements.push_back(statement({reads_action}, arns(reads)));
  if (!writes.empty()) statements.push_back(statement({writes_action}, arns(writes)));
  Json document;
  document.set("Version", "2012-10-17");
  document.set("Statement", std::move(statements));
  return document.text();
}

/// Whether this statement is the one that --on or --writes makes.
bool allows_only(const Json& statement, const std::string& action) {
  const Json* actions = statement.find("Action");
  return actions && actions->text() == Json(Json::Array{action}).text();
}

Json::Array list_at(const Json& object, std::string_view key) {
  const Json* list = object.find(key);
  return list && list->array() ? *list->array() : Json::Array{};
}

/// Lambda's rule; its own message hides the name.
Result<void> check_variables(const std::vector<std::string>& env) {
  const std::string letters = std::string(lower) + std::string(upper);
  for (const std::string& pair : env) {
    const std::string name = pair.substr(0, pair.find('='));
    if (name.size() >= 2 && only_of(name.substr(0, 1), letters) &&
        only_of(name, letters + std::string(digits) + "_")) {
      continue;
    }
    return usage(fmt::format(
        "--env {}: a variable's name is a letter and one or more letters, digits, underscores",
        pair));
  }
  return {};
}

Result<void> check_zip_size(const DeployPlan& plan) {
  if (plan.zip.size() <= limits::package_zipped_bytes_max) return {};
  return fail({.code = "CodeTooLarge",
               .status = 400,
               .message = fmt::format("{} makes a zip of {} MB; a function's may have {}",
                                      plan.options.path, plan.zip.size() >> 20,
                                      limits::package_zipped_bytes_max >> 20)});
}

}  // namespace

Result<Grant> parse_grant(const std::string& text) {
  if (!text.starts_with("s3:")) {
    return usage(fmt::format("'{}' is not s3:BUCKET or s3:BUCKET/PREFIX", text));
  }
  std::string rest = text.substr(text.starts_with("s3://") ? 5 : 3);
  std::size_t slash = rest.find('/');
  Grant grant{.bucket = rest.substr(0, slash),
              .prefix = slash == std::string::npos ? "" : rest.substr(slash + 1)};
  const std::string letters = std::string(lower) + std::string(digits) + "-.";
  if (grant.bucket.size() < 3 || grant.bucket.size() > 63 || !only_of(grant.bucket, letters)) {
    return usage(
        fmt::format("'{}' is not s3:BUCKET or s3:BUCKET/PREFIX: a bucket's name has 3 to 63 lower "
                    "case letters, digits, dots and hyphens",
                    text));
  }
  return grant;
}

Result<void> check_function_name(const std::string& name) {
  const std::string letters = std::string(lower) + std::string(upper) + std::string(digits) + "-_";
  if (!name.empty() && name.size() <= function_name_max && only_of(name, letters)) return {};
  return usage(fmt::format(
      "'{}' is no function's name: it has 1 to 64 letters, digits, hyphens and underscores", name));
}

Result<DeployPlan> plan_deploy(const DeployOptions& options) {
  DeployPlan plan;
  plan.options = options;
  plan.function = options.name.empty() ? guess_name(options.path) : options.name;
  TRY(check_function_name(plan.function));
  plan.role = role_name(plan.function);
  if (!options.on.empty()) {
    TRY(Grant grant, parse_grant(options.on));
    plan.on.push_back(grant);
  }
  for (const std::string& text : options.writes) {
    TRY(Grant grant, parse_grant(text));
    plan.writes.push_back(grant);
  }
  TRY(check_variables(options.env));
  TRY(Code code, collect_files(options.path));
  TRY(CodeKind kind, guess_kind(code.files, options));
  plan.runtime = kind.runtime;
  plan.handler = kind.handler;
  if (!kind.file.empty()) {
    const std::filesystem::path path = options.path;
    plan.handler_file = std::filesystem::is_directory(path) ? path / kind.file : path;
  }
  plan.policy = least_policy(plan.on, plan.writes);
  plan.left_out = std::move(code.left_out);
  plan.zip = make_zip(code.files);
  TRY(check_zip_size(plan));
  return plan;
}

PolicyChange change_policy(const DeployPlan& plan, const std::string& current) {
  PolicyChange out{.document = current, .dropped = {}};
  Result<Json> document = shape::parse_json(current);
  const Json made = shape::parse_json(plan.policy).value_or(Json());
  if (!document || !document->object()) return {.document = plan.policy, .dropped = {}};
  Json::Array statements = list_at(*document, "Statement");
  for (const auto& [grants, action] :
       {std::pair{&plan.on, reads_action}, std::pair{&plan.writes, writes_action}}) {
    if (grants->empty()) continue;
    auto mine = [&](const Json& statement) { return allows_only(statement, action); };
    const Json::Array fresh = list_at(made, "Statement");
    const Json& replacement = *std::find_if(fresh.begin(), fresh.end(), mine);
    const std::string granted = Json(list_at(replacement, "Resource")).text();
    for (const Json& statement : statements) {
      if (!mine(statement)) continue;
      for (const Json& resource : list_at(statement, "Resource")) {
        if (granted.find(resource.text()) != std::string::npos || !resource.string()) continue;
        out.dropped.push_back(fmt::format("{} {}", action, *resource.string()));
      }
    }
    std::erase_if(statements, mine);
    statements.push_back(replacement);
  }
  document->set("Statement", std::move(statements));
  out.document = document->text();
  return out;
}

std::string role_name(const std::string& function) {
  return function.substr(0, 59) + "-role";
}

std::string statement_id(const Grant& grant) {
  std::string id = "s3-" + grant.bucket;
  std::replace(id.begin(), id.end(), '.', '_');
  return id;
}

std::string notification_id(const std::string& function) {
  return "wolke-" + function;
}

Json environment_json(const std::vector<std::string>& env) {
  Json::Object variables;
  for (const std::string& pair : env) {
    std::size_t equals = pair.find('=');
    variables.emplace_back(pair.substr(0, equals),
                           equals == std::string::npos ? "" : pair.substr(equals + 1));
  }
  Json out;
  out.set("Variables", std::move(variables));
  return out;
}

}  // namespace wolke::cli
