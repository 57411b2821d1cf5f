// Extensions, with real processes: the Init phase waits for them, an invocation ends with them, and
// they hear of the end.

#include <gtest/gtest.h>

#include "wolke/invoke/test_pool.h"

namespace wolke::invoke {
namespace {

using async::Task;
using std::string;
using std::chrono::seconds;

/// What the test's extensions are written in: an API client and a line for each event.
constexpr const char* client = R"(#!/usr/bin/python3
import http.client, json, os, sys, time
ADDRESS = os.environ["AWS_LAMBDA_RUNTIME_API"]
NAME = os.path.basename(sys.argv[0])
api = http.client.HTTPConnection(ADDRESS)
def ask(method, path, body=None, **headers):
    api.request(method, "/2020-01-01/extension/" + path, body, {"Lambda-Extension-" + k.replace("_", "-"): v for k, v in headers.items()})
    got = api.getresponse()
    return got.status, got.headers, got.read().decode()
def register(events=("INVOKE", "SHUTDOWN"), name=NAME):
    status, headers, body = ask("POST", "register", json.dumps({"events": list(events)}), Name=name, Accept_Feature="accountId")
    return status, headers["Lambda-Extension-Identifier"], body
def next(ident):
    status, headers, body = ask("GET", "event/next", Identifier=ident)
    return json.loads(body)
def say(*words): print(NAME, *words, flush=True)
)";
constexpr const char* obedient = R"(
_, ident, told = register()
say("registered", told)
while True:
    event = next(ident)
    say(event["eventType"], event.get("shutdownReason", event.get("requestId")))
    if event["eventType"] == "SHUTDOWN": break
)";

class ExtensionTest : public PoolTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/bin/python3")) {
      GTEST_SKIP() << "there is no /usr/bin/python3, in which these extensions are written";
    }
  }
  void extension(const string& name, const string& source) {
    const auto path = directory / "layer/extensions" / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << client << source;
    ::chmod(path.c_str(), 0755);
  }
  FunctionSpec with_layer(FunctionSpec spec) {
    spec.layer_paths = {directory / "layer"};
    spec.timeout = seconds(10);
    return spec;
  }
  FunctionSpec hello() {
    return with_layer(python("def handler(e, c):\n  print('handled')\n  return 'hello'"));
  }
  bool logged(const string& text) const { return log.text.find(text) != string::npos; }
  std::size_t place_of(const string& text) const { return log.text.find(text); }

  /// One call, what the log holds then, and another call.
  Task<void> call_and_look(FunctionSpec spec, InvokeRequest first,
                           std::optional<Result<InvokeResult>>& out, string& seen) {
    co_await call_into(spec, std::move(first), out);
    seen = log.text;
    std::optional<Result<InvokeResult>> second;
    co_await call_into(spec, request(), second);
    EXPECT_EQ(log.streams.size(), 2U);  // the first instance was still at work
  }
  Task<void> call_each(FunctionSpec spec, int count, std::vector<InvokeResult>& out) {
    for (int i = 0; i < count; ++i) {
      auto result = co_await invoker->invoke(spec, request());
      if (result) out.push_back(*std::move(result));
    }
  }
};

TEST_F(ExtensionTest, HearOfInvocationsAndOfTheEnd) {
  extension("watcher", obedient);
  std::vector<InvokeResult> results;
  run(call_each(hello(), 2, results));
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[1].payload, "\"hello\"");
  EXPECT_TRUE(logged(R"(watcher registered {"functionName":"f","functionVersion":"$LATEST",)"
                     R"("handler":"app.handler","accountId":"000000000000"})"))
      << log.text;
  EXPECT_TRUE(logged("EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n"));
  EXPECT_TRUE(logged("watcher INVOKE 00000000-0000-4000-8000-"));
  EXPECT_TRUE(logged("watcher SHUTDOWN spindown\n")) << log.text;
  EXPECT_EQ(usage.size(), 2U);
}

TEST_F(ExtensionTest, RegisterBeforeTheRuntimeStartsAndHaveTheirOwnEnvironment) {
  extension("early",
            "time.sleep(0.2)\nsay('first', sorted(k for k in os.environ if k in "
            "('_HANDLER', 'LAMBDA_TASK_ROOT', 'OWN', 'AWS_SESSION_TOKEN')))\n" +
                string(obedient));
  FunctionSpec spec = with_layer(python("print('loaded')\ndef handler(e, c):\n  return 'hello'"));
  spec.environment["OWN"] = "1";
  EXPECT_EQ(call(spec).payload, "\"hello\"");
  EXPECT_TRUE(logged("early first ['AWS_SESSION_TOKEN', 'OWN']")) << log.text;
  EXPECT_LT(place_of("early first"), place_of("loaded"));
}

TEST_F(ExtensionTest, TheAnswerGoesOutBeforeTheWorkAfterItWhichIsBilled) {
  extension("slow", R"(
_, ident, _ = register()
while True:
    event = next(ident)
    if event["eventType"] == "SHUTDOWN": break
    time.sleep(0.4)
    say("worked")
)");
  FunctionSpec spec = hello();
  InvokeRequest first = request();
  first.want_log_tail = false;
  std::optional<Result<InvokeResult>> out;
  string at_answer;
  run(call_and_look(spec, std::move(first), out, at_answer));
  ASSERT_TRUE(out && *out);
  EXPECT_EQ((**out).payload, "\"hello\"");
  EXPECT_EQ(at_answer.find("worked"), string::npos) << at_answer;
  EXPECT_EQ(at_answer.find("REPORT"), string::npos);
  EXPECT_TRUE(logged("slow worked"));
  ASSERT_EQ(usage.size(), 2U);
  EXPECT_GE(usage[0].duration_us, 400'000U);
  EXPECT_GE(usage[0].billed_ms, 400U);
}

TEST_F(ExtensionTest, OneThatNeverAsksForMoreEndsTheInvocationByItsTimeout) {
  extension("stuck", R"(
_, ident, _ = register()
next(ident)
time.sleep(60)
)");
  FunctionSpec spec = hello();
  spec.timeout = seconds(1);
  InvokeResult result = call(spec);
  EXPECT_EQ(result.payload, "\"hello\"");
  EXPECT_TRUE(logged("Task timed out after 1.00 seconds"));
  EXPECT_TRUE(logged("Status: timeout")) << log.text;
}

TEST_F(ExtensionTest, AFunctionThatTimesOutIsSaidToTheExtension) {
  extension("watcher", obedient);
  FunctionSpec spec = with_layer(python("import time\ndef handler(e, c):\n  time.sleep(60)"));
  spec.timeout = seconds(1);
  EXPECT_EQ(json(call(spec).payload).string_at("errorType"), "Sandbox.Timedout");
  EXPECT_TRUE(logged("watcher SHUTDOWN timeout\n")) << log.text;
}

TEST_F(ExtensionTest, ARuntimeThatCrashesIsSaidToTheExtension) {
  extension("watcher", obedient);
  auto spec = with_layer(python("import os\ndef handler(e, c):\n  os._exit(3)"));
  auto result = json(call(spec).payload);
  EXPECT_EQ(result.string_at("errorType"), "Runtime.ExitError");
  EXPECT_TRUE(result.string_at("errorMessage")->ends_with("exit status 3"));
  EXPECT_TRUE(logged("watcher SHUTDOWN failure\n")) << log.text;
}

TEST_F(ExtensionTest, OneThatCrashesAtInitFailsTheInvocation) {
  extension("bad", "say('here')\nsys.exit(7)\n");
  auto result = json(call(hello()).payload);
  EXPECT_EQ(result.string_at("errorType"), "Extension.Crash");
  EXPECT_TRUE(result.string_at("errorMessage")->ends_with("Error: exit status 7")) << log.text;
  EXPECT_TRUE(logged("bad here"));
  EXPECT_TRUE(
      logged("EXTENSION\tName: bad\tState: Exited\tEvents: []\tError Type: Extension.Crash"));
  EXPECT_TRUE(logged("Phase: init\tStatus: error\tError Type: Extension.Crash")) << log.text;
  EXPECT_FALSE(logged("handled"));
}

TEST_F(ExtensionTest, OneThatReportsAnInitErrorFailsTheInvocation) {
  extension("bad",
            "_, ident, _ = register()\n"
            "say(ask('POST', 'init/error', '{}', Identifier=ident)[0])\n"
            "say(ask('POST', 'init/error', '{}', Identifier=ident, "
            "Function_Error_Type='Own.Kind')[0])\n");
  auto result = json(call(hello()).payload);
  EXPECT_EQ(result.string_at("errorType"), "Extension.InitError") << log.text;
  EXPECT_TRUE(logged("bad 403\n"));
  EXPECT_TRUE(logged("bad 202\n"));
  EXPECT_TRUE(
      logged("Name: bad\tState: InitError\tEvents: [INVOKE, SHUTDOWN]\tError Type: Own.Kind\n"));
}

TEST_F(ExtensionTest, OneThatCrashesDuringAnInvocationFailsItAndTheInstance) {
  extension("bad", "_, ident, _ = register()\nnext(ident)\nsys.exit(9)\n");
  auto spec = with_layer(python("import time\ndef handler(e, c):\n  time.sleep(5)"));
  std::vector<InvokeResult> results;
  run(call_each(spec, 2, results));
  ASSERT_EQ(results.size(), 2U);
  for (const InvokeResult& result : results) {
    EXPECT_EQ(json(result.payload).string_at("errorType"), "Extension.Crash") << log.text;
  }
  EXPECT_EQ(log.streams.size(), 2U);
}

TEST_F(ExtensionTest, OneThatCannotBeStartedFailsTheInvocation) {
  extension("plain", "");
  std::filesystem::permissions(directory / "layer/extensions/plain",
                               std::filesystem::perms::owner_read);
  auto result = json(call(hello()).payload);
  EXPECT_EQ(result.string_at("errorType"), "Extension.LaunchError");
  EXPECT_TRUE(result.string_at("errorMessage")
                  ->ends_with("fork/exec /opt/extensions/plain: permission denied"));
}

TEST_F(ExtensionTest, TheRuntimeGetsATermSignalAndTimeForIt) {
  extension("watcher", obedient);
  auto spec = with_layer(
      python("import signal, sys\ndef end(*_):\n  print('terminated', flush=True)\n  sys.exit(0)\n"
             "signal.signal(signal.SIGTERM, end)\ndef handler(e, c):\n  return 'hello'"));
  EXPECT_EQ(call(spec).payload, "\"hello\"");
  EXPECT_TRUE(logged("terminated\n")) << log.text;
  EXPECT_LT(place_of("terminated"), place_of("watcher SHUTDOWN spindown")) << log.text;
}

TEST_F(ExtensionTest, ARuntimeWithAnInternalOneAloneGetsATermSignalToo) {
  write("bootstrap", string(client) + R"(
import signal, threading
def end(*_):
    print("terminated", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
inner = http.client.HTTPConnection(ADDRESS)
inner.request("POST", "/2020-01-01/extension/register", '{"events":["INVOKE"]}', {"Lambda-Extension-Name": "inner"})
got = inner.getresponse(); got.read()
ident = got.headers["Lambda-Extension-Identifier"]
def watch():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # the main thread must wake for it
    while True: inner.request("GET", "/2020-01-01/extension/event/next", None, {"Lambda-Extension-Identifier": ident}); inner.getresponse().read()
threading.Thread(target=watch, daemon=True).start()
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    got = api.getresponse(); got.read()
    api.request("POST", f"/2018-06-01/runtime/invocation/{got.headers['Lambda-Runtime-Aws-Request-Id']}/response", '"hi"')
    api.getresponse().read()
)");
  EXPECT_EQ(call(function("provided.al2023", "x")).payload, "\"hi\"");
  EXPECT_TRUE(logged("Name: inner\tState: Ready")) << log.text;
  EXPECT_TRUE(logged("terminated\n")) << log.text;
}

TEST_F(ExtensionTest, ARuntimeWithoutAnyGetsNone) {
  auto spec = python(
      "import signal\ndef end(*_):\n  print('terminated', flush=True)\n"
      "signal.signal(signal.SIGTERM, end)\ndef handler(e, c):\n  return 'hello'");
  EXPECT_EQ(call(spec).payload, "\"hello\"");
  EXPECT_FALSE(logged("terminated"));
}

TEST_F(ExtensionTest, InternalOnesHearOfInvocationsOnly) {
  write("bootstrap", string(client) + R"(
import threading
print(register(name="inner")[0], flush=True)
_, ident, _ = register(["INVOKE"], "inner")
def runtime():
    own = http.client.HTTPConnection(ADDRESS)
    while True:
        own.request("GET", "/2018-06-01/runtime/invocation/next")
        got = own.getresponse(); got.read()
        own.request("POST", f"/2018-06-01/runtime/invocation/{got.headers['Lambda-Runtime-Aws-Request-Id']}/response", '"hi"')
        own.getresponse().read()
threading.Thread(target=runtime, daemon=True).start()
while True: print("inner", next(ident)["eventType"], flush=True)
)");
  auto spec = function("provided.al2023", "x");
  spec.timeout = seconds(10);
  std::vector<InvokeResult> results;
  run(call_each(spec, 2, results));
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[1].payload, "\"hi\"");
  EXPECT_TRUE(logged("403\n"));
  EXPECT_TRUE(logged("EXTENSION\tName: inner\tState: Ready\tEvents: [INVOKE]\n")) << log.text;
  EXPECT_TRUE(logged("inner INVOKE\n"));
  EXPECT_FALSE(logged("SHUTDOWN"));
}

/// As Lambda answers in local testing, which extensions know.
TEST_F(ExtensionTest, TelemetryIsSaidToBeNotSupportedWhereASandboxHasNoNetworkOfItsOwn) {
  extension("asker", R"(
_, ident, _ = register()
for path in ("/2022-07-01/telemetry", "/2020-08-15/logs/"):
    api.request("PUT", path, "{}", {"Lambda-Extension-Identifier": ident})
    got = api.getresponse()
    say(got.status, got.read().decode())
while next(ident)["eventType"] != "SHUTDOWN": pass
)");
  EXPECT_EQ(call(hello()).payload, "\"hello\"");
  EXPECT_TRUE(logged(R"(asker 202 {"errorMessage":"Telemetry API is not supported",)"
                     R"("errorType":"Telemetry.NotSupported"})"))
      << log.text;
  EXPECT_TRUE(logged(R"("errorType":"Logs.NotSupported"})")) << log.text;
}

TEST_F(ExtensionTest, WhatSpeaksGarbageOrForksIsNotTrusted) {
  extension("wild", R"(
import socket, subprocess
for data in (b"\0" * 100, b"GET / HTTP/9.9\r\n\r\n", b"POST /2020-01-01/extension/register HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"):
    with socket.create_connection(tuple(ADDRESS.split(":"))) as s: s.sendall(data)
say(ask("POST", "register", "[]", Name=NAME)[0], ask("POST", "register", "{", Name=NAME)[0], ask("POST", "register", '{"events":["X"]}', Name=NAME)[0],
    ask("POST", "register", "{}")[0], ask("GET", "event/next", Identifier="nobody")[0], ask("GET", "event/next")[0], ask("PUT", "register")[0])
_, ident, _ = register()
say("again", register()[0])
subprocess.Popen(["/bin/sleep", "1000"])
sys.stdout.write("x" * 300000); say()
while next(ident)["eventType"] != "SHUTDOWN": pass
)");
  EXPECT_EQ(call(hello()).payload, "\"hello\"");
  EXPECT_TRUE(logged("wild 403 403 403 403 403 403 404\n")) << log.text.substr(0, 3000);
  EXPECT_TRUE(logged("wild again 403\n"));
}

}  // namespace
}  // namespace wolke::invoke
