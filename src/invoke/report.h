#pragma once
// The lines that Lambda itself writes to a function's log, in its text format: tools match them,
// tabs included. Each ends with its line feed. Also the meter's arithmetic and the errors that the
// service reports for a function. Source:
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "wolke/base/env.h"
#include "wolke/base/time.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::invoke {

using Micros = std::chrono::microseconds;

struct Report {
  std::string request_id;
  Micros duration{0};
  Micros init_duration{0};  // 0: warm
  std::uint32_t memory_mb = 0;
  std::uint64_t memory_peak_bytes = 0;
  std::string status;      // "", "timeout", "error"
  std::string error_type;  // with "error"
  /// How much of the duration was extensions' work after the answer.
  Micros extensions_duration{0};
};

/// In megabytes, as Lambda says it.
std::uint64_t used_mb(std::uint64_t memory_peak_bytes);
std::string runtime_version_arn(const std::string& version, const std::string& region);
/// Every begun millisecond of the Init phase and the invocation together.
std::uint64_t billed_ms(Micros duration, Micros init_duration);

std::string init_start_line(const std::string& version, const std::string& region);
/// A failed Init phase runs again inside the first invocation.
enum class InitPhase { init, invoke };
std::string init_report_line(Micros duration, InitPhase phase, std::string_view status,
                             std::string_view error_type);
std::string start_line(const std::string& request_id, const std::string& version);
std::string end_line(const std::string& request_id);
std::string report_line(const Report& report);
std::string timed_out_line(Timestamp at, const std::string& request_id,
                           std::chrono::seconds timeout);

/// "YYYY/MM/DD/[version]<32 hex digits>": one log stream for each instance.
std::string log_stream_name(Timestamp at, const std::string& version, Random& random);

/// What the service answers in the place of a function that cannot:
/// {"errorType":…,"errorMessage":…}.
struct ServiceFault {
  std::string type;
  std::string message;
  std::string json() const;
};
ServiceFault exit_fault(const std::string& request_id, const sandbox::Exit& exit);
ServiceFault timeout_fault(const std::string& request_id, std::chrono::seconds timeout);
ServiceFault extension_fault(const std::string& request_id, const std::string& type,
                             const std::string& what);
ServiceFault runtime_fault(const std::string& request_id, std::string_view what);

}  // namespace wolke::invoke
