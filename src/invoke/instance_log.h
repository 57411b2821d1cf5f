#pragma once
// InstanceLog: everything that is written to the log of one instance, in the format that its
// function asks for: Lambda's text lines, byte for byte, or JSON lines (platform_event.h), filtered
// by the function's two levels. Keeps the tail that an invocation may ask for.
//
// Threads: the loop's. Lifetime: borrows the sink and the clock.

#include <memory>
#include <string>
#include <string_view>

#include "wolke/base/env.h"
#include "wolke/invoke/invoke.h"
#include "wolke/invoke/log_level.h"
#include "wolke/invoke/platform_event.h"
#include "wolke/invoke/report.h"
#include "wolke/runtime/extension_book.h"
#include "wolke/runtime/telemetry.h"

namespace wolke::invoke {

class InstanceLog {
 public:
  /// shared: the fleet's and its instances'.
  InstanceLog(LogSink& sink, Env env, std::shared_ptr<const FunctionSpec> function,
              Timestamp started);

  const std::string& stream() const { return stream_.stream; }

  void init_started(const std::string& version, const std::string& warning);
  /// The runtime's part of the Init phase is over; the extensions' may go on.
  void init_runtime_done(InitPhase phase, const Ending& ending);
  void init_ended(InitPhase phase, const Ending& ending, Micros duration);
  /// From here the lines are of this invocation, until the next.
  void started(const InvokeRequest& request);
  void timed_out(const std::string& request_id);
  void fault(const ServiceFault& fault, const std::string& request_id);
  /// The function has answered, or never will; extensions may go on. An empty status is success.
  void runtime_done(const std::string& request_id, const Ending& ending, Micros duration,
                    std::size_t produced_bytes);
  void ended(const Report& report);
  /// What the program wrote, without its line feed.
  void line(std::string text);

  /// What an extension wrote; it has no level.
  void extension_line(std::string text);
  /// How the Init phase ended for one.
  void extension(const runtime::Extension& extension);

  /// One has subscribed to telemetry.
  void subscribed(const std::string& extension, const runtime::TelemetrySubscription& subscription,
                  runtime::TelemetryState state);

  /// From here everything is told to it too (nullptr: nobody), from the Init phase's begin on.
  void watched_by(runtime::Telemetry* telemetry, InitPhase phase, const std::string& version);
  void watched_by_nobody() { watcher_ = nullptr; }

  /// What was written since the last call, at most its last limits::log_tail_bytes.
  std::string take_tail();

 private:
  /// Whether anybody wants events rather than lines.
  bool structured() const { return json_ || watched(); }
  bool watched() const { return watcher_ && watcher_->listens(); }
  void watch(const PlatformEvent& event);
  void watch_line(runtime::TelemetryKind kind, const std::string& text);
  /// To the watcher, and to a log in JSON.
  void tell(const PlatformEvent& event);
  void keep(std::string line);
  void write(std::string line);
  Timestamp now() const { return env_.clock.wall(); }

  LogSink& sink_;
  Env env_;
  std::shared_ptr<const FunctionSpec> function_;
  LogStream stream_;
  bool json_;
  LogLevel application_level_, system_level_;
  std::string tail_;
  runtime::Telemetry* watcher_ = nullptr;
};

}  // namespace wolke::invoke
