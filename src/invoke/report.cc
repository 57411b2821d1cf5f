#include "wolke/invoke/report.h"

#include <fmt/core.h>

#include <csignal>
#include <cstring>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/runtime/session.h"

namespace wolke::invoke {
namespace {

double millis(Micros t) {
  return static_cast<double>(t.count()) / 1000.0;
}

/// Signal names as Lambda's own init process prints them ("killed", "segmentation fault").
std::string signal_name(int signal) {
  const char* name = ::strsignal(signal);
  return name ? to_lower(name) : std::to_string(signal);
}

}  // namespace

std::uint64_t billed_ms(Micros duration, Micros init_duration) {
  auto total = std::chrono::ceil<std::chrono::milliseconds>(duration + init_duration).count();
  return total < 1 ? 1 : static_cast<std::uint64_t>(total);
}

std::uint64_t used_mb(std::uint64_t memory_peak_bytes) {
  return (memory_peak_bytes + (1 << 20) - 1) >> 20;
}

std::string runtime_version_arn(const std::string& version, const std::string& region) {
  return fmt::format("arn:aws:lambda:{}::runtime:{}", region, to_hex(sha256(version)));
}

std::string init_start_line(const std::string& version, const std::string& region) {
  return fmt::format("INIT_START Runtime Version: {}\tRuntime Version ARN: {}\n", version,
                     runtime_version_arn(version, region));
}

std::string init_report_line(Micros duration, InitPhase phase, std::string_view status,
                             std::string_view error_type) {
  std::string line =
      fmt::format("INIT_REPORT Init Duration: {:.2f} ms\tPhase: {}\tStatus: {}", millis(duration),
                  phase == InitPhase::init ? "init" : "invoke", status);
  if (!error_type.empty()) line += fmt::format("\tError Type: {}", error_type);
  return line + '\n';
}

std::string start_line(const std::string& request_id, const std::string& version) {
  return fmt::format("START RequestId: {} Version: {}\n", request_id, version);
}

std::string end_line(const std::string& request_id) {
  return fmt::format("END RequestId: {}\n", request_id);
}

std::string report_line(const Report& report) {
  std::string line = fmt::format(
      "REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax "
      "Memory Used: {} MB\t",
      report.request_id, millis(report.duration), billed_ms(report.duration, report.init_duration),
      report.memory_mb, used_mb(report.memory_peak_bytes));
  if (report.init_duration > Micros(0)) {
    line += fmt::format("Init Duration: {:.2f} ms\t", millis(report.init_duration));
  }
  if (!report.status.empty()) line += fmt::format("Status: {}", report.status);
  if (report.status == "error") line += fmt::format("\tError Type: {}", report.error_type);
  return line + '\n';
}

std::string timed_out_line(Timestamp at, const std::string& request_id,
                           std::chrono::seconds timeout) {
  return fmt::format("{} {} Task timed out after {}.00 seconds\n\n", format_iso8601(at), request_id,
                     timeout.count());
}

std::string log_stream_name(Timestamp at, const std::string& version, Random& random) {
  std::string date = format_iso8601(at).substr(0, 10);
  for (char& c : date) c = c == '-' ? '/' : c;
  return fmt::format("{}/[{}]{}", date, version, random.hex(16));
}

std::string ServiceFault::json() const {
  return runtime::service_error_json(type, message);
}

ServiceFault exit_fault(const std::string& request_id, const sandbox::Exit& exit) {
  std::string how = "Runtime exited without providing a reason";
  if (exit.signal != 0) {
    how = "Runtime exited with error: signal: " + signal_name(exit.signal);
  } else if (exit.code != 0) {
    how = fmt::format("Runtime exited with error: exit status {}", exit.code);
  }
  return {.type = exit.out_of_memory ? "Runtime.OutOfMemory" : "Runtime.ExitError",
          .message = fmt::format("RequestId: {} Error: {}", request_id, how)};
}

ServiceFault timeout_fault(const std::string& request_id, std::chrono::seconds timeout) {
  return {.type = "Sandbox.Timedout",
          .message = fmt::format("RequestId: {} Error: Task timed out after {}.00 seconds",
                                 request_id, timeout.count())};
}

ServiceFault extension_fault(const std::string& request_id, const std::string& type,
                             const std::string& what) {
  return {.type = type, .message = fmt::format("RequestId: {} Error: {}", request_id, what)};
}

ServiceFault runtime_fault(const std::string& request_id, std::string_view what) {
  return {.type = "Runtime.ExitError",
          .message =
              fmt::format("RequestId: {} Error: Runtime sent {} and was ended", request_id, what)};
}

}  // namespace wolke::invoke
