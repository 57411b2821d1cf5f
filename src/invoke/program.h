#pragma once
// Program: one sandbox with one runtime in it, from the sandbox's start to its end. It serves the
// sandbox's doors, carries the program's output away line by line, limited in rate, and notices its
// end. An instance has one at a time; a failed Init phase is run again in a new one.
//
// With external extensions a supervisor is started in the runtime's place (runtime/supervision.h):
// "ended" then means the runtime, and the sandbox lives until it is killed.
//
// Tasks of its own (two pumps, one that waits for the end) run inside its gate; shut_down() ends
// them and must have been awaited before destruction, once start() was called. Threads: the loop's.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wolke/async/event.h"
#include "wolke/async/gate.h"
#include "wolke/invoke/environment.h"
#include "wolke/invoke/invoker.h"
#include "wolke/invoke/log_lines.h"
#include "wolke/net/server.h"
#include "wolke/runtime/extension_api.h"
#include "wolke/runtime/name_server.h"
#include "wolke/runtime/session.h"
#include "wolke/runtime/supervision.h"
#include "wolke/runtime/telemetry.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::invoke {

class Program {
 public:
  /// What its owner is told of; each may be called until shut_down() has ended.
  struct Owner {
    std::function<void(std::string line)> on_line;  // without its line feed
    std::function<void(std::string line)> on_extension_line;
    runtime::Telemetry::Subscribed on_subscribed;
    std::function<void()> on_runtime_ready;  // extensions may not be, yet
    std::function<void()> on_exit;           // the runtime has ended, or an extension has failed
  };

  /// `function` is borrowed.
  Program(const Dependencies& dependencies, const FunctionSpec& function, std::string sandbox_id,
          Owner owner);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Errors: the sandbox's. Afterwards the program runs.
  async::Task<Result<void>> start(Plan plan);
  /// Only after a successful start(): the Init phase, of the runtime and of all extensions.
  async::Task<runtime::Outcome> initialise(Monotonic deadline);
  /// Whether the runtime's part of the Init phase went well.
  bool was_ready() const { return was_ready_; }
  /// Tells the extensions too.
  async::Task<runtime::Outcome> invoke(runtime::Invocation invocation, Monotonic deadline);

  /// Whether an invocation ends only when extensions say so, and the sandbox with a farewell.
  bool has_extensions() const { return extensions_ && !extensions_->book().empty(); }
  const std::vector<runtime::Extension>& extensions() const { return extensions_->book().all(); }
  /// The first of them that failed; nullopt: none has.
  std::optional<runtime::ExtensionFault> extension_fault() const;
  /// Until each of them waits for its next event.
  async::Task<runtime::ExtensionApi::Settled> extensions_ready(Monotonic deadline);
  /// The Shutdown phase, within Lambda's limits; nothing without extensions, and for internal ones
  /// alone a signal to the runtime. What still lives afterwards is for kill().
  async::Task<void> farewell(runtime::ShutdownReason reason);
  bool expects_farewell() const;
  /// The runtime alone, where the others are still to hear of the end; else everything.
  void kill_runtime();

  const std::string& sandbox_id() const { return sandbox_id_; }
  bool has_ended() const { return exit_.has_value(); }
  /// Waits until it has ended, at most until the deadline; nullopt then.
  async::Task<std::optional<sandbox::Exit>> ended(Monotonic deadline);

  Result<void> freeze();
  Result<void> thaw();
  /// None where extensions cannot be.
  runtime::Telemetry* telemetry() { return telemetry_.get(); }
  void throttle();
  void kill();
  std::uint64_t memory_peak_bytes();
  /// All that was written until now reaches on_line.
  void drain_output();
  async::Task<void> shut_down();

 private:
  void serve_runtime(Plan& plan, std::vector<Fd>& listeners, std::size_t& next);
  runtime::Supervision::Owner supervision_owner();
  void runtime_ended(sandbox::Exit exit);
  void extension_failed();
  async::Task<void> tell_of_failure();
  void take_extension_output(std::size_t index, std::string_view bytes);
  async::Task<void> pump(int fd, LineCutter& cutter);
  async::Task<void> watch_exit();
  enum class Read { some, none, ended };
  Read read_once(int fd, LineCutter& cutter);
  using Sink = std::function<void(std::string line)>;
  void take_line(std::string line, const Sink& sink);
  runtime::Outcome outcome_of(runtime::ExtensionApi::Settled settled) const;

  const Dependencies& dependencies_;
  const FunctionSpec& function_;
  async::Loop& loop_;
  std::string sandbox_id_;
  Owner owner_;
  std::unique_ptr<sandbox::Instance> sandbox_;
  /// The session, and the server that hands it requests, end before it.
  std::unique_ptr<runtime::Telemetry> telemetry_;
  std::unique_ptr<runtime::ExtensionApi> extensions_;
  std::unique_ptr<net::Server> api_;  // where the session itself serves none
  std::unique_ptr<runtime::Supervision> supervision_;
  std::unique_ptr<runtime::Session> session_;
  std::unique_ptr<runtime::NameServer> names_;
  std::optional<sandbox::Exit> exit_;  // the runtime's
  bool sandbox_ended_ = false;
  bool runtime_started_ = false;  // by the supervisor
  bool was_ready_ = false;
  async::Event exited_;
  async::Gate gate_;
  LineCutter stdout_lines_, stderr_lines_;
  std::vector<LineCutter> extension_lines_;
  FloodGate flood_;
};

}  // namespace wolke::invoke
