#pragma once
// Program: one sandbox with one runtime in it, from the sandbox's start to its end. It serves the
// sandbox's doors, carries the program's output away line by line, limited in rate, and notices its
// end. An instance has one at a time; a failed Init phase is run again in a new one.
//
// Tasks of its own (two pumps, one that waits for the end) run inside its gate; shut_down() ends
// them and must have been awaited before destruction, once start() was called. Threads: the loop's.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "wolke/async/event.h"
#include "wolke/async/gate.h"
#include "wolke/invoke/environment.h"
#include "wolke/invoke/invoker.h"
#include "wolke/invoke/log_lines.h"
#include "wolke/runtime/name_server.h"
#include "wolke/runtime/session.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::invoke {

class Program {
 public:
  /// What its owner is told of; both may be called until shut_down() has ended.
  struct Owner {
    std::function<void(std::string line)> on_line;  // without its line feed
    std::function<void()> on_exit;
  };

  Program(const Dependencies& dependencies, std::string sandbox_id, Owner owner);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Errors: the sandbox's. Afterwards the program runs.
  async::Task<Result<void>> start(Plan plan);
  /// Only after a successful start().
  runtime::Session& session() { return *session_; }

  const std::string& sandbox_id() const { return sandbox_id_; }
  bool has_ended() const { return exit_.has_value(); }
  /// Waits until it has ended, at most until the deadline; nullopt then.
  async::Task<std::optional<sandbox::Exit>> ended(Monotonic deadline);

  Result<void> freeze() { return sandbox_->freeze(); }
  Result<void> thaw() { return sandbox_->thaw(); }
  void throttle();
  void kill();
  std::uint64_t memory_peak_bytes();
  /// All that was written until now reaches on_line.
  void drain_output();
  async::Task<void> shut_down();

 private:
  async::Task<void> pump(int fd, LineCutter& cutter);
  async::Task<void> watch_exit();
  enum class Read { some, none, ended };
  Read read_once(int fd, LineCutter& cutter);
  void take_line(std::string line);

  const Dependencies& dependencies_;
  async::Loop& loop_;
  std::string sandbox_id_;
  Owner owner_;
  std::unique_ptr<sandbox::Instance> sandbox_;
  std::unique_ptr<runtime::Session> session_;
  std::unique_ptr<runtime::NameServer> names_;
  std::optional<sandbox::Exit> exit_;
  async::Event exited_;
  async::Gate gate_;
  LineCutter stdout_lines_, stderr_lines_;
  FloodGate flood_;
};

}  // namespace wolke::invoke
