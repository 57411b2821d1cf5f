#pragma once
// LiveInstance: one execution environment, from its start to its end: it initialises, serves
// invocations one at a time, carries the function's output to the log, and says of each invocation
// what happened in Lambda's words. An Init phase that fails is run a second time, in a new sandbox
// and inside the first invocation.
//
// shut_down() must have been awaited before destruction. Whatever the function does is an
// InvokeResult; only a sandbox that cannot be made is an Error. Threads: the loop's.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "wolke/invoke/instance_log.h"
#include "wolke/invoke/invoke.h"
#include "wolke/invoke/invoker.h"
#include "wolke/invoke/program.h"
#include "wolke/invoke/report.h"
#include "wolke/runtime/session.h"

namespace wolke::invoke {

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
  /// invocation runs it again.
  async::Task<Result<void>> start();
  /// nullopt: the program had ended since its last invocation and never heard of this one;
  /// `request` is whole, for another instance. The request outlives the task.
  async::Task<std::optional<InvokeResult>> invoke(InvokeRequest& request);
  /// Whether the invocation goes on in extensions, though its answer is known.
  bool settling() const { return pending_.has_value(); }
  /// Once, while settling(): waits for them, and writes what it took into the result.
  async::Task<void> settle(InvokeResult& result);
  void freeze();
  /// It will not be used again: what needs no farewell ends at once, the rest in shut_down().
  void give_up();
  void kill();
  async::Task<void> shut_down();

  /// False once it must not be given another invocation.
  bool reusable() const {
    return !broken_ && !init_failure_ && program_ && !program_->has_ended() &&
           !program_->extension_fault();
  }
  /// Whether the function's credentials last for another invocation.
  bool fresh() const;

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

  /// An invocation whose answer is known.
  struct Pending {
    std::string request_id;
    Monotonic began{}, deadline{};
    Micros init{0};
    bool want_log_tail = false;
    std::size_t produced_bytes = 0;
    std::string status = {}, error_type = {};
  };

  /// One run of the Init phase: a sandbox, its program, the program's word that it is ready. The
  /// outcome is Outcome::ready or why it failed.
  async::Task<Result<runtime::Outcome>> initialise(Micros limit, Monotonic latest);
  async::Task<void> initialise_again(Monotonic deadline);
  async::Task<Ending> ending_of_init(runtime::Outcome outcome);
  void say_init_ended(InitPhase phase, const Ending& ending, Micros took);
  async::Task<sandbox::Exit> last_exit();
  async::Task<void> end_program();

  async::Task<Verdict> judge(runtime::Outcome outcome, std::string request_id);
  async::Task<Verdict> judge_ended(std::string request_id);
  Verdict fault(const ServiceFault& fault, std::string_view status);
  Verdict judge_extensions(const std::string& request_id);
  void report(Pending ended, Micros duration, InvokeResult& result);
  runtime::ShutdownReason farewell_reason() const;
  void thaw();

  void drain_output();

  const Dependencies& dependencies_;
  async::Loop& loop_;
  std::shared_ptr<const FunctionSpec> function_;
  std::function<void(LiveInstance&)> on_exit_;
  std::string id_;
  Timestamp started_{};
  InstanceLog log_;
  Timestamp credentials_expire_ = Timestamp::max();

  std::unique_ptr<Program> program_;  // none where a run of the Init phase did not get that far
  bool broken_ = false;
  std::optional<runtime::Outcome> init_failure_;
  Micros init_duration_{0};
  bool started_once_ = false;  // INIT_START has been said
  std::uint64_t invocations_ = 0;
  std::optional<Pending> pending_;
  bool timed_out_ = false;
};

}  // namespace wolke::invoke
