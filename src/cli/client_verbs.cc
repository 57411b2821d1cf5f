#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/cli/client.h"
#include "wolke/cli/deploy.h"
#include "wolke/cli/deploy_script.h"
#include "wolke/cli/output.h"
#include "wolke/cli/syntax.h"
#include "wolke/cli/verbs.h"

namespace wolke::cli {

namespace {

namespace fs = std::filesystem;
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

/// How a shell calls us: by name where that finds this program.
std::string own_name() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const char* path = std::getenv("PATH");
  for (std::string_view directory : split(path ? path : "", ':')) {
    if (!directory.empty() && fs::equivalent(fs::path(directory) / "wolke", self, error)) {
      return "wolke";
    }
  }
  return self.string();
}

int show_script(const ClientOptions& options, const DeployPlan& plan) {
  std::string aws = shell_word(own_name()) + " aws";
  if (!options.endpoint.empty()) aws += " --endpoint " + shell_word(options.endpoint);
  if (!options.data_dir.empty()) {
    std::error_code error;
    aws += " --data-dir " + shell_word(fs::absolute(options.data_dir, error).string());
  }
  if (options.region != ClientOptions{}.region) aws += " --region " + shell_word(options.region);
  const std::vector<std::string> lines = deploy_script(plan, aws);
  if (options.json) {
    Json out;
    out.set("Commands", Json::Array(lines.begin(), lines.end()));
    print_json(out);
  } else {
    for (const std::string& line : lines) print(line);
  }
  return exit_ok;
}

}  // namespace

int deploy_verb(const ClientOptions& options, const DeployOptions& deploy_options) {
  Result<DeployPlan> plan = plan_deploy(deploy_options);
  if (!plan) return report(plan.error());
  for (const std::string& path : plan->left_out) {
    tell(fmt::format("left out: {} (neither file nor directory)", printable(path)));
  }
  if (deploy_options.show) return show_script(options, *plan);
  if (!plan->handler_file.empty()) {
    if (auto read = check_syntax(plan->handler_file); !read) return report(read.error());
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
    std::string where;
    if (!options.data_dir.empty()) where = " --data-dir " + shell_word(options.data_dir);
    if (!options.endpoint.empty()) where = " --endpoint " + shell_word(options.endpoint);
    tell(
        fmt::format("next: wolke invoke {0}{1}   ·   wolke logs -f {0}{1}", plan->function, where));
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

int env_verb(const ClientOptions& options) {
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  // Exports for a server that is not there would only move the failure into somebody's SDK.
  if (auto health = (*client)->call({.service = "wolke", .path = "/_wolke/health"}); !health) {
    return report(health.error());
  }
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
  for (const auto& [name, value] : variables) {
    print(fmt::format("export {}={}", name, shell_word(value)));
  }
  return exit_ok;
}

int aws_verb(const ClientOptions& options, const std::vector<std::string>& arguments) {
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  if (std::find(arguments.begin(), arguments.end(), "--json") != arguments.end()) {
    return report({.code = "Usage",
                   .status = 400,
                   .message = "aws has forms of its own: wolke aws --output json|text|table …"});
  }
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
