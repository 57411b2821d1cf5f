#pragma once
// For tests: a spawner and a loop in one object, and run(): start a Spec, collect what it writes,
// wait for its end.
//
// Threads: the test's own; a TestHost must be made before the test has others, since it forks.
// Lifetime: it outlives every instance that it started. Failure: told in the Outcome.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "wolke/async/loop.h"
#include "wolke/sandbox/client.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::sandbox {

struct Outcome {
  bool started = false;
  std::string error;  // code and message when it did not start
  std::string out, err;
  std::optional<Exit> exit;
  Usage usage;
};

/// What a test does with a started instance before its output is collected.
using During = std::function<async::Task<void>(async::Loop&, Instance&)>;

class TestHost {
 public:
  explicit TestHost(unsigned ready_shells = 0, std::optional<Level> level = {});
  explicit TestHost(SpawnerOptions options);
  ~TestHost();
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  Outcome run(Spec spec, During during = {},
              std::chrono::milliseconds limit = std::chrono::seconds(30));
  /// Runs any task on the loop until it ends.
  void run_task(async::Task<void> task);
  async::Loop& loop() { return *loop_; }
  Sandboxes& sandboxes() { return *sandboxes_; }
  pid_t spawner_pid() const { return process_.pid; }
  Level level() const { return process_.side.level; }
#ifdef WOLKE_TEST_WEAKEN
  /// Layers that the next runs leave out.
  void weaken(std::uint32_t layers) { weaken_ = layers; }
#endif

 private:
  SpawnerProcess process_;
  std::unique_ptr<async::Loop> loop_;
  std::unique_ptr<Sandboxes> sandboxes_;
  [[maybe_unused]] std::uint32_t weaken_ = 0;

  void connect_anew();
};

/// A Spec that runs `script` by /bin/sh, with a distinct id.
Spec shell_spec(std::string script);

}  // namespace wolke::sandbox
