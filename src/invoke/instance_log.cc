#include "wolke/invoke/instance_log.h"

#include <fmt/core.h>

#include <utility>

#include "wolke/base/limits.h"

namespace wolke::invoke {

InstanceLog::InstanceLog(LogSink& sink, Env env, std::shared_ptr<const FunctionSpec> function,
                         Timestamp started)
    : sink_(sink),
      env_(env),
      function_(std::move(function)),
      stream_{.account = function_->account,
              .region = function_->region,
              .group = function_->log_group,
              .stream = log_stream_name(started, function_->version, env.random),
              .function_arn = function_->arn,
              .function_name = function_->name,
              .role_arn = function_->role_arn},
      json_(function_->logging.json),
      application_level_(
          parse_log_level(function_->logging.application_level).value_or(LogLevel::info)),
      system_level_(parse_log_level(function_->logging.system_level).value_or(LogLevel::info)) {}

void InstanceLog::init_started(const std::string& version, const std::string& warning) {
  if (json_) {
    tell(init_start_event(InitPhase::init, *function_, version));
    if (!warning.empty()) write(application_line(now(), LogLevel::warn, warning, "") + '\n');
    return;
  }
  write(init_start_line(version, function_->region));
  if (!warning.empty()) write("WARN " + warning + "\n");
}

void InstanceLog::init_runtime_done(InitPhase phase, const Ending& ending) {
  if (structured()) tell(init_runtime_done_event(phase, ending));
}

/// In text, as on Lambda, only what failed is reported.
void InstanceLog::init_ended(InitPhase phase, const Ending& ending, Micros duration) {
  if (structured()) tell(init_report_event(phase, ending, duration));
  if (json_ || ending.status == "success") return;
  keep(init_report_line(duration, phase, ending.status, ending.error_type));
}

void InstanceLog::started(const InvokeRequest& request) {
  const std::string& request_id = request.request_id;
  stream_.trace = request.trace;
  if (structured()) tell(start_event(request_id, function_->version));
  if (!json_) keep(start_line(request_id, function_->version));
}

void InstanceLog::timed_out(const std::string& request_id) {
  if (!json_) return keep(timed_out_line(now(), request_id, function_->timeout));
  keep(application_line(
           now(), LogLevel::error,
           fmt::format("Task timed out after {}.00 seconds", function_->timeout.count()),
           request_id) +
       '\n');
}

void InstanceLog::fault(const ServiceFault& fault, const std::string& request_id) {
  if (!json_) return keep(fault.message + "\n" + fault.type + "\n");
  keep(application_line(now(), LogLevel::error, fault.message, request_id) + '\n');
}

void InstanceLog::runtime_done(const std::string& request_id, const Ending& ending, Micros duration,
                               std::size_t produced_bytes) {
  if (!structured()) return;
  const Ending known{ending.status.empty() ? "success" : ending.status, ending.error_type};
  tell(runtime_done_event(request_id, known, duration, produced_bytes));
}

void InstanceLog::ended(const Report& report) {
  if (watched()) watch(end_event(report.request_id));
  if (structured()) tell(report_event(report));
  if (json_) return;
  keep(end_line(report.request_id));
  keep(report_line(report));
}

void InstanceLog::line(std::string text) {
  if (json_ && level_of_line(text) < application_level_) return;
  watch_line(runtime::TelemetryKind::function, text);
  text += '\n';
  keep(std::move(text));
}

void InstanceLog::extension_line(std::string text) {
  watch_line(runtime::TelemetryKind::extension, text);
  text += '\n';
  keep(std::move(text));
}

void InstanceLog::extension(const runtime::Extension& extension) {
  if (structured()) tell(extension_event(extension));
  if (!json_) keep(extension_line_of(extension));
}

void InstanceLog::subscribed(const std::string& extension,
                             const runtime::TelemetrySubscription& subscription,
                             runtime::TelemetryState state) {
  if (structured()) tell(subscription_event(extension, subscription, state));
  if (!json_) keep(subscription_line(extension, subscription, state));
}

// ---- telemetry

void InstanceLog::watched_by(runtime::Telemetry* telemetry, InitPhase phase,
                             const std::string& version) {
  watcher_ = telemetry;
  if (watched()) watch(init_start_event(phase, *function_, version));
}

void InstanceLog::watch(const PlatformEvent& event) {
  watcher_->add(runtime::TelemetryKind::platform, event.type, event.record.text());
}

/// A line of JSON stays JSON in a log that is JSON; every other one is a string.
void InstanceLog::watch_line(runtime::TelemetryKind kind, const std::string& text) {
  if (!watched()) return;
  std::string record;
  if (json_ && text.starts_with('{')) {
    if (auto parsed = shape::parse_json(text)) record = parsed->text();
  }
  if (record.empty()) shape::append_json_string(record, text);
  watcher_->add(kind, std::string(name_of(kind)), record);
}

std::string InstanceLog::take_tail() {
  std::string tail = std::exchange(tail_, {});
  if (tail.size() > limits::log_tail_bytes) tail.erase(0, tail.size() - limits::log_tail_bytes);
  return tail;
}

void InstanceLog::tell(const PlatformEvent& event) {
  if (watched()) watch(event);
  if (!json_ || event.level < system_level_) return;
  keep(event.json(now()) + '\n');
}

void InstanceLog::keep(std::string line) {
  tail_ += line;
  if (tail_.size() > 4 * limits::log_tail_bytes) {
    tail_.erase(0, tail_.size() - limits::log_tail_bytes);
  }
  write(std::move(line));
}

void InstanceLog::write(std::string line) {
  sink_.append(stream_, now(), std::move(line));
}

}  // namespace wolke::invoke
