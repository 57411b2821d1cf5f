#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

#include "wolke/base/env.h"
#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/cli/client.h"
#include "wolke/cli/deploy.h"
#include "wolke/cli/output.h"
#include "wolke/cli/verbs.h"

namespace wolke::cli {

namespace {

using shape::Json;

/// "{…}", "@file" or "-".
Result<std::string> payload_text(const std::string& argument) {
  if (argument == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  if (!argument.starts_with('@')) return argument;
  std::ifstream file(argument.substr(1), std::ios::binary);
  if (!file)
    return fail(
        {.code = "NotFound", .status = 404, .message = "cannot read " + argument.substr(1)});
  return std::string(std::istreambuf_iterator<char>(file), {});
}

int show_invocation(const ApiResponse& response, bool json) {
  const std::string* error = response.header("x-amz-function-error");
  std::string log;
  if (const std::string* tail = response.header("x-amz-log-result"))
    log = from_base64(*tail).value_or("");
  if (json) {
    Json out;
    out.set("StatusCode", response.status);
    if (error) out.set("FunctionError", *error);
    out.set("Log", log);
    Result<Json> payload = shape::parse_json(response.body);
    out.set("Payload", payload ? *payload : Json(response.body));
    print_json(out);
  } else {
    if (!log.empty()) tell(printable(log));
    print(printable(response.body));
  }
  return error ? exit_function_error : exit_ok;
}

Result<Json> control(Client& client, const std::string& path, QueryPairs query = {}) {
  return client.call_json({.service = "wolke", .path = path, .query = std::move(query)});
}

std::string text_at(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  if (!value) return "";
  if (value->string()) return *value->string();
  if (value->number()) return value->number()->text;
  return value->text();
}

}  // namespace

int deploy_verb(const ClientOptions& options, const DeployOptions& deploy_options) {
  Result<DeployPlan> plan = plan_deploy(deploy_options);
  if (!plan) return report(plan.error());
  if (deploy_options.show) {
    for (const std::string& line : show_commands(*plan)) print(line);
    return exit_ok;
  }
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  Json::Array steps;
  Result<void> done = deploy(**client, *plan, [&](const std::string& line) {
    if (options.json) {
      steps.push_back(line);
    } else {
      print(line);
    }
  });
  if (!done) return report(done.error());
  if (options.json) {
    Json out;
    out.set("Function", plan->function);
    out.set("Steps", std::move(steps));
    print_json(out);
  } else {
    tell(fmt::format("next: wolke invoke {0}   ·   wolke logs -f {0}", plan->function));
  }
  return exit_ok;
}

int rm_verb(const ClientOptions& options, const std::string& function) {
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  Json::Array steps;
  Result<void> done = remove_function(**client, function, [&](const std::string& line) {
    if (options.json) {
      steps.push_back(line);
    } else {
      print(line);
    }
  });
  if (!done) return report(done.error());
  if (options.json) print_json(Json(std::move(steps)));
  return exit_ok;
}

int invoke_verb(const ClientOptions& options, const InvokeOptions& invoke) {
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  Result<std::string> payload = payload_text(invoke.payload);
  if (!payload) return report(payload.error());
  ApiRequest request{
      .service = "lambda",
      .method = "POST",
      .path = "/2015-03-31/functions/" + percent_encode(invoke.function) + "/invocations",
      .headers = {{"content-type", "application/json"}},
      .body = *payload};
  if (invoke.event) {
    request.headers.emplace_back("x-amz-invocation-type", "Event");
  } else {
    request.headers.emplace_back("x-amz-log-type", "Tail");
  }
  Result<ApiResponse> response = (*client)->call(request);
  if (!response) return report(response.error());
  if (invoke.event) {
    const std::string* id = response->header("x-amzn-requestid");
    print(options.json ? fmt::format("{{\"RequestId\":\"{}\"}}", id ? *id : "")
                       : fmt::format("accepted as event {}", id ? *id : ""));
    return exit_ok;
  }
  return show_invocation(*response, options.json);
}

int logs_verb(const ClientOptions& options, const LogsOptions& logs) {
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  const std::string group =
      logs.function.starts_with('/') ? logs.function : "/aws/lambda/" + logs.function;
  std::int64_t since = 0;
  std::vector<std::string> seen;  // ids of the newest millisecond
  for (;;) {
    std::optional<std::string> token;
    do {
      Json input;
      input.set("logGroupName", group);
      input.set("startTime", since);
      if (!logs.filter.empty()) input.set("filterPattern", logs.filter);
      if (token) input.set("nextToken", *token);
      Result<Json> page = (*client)->call_target("logs", "Logs_20140328.FilterLogEvents", input);
      if (!page) {
        if (logs.follow && page.error().code == "ResourceNotFoundException") break;
        return report(page.error());
      }
      const Json* events = page->find("events");
      for (const Json& event : events && events->array() ? *events->array() : Json::Array{}) {
        const std::string id = event.string_at("eventId").value_or("");
        if (std::find(seen.begin(), seen.end(), id) != seen.end()) continue;
        const std::int64_t at = event.integer_at("timestamp").value_or(0);
        if (at > since) {
          since = at;
          seen.clear();
        }
        seen.push_back(id);
        std::string message(trim(event.string_at("message").value_or("")));
        while (message.ends_with('\n')) message.pop_back();
        print(options.json ? event.text()
                           : format_iso8601(from_millis(at)) + "  " + printable(message));
      }
      token = page->string_at("nextToken");
    } while (token);
    if (!logs.follow) return exit_ok;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

int ps_verb(const ClientOptions& options) {
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  Result<Json> answer = control(**client, "/_wolke/instances");
  if (!answer) return report(answer.error());
  if (options.json) {
    print_json(*answer);
    return exit_ok;
  }
  std::vector<std::vector<std::string>> rows = {
      {"SANDBOX", "FUNCTION", "VERSION", "STATE", "INVOCATIONS", "STARTED"}};
  const Json* instances = answer->find("Instances");
  for (const Json& instance :
       instances && instances->array() ? *instances->array() : Json::Array{}) {
    rows.push_back({text_at(instance, "SandboxId"), text_at(instance, "FunctionArn"),
                    text_at(instance, "Version"), text_at(instance, "State"),
                    text_at(instance, "Invocations"), text_at(instance, "Started")});
  }
  print_table(rows);
  return exit_ok;
}

int events_verb(const ClientOptions& options, const EventsOptions& events) {
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  QueryPairs query;
  if (!events.function_arn.empty()) query.emplace_back("FunctionArn", events.function_arn);
  query.emplace_back("MaxItems", "1000");
  if (events.failed) query.emplace_back("State", "failed");
  Result<Json> answer = control(**client, "/_wolke/events", query);
  if (!answer) return report(answer.error());
  if (options.json) {
    print_json(*answer);
    return exit_ok;
  }
  std::vector<std::vector<std::string>> rows = {
      {"EVENT", "SOURCE", "TARGET", "STATE", "ATTEMPTS", "ENQUEUED", "REASON"}};
  const Json* list = answer->find("Events");
  for (const Json& event : list && list->array() ? *list->array() : Json::Array{}) {
    rows.push_back({text_at(event, "Id"), text_at(event, "Source"), text_at(event, "Target"),
                    text_at(event, "State"), text_at(event, "Attempts"), text_at(event, "Enqueued"),
                    text_at(event, "Reason")});
  }
  print_table(rows);
  return exit_ok;
}

int env_verb(const ClientOptions& options) {
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  const identity::Credentials& credentials = (*client)->credentials();
  const std::vector<std::pair<std::string, std::string>> variables = {
      {"AWS_ENDPOINT_URL", (*client)->endpoint()},
      {"AWS_ACCESS_KEY_ID", credentials.access_key_id},
      {"AWS_SECRET_ACCESS_KEY", credentials.secret},
      {"AWS_REGION", (*client)->region()},
      {"AWS_DEFAULT_REGION", (*client)->region()}};
  if (options.json) {
    Json out;
    for (const auto& [name, value] : variables) out.set(name, value);
    print_json(out);
    return exit_ok;
  }
  for (const auto& [name, value] : variables) print(fmt::format("export {}={}", name, value));
  return exit_ok;
}

int aws_verb(const ClientOptions& options, const std::vector<std::string>& arguments) {
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  // Nothing of the user's own configuration is read: no profile, no file, no instance metadata.
  std::vector<std::string> names;
  for (char** variable = environ; *variable; ++variable) {
    std::string_view entry = *variable;
    if (entry.starts_with("AWS_")) names.emplace_back(entry.substr(0, entry.find('=')));
  }
  for (const std::string& name : names) ::unsetenv(name.c_str());
  const identity::Credentials& credentials = (*client)->credentials();
  ::setenv("AWS_ACCESS_KEY_ID", credentials.access_key_id.c_str(), 1);
  ::setenv("AWS_SECRET_ACCESS_KEY", credentials.secret.c_str(), 1);
  if (!credentials.session_token.empty())
    ::setenv("AWS_SESSION_TOKEN", credentials.session_token.c_str(), 1);
  ::setenv("AWS_CONFIG_FILE", "/dev/null", 1);
  ::setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
  ::setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
  ::setenv("AWS_DEFAULT_REGION", options.region.c_str(), 1);
  ::setenv("AWS_PAGER", "", 1);
  std::vector<std::string> command = {"aws", "--endpoint-url", (*client)->endpoint()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  // The Debian package first: another `aws` on the path may be a wrapper with an endpoint of its
  // own.
  ::execv("/usr/bin/aws", argv.data());
  ::execvp("aws", argv.data());
  return report({.code = "NotFound",
                 .status = 404,
                 .message = "there is no aws command here; Debian has it in the package awscli"});
}

}  // namespace wolke::cli
