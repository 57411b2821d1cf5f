#include "wolke/cli/deploy.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "wolke/base/hash.h"
#include "wolke/base/uri.h"
#include "wolke/cli/bucket_notification.h"

namespace wolke::cli {

namespace {

using shape::Json;
using Tell = std::function<void(const std::string&)>;

enum class Existing { no, yes };

constexpr std::string_view functions_path = "/2015-03-31/functions/";

/// With the defaults for a new function; an update names only what was named.
Json configuration_json(const DeployPlan& plan, const std::string& role_arn, Existing existing) {
  const DeployOptions& options = plan.options;
  const bool fresh = existing == Existing::no;
  Json out;
  out.set("Role", role_arn);
  out.set("Handler", plan.handler);
  out.set("Runtime", plan.runtime);
  if (fresh || options.memory_mb)
    out.set("MemorySize", std::int64_t{options.memory_mb.value_or(default_memory_mb)});
  if (fresh || options.timeout_s)
    out.set("Timeout", std::int64_t{options.timeout_s.value_or(default_timeout_s)});
  if (fresh || !options.env.empty()) out.set("Environment", environment_json(options.env));
  return out;
}

Result<void> ensure_bucket(Client& client, const std::string& bucket, const Tell& tell) {
  TRY(ApiResponse head, client.send({.service = "s3", .method = "HEAD", .path = "/" + bucket}));
  if (head.status == 200) return {};
  if (head.status != 404) {
    return fail({.code = "AccessDenied",
                 .status = 403,
                 .message = fmt::format("bucket {} belongs to somebody else", bucket)});
  }
  TRY(client.call({.service = "s3", .method = "PUT", .path = "/" + bucket}));
  tell(fmt::format("bucket {}  created", bucket));
  return {};
}

/// The role's inline policy, JSON; empty when it has none.
Result<std::string> role_policy(Client& client, const std::string& role) {
  Result<std::string> answer = client.call_query(
      "iam",
      {{"Action", "GetRolePolicy"}, {"RoleName", role}, {"PolicyName", std::string(policy_name)}});
  if (!answer && answer.error().code == "NoSuchEntity") return std::string();
  if (!answer) return fail(std::move(answer).error());
  return percent_decode(xml_text(*answer, "PolicyDocument")).value_or("");
}

Result<std::string> ensure_role(Client& client, const DeployPlan& plan, const Tell& tell) {
  Result<std::string> created =
      client.call_query("iam", {{"Action", "CreateRole"},
                                {"RoleName", plan.role},
                                {"AssumeRolePolicyDocument", std::string(trust_policy)},
                                {"Description", "made by wolke deploy"}});
  if (!created && created.error().code != "EntityAlreadyExists")
    return fail(std::move(created).error());
  TRY(std::string current, role_policy(client, plan.role));
  const PolicyChange policy = change_policy(plan, current);
  if (policy.document != current) {
    TRY(client.call_query("iam", {{"Action", "PutRolePolicy"},
                                  {"RoleName", plan.role},
                                  {"PolicyName", std::string(policy_name)},
                                  {"PolicyDocument", policy.document}}));
  }
  TRY(std::string role, client.call_query("iam", {{"Action", "GetRole"}, {"RoleName", plan.role}}));
  tell(fmt::format("role {}  {}", plan.role,
                   created                      ? "created"
                   : policy.document == current ? "kept as it is"
                                                : "updated"));
  for (const std::string& right : policy.dropped) {
    tell(fmt::format("role {}  no longer allowed {}", plan.role, right));
  }
  return xml_text(role, "Arn");
}

Result<void> create_function(Client& client, const DeployPlan& plan, const std::string& role_arn) {
  Json input = configuration_json(plan, role_arn, Existing::no);
  input.set("FunctionName", plan.function);
  Json code;
  code.set("ZipFile", to_base64(plan.zip));
  input.set("Code", std::move(code));
  TRY(client.call_json({.service = "lambda",
                        .method = "POST",
                        .path = "/2015-03-31/functions",
                        .headers = {{"content-type", "application/json"}},
                        .body = input.text()}));
  return {};
}

Result<void> update_function(Client& client, const DeployPlan& plan, const std::string& role_arn) {
  const std::string path = std::string(functions_path) + plan.function;
  Json code;
  code.set("ZipFile", to_base64(plan.zip));
  TRY(client.call_json({.service = "lambda",
                        .method = "PUT",
                        .path = path + "/code",
                        .headers = {{"content-type", "application/json"}},
                        .body = code.text()}));
  TRY(wait_until_active(client, plan.function, std::chrono::seconds(60)));
  TRY(client.call_json({.service = "lambda",
                        .method = "PUT",
                        .path = path + "/configuration",
                        .headers = {{"content-type", "application/json"}},
                        .body = configuration_json(plan, role_arn, Existing::yes).text()}));
  return {};
}

Result<void> ensure_function(Client& client, const DeployPlan& plan, const std::string& role_arn,
                             const Tell& tell) {
  TRY(ApiResponse existing,
      client.send({.service = "lambda",
                   .path = std::string(functions_path) + plan.function + "/configuration"}));
  const bool exists = existing.status == 200;
  if (exists) {
    TRY(update_function(client, plan, role_arn));
  } else {
    TRY(create_function(client, plan, role_arn));
  }
  TRY(wait_until_active(client, plan.function, std::chrono::seconds(60)));
  tell(fmt::format("function {}  {} ({}, {}, {} KB)", plan.function, exists ? "updated" : "created",
                   plan.runtime, plan.handler, (plan.zip.size() + 1023) / 1024));
  return {};
}

Result<void> ensure_permission(Client& client, const DeployPlan& plan, const Grant& grant,
                               const Tell& tell) {
  Json input;
  input.set("StatementId", statement_id(grant));
  input.set("Action", "lambda:InvokeFunction");
  input.set("Principal", "s3.amazonaws.com");
  input.set("SourceArn", "arn:aws:s3:::" + grant.bucket);
  Result<Json> added =
      client.call_json({.service = "lambda",
                        .method = "POST",
                        .path = std::string(functions_path) + plan.function + "/policy",
                        .headers = {{"content-type", "application/json"}},
                        .body = input.text()});
  if (!added && added.error().code != "ResourceConflictException")
    return fail(std::move(added).error());
  if (added) tell(fmt::format("permission s3:{} → {}  granted", grant.bucket, plan.function));
  return {};
}

std::string escape_xml(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

Result<void> ensure_notification(Client& client, const DeployPlan& plan, const Grant& grant,
                                 const Tell& tell) {
  const std::string id = notification_id(plan.function);
  TRY(Json function,
      client.call_json({.service = "lambda",
                        .path = std::string(functions_path) + plan.function + "/configuration"}));
  TRY(std::string document, read_notifications(client, grant.bucket));
  document = without_entries(std::move(document),
                             [&](const NotificationEntry& entry) { return entry.id == id; });
  std::string filter;
  if (!grant.prefix.empty()) {
    filter = fmt::format(
        "<Filter><S3Key><FilterRule><Name>prefix</Name><Value>{}</Value></FilterRule></S3Key></"
        "Filter>",
        escape_xml(grant.prefix));
  }
  std::string entry = fmt::format(
      "<CloudFunctionConfiguration><Id>{}</Id><CloudFunction>{}</"
      "CloudFunction><Event>s3:ObjectCreated:*</Event>{}"
      "</CloudFunctionConfiguration>",
      id, function.string_at("FunctionArn").value_or(""), filter);
  document.insert(document.find("</NotificationConfiguration>"), entry);
  TRY(put_notifications(client, grant.bucket, std::move(document)));
  tell(fmt::format("notification s3:{}/{}* → {}  set", grant.bucket, grant.prefix, plan.function));
  return {};
}

/// Buckets whose objects may call the function, from its policy.
std::vector<std::string> source_buckets(const std::string& policy) {
  std::vector<std::string> out;
  constexpr std::string_view prefix = "arn:aws:s3:::";
  for (std::size_t at = 0; (at = policy.find(prefix, at)) != std::string::npos;) {
    at += prefix.size();
    out.push_back(policy.substr(at, policy.find_first_of("\"\\", at) - at));
  }
  return out;
}

bool is_absent(const Error& error) {
  return error.status == 404 || error.code == "NoSuchEntity" ||
         error.code == "ResourceNotFoundException";
}

/// The function's ARN; of one that is gone, the one that it had.
Result<std::string> function_arn(Client& client, const std::string& name) {
  Result<Json> function = client.call_json(
      {.service = "lambda", .path = std::string(functions_path) + name + "/configuration"});
  if (function) return function->string_at("FunctionArn").value_or("");
  if (!is_absent(function.error())) return fail(std::move(function).error());
  TRY(std::string caller, client.call_query("sts", {{"Action", "GetCallerIdentity"}}));
  return fmt::format("arn:aws:lambda:{}:{}:function:{}", client.region(),
                     xml_text(caller, "Account"), name);
}

/// Where a notification may call the function from: the caller's buckets and, for a caller who may
/// not list them, those that the function's policy names.
Result<std::vector<std::string>> buckets_to_search(Client& client, const std::string& path) {
  Result<Json> policy = client.call_json({.service = "lambda", .path = path + "/policy"});
  std::vector<std::string> out = source_buckets(policy ? policy->text() : "");
  Result<ApiResponse> listed = client.call({.service = "s3"});
  if (!listed && listed.error().code == "Unreachable") return fail(std::move(listed).error());
  constexpr std::string_view open = "<Bucket>";
  const std::string_view body = listed ? std::string_view(listed->body) : std::string_view();
  for (std::size_t at = 0; (at = body.find(open, at)) != std::string_view::npos; ++at) {
    out.push_back(xml_text(body.substr(at), "Name"));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

struct Called {
  std::string name, arn;
};

/// The bucket's notifications that call the function, whoever made them.
void remove_calls(Client& client, const std::string& bucket, const Called& function,
                  const Tell& tell) {
  auto goes = [&](const NotificationEntry& entry) { return calls(entry, function.arn); };
  Result<std::vector<NotificationEntry>> removed = remove_notifications(client, bucket, goes);
  if (!removed) {
    if (is_absent(removed.error())) return;
    return tell(
        fmt::format("notifications of s3:{}  stay as they are ({})", bucket, removed.error().code));
  }
  for (const NotificationEntry& entry : *removed) {
    tell(fmt::format("notification {} s3:{} → {}  removed", entry.id, bucket, function.name));
  }
}

/// Refuses a function that is somebody else's: deploy gives its own a role of their name.
Result<Existing> check_function(Client& client, const DeployPlan& plan) {
  Result<Json> function =
      client.call_json({.service = "lambda",
                        .path = std::string(functions_path) + plan.function + "/configuration"});
  if (!function && is_absent(function.error())) return Existing::no;
  if (!function) return fail(std::move(function).error());
  const std::string role = function->string_at("Role").value_or("");
  if (plan.options.replace || role.ends_with(":role/" + plan.role)) return Existing::yes;
  return fail({.code = "NotDeployed",
               .status = 409,
               .message = fmt::format("function {} was not made by deploy (its role is {}); "
                                      "--replace takes it over, with the role {}",
                                      plan.function, role, plan.role)});
}

/// What S3 would refuse after everything else is made.
Result<void> check_overlap(Client& client, const DeployPlan& plan, const Grant& grant) {
  Result<std::string> document = read_notifications(client, grant.bucket);
  if (!document && is_absent(document.error())) return {};
  if (!document) return fail(std::move(document).error());
  for (const NotificationEntry& entry : notification_entries(*document)) {
    const bool same_keys =
        entry.prefix.starts_with(grant.prefix) || grant.prefix.starts_with(entry.prefix);
    if (!entry.on_creation || !same_keys || entry.id == notification_id(plan.function)) continue;
    return fail({.code = "Overlap",
                 .status = 409,
                 .message = fmt::format("new objects of s3:{}/{}* call {} already (notification "
                                        "{}), and S3 allows one; nothing was deployed",
                                        grant.bucket, entry.prefix, entry.function, entry.id)});
  }
  return {};
}

/// Buckets that an earlier --on named: their notification and permission go.
Result<void> leave_old_buckets(Client& client, const DeployPlan& plan, const Tell& tell) {
  const std::string path = std::string(functions_path) + plan.function + "/policy";
  TRY(Json policy, client.call_json({.service = "lambda", .path = path}));
  for (const std::string& bucket : source_buckets(policy.text())) {
    const Grant old{.bucket = bucket, .prefix = ""};
    auto same = [&](const Grant& grant) { return grant.bucket == bucket; };
    const bool ours = policy.text().find(statement_id(old) + "\\\"") != std::string::npos;
    if (!ours || std::any_of(plan.on.begin(), plan.on.end(), same)) continue;
    auto goes = [&](const NotificationEntry& entry) {
      return entry.id == notification_id(plan.function);
    };
    Result<std::vector<NotificationEntry>> removed = remove_notifications(client, bucket, goes);
    if (!removed && !is_absent(removed.error())) return fail(std::move(removed).error());
    if (removed && !removed->empty())
      tell(fmt::format("notification s3:{} → {}  removed", bucket, plan.function));
    TRY(client.call(
        {.service = "lambda", .method = "DELETE", .path = path + "/" + statement_id(old)}));
    tell(fmt::format("permission s3:{} → {}  removed", bucket, plan.function));
  }
  return {};
}

Result<void> make(Client& client, const DeployPlan& plan, const Tell& tell) {
  for (const std::vector<Grant>* grants : {&plan.on, &plan.writes}) {
    for (const Grant& grant : *grants) {
      TRY(ensure_bucket(client, grant.bucket, tell));
    }
  }
  TRY(std::string role_arn, ensure_role(client, plan, tell));
  TRY(ensure_function(client, plan, role_arn, tell));
  for (const Grant& grant : plan.on) {
    TRY(ensure_permission(client, plan, grant, tell));
    TRY(ensure_notification(client, plan, grant, tell));
  }
  if (!plan.on.empty()) return leave_old_buckets(client, plan, tell);
  return {};
}

}  // namespace

Result<void> deploy(Client& client, const DeployPlan& plan, const Tell& tell) {
  TRY(Existing existing, check_function(client, plan));
  for (const Grant& grant : plan.on) {
    TRY(check_overlap(client, plan, grant));
  }
  std::string done;
  Result<void> made = make(client, plan, [&](const std::string& line) {
    done += (done.empty() ? "" : ", ") + line;
    tell(line);
  });
  if (made || done.empty()) return made;
  Error error = std::move(made).error();
  error.message += fmt::format("; done before that: {}; ", done);
  error.message += existing == Existing::yes
                       ? "deploy again to complete it"
                       : fmt::format("`wolke rm {}` undoes it (buckets stay)", plan.function);
  return fail(std::move(error));
}

Result<void> wait_until_active(Client& client, const std::string& name,
                               std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    TRY(Json function,
        client.call_json(
            {.service = "lambda", .path = std::string(functions_path) + name + "/configuration"}));
    const std::string state = function.string_at("State").value_or("Active");
    const std::string update = function.string_at("LastUpdateStatus").value_or("Successful");
    if (state == "Active" && update == "Successful") return {};
    if (state == "Failed" || update == "Failed") {
      return fail({.code = "Failed",
                   .status = 500,
                   .message = function.string_at("StateReason")
                                  .value_or(function.string_at("LastUpdateStatusReason")
                                                .value_or("the function failed"))});
    }
    if (std::chrono::steady_clock::now() > deadline) {
      return fail({.code = "Timeout",
                   .status = 504,
                   .message = fmt::format("function {} is still {}", name, state)});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Result<void> remove_function(Client& client, const std::string& name, const Tell& tell) {
  TRY(check_function_name(name));
  const std::string path = std::string(functions_path) + name;
  TRY(std::string arn, function_arn(client, name));
  TRY(std::vector<std::string> buckets, buckets_to_search(client, path));
  for (const std::string& bucket : buckets) {
    remove_calls(client, bucket, {.name = name, .arn = arn}, tell);
  }
  Result<ApiResponse> removed =
      client.call({.service = "lambda", .method = "DELETE", .path = path});
  if (!removed && !is_absent(removed.error())) return fail(std::move(removed).error());
  if (removed) tell(fmt::format("function {}  removed", name));
  const std::string role = role_name(name);
  Result<std::string> inline_policy =
      client.call_query("iam", {{"Action", "DeleteRolePolicy"},
                                {"RoleName", role},
                                {"PolicyName", std::string(policy_name)}});
  // Only a role that deploy made has this policy.
  if (inline_policy) {
    TRY(client.call_query("iam", {{"Action", "DeleteRole"}, {"RoleName", role}}));
    tell(fmt::format("role {}  removed", role));
  }
  if (!removed && !inline_policy) {
    return fail({.code = "NotFound",
                 .status = 404,
                 .message = fmt::format("there is no function {}", name)});
  }
  return {};
}

}  // namespace wolke::cli
