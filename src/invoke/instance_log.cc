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
    tell(init_start_event(*function_, version));
    if (!warning.empty()) write(application_line(now(), LogLevel::warn, warning, "") + '\n');
    return;
  }
  write(init_start_line(version, function_->region));
  if (!warning.empty()) write("WARN " + warning + "\n");
}

/// In text, as on Lambda, only what failed is reported.
void InstanceLog::init_ended(InitPhase phase, const Ending& ending, Micros duration) {
  if (json_) {
    tell(init_runtime_done_event(phase, ending));
    return tell(init_report_event(phase, ending, duration));
  }
  if (ending.status == "success") return;
  keep(init_report_line(duration, phase, ending.status, ending.error_type));
}

void InstanceLog::started(const std::string& request_id) {
  if (json_) return tell(start_event(request_id, function_->version));
  keep(start_line(request_id, function_->version));
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

void InstanceLog::ended(const Report& report, std::size_t produced_bytes) {
  if (json_) {
    const Ending ending{report.status.empty() ? "success" : report.status, report.error_type};
    tell(runtime_done_event(report.request_id, ending, report.duration, produced_bytes));
    return tell(report_event(report));
  }
  keep(end_line(report.request_id));
  keep(report_line(report));
}

void InstanceLog::line(std::string text) {
  if (json_ && level_of_line(text) < application_level_) return;
  text += '\n';
  keep(std::move(text));
}

void InstanceLog::extension_line(std::string text) {
  text += '\n';
  keep(std::move(text));
}

void InstanceLog::extension(const runtime::Extension& extension) {
  if (json_) return tell(extension_event(extension));
  keep(extension_line_of(extension));
}

std::string InstanceLog::take_tail() {
  std::string tail = std::exchange(tail_, {});
  if (tail.size() > limits::log_tail_bytes) tail.erase(0, tail.size() - limits::log_tail_bytes);
  return tail;
}

void InstanceLog::tell(const PlatformEvent& event) {
  if (event.level < system_level_) return;
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
