#pragma once
// Running a function version: admission → placement → pool → sandbox → runtime → result.
//
// A FunctionSpec is everything that decides what runs; its `revision` names it: instances are
// reused for the same revision only, so new code or configuration means new sandboxes. Threads: one
// loop.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wolke/async/task.h"
#include "wolke/base/result.h"
#include "wolke/base/time.h"

namespace wolke::invoke {

/// An immutable function version, resolved by the Lambda service.
struct FunctionSpec {
  std::string account;
  std::string region;
  std::string name;
  std::string version;   // "$LATEST" or a number
  std::string arn;       // unqualified
  std::string revision;  // changes with code or configuration; with arn and version it names the
                         // sandbox's contents
  std::string runtime;   // "nodejs22.x"
  std::string architecture;  // that its code is for: "x86_64", "arm64"
  std::string handler;
  std::string role_arn;
  std::map<std::string, std::string> environment;
  std::uint32_t memory_mb = 128;
  std::uint32_t ephemeral_mb = 512;
  std::chrono::seconds timeout{3};
  std::string package_path;  // host directory, read-only, content-addressed
  std::vector<std::string> layer_paths;
  std::string log_group;
  /// The format of its log; levels count in JSON only ("INFO" when empty).
  struct Logging {
    bool json = false;
    std::string application_level = {}, system_level = {};
  };
  Logging logging = {};
  std::optional<std::uint32_t> reserved_concurrency;
};

struct InvokeRequest {
  std::string request_id;
  std::string invoked_arn;     // as the caller named it (with qualifier)
  std::string payload;         // JSON text; empty is passed on as "{}"… see invoke.cc
  std::string client_context;  // JSON text or empty
  std::string trace;
  bool want_log_tail = false;
};

enum class FunctionError { none, handled, unhandled };

struct InvokeResult {
  std::string payload;  // the function's JSON, or the error JSON
  FunctionError error = FunctionError::none;
  std::string log_tail;  // last 4 KB, plain
  std::chrono::microseconds duration{0};
  std::chrono::microseconds init_duration{0};  // 0: warm
  std::uint64_t billed_ms = 0;
  std::uint64_t memory_peak_bytes = 0;
};

class Invoker {
 public:
  virtual ~Invoker() = default;
  /// Errors: "TooManyRequestsException" 429 (field Reason:
  /// ReservedFunctionConcurrentInvocationLimitExceeded, …), "ServiceException" 500. A function's
  /// own failure is a result, not an error.
  virtual async::Task<Result<InvokeResult>> invoke(const FunctionSpec& function,
                                                   InvokeRequest request) = 0;
  /// Running and idle instances, for `wolke ps`.
  struct InstanceInfo {
    std::string function_arn, version, sandbox_id, state;
    Timestamp started{};
    std::uint64_t invocations = 0;
  };
  virtual std::vector<InstanceInfo> instances() const = 0;
  /// What has instances, or invocations that wait for one.
  virtual std::vector<std::shared_ptr<const FunctionSpec>> running() const = 0;
  /// This very revision is over: its idle instances end now, the others after their invocation.
  virtual void retire(const FunctionSpec& function) = 0;
  virtual async::Task<void> stop() = 0;
};

/// Where an instance's lines go, and whose right it takes to write there: the function's role's.
struct LogStream {
  std::string account, region, group, stream;
  std::string function_arn, function_name, role_arn;
  /// Of the invocation that the lines belong to; empty: to none.
  std::string trace = {};
};

/// Where function logs go: app wires it to the logs service. Must not block; loss is counted, never
/// silent.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void append(const LogStream& to, Timestamp at, std::string line) = 0;
};

/// Session credentials for a function's role, bound to a sandbox.
struct SandboxCredentials {
  std::string access_key_id, secret_access_key, session_token;
  Timestamp expires{};
};
using CredentialSource = std::function<Result<SandboxCredentials>(const FunctionSpec& function,
                                                                  const std::string& sandbox_id)>;

/// One usage record for each invocation (design: meter).
struct UsageRecord {
  std::string account, function_arn, version, request_id;
  Timestamp at{};
  std::uint64_t billed_ms = 0, memory_mb = 0, duration_us = 0;
  bool cold = false, error = false;
};
using MeterSink = std::function<void(UsageRecord)>;

}  // namespace wolke::invoke
