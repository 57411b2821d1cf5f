#include "wolke/invoke/platform_event.h"

#include <fmt/format.h>

#include <utility>

namespace wolke::invoke {
namespace {

using shape::Json;

Json millis_of(Micros duration) {
  return Json::Number{fmt::format("{}", static_cast<double>(duration.count()) / 1000.0)};
}

const char* phase_name(InitPhase phase) {
  return phase == InitPhase::init ? "init" : "invoke";
}

void set_ending(Json& record, const Ending& ending) {
  record.set("status", ending.status);
  if (!ending.error_type.empty()) record.set("errorType", ending.error_type);
}

LogLevel level_of(const Ending& ending, LogLevel on_success) {
  return ending.status == "success" ? on_success : LogLevel::warn;
}

Json init_record(InitPhase phase, const Ending& ending) {
  Json record;
  record.set("initializationType", "on-demand");
  record.set("phase", phase_name(phase));
  set_ending(record, ending);
  return record;
}

std::string_view name_of(LogLevel level) {
  constexpr std::string_view names[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
  return names[static_cast<std::size_t>(level)];
}

}  // namespace

std::string PlatformEvent::json(Timestamp at) const {
  Json out;
  out.set("time", format_iso8601(at));
  out.set("type", type);
  out.set("record", record);
  return out.text();
}

PlatformEvent init_start_event(InitPhase phase, const FunctionSpec& function,
                               const std::string& version) {
  Json record;
  record.set("initializationType", "on-demand");
  record.set("phase", phase_name(phase));
  record.set("runtimeVersion", version);
  record.set("runtimeVersionArn", runtime_version_arn(version, function.region));
  record.set("functionName", function.name);
  record.set("functionVersion", function.version);
  return {.type = "platform.initStart", .record = std::move(record)};
}

PlatformEvent init_runtime_done_event(InitPhase phase, const Ending& ending) {
  return {.type = "platform.initRuntimeDone",
          .record = init_record(phase, ending),
          .level = level_of(ending, LogLevel::debug)};
}

PlatformEvent init_report_event(InitPhase phase, const Ending& ending, Micros duration) {
  Json record = init_record(phase, ending);
  Json metrics;
  metrics.set("durationMs", millis_of(duration));
  record.set("metrics", std::move(metrics));
  return {.type = "platform.initReport",
          .record = std::move(record),
          .level = level_of(ending, LogLevel::debug)};
}

PlatformEvent start_event(const std::string& request_id, const std::string& version) {
  Json record;
  record.set("requestId", request_id);
  record.set("version", version);
  return {.type = "platform.start", .record = std::move(record)};
}

PlatformEvent runtime_done_event(const std::string& request_id, const Ending& ending,
                                 Micros duration, std::size_t produced_bytes) {
  Json record;
  record.set("requestId", request_id);
  set_ending(record, ending);
  Json metrics;
  metrics.set("durationMs", millis_of(duration));
  metrics.set("producedBytes", static_cast<std::uint64_t>(produced_bytes));
  record.set("metrics", std::move(metrics));
  return {.type = "platform.runtimeDone",
          .record = std::move(record),
          .level = level_of(ending, LogLevel::debug)};
}

PlatformEvent extension_event(const runtime::Extension& extension) {
  Json record;
  record.set("name", extension.name);
  record.set("state", extension.state_name());
  Json::Array events;
  for (std::string& event : extension.events()) events.emplace_back(std::move(event));
  record.set("events", std::move(events));
  const bool failed = !extension.error_type.empty();
  if (failed) record.set("errorType", extension.error_type);
  return {.type = "platform.extension",
          .record = std::move(record),
          .level = failed ? LogLevel::warn : LogLevel::info};
}

std::string extension_line_of(const runtime::Extension& extension) {
  std::string line = fmt::format("EXTENSION\tName: {}\tState: {}\tEvents: [{}]", extension.name,
                                 extension.state_name(), fmt::join(extension.events(), ", "));
  if (!extension.error_type.empty()) line += "\tError Type: " + extension.error_type;
  return line + '\n';
}

PlatformEvent subscription_event(const std::string& extension,
                                 const runtime::TelemetrySubscription& subscription,
                                 runtime::TelemetryState state) {
  const bool logs = subscription.api == runtime::TelemetryApi::logs;
  Json record;
  record.set("name", extension);
  record.set("state", name_of(state));
  Json::Array types;
  for (runtime::TelemetryKind kind : subscription.kinds) types.emplace_back(name_of(kind));
  record.set("types", std::move(types));
  return {.type = logs ? "platform.logsSubscription" : "platform.telemetrySubscription",
          .record = std::move(record)};
}

std::string subscription_line(const std::string& extension,
                              const runtime::TelemetrySubscription& subscription,
                              runtime::TelemetryState state) {
  std::vector<std::string_view> kinds;
  for (runtime::TelemetryKind kind : subscription.kinds) kinds.push_back(title_of(kind));
  return fmt::format("{}\tName: {}\tState: {}\tTypes: [{}]\n",
                     subscription.api == runtime::TelemetryApi::logs ? "LOGS" : "TELEMETRY",
                     extension, name_of(state), fmt::join(kinds, ", "));
}

PlatformEvent end_event(const std::string& request_id) {
  Json record;
  record.set("requestId", request_id);
  return {.type = "platform.end", .record = std::move(record)};
}

PlatformEvent report_event(const Report& report) {
  const Ending ending{report.status.empty() ? "success" : report.status, report.error_type};
  Json record;
  record.set("requestId", report.request_id);
  Json metrics;
  metrics.set("durationMs", millis_of(report.duration));
  metrics.set("billedDurationMs", billed_ms(report.duration, report.init_duration));
  metrics.set("memorySizeMB", static_cast<std::uint64_t>(report.memory_mb));
  metrics.set("maxMemoryUsedMB", used_mb(report.memory_peak_bytes));
  if (report.init_duration > Micros(0)) {
    metrics.set("initDurationMs", millis_of(report.init_duration));
  }
  record.set("metrics", std::move(metrics));
  if (report.extensions_duration > Micros(0)) {
    Json span;
    span.set("name", "extensionOverhead");
    span.set("durationMs", millis_of(report.extensions_duration));
    record.set("spans", Json::Array{std::move(span)});
  }
  set_ending(record, ending);
  return {.type = "platform.report",
          .record = std::move(record),
          .level = level_of(ending, LogLevel::info)};
}

std::string application_line(Timestamp at, LogLevel level, std::string_view message,
                             const std::string& request_id) {
  Json out;
  out.set("timestamp", format_iso8601(at));
  out.set("level", std::string(name_of(level)));
  out.set("message", std::string(message));
  if (!request_id.empty()) out.set("requestId", request_id);
  return out.text();
}

}  // namespace wolke::invoke
