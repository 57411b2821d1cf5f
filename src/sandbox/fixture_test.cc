#include "wolke/sandbox/fixture.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "wolke/async/event.h"
#include "wolke/sandbox/level.h"

namespace wolke::sandbox {
namespace {

using async::Task;
using async::Wake;

Task<void> drain(async::Loop& loop, int fd, std::string& into, Monotonic deadline) {
  char piece[4096];
  while (into.size() < (8U << 20)) {
    const ssize_t got = ::read(fd, piece, sizeof piece);
    if (got > 0) {
      into.append(piece, static_cast<std::size_t>(got));
      continue;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) break;
    if (co_await loop.readable(fd, deadline) != Wake::ready) break;
  }
}

struct Running {
  async::Loop& loop;
  Sandboxes& sandboxes;
  std::chrono::milliseconds limit;
  Outcome outcome;
};

Task<void> run_one(Running& running, Spec spec, During during) {
  auto started = co_await running.sandboxes.start(std::move(spec));
  Outcome& outcome = running.outcome;
  if (!started) {
    outcome.error = started.error().code + ": " + started.error().message;
    running.loop.stop();
    co_return;
  }
  outcome.started = true;
  std::unique_ptr<Instance> instance = std::move(*started);
  const Monotonic deadline = running.loop.now() + running.limit;
  if (during) co_await during(running.loop, *instance);
  co_await drain(running.loop, instance->stdout_fd(), outcome.out, deadline);
  co_await drain(running.loop, instance->stderr_fd(), outcome.err, deadline);
  outcome.exit = co_await instance->exited(deadline);
  outcome.usage = instance->usage();
  instance.reset();
  running.loop.stop();
}

Task<void> then_stop(async::Loop& loop, Task<void> task) {
  co_await std::move(task);
  loop.stop();
}

}  // namespace

TestHost::TestHost(unsigned ready_shells, std::optional<Level> level)
    : TestHost(SpawnerOptions{.level = level ? *level : decide_level(gather_facts()),
                              .ready_shells = ready_shells}) {}

TestHost::TestHost(SpawnerOptions options) {
  auto process = start_spawner(options);
  ASSERT(process.has_value());
  process_ = std::move(*process);
}

TestHost::~TestHost() {
  sandboxes_.reset();
  loop_.reset();
  stop_spawner(process_);
}

// A loop runs once; the channel is duplicated into a client for each.
void TestHost::connect_anew() {
  sandboxes_.reset();
  loop_ = std::make_unique<async::Loop>();
  ServerSide side;
  side.spawner = Fd(::dup(process_.side.spawner.get()));
  side.level = process_.side.level;
  sandboxes_ = connect(*loop_, std::move(side));
#ifdef WOLKE_TEST_WEAKEN
  set_weaken(*sandboxes_, weaken_);
#endif
}

void TestHost::run_task(Task<void> task) {
  connect_anew();
  loop_->spawn(then_stop(*loop_, std::move(task)));
  loop_->run();
}

Outcome TestHost::run(Spec spec, During during, std::chrono::milliseconds limit) {
  connect_anew();
  Running running{*loop_, *sandboxes_, limit, {}};
  loop_->spawn(run_one(running, std::move(spec), std::move(during)));
  loop_->run();
  return std::move(running.outcome);
}

Spec shell_spec(std::string script) {
  static int serial = 0;
  Spec spec;
  spec.id = fmt::format("test-{}", ++serial);
  spec.argv = {"/bin/sh", "-c", std::move(script)};
  spec.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "LANG=C.UTF-8"};
  spec.working_directory = "/var/task";
  return spec;
}

}  // namespace wolke::sandbox
