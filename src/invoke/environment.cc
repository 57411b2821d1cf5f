#include "wolke/invoke/environment.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "wolke/runtime/extension_book.h"

namespace wolke::invoke {
namespace {

using Variables = std::map<std::string, std::string>;

void set_lambda_variables(Variables& out, const FunctionSpec& function,
                          const std::string& log_stream) {
  out["AWS_LAMBDA_FUNCTION_NAME"] = function.name;
  out["AWS_LAMBDA_FUNCTION_VERSION"] = function.version;
  out["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = std::to_string(function.memory_mb);
  out["AWS_LAMBDA_LOG_GROUP_NAME"] = function.log_group;
  out["AWS_LAMBDA_LOG_STREAM_NAME"] = log_stream;
  out["AWS_LAMBDA_INITIALIZATION_TYPE"] = "on-demand";
  if (function.logging.json) {
    const std::string& level = function.logging.application_level;
    out["AWS_LAMBDA_LOG_FORMAT"] = "JSON";
    out["AWS_LAMBDA_LOG_LEVEL"] = level.empty() ? "INFO" : level;
  }
  // Custom runtimes have none, as on Lambda.
  if (!function.runtime.starts_with("provided")) {
    out["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + function.runtime;
  }
  out["AWS_REGION"] = function.region;
  out["AWS_DEFAULT_REGION"] = function.region;
  out["LAMBDA_TASK_ROOT"] = "/var/task";
  out["LAMBDA_RUNTIME_DIR"] = "/var/runtime";
  out["_HANDLER"] = function.handler;
}

void set_credentials(Variables& out, const SandboxCredentials& credentials) {
  if (credentials.access_key_id.empty()) return;
  out["AWS_ACCESS_KEY_ID"] = credentials.access_key_id;
  out["AWS_SECRET_ACCESS_KEY"] = credentials.secret_access_key;
  out["AWS_SESSION_TOKEN"] = credentials.session_token;
}

/// What a function may override by its own configuration.
Variables defaults() {
  return {{"TZ", ":UTC"},
          {"LANG", "en_US.UTF-8"},
          {"PWD", "/var/task"},
          {"PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"},
          {"LD_LIBRARY_PATH",
           "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/"
           "opt/lib"},
          {"AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"}};
}

bool is_executable(const std::string& path) {
  return ::access(path.c_str(), X_OK) == 0;
}

/// The package's bootstrap, else the last layer's that has one.
Result<std::string> custom_bootstrap(const FunctionSpec& function) {
  if (is_executable(function.package_path + "/bootstrap")) return "/var/task/bootstrap";
  bool in_layer = std::ranges::any_of(function.layer_paths, [](const std::string& layer) {
    return is_executable(layer + "/bootstrap");
  });
  if (in_layer) return "/opt/bootstrap";
  return fail(
      {.code = "Runtime.InvalidEntrypoint",
       .status = 502,
       .message = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"});
}

bool has_own_network(sandbox::Level level) {
  return level == sandbox::Level::full || level == sandbox::Level::rootless;
}

/// Code of another processor is taken, for most of it is text; what is not will not run.
void warn_of_architecture(std::string& warning, const std::string& architecture) {
#if defined(__x86_64__)
  constexpr std::string_view here = "x86_64";
#else
  constexpr std::string_view here = "arm64";
#endif
  if (architecture.empty() || architecture == here) return;
  if (!warning.empty()) warning += "; ";
  warning += fmt::format("code for {} is on {} here: what is native in it does not run",
                         architecture, here);
}

void add_listeners(Plan& plan, Variables& out, const Dependencies& dependencies) {
  sandbox::Spec& spec = plan.spec;
  spec.listen.emplace_back(runtime_api_address);
  out["AWS_LAMBDA_RUNTIME_API"] = runtime_api_address;
  if (!plan.extensions.empty()) spec.listen.emplace_back(supervision_address);
  plan.telemetry = has_own_network(dependencies.sandboxes.level());
  if (plan.telemetry) spec.listen.emplace_back(telemetry_socket);
  if (dependencies.serve_gateway) {
    spec.listen.emplace_back(gateway_address);
    out.try_emplace("AWS_ENDPOINT_URL", std::string("http://") + gateway_address);
  }
  if (dependencies.serve_gateway_tls) spec.listen.emplace_back(gateway_tls_address);
  plan.names = !dependencies.domains.empty() && has_own_network(dependencies.sandboxes.level());
  if (plan.names) {
    spec.listen.emplace_back(names_datagram_address);
    spec.listen.emplace_back(names_stream_address);
  }
}

/// The supervisor starts the extensions, and in its time what would have been started here.
void supervise(Plan& plan, const std::string& supervisor_dir) {
  std::vector<std::string> argv = {"/var/supervisor/supervise", supervision_address,
                                   std::to_string(plan.extensions.size())};
  for (const std::string& name : plan.extensions) argv.push_back("/opt/extensions/" + name);
  for (std::string& word : plan.spec.argv) argv.push_back(std::move(word));
  plan.spec.argv = std::move(argv);
  plan.spec.mounts.push_back({supervisor_dir, "/var/supervisor"});
}

}  // namespace

std::vector<std::string> external_extensions(const FunctionSpec& function) {
  std::set<std::string> names;
  for (const std::string& layer : function.layer_paths) {
    std::error_code none;  // most layers have no such folder
    for (const auto& entry : std::filesystem::directory_iterator(layer + "/extensions", none)) {
      std::error_code gone;
      if (entry.is_regular_file(gone)) names.insert(entry.path().filename());
    }
  }
  return {names.begin(), names.end()};
}

Result<Plan> plan_sandbox(const Dependencies& dependencies, const FunctionSpec& function,
                          const std::string& sandbox_id, const std::string& log_stream,
                          const SandboxCredentials& credentials) {
  TRY(runtime::Launch launch,
      runtime::plan_launch(dependencies.paths, function.runtime, function.memory_mb));
  Plan plan{.protocol = launch.protocol, .version = launch.version, .warning = launch.warning};
  warn_of_architecture(plan.warning, function.architecture);
  if (launch.protocol == runtime::Protocol::runtime_api) {
    TRY(launch.argv.front(), custom_bootstrap(function));
  }
  if (!dependencies.paths.supervisor_dir.empty()) plan.extensions = external_extensions(function);
  if (plan.extensions.size() > runtime::extensions_max) {
    return fail({.code = "Extension.TooManyExtensions",
                 .status = 502,
                 .message = fmt::format("Extension limit ({}) reached", runtime::extensions_max)});
  }
  Variables variables = defaults();
  for (const auto& [name, value] : launch.environment) variables[name] = value;
  for (const auto& [name, value] : dependencies.environment) variables[name] = value;
  for (const auto& [name, value] : function.environment) variables[name] = value;
  set_lambda_variables(variables, function, log_stream);
  set_credentials(variables, credentials);

  sandbox::Spec& spec = plan.spec;
  add_listeners(plan, variables, dependencies);
  spec.id = sandbox_id;
  spec.argv = std::move(launch.argv);
  spec.mounts = std::move(launch.mounts);
  if (!plan.extensions.empty()) supervise(plan, dependencies.paths.supervisor_dir);
  spec.mounts.push_back({function.package_path, "/var/task"});
  for (const std::string& layer : function.layer_paths) spec.mounts.push_back({layer, "/opt"});
  for (const sandbox::ReadOnlyMount& mount : dependencies.mounts) spec.mounts.push_back(mount);
  for (const auto& [name, value] : variables) spec.environment.push_back(name + "=" + value);
  spec.memory_bytes = static_cast<std::uint64_t>(function.memory_mb) << 20;
  spec.tmp_bytes = static_cast<std::uint64_t>(function.ephemeral_mb) << 20;
  spec.hosts = dependencies.hosts;
  if (plan.telemetry) {
    for (const char* name : {"sandbox.localdomain", "sandbox"}) {
      spec.hosts.emplace_back(name, "127.0.0.1");
    }
  }
  return plan;
}

std::string complete_trace(std::string trace, Timestamp now, Random& random) {
  auto lacks = [&trace](std::string_view key) {
    return !trace.starts_with(key) && trace.find(fmt::format(";{}", key)) == std::string::npos;
  };
  if (lacks("Root=")) {
    std::string root = fmt::format("Root=1-{:08x}-{}", to_millis(now) / 1000, random.hex(12));
    trace = trace.empty() ? root : root + ';' + trace;
  }
  if (lacks("Parent=")) trace += ";Parent=" + random.hex(8);
  if (lacks("Sampled=")) trace += ";Sampled=0";
  return trace;
}

}  // namespace wolke::invoke
