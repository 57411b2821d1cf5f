#pragma once
// What the platform says of an instance's life, as events in the schema of Lambda's Telemetry API:
// {"time","type","record"}. They are the log's lines in JSON format and what telemetry subscribers
// are sent. Pure. Source:
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html

#include <string>
#include <string_view>

#include "wolke/base/time.h"
#include "wolke/invoke/invoke.h"
#include "wolke/invoke/log_level.h"
#include "wolke/invoke/report.h"
#include "wolke/runtime/extension_book.h"
#include "wolke/runtime/telemetry_subscription.h"
#include "wolke/shape/json.h"

namespace wolke::invoke {

struct PlatformEvent {
  std::string type;  // "platform.start"
  shape::Json record;
  /// From which level of the system log on it is written.
  LogLevel level = LogLevel::info;

  std::string json(Timestamp at) const;
};

/// How a phase ended: "success", "error", "failure", "timeout"; the error's type where there is
/// one.
struct Ending {
  std::string status = "success";
  std::string error_type = {};
};

PlatformEvent init_start_event(InitPhase phase, const FunctionSpec& function,
                               const std::string& version);
PlatformEvent init_runtime_done_event(InitPhase phase, const Ending& ending);
PlatformEvent init_report_event(InitPhase phase, const Ending& ending, Micros duration);
PlatformEvent start_event(const std::string& request_id, const std::string& version);
PlatformEvent runtime_done_event(const std::string& request_id, const Ending& ending,
                                 Micros duration, std::size_t produced_bytes);
PlatformEvent extension_event(const runtime::Extension& extension);
/// The same as Lambda's text line.
std::string extension_line_of(const runtime::Extension& extension);
PlatformEvent subscription_event(const std::string& extension,
                                 const runtime::TelemetrySubscription& subscription,
                                 runtime::TelemetryState state);
std::string subscription_line(const std::string& extension,
                              const runtime::TelemetrySubscription& subscription,
                              runtime::TelemetryState state);
/// For subscribers of the Logs API only.
PlatformEvent end_event(const std::string& request_id);
PlatformEvent report_event(const Report& report);

/// One line of the application's log that the platform itself writes in JSON format.
std::string application_line(Timestamp at, LogLevel level, std::string_view message,
                             const std::string& request_id);

}  // namespace wolke::invoke
