#include "wolke/services/lambda/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wolke/base/hash.h"
#include "wolke/base/limits.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/shape/json.h"

namespace wolke::lambda {
namespace {

namespace m = model::lambda;
constexpr std::int32_t timeout_s_max = 900;

/// Set by the platform; source: Lambda developer guide, "Defined runtime environment variables".
constexpr auto reserved_names = std::to_array<std::string_view>(
    {"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION",
     "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME",
     "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
     "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY",
     "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT"});

Result<void> check_environment(const std::map<std::string, std::string>& variables) {
  std::string reserved;
  shape::Json measured{shape::Json::Object{}};
  for (const auto& [name, value] : variables) {
    if (value.find('\0') != value.npos) {
      return fail(invalid_parameter(
          fmt::format("The value of environment variable {} contains a zero byte.", name)));
    }
    if (std::find(reserved_names.begin(), reserved_names.end(), name) != reserved_names.end()) {
      reserved += (reserved.empty() ? "" : ", ") + name;
    }
    measured.set(name, value);
  }
  if (!reserved.empty()) {
    return fail(
        invalid_parameter("Lambda was unable to configure your environment variables because the "
                          "environment variables you have provided "
                          "contains reserved keys that are currently not supported for "
                          "modification. Reserved keys used in this request: " +
                          reserved));
  }
  const std::string text = measured.text();
  if (text.size() > limits::environment_bytes_max) {
    return fail(
        invalid_parameter("Lambda was unable to configure your environment variables because the "
                          "environment variables you have provided "
                          "exceeded the 4KB limit. String measured: " +
                          text));
  }
  return {};
}

Result<void> check_timeout(std::int32_t timeout) {
  if (timeout <= timeout_s_max) return {};
  return fail(
      validation(fmt::format("1 validation error detected: Value '{}' at 'timeout' failed to "
                             "satisfy constraint: Member must have value less "
                             "than or equal to 900",
                             timeout)));
}

/// What Lambda knows, in the order in which it says so.
constexpr auto runtimes_known = std::to_array<std::string_view>(
    {"nodejs20.x", "python3.14", "provided.al2023", "python3.12",   "python3.13",
     "nodejs24.x", "nodejs22.x", "java25",          "python3.10",   "python3.11",
     "java21",     "ruby3.3",    "ruby3.4",         "ruby3.2",      "python3.8",
     "python3.9",  "java17",     "nodejs16.x",      "dotnet10",     "dotnet8",
     "java11",     "dotnet6",    "nodejs18.x",      "provided.al2", "java8.al2"});

/// Of these no function can be made any more; layers may still say that they go with them.
constexpr auto runtimes_of_old = std::to_array<std::string_view>(
    {"dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1", "dotnet5.0", "go1.x",
     "java8", "ruby2.5", "ruby2.7"});

Result<void> check_runtime(const std::string& runtime) {
  for (std::string_view family : {"nodejs", "python", "provided"}) {
    if (runtime.starts_with(family)) return {};
  }
  if (std::find(runtimes_known.begin(), runtimes_known.end(), runtime) == runtimes_known.end()) {
    return fail(
        invalid_parameter(fmt::format("Value {} at 'runtime' failed to satisfy constraint: Member "
                                      "must satisfy enum value set: [{}] or be a valid ARN",
                                      runtime, fmt::join(runtimes_known, ", "))));
  }
  return fail(
      invalid_parameter(fmt::format("The runtime parameter of {} is not served by this server: "
                                    "nodejs, python and provided runtimes are.",
                                    runtime)));
}

/// What a layer may be said to go with.
bool is_known(const std::string& runtime) {
  return check_runtime(runtime) ||
         std::ranges::find(runtimes_known, runtime) != runtimes_known.end() ||
         std::ranges::find(runtimes_of_old, runtime) != runtimes_of_old.end();
}

/// Kept and answered; nothing is connected. Without subnets and groups the function leaves its VPC.
std::optional<Vpc> vpc_of(const m::VpcConfig& input) {
  Vpc out;
  out.subnets = input.subnet_ids.value_or(std::vector<std::string>{});
  out.groups = input.security_group_ids.value_or(std::vector<std::string>{});
  out.ipv6 = input.ipv6_allowed_for_dual_stack.value_or(false);
  if (out.subnets.empty() && out.groups.empty()) return std::nullopt;
  return out;
}

/// Kept and answered; nothing is mounted.
std::vector<FileSystem> file_systems_of(const std::vector<m::FileSystemConfig>& input) {
  std::vector<FileSystem> out;
  for (const m::FileSystemConfig& system : input) {
    FileSystem& one = out.emplace_back();
    one.arn = system.arn.value_or("");
    one.path = system.local_mount_path.value_or("");
  }
  return out;
}

Result<Logging> logging_of(const m::LoggingConfig& input, Logging out) {
  if (input.log_format) out.format = *input.log_format;
  if (out.format != "JSON") {
    if (input.application_log_level || input.system_log_level) {
      return fail(
          invalid_parameter("To configure log levels, you must set the log format to JSON. Log "
                            "levels are not supported for Text."));
    }
    out.application_level.clear();
    out.system_level.clear();
  } else {
    out.application_level = input.application_log_level.value_or(
        out.application_level.empty() ? "INFO" : out.application_level);
    out.system_level =
        input.system_log_level.value_or(out.system_level.empty() ? "INFO" : out.system_level);
  }
  if (input.log_group) out.group = *input.log_group;
  return out;
}

/// The members that creation and update have in common, by the same names in both requests.
template <class Request>
Result<void> apply(FunctionVersion& version, const Request& input) {
  if (input.image_config) return fail(not_served("ImageConfig"));
  if (input.capacity_provider_config) return fail(not_served("CapacityProviderConfig"));
  if (input.durable_config) return fail(not_served("DurableConfig"));
  if (input.runtime) {
    TRY(check_runtime(*input.runtime));
    version.runtime = *input.runtime;
  }
  if (input.timeout) {
    TRY(check_timeout(*input.timeout));
    version.timeout_s = static_cast<std::uint32_t>(*input.timeout);
  }
  if (input.environment) {
    const auto variables =
        input.environment->variables.value_or(std::map<std::string, std::string>{});
    TRY(check_environment(variables));
    version.environment = variables;
    version.environment_given = input.environment->variables.has_value();
  }
  if (input.role) version.role = *input.role;
  if (input.handler) version.handler = *input.handler;
  if (input.description) version.description = *input.description;
  if (input.memory_size) version.memory_mb = static_cast<std::uint32_t>(*input.memory_size);
  if (input.kms_key_arn) version.kms_key = *input.kms_key_arn;
  if (input.dead_letter_config) {
    // An event that would be lost there is not promised a place there.
    const std::string target = input.dead_letter_config->target_arn.value_or("");
    if (!target.empty()) return fail(not_served("DeadLetterConfig with " + target));
    version.dead_letter.clear();
  }
  if (input.tracing_config) version.tracing = input.tracing_config->mode.value_or("PassThrough");
  if (input.ephemeral_storage && input.ephemeral_storage->size) {
    version.ephemeral_mb = static_cast<std::uint32_t>(*input.ephemeral_storage->size);
  }
  if (input.vpc_config) version.vpc = vpc_of(*input.vpc_config);
  if (input.file_system_configs) version.file_systems = file_systems_of(*input.file_system_configs);
  if (input.snap_start) version.snap_start = input.snap_start->apply_on.value_or("None");
  if (input.logging_config) {
    TRY(version.logging, logging_of(*input.logging_config, version.logging));
  }
  return {};
}

}  // namespace

Result<void> check_known_runtime(const std::string& runtime) {
  if (is_known(runtime)) return {};
  return fail(
      validation(fmt::format("1 validation error detected: Value '{}' at 'compatibleRuntime' "
                             "failed to satisfy constraint: Member must satisfy enum value set: "
                             "[{}]",
                             runtime, fmt::join(runtimes_known, ", "))));
}

Result<void> check_known_runtimes(const std::vector<std::string>& runtimes) {
  for (const std::string& runtime : runtimes) {
    if (is_known(runtime)) continue;
    return fail(validation(
        fmt::format("1 validation error detected: Value '[{}]' at 'compatibleRuntimes' failed to "
                    "satisfy constraint: Member must satisfy enum value set: [{}]",
                    fmt::join(runtimes, ", "), fmt::join(runtimes_known, ", "))));
  }
  return {};
}

Result<void> check_architectures(const std::optional<std::vector<std::string>>& architectures) {
  if (!architectures || architectures->empty()) return {};
  if (architectures->size() == 1) return {};
  return fail(validation("1 validation error detected: Value '[" + architectures->front() +
                         ", ...]' at 'architectures' failed to satisfy constraint: Member must "
                         "have length less than or equal to 1"));
}

Result<FunctionVersion> configure(const m::CreateFunctionRequest& input) {
  if (input.package_type.value_or("Zip") != "Zip") return fail(not_served("PackageType Image"));
  if (!input.runtime || !input.handler) {
    return fail(
        invalid_parameter("Runtime and Handler are mandatory parameters for functions created with "
                          "deployment packages."));
  }
  if (input.tenancy_config) return fail(not_served("TenancyConfig"));
  if (input.publish_to) return fail(not_served("PublishTo"));
  TRY(check_architectures(input.architectures));
  FunctionVersion out;
  out.version = latest;
  out.tracing = "PassThrough";
  out.snap_start = "None";
  out.architecture = input.architectures && !input.architectures->empty()
                         ? input.architectures->front()
                         : "x86_64";
  TRY(apply(out, input));
  return out;
}

Result<void> reconfigure(FunctionVersion& version,
                         const m::UpdateFunctionConfigurationRequest& input) {
  return apply(version, input);
}

std::string format_modified(Timestamp t) {
  std::string out = format_iso8601(t);  // 2026-11-23T09:51:13.000Z
  out.pop_back();
  return out + "+0000";
}

namespace {

m::LoggingConfig describe_logging(const FunctionRef& ref, const Logging& logging) {
  m::LoggingConfig out;
  out.log_format = logging.format;
  if (logging.format == "JSON") {
    out.application_log_level = logging.application_level;
    out.system_log_level = logging.system_level;
  }
  out.log_group = logging.group.empty() ? "/aws/lambda/" + ref.name : logging.group;
  return out;
}

void describe_phase(m::FunctionConfiguration& out, Phase phase) {
  out.state = phase == Phase::creating ? "Pending" : "Active";
  out.last_update_status = phase == Phase::updating ? "InProgress" : "Successful";
  if (phase == Phase::creating) {
    out.state_reason = "The function is being created.";
    out.state_reason_code = "Creating";
    out.last_update_status.reset();
  }
  if (phase == Phase::updating) {
    out.last_update_status_reason = "The function is being created.";
    out.last_update_status_reason_code = "Creating";
  }
}

}  // namespace

namespace {

/// Layers, and what is configured beside the code.
void describe_surroundings(m::FunctionConfiguration& out, const FunctionVersion& version) {
  if (!version.layers.empty()) {
    auto& layers = out.layers.emplace();
    for (const LayerUse& layer : version.layers) {
      layers.push_back(
          {.arn = layer.arn, .code_size = static_cast<std::int64_t>(layer.code.bytes)});
    }
  }
  if (version.vpc) {
    auto& vpc = out.vpc_config.emplace();
    vpc.subnet_ids = version.vpc->subnets;
    vpc.security_group_ids = version.vpc->groups;
    vpc.vpc_id = "";
    vpc.ipv6_allowed_for_dual_stack = version.vpc->ipv6;
  }
  if (!version.file_systems.empty()) {
    auto& systems = out.file_system_configs.emplace();
    for (const FileSystem& system : version.file_systems)
      systems.push_back({.arn = system.arn, .local_mount_path = system.path});
  }
}

}  // namespace

m::FunctionConfiguration describe_in_list(const FunctionRef& ref, const FunctionVersion& version,
                                          bool qualified) {
  m::FunctionConfiguration out;
  out.function_name = ref.name;
  out.function_arn = qualified ? ref.arn() + ":" + version.version : ref.arn();
  out.runtime = version.runtime;
  out.role = version.role;
  out.handler = version.handler;
  out.code_size = static_cast<std::int64_t>(version.code.bytes);
  out.description = version.description;
  out.timeout = static_cast<std::int32_t>(version.timeout_s);
  out.memory_size = static_cast<std::int32_t>(version.memory_mb);
  out.last_modified = format_modified(version.modified);
  out.code_sha256 = version.code.sha256;
  out.version = version.version;
  if (!version.dead_letter.empty())
    out.dead_letter_config = m::DeadLetterConfig{.target_arn = version.dead_letter};
  if (!version.environment.empty() || version.environment_given) {
    out.environment.emplace();
    out.environment->variables = version.environment;
  }
  if (!version.kms_key.empty()) out.kms_key_arn = version.kms_key;
  out.tracing_config = m::TracingConfigResponse{.mode = version.tracing};
  out.revision_id = version.revision_id();
  out.package_type = "Zip";
  out.architectures = {version.architecture};
  out.ephemeral_storage =
      m::EphemeralStorage{.size = static_cast<std::int32_t>(version.ephemeral_mb)};
  describe_surroundings(out, version);
  // Snapshots are not taken; the status says so.
  out.snap_start =
      m::SnapStartResponse{.apply_on = version.snap_start, .optimization_status = "Off"};
  out.logging_config = describe_logging(ref, version.logging);
  return out;
}

m::FunctionConfiguration describe(const FunctionRef& ref, const FunctionVersion& version,
                                  bool qualified, Phase phase) {
  m::FunctionConfiguration out = describe_in_list(ref, version, qualified);
  describe_phase(out, phase);
  out.runtime_version_config.emplace();
  out.runtime_version_config->runtime_version_arn =
      fmt::format("arn:aws:lambda:{}::runtime:{}", ref.region, to_hex(sha256(version.runtime)));
  return out;
}

m::FunctionConfiguration describe_change(const FunctionRef& ref, const FunctionVersion& version,
                                         Phase phase, std::string revision) {
  m::FunctionConfiguration out = describe(ref, version, false, phase);
  out.revision_id = std::move(revision);
  return out;
}

}  // namespace wolke::lambda
