// Functions in whole sandboxes: what plain processes cannot show. Needs root; skipped by name
// without it.

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

#include "wolke/async/event.h"
#include "wolke/invoke/test_pool.h"
#include "wolke/net/server.h"
#include "wolke/sandbox/client.h"

namespace wolke::invoke {
namespace {

using async::Task;
using std::string;

class FullLevelTest : public PoolTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    start(sandbox::Level::full);
  }
  void start(sandbox::Level level) {
    auto started = sandbox::start_spawner({.level = level, .ready_shells = 1});
    ASSERT_TRUE(started) << started.error().message;
    spawner_ = std::move(*started);
    sandboxes = sandbox::connect(loop, std::move(spawner_.side));
  }
  void TearDown() override {
    invoker.reset();
    sandboxes.reset();
    if (spawner_.pid > 0) sandbox::stop_spawner(spawner_);
  }
  Task<void> call_twice(FunctionSpec spec, std::optional<Result<InvokeResult>>& first,
                        string& state, std::optional<Result<InvokeResult>>& second) {
    co_await call_into(spec, request(), first);
    for (int i = 0; i < 500 && state != "frozen"; ++i) {
      co_await loop.sleep_for(Millis(1));
      state = invoker->instances().at(0).state;
    }
    co_await call_into(spec, request(), second);
  }
  Task<void> call_then_stop(FunctionSpec spec, std::optional<Result<InvokeResult>>& out,
                            net::Server& gateway) {
    co_await call_into(spec, request(), out);
    co_await gateway.stop(Millis(0));
  }
  static Task<void> hello(net::Exchange& exchange) {
    auto sent = co_await exchange.respond({}, "hello from " + exchange.head().target);
    EXPECT_TRUE(sent);
  }
  static bool is_running(const string& command) {
    std::error_code gone;  // processes end while we look
    for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
      std::ifstream file(entry.path() / "cmdline");
      string line;
      if (std::getline(file, line) && line.find(command) != string::npos) return true;
    }
    return false;
  }
  bool logged(const string& text) const { return log.text.find(text) != string::npos; }

 private:
  sandbox::SpawnerProcess spawner_;
};

TEST_F(FullLevelTest, NodeRunsAndTheSandboxIsItsWorld) {
  auto result = call(node("const fs = require('fs');"
                          "exports.handler = async (e) => ({e, uid: process.getuid(), root: "
                          "fs.readdirSync('/var').sort(), "
                          "task: __filename})"),
                     R"({"a":1})");
  auto answer = json(result.payload);
  EXPECT_EQ(answer.find("e")->text(), R"({"a":1})");
  EXPECT_EQ(answer.string_at("task"), "/var/task/index.js");
  EXPECT_NE(answer.find("uid")->text(), "0");
  EXPECT_GT(result.memory_peak_bytes, 4U << 20);
}

TEST_F(FullLevelTest, PythonRunsAndHasBoto3) {
  FunctionSpec spec =
      python("def handler(e, c):\n  import boto3\n  return boto3.client('s3').meta.region_name");
  spec.timeout = std::chrono::seconds(20);
  spec.memory_mb = 256;
  EXPECT_EQ(call(spec).payload, "\"eu-central-1\"");
}

TEST_F(FullLevelTest, AFunctionThatTakesTooMuchMemoryIsKilledAndSaysSo) {
  FunctionSpec spec =
      python("def handler(e, c):\n  x = []\n  while True: x.append(b'x' * (1 << 20))");
  spec.timeout = std::chrono::seconds(20);
  auto result = call(spec);
  auto error = json(result.payload);
  EXPECT_EQ(error.string_at("errorType"), "Runtime.OutOfMemory");
  EXPECT_TRUE(error.string_at("errorMessage")->ends_with("signal: killed")) << result.payload;
  EXPECT_TRUE(logged("Status: error\tError Type: Runtime.OutOfMemory"));
}

TEST_F(FullLevelTest, TmpIsAsLargeAsConfiguredAndIsNotMemory) {
  FunctionSpec spec = python(
      "import os\ndef handler(e, c):\n"
      "  with open('/tmp/a', 'wb', 0) as f:\n"
      "    for _ in range(300): f.write(b'x' * (1 << 20))\n"
      "  s = os.statvfs('/tmp')\n"
      "  return s.f_blocks * s.f_frsize >> 20, os.stat('/tmp/a').st_size >> 20");
  spec.timeout = std::chrono::seconds(20);
  spec.ephemeral_mb = 600;
  auto result = call(spec);
  EXPECT_EQ(result.payload, "[600, 300]");
  EXPECT_GT(result.memory_peak_bytes, 1U << 20);
  EXPECT_LT(result.memory_peak_bytes, 128U << 20);
  EXPECT_TRUE(logged("Memory Size: 128 MB"));
}

TEST_F(FullLevelTest, AForkBombEndsWithItsTimeout) {
  FunctionSpec spec = python(
      "import os\ndef handler(e, c):\n  while True:\n    try: os.fork()\n    except OSError: pass");
  spec.timeout = std::chrono::seconds(1);
  spec.memory_mb = 3008;  // else its memory ends first
  EXPECT_EQ(json(call(spec).payload).string_at("errorType"), "Sandbox.Timedout");
}

TEST_F(FullLevelTest, AProcessThatLeftItsGroupDiesWithTheSandbox) {
  FunctionSpec spec = python(
      "import subprocess\n"
      "def handler(e, c):\n  subprocess.Popen(['/bin/sleep', '4711'], start_new_session=True)");
  call(spec);
  auto deadline = std::chrono::steady_clock::now() + limits::sandbox_kill_max;
  bool runs = true;
  while (runs && std::chrono::steady_clock::now() < deadline)
    runs = is_running(string("sleep\0004711", 10));
  EXPECT_FALSE(runs);
}

TEST_F(FullLevelTest, AFrozenInstanceAnswersAgain) {
  std::optional<Result<InvokeResult>> first, second;
  string state;
  run(call_twice(node("let n = 0; exports.handler = async () => ++n"), first, state, second));
  EXPECT_EQ(state, "frozen");
  EXPECT_EQ((**second).payload, "2");
}

TEST_F(FullLevelTest, ACustomRuntimeFindsItsApiInside) {
  write("bootstrap",
        "#!/usr/bin/python3\n"
        "import http.client, os\n"
        "api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])\n"
        "while True:\n"
        "  api.request('GET', '/2018-06-01/runtime/invocation/next')\n"
        "  answer = api.getresponse(); event = answer.read()\n"
        "  id = answer.getheader('Lambda-Runtime-Aws-Request-Id')\n"
        "  api.request('POST', f'/2018-06-01/runtime/invocation/{id}/response', event)\n"
        "  api.getresponse().read()\n");
  EXPECT_EQ(call(function("provided.al2023", "any"), "[1]").payload, "[1]");
}

TEST_F(FullLevelTest, TheGatewayIsReachedByTheEndpointVariable) {
  net::Server gateway(loop, [](net::Exchange& exchange) { return hello(exchange); });
  std::set<string> served, ended;
  Dependencies with_gateway = dependencies();
  with_gateway.serve_gateway = [&](Fd listening, const string& id) {
    served.insert(id);
    gateway.serve(std::move(listening));
  };
  with_gateway.sandbox_ended = [&](const string& id) { ended.insert(id); };
  invoker = make_invoker(std::move(with_gateway));
  FunctionSpec spec = node(
      "exports.handler = async () => (await fetch(process.env.AWS_ENDPOINT_URL + '/x')).text()");
  spec.memory_mb = 256;
  std::optional<Result<InvokeResult>> out;
  run(call_then_stop(spec, out, gateway));
  ASSERT_TRUE(out && *out);
  EXPECT_EQ((**out).payload, "\"hello from /x\"");
  EXPECT_EQ(served.size(), 1U);
}

TEST_F(FullLevelTest, AwsNamesWithABucketInFrontResolveToTheGateway) {
  Dependencies with_names = dependencies();
  with_names.domains = {"amazonaws.com"};
  invoker = make_invoker(std::move(with_names));
  FunctionSpec spec = python(
      "import socket\n"
      "def handler(e, c): return socket.getaddrinfo('b.s3.eu-west-1.amazonaws.com', 443)[0][4]");
  EXPECT_EQ(call(spec).payload, "[\"127.0.0.1\", 443]");
}

TEST_F(FullLevelTest, AwsNamesResolveToTheGatewayInNodeToo) {
  Dependencies with_names = dependencies();
  with_names.domains = {"amazonaws.com"};
  invoker = make_invoker(std::move(with_names));
  FunctionSpec spec = node(
      "const dns = require('dns'); exports.handler = async () =>"
      " [(await dns.promises.lookup('b.s3.amazonaws.com')).address,"
      " await dns.promises.resolve4('sqs.us-east-1.amazonaws.com'),"
      " await dns.promises.lookup('example.com').catch((error) => error.code)]");
  EXPECT_EQ(call(spec).payload, R"(["127.0.0.1",["127.0.0.1"],"ENOTFOUND"])");
}

/// WOLKE_SDK_ROOT: the directory whose node_modules has the SDK, else where ./dev puts it.
TEST_F(FullLevelTest, TheSdkIsFoundByRequireAndByImport) {
  const char* named = std::getenv("WOLKE_SDK_ROOT");
  std::filesystem::path sdk = named ? named : repository_root() / ".deps/node";
  if (!std::filesystem::exists(sdk / "node_modules/@aws-sdk")) GTEST_SKIP() << "no SDK at " << sdk;
  paths.node_sdk_root = sdk;
  write(
      "m.mjs",
      "import { S3Client } from '@aws-sdk/client-s3'; import { createRequire } from 'node:module';"
      "const required = createRequire(import.meta.url)('@aws-sdk/client-s3');"
      "export const handler = async () => [typeof S3Client, typeof required.S3Client]");
  FunctionSpec spec = function("nodejs22.x", "m.handler");
  spec.memory_mb = 256;
  EXPECT_EQ(call(spec).payload, R"(["function","function"])");
}

/// The same functions where there are no namespaces: paths and addresses of the host.
class LimitedLevelTest : public FullLevelTest {
 protected:
  void SetUp() override { start(sandbox::Level::limited); }
};

TEST_F(LimitedLevelTest, PythonRunsInItsFolderAndKeepsToIt) {
  EXPECT_EQ(call(python("import os, tempfile\n"
                        "def handler(e, c):\n"
                        "  with tempfile.NamedTemporaryFile() as f: f.write(b'x')\n"
                        "  try: open('/tmp/not-mine', 'w'); return 'written'\n"
                        "  except PermissionError: return os.path.basename(__file__)\n"))
                .payload,
            "\"app.py\"");
}

TEST_F(LimitedLevelTest, TheGatewayIsReachedByTheEndpointVariable) {
  net::Server gateway(loop, [](net::Exchange& exchange) { return hello(exchange); });
  Dependencies with_gateway = dependencies();
  with_gateway.serve_gateway = [&](Fd listening, const string&) {
    gateway.serve(std::move(listening));
  };
  invoker = make_invoker(std::move(with_gateway));
  FunctionSpec spec = node(
      "exports.handler = async () => (await fetch(process.env.AWS_ENDPOINT_URL + '/x')).text()");
  spec.memory_mb = 256;
  std::optional<Result<InvokeResult>> out;
  run(call_then_stop(spec, out, gateway));
  ASSERT_TRUE(out && *out);
  EXPECT_EQ((**out).payload, "\"hello from /x\"");
}

TEST_F(FullLevelTest, ThereIsNoWayOut) {
  auto result =
      call(python("import socket\ndef handler(e, c):\n"
                  "  try: socket.create_connection(('192.0.2.1', 80), 1)\n"
                  "  except OSError as error: return type(error).__name__, error.errno\n"));
  EXPECT_EQ(result.payload, "[\"OSError\", 101]");  // ENETUNREACH
}

}  // namespace
}  // namespace wolke::invoke
