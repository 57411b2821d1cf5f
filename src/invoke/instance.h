#pragma once
// LiveInstance: one sandbox with one runtime in it, from its start to its end: it initialises,
// serves invocations one at a time, carries the function's output to the log, and says of each
// invocation what happened in Lambda's words.
//
// Tasks of its own (two log pumps, one that waits for the program's end) run inside its gate;
// shut_down() ends them and must have been awaited before destruction. Whatever the function does
// is an InvokeResult; only a sandbox that cannot be made is an Error. Threads: the loop's.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "wolke/async/event.h"
#include "wolke/async/gate.h"
#include "wolke/invoke/invoke.h"
#include "wolke/invoke/invoker.h"
#include "wolke/invoke/log_lines.h"
#include "wolke/invoke/report.h"
#include "wolke/runtime/name_server.h"
#include "wolke/runtime/session.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::invoke {

struct Plan;

class LiveInstance {
 public:
  enum class State { starting, busy, idle, frozen, ending };

  /// `on_exit` is called when the program has ended by itself, busy or not. shared: `function` is
  /// the fleet's, and is read until the last of its instances has ended.
  LiveInstance(const Dependencies& dependencies, std::shared_ptr<const FunctionSpec> function,
               std::function<void(LiveInstance&)> on_exit);
  LiveInstance(const LiveInstance&) = delete;
  LiveInstance& operator=(const LiveInstance&) = delete;

  /// Makes the sandbox and runs the Init phase. A failed Init phase is no Error: the first
  /// invocation reports it.
  async::Task<Result<void>> start();
  /// nullopt: the program had ended since its last invocation and never heard of this one;
  /// `request` is whole, for another instance. The request outlives the task.
  async::Task<std::optional<InvokeResult>> invoke(InvokeRequest& request);
  void freeze();
  void kill();
  async::Task<void> shut_down();

  /// False once it must not be given another invocation.
  bool reusable() const { return !broken_ && !exit_; }
  /// Whether the function's credentials last for another invocation.
  bool fresh() const;
  bool initialised() const { return !init_failure_; }

  const std::string& id() const { return id_; }
  const FunctionSpec& function() const { return *function_; }
  std::uint64_t invocations() const { return invocations_; }
  Timestamp started() const { return started_; }

  // The pool's own notes on it.
  State state = State::starting;
  Monotonic idle_since{};
  bool freezer_waits = false;

 private:
  struct Verdict {
    std::string payload;
    FunctionError error = FunctionError::none;
    std::string status;  // of the REPORT line
    std::string error_type;
  };

  async::Task<Result<void>> make_sandbox();
  async::Task<void> initialise();
  void begin(const Plan& plan);
  async::Task<Verdict> judge(runtime::Outcome outcome, std::string request_id);
  async::Task<Verdict> judge_ended(std::string request_id);
  Verdict fault(const ServiceFault& fault, std::string_view status);
  InvokeResult finish(const InvokeRequest& request, Verdict verdict, Micros duration, Micros init);
  void thaw();

  async::Task<void> pump(int fd, LineCutter& cutter);
  async::Task<void> watch_exit();
  enum class Read { some, none, ended };
  Read read_once(int fd, LineCutter& cutter);
  void drain_output();
  void take_line(std::string line);
  void emit(std::string line);
  void log_only(std::string line);

  const Dependencies& dependencies_;
  async::Loop& loop_;
  std::shared_ptr<const FunctionSpec> function_;
  std::function<void(LiveInstance&)> on_exit_;
  std::string id_;
  std::string log_stream_;
  Timestamp started_{};
  Timestamp credentials_expire_ = Timestamp::max();

  std::unique_ptr<sandbox::Instance> sandbox_;
  std::unique_ptr<runtime::Session> session_;
  std::unique_ptr<runtime::NameServer> names_;
  std::optional<sandbox::Exit> exit_;
  async::Event exited_;
  async::Gate gate_;
  bool broken_ = false;

  std::optional<runtime::Outcome> init_failure_;
  Micros init_duration_{0};
  Micros init_overrun_{
      0};  // of the Init phase beyond its own limit; part of the first invocation's duration
  std::uint64_t invocations_ = 0;

  LineCutter stdout_lines_, stderr_lines_;
  FloodGate flood_;
  std::string tail_;
};

}  // namespace wolke::invoke
