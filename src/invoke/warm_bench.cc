// A warm invocation, from invoke() to its result, at concurrency 1 and without sandbox, door or
// store: what the pool, the session and the runtime cost. Prints wall time and this thread's CPU
// time for each call. --smoke: a few calls.
//
//   invoke_warm_bench [--smoke] NODE_ROOT RUNTIMES_DIR     (the defaults are found in the source
//   tree)

#include <fmt/core.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "wolke/base/env.h"
#include "wolke/invoke/invoker.h"
#include "wolke/sandbox/process_sandbox.h"

namespace wolke::invoke {
namespace {

namespace fs = std::filesystem;
using async::Task;

class NoLog final : public LogSink {
 public:
  void append(const LogStream&, Timestamp, std::string line) override { bytes += line.size(); }
  std::size_t bytes = 0;
};

double thread_cpu_us() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

struct Bench {
  async::Loop& loop;
  Invoker& invoker;
  int calls;

  Task<void> run(FunctionSpec spec) {
    std::vector<double> wall;
    double cpu = 0;
    for (int i = 0; i <= calls; ++i) {
      Monotonic began = loop.now();
      double cpu_began = thread_cpu_us();
      auto result =
          co_await invoker.invoke(spec, {.request_id = "00000000-0000-4000-8000-000000000000",
                                         .invoked_arn = spec.arn,
                                         .payload = R"({"key":"value"})"});
      ASSERT(result && result->error == FunctionError::none);
      double us = std::chrono::duration<double, std::micro>(loop.now() - began).count();
      if (i == 0) {
        fmt::print("{:10} cold {:8.0f} us\n", spec.runtime, us);
        continue;
      }
      wall.push_back(us);
      cpu += thread_cpu_us() - cpu_began;
    }
    std::ranges::sort(wall);
    fmt::print(
        "{:10} warm {:8.1f} us p50 {:8.1f} us p99 {:8.1f} us of CPU in the server, {} calls\n",
        spec.runtime, wall[wall.size() / 2], wall[wall.size() * 99 / 100],
        cpu / static_cast<double>(calls), calls);
  }

  Task<void> run_all(std::vector<FunctionSpec> specs) {
    for (const FunctionSpec& spec : specs) co_await run(spec);
    co_await invoker.stop();
    loop.stop();
  }
};

fs::path repository_root() {
  for (fs::path at = fs::read_symlink("/proc/self/exe"); at != at.root_path();
       at = at.parent_path()) {
    if (fs::exists(at / "runtimes/node/bootstrap.cjs")) return at;
  }
  return ".";
}

FunctionSpec function(const fs::path& directory, std::string runtime, std::string handler) {
  FunctionSpec spec{
      .account = "000000000000", .region = "us-east-1", .name = "f", .version = "$LATEST"};
  spec.arn = "arn:aws:lambda:us-east-1:000000000000:function:" + runtime;
  spec.revision = "1";
  spec.runtime = std::move(runtime);
  spec.handler = std::move(handler);
  spec.package_path = directory;
  spec.log_group = "/aws/lambda/f";
  return spec;
}

int bench_main(bool smoke, const std::string& node_root, const std::string& runtimes_dir) {
  char name[] = "/tmp/warm-bench-XXXXXX";
  fs::path directory = ::mkdtemp(name);
  std::ofstream(directory / "index.js") << "exports.handler = async (event) => event";
  std::ofstream(directory / "app.py") << "def handler(event, context): return event";
  async::Loop loop;
  auto sandboxes = sandbox::make_process_sandboxes(loop);
  auto paths =
      runtime::locate({.node_root = node_root, .runtimes_dir = runtimes_dir, .node_version = "22"});
  if (!paths) {
    fmt::print("skipped: {}\n", paths.error().message);
    return 0;
  }
  NoLog log;
  auto invoker = make_invoker(
      {.loop = loop, .env = system_env(), .sandboxes = *sandboxes, .paths = *paths, .logs = log});
  Bench bench{loop, *invoker, smoke ? 20 : 20'000};
  loop.spawn(bench.run_all({function(directory, "nodejs22.x", "index.handler"),
                            function(directory, "python" + paths->python_version, "app.handler")}));
  loop.run();
  fs::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace wolke::invoke

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  bool smoke = std::erase(arguments, "--smoke") > 0;
  auto root = wolke::invoke::repository_root();
  std::string node_root = arguments.empty() ? "/usr" : arguments[0];
  std::string runtimes = arguments.size() < 2 ? (root / "runtimes").string() : arguments[1];
  return wolke::invoke::bench_main(smoke, node_root, runtimes);
}
