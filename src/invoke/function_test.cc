// What functions do, well or badly, and what their callers and logs are told: with real
// interpreters as plain processes.

#include <chrono>
#include <fstream>
#include <string>

#include "wolke/invoke/invoker.h"
#include "wolke/invoke/test_pool.h"

namespace wolke::invoke {
namespace {

using std::string;

class FunctionTest : public PoolTest {
 protected:
  bool logged(const string& text) const { return log.text.find(text) != string::npos; }
  /// Whether the log has all of them, one behind the other.
  ::testing::AssertionResult in_order(const std::vector<string>& parts) const {
    std::size_t at = 0;
    for (const string& part : parts) {
      at = log.text.find(part, at);
      if (at == string::npos) {
        return ::testing::AssertionFailure() << part << " is not in its place in\n" << log.text;
      }
      at += part.size();
    }
    return ::testing::AssertionSuccess();
  }
  /// Whether the process is gone, or only its exit status is left, by then.
  static bool ends_within(pid_t pid, Millis time) {
    auto deadline = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < deadline) {
      std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
      string line;
      if (!std::getline(stat, line) || line.find(") Z ") != string::npos) return true;
    }
    return false;
  }
  static string type_of(const InvokeResult& result) {
    return json(result.payload).string_at("errorType").value_or("");
  }
  static string message_of(const InvokeResult& result) {
    return json(result.payload).string_at("errorMessage").value_or("");
  }
  async::Task<void> call_three(FunctionSpec spec, string one,
                               std::optional<Result<InvokeResult>>& first, string two,
                               std::optional<Result<InvokeResult>>& second, string three,
                               std::optional<Result<InvokeResult>>& third) {
    co_await call_into(spec, request(one), first);
    co_await call_into(spec, request(two), second);
    co_await call_into(spec, request(three), third);
  }
};

// ---- what a function is given

TEST_F(FunctionTest, NodeSeesTheDocumentedContext) {
  auto result =
      call(node("exports.handler = async (e, c) => ({...c, left: c.getRemainingTimeInMillis(), "
                "env: process.env.AWS_LAMBDA_LOG_STREAM_NAME})"));
  auto context = json(result.payload);
  EXPECT_EQ(context.string_at("functionName"), "f");
  EXPECT_EQ(context.string_at("functionVersion"), "$LATEST");
  EXPECT_EQ(context.string_at("memoryLimitInMB"), "128");
  EXPECT_EQ(context.string_at("logGroupName"), "/aws/lambda/f");
  EXPECT_EQ(context.string_at("logStreamName"), log.streams.begin()->first);
  EXPECT_EQ(context.string_at("invokedFunctionArn"),
            "arn:aws:lambda:eu-central-1:000000000000:function:f");
  EXPECT_TRUE(context.string_at("awsRequestId")->starts_with("00000000-0000-4000-8000-"));
  EXPECT_TRUE(*context.find("callbackWaitsForEmptyEventLoop")->boolean());
  EXPECT_GT(*context.integer_at("left"), 2000);
  EXPECT_LE(*context.integer_at("left"), 3001);
}

TEST_F(FunctionTest, PythonSeesTheDocumentedContext) {
  auto result = call(
      python("def handler(e, c):\n"
             "  return {k: v for k, v in vars(c).items() if isinstance(v, str)} | "
             "{'left': c.get_remaining_time_in_millis(), 'id': c.identity.cognito_identity_id}"));
  auto context = json(result.payload);
  EXPECT_EQ(context.string_at("function_name"), "f");
  EXPECT_EQ(context.string_at("function_version"), "$LATEST");
  EXPECT_EQ(context.string_at("memory_limit_in_mb"), "128");
  EXPECT_EQ(context.string_at("log_group_name"), "/aws/lambda/f");
  EXPECT_EQ(context.string_at("log_stream_name"), log.streams.begin()->first);
  EXPECT_EQ(context.string_at("invoked_function_arn"),
            "arn:aws:lambda:eu-central-1:000000000000:function:f");
  EXPECT_GT(*context.integer_at("left"), 2000);
}

TEST_F(FunctionTest, TheEnvironmentIsLambdas) {
  FunctionSpec spec = node("exports.handler = async () => process.env");
  spec.environment = {{"MINE", "yes"}, {"_HANDLER", "forged"}};
  auto env = json(call(spec).payload);
  EXPECT_EQ(env.string_at("AWS_LAMBDA_FUNCTION_NAME"), "f");
  EXPECT_EQ(env.string_at("AWS_LAMBDA_FUNCTION_VERSION"), "$LATEST");
  EXPECT_EQ(env.string_at("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), "128");
  EXPECT_EQ(env.string_at("AWS_LAMBDA_INITIALIZATION_TYPE"), "on-demand");
  EXPECT_EQ(env.string_at("AWS_EXECUTION_ENV"), "AWS_Lambda_nodejs22.x");
  EXPECT_EQ(env.string_at("AWS_REGION"), "eu-central-1");
  EXPECT_EQ(env.string_at("AWS_DEFAULT_REGION"), "eu-central-1");
  EXPECT_EQ(env.string_at("AWS_ACCESS_KEY_ID"), "ASIAEXAMPLE");
  EXPECT_EQ(env.string_at("AWS_SECRET_ACCESS_KEY"), "secret");
  EXPECT_EQ(env.string_at("AWS_SESSION_TOKEN"), "token");
  EXPECT_EQ(env.string_at("_HANDLER"), "index.handler");
  EXPECT_EQ(env.string_at("TZ"), ":UTC");
  EXPECT_EQ(env.string_at("LANG"), "en_US.UTF-8");
  EXPECT_EQ(env.string_at("MINE"), "yes");
  EXPECT_FALSE(env.find("HOME"));
}

TEST_F(FunctionTest, TheTraceBelongsToTheInvocation) {
  FunctionSpec spec =
      python("import os\ndef handler(e, c): return os.environ.get('_X_AMZN_TRACE_ID')");
  InvokeRequest traced = request();
  traced.trace = "Root=1-abc;Parent=12;Sampled=1";
  std::optional<Result<InvokeResult>> out;
  run(call_into(spec, std::move(traced), out));
  EXPECT_EQ((**out).payload, "\"Root=1-abc;Parent=12;Sampled=1\"");
}

TEST_F(FunctionTest, ATraceIsCompleted) {
  FunctionSpec spec = python(
      "import os, re\n"
      "def handler(e, c): return re.sub('[0-9a-f]{8,}', '#', os.environ['_X_AMZN_TRACE_ID'])");
  InvokeRequest of_a_chain = request();
  of_a_chain.trace = "Lineage=01ab:1";
  std::optional<Result<InvokeResult>> out;
  run(call_into(spec, std::move(of_a_chain), out));
  EXPECT_EQ((**out).payload, "\"Root=1-#-#;Lineage=01ab:1;Parent=#;Sampled=0\"");
}

TEST_F(FunctionTest, TheClientContextIsPassedOn) {
  FunctionSpec spec = node("exports.handler = async (e, c) => c.clientContext.custom.a");
  InvokeRequest with_client = request();
  with_client.client_context = R"({"custom":{"a":"b"}})";
  std::optional<Result<InvokeResult>> out;
  run(call_into(spec, std::move(with_client), out));
  EXPECT_EQ((**out).payload, "\"b\"");
}

TEST_F(FunctionTest, AnEmptyPayloadIsAnEmptyObject) {
  EXPECT_EQ(call(node("exports.handler = async (e) => e"), "").payload, "{}");
}

TEST_F(FunctionTest, ALargePayloadPassesBothWays) {
  string payload = "\"" + string(5 << 20, 'x') + "\"";
  EXPECT_EQ(call(node("exports.handler = async (e) => e"), payload).payload, payload);
}

TEST_F(FunctionTest, ALargePayloadPassesBothWaysInPython) {
  string payload = "\"" + string(5 << 20, 'x') + "\"";
  EXPECT_EQ(call(python("def handler(e, c): return e"), payload).payload, payload);
}

TEST_F(FunctionTest, EsModulesMayAwaitAtTopLevel) {
  write("dir/m.mjs", "const x = await Promise.resolve(3); export const handler = async () => x");
  EXPECT_EQ(call(function("nodejs22.x", "dir/m.handler")).payload, "3");
}

TEST_F(FunctionTest, PackageTypeModuleMakesJsAnEsModule) {
  write("package.json", R"({"type":"module"})");
  EXPECT_EQ(call(node("export const handler = async () => typeof import.meta.url")).payload,
            "\"string\"");
}

TEST_F(FunctionTest, ACallbacksAnswerWaitsForTheEventLoop) {
  auto result =
      call(node("exports.handler = (e, c, done) => { setTimeout(() => console.log('later'), 20); "
                "done(null, 'now') }"));
  EXPECT_EQ(result.payload, "\"now\"");
  EXPECT_TRUE(logged("\tINFO\tlater\n"));
}

TEST_F(FunctionTest, CallbacksEndWithNode22) {
  FunctionSpec spec = node("exports.handler = (e, c, done) => done(null, 1)");
  spec.runtime = "nodejs24.x";
  EXPECT_EQ(type_of(call(spec)), "Runtime.CallbackHandlerDeprecated");
}

TEST_F(FunctionTest, PythonHandlersMayLieInDirectories) {
  write("dir/app.py", "def handler(e, c): return __name__");
  EXPECT_EQ(call(function("python3.11", "dir/app.handler")).payload, "\"dir.app\"");
}

TEST_F(FunctionTest, AFunctionsModulesMayHaveOurNames) {
  write("log.py", "word = 'mine'");
  write("handler.py",
        "import log, sys\ndef handler(e, c): return [log.word, 'bootstrap' in sys.modules]");
  EXPECT_EQ(call(function("python3.11", "handler.handler")).payload, "[\"mine\", false]");
}

// ---- the log

TEST_F(FunctionTest, TheLogHasLambdasLinesInTheirOrder) {
  InvokeRequest asked = request();
  string id = asked.request_id;
  std::optional<Result<InvokeResult>> out;
  run(call_into(
      node(
          "exports.handler = async () => { console.log('a\\nb', 1); process.stdout.write('raw') }"),
      std::move(asked), out));
  std::vector<string> parts{
      "INIT_START Runtime Version: nodejs:22.0.0\tRuntime Version ARN: "
      "arn:aws:lambda:eu-central-1::runtime:",
      "START RequestId: " + id + " Version: $LATEST\n",
      "Z\t" + id + "\tINFO\ta\nb 1\n",
      "raw\n",
      "END RequestId: " + id + "\n",
      "REPORT RequestId: " + id + "\tDuration: ",
      "\tInit Duration: "};
  std::size_t at = 0;
  for (const string& part : parts) {
    at = log.text.find(part, at);
    ASSERT_NE(at, string::npos) << part << " in\n" << log.text;
  }
  EXPECT_EQ(log.last_group, "/aws/lambda/f");
  EXPECT_TRUE((**out).log_tail.starts_with("START RequestId: " + id));
}

TEST_F(FunctionTest, PythonLogsInLambdasFormat) {
  call(
      python("import logging\nlogging.getLogger().setLevel('INFO')\n"
             "def handler(e, c):\n  logging.info('two\\nlines')\n  print('plain')"));
  EXPECT_TRUE(logged("[INFO]\t20"));
  EXPECT_TRUE(logged("\ttwo\nlines\n"));
  EXPECT_TRUE(logged("\nplain\n"));
}

TEST_F(FunctionTest, TheLogTailHasTheLastFourKilobytes) {
  auto result = call(python("def handler(e, c):\n  for i in range(2000): print('line', i)"));
  EXPECT_EQ(result.log_tail.size(), limits::log_tail_bytes);
  EXPECT_NE(result.log_tail.find("line 1999\nEND RequestId: "), string::npos);
}

TEST_F(FunctionTest, AFloodedLogIsTruncatedAndSaysSo) {
  auto result =
      call(python("import os\ndef handler(e, c):\n  os.write(1, b'x\\n' * 60000); return 'done'"));
  EXPECT_EQ(result.payload, "\"done\"");
  EXPECT_TRUE(logged("[log truncated: "));
  EXPECT_LT(log.events, 40'000U);
}

TEST_F(FunctionTest, BinaryOutputBecomesText) {
  call(python("import os\ndef handler(e, c): os.write(2, bytes(range(1, 256)))"));
  EXPECT_TRUE(logged("\xEF\xBF\xBD"));
}

TEST_F(FunctionTest, AnotherVersionThanAskedForIsSaid) {
  FunctionSpec spec = node("exports.handler = async () => 1");
  spec.runtime = "nodejs18.x";
  call(spec);
  EXPECT_TRUE(logged("INIT_START Runtime Version: nodejs:22.0.0\t"));
  EXPECT_TRUE(logged("runtime nodejs18.x runs on Node.js 22.0.0 here"));
}

// ---- failures

TEST_F(FunctionTest, AThrownErrorIsTheAnswerAndTheInstanceLives) {
  auto result = call(node("exports.handler = async () => { throw new TypeError('boom') }"));
  EXPECT_EQ(result.error, FunctionError::unhandled);
  EXPECT_EQ(type_of(result), "TypeError");
  EXPECT_EQ(message_of(result), "boom");
  EXPECT_EQ(*json(result.payload).find("trace")->array()->front().string(), "TypeError: boom");
  EXPECT_TRUE(logged("\tERROR\tInvoke Error \t{\"errorType\":\"TypeError\""));
  EXPECT_FALSE(logged("Status: "));
}

TEST_F(FunctionTest, ARaisedExceptionIsTheAnswer) {
  auto result = call(python("def handler(e, c): raise ValueError('boom')"));
  auto error = json(result.payload);
  EXPECT_EQ(error.string_at("errorType"), "ValueError");
  EXPECT_EQ(error.string_at("errorMessage"), "boom");
  EXPECT_TRUE(error.string_at("requestId")->starts_with("00000000"));
  EXPECT_EQ(error.find("stackTrace")->array()->size(), 1U);
  EXPECT_TRUE(
      logged("[ERROR] ValueError: boom\nTraceback (most recent call last):\n\u00a0\u00a0File \""));
}

TEST_F(FunctionTest, AHandlerThatIsNotThereFailsInit) {
  auto result = call(node("exports.other = 1"));
  EXPECT_EQ(type_of(result), "Runtime.HandlerNotFound");
  EXPECT_EQ(message_of(result), "index.handler is undefined or not exported");
  EXPECT_TRUE(logged("\tPhase: init\tStatus: error\tError Type: Runtime.HandlerNotFound\n"));
  EXPECT_TRUE(logged("Status: error\tError Type: Runtime.HandlerNotFound\n"));
  EXPECT_TRUE(invoker->instances().empty());
}

TEST_F(FunctionTest, AHandlerThatIsNotThereFailsInitInPython) {
  auto result = call(python("x = 1"));
  EXPECT_EQ(
      result.payload,
      R"({"errorMessage": "Handler 'handler' missing on module 'app'", "errorType": "Runtime.HandlerNotFound", "requestId": "", "stackTrace": []})");
}

TEST_F(FunctionTest, AModuleThatIsNotThereFailsInit) {
  EXPECT_TRUE(message_of(call(function("nodejs22.x", "nope.handler")))
                  .starts_with("Error: Cannot find module 'nope'\nRequire stack:"));
}

TEST_F(FunctionTest, APythonModuleThatIsNotThereFailsInit) {
  auto result = call(function("python3.11", "nope.handler"));
  EXPECT_EQ(type_of(result), "Runtime.ImportModuleError");
  EXPECT_EQ(message_of(result), "Unable to import module 'nope': No module named 'nope'");
}

TEST_F(FunctionTest, ASyntaxErrorFailsInit) {
  EXPECT_EQ(type_of(call(node("exports.handler = ("))), "Runtime.UserCodeSyntaxError");
}

TEST_F(FunctionTest, APythonSyntaxErrorFailsInit) {
  EXPECT_EQ(type_of(call(python("def handler("))), "Runtime.UserCodeSyntaxError");
}

TEST_F(FunctionTest, ANativeModuleForAnotherPlatformIsNamed) {
  write("native.node", "this is no shared object");
  auto result = call(node("require('./native.node'); exports.handler = async () => 1"));
  EXPECT_EQ(type_of(result), "Runtime.ImportModuleError");
  EXPECT_NE(message_of(result).find("was built for another interpreter or platform"), string::npos)
      << result.payload;
}

TEST_F(FunctionTest, APythonExtensionForAnotherVersionIsNamed) {
  write("fast/__init__.py", "from fast import core");
  write("fast/core.cpython-39-x86_64-linux-gnu.so", "");
  auto result = call(python("import fast\ndef handler(e, c): pass"));
  EXPECT_NE(
      message_of(result).find("was built for another Python: this function runs on Python 3."),
      string::npos)
      << result.payload;
}

TEST_F(FunctionTest, AnExitIsReportedWithItsStatus) {
  auto result = call(node("exports.handler = async () => process.exit(7)"));
  EXPECT_EQ(type_of(result), "Runtime.ExitError");
  EXPECT_TRUE(message_of(result).ends_with(" Error: Runtime exited with error: exit status 7"));
  EXPECT_TRUE(logged("exit status 7\nRuntime.ExitError\nEND RequestId"));
  EXPECT_TRUE(logged("Status: error\tError Type: Runtime.ExitError\n"));
}

TEST_F(FunctionTest, AnExitWithoutAStatusHasNoReason) {
  auto result = call(python("import sys\ndef handler(e, c): sys.exit()"));
  EXPECT_TRUE(message_of(result).ends_with(" Error: Runtime exited without providing a reason"));
}

TEST_F(FunctionTest, AnExitWhileLoadingIsReported) {
  auto result = call(python("import sys\nsys.exit(1)"));
  EXPECT_TRUE(message_of(result).ends_with(" Error: Runtime exited with error: exit status 1"));
  EXPECT_TRUE(logged("Phase: init\tStatus: error\tError Type: Runtime.ExitError"));
}

TEST_F(FunctionTest, ASignalIsReportedByName) {
  auto result = call(python("import os\ndef handler(e, c): os.kill(os.getpid(), 11)"));
  EXPECT_TRUE(message_of(result).ends_with("signal: segmentation fault")) << result.payload;
}

TEST_F(FunctionTest, AnUnhandledRejectionEndsTheInstance) {
  auto result =
      call(node("exports.handler = async () => { Promise.reject(new Error('no')); await new "
                "Promise((r) => setTimeout(r, 500)) }"));
  EXPECT_EQ(type_of(result), "Runtime.UnhandledPromiseRejection");
  EXPECT_EQ(message_of(result), "Error: no");
  EXPECT_TRUE(invoker->instances().empty());
}

TEST_F(FunctionTest, AnUncaughtExceptionEndsTheInstance) {
  auto result =
      call(node("exports.handler = async () => { setTimeout(() => { throw new RangeError('late') "
                "}); await new Promise((r) => setTimeout(r, 500)) }"));
  EXPECT_EQ(type_of(result), "RangeError");
  EXPECT_EQ(message_of(result), "late");
}

TEST_F(FunctionTest, AResultThatIsNoJsonIsAnError) {
  EXPECT_EQ(
      message_of(call(node("exports.handler = async () => { const a = {}; a.a = a; return a }"))),
      "Unable to stringify response body");
}

TEST_F(FunctionTest, APythonResultThatIsNoJsonIsAnError) {
  auto result = call(python("def handler(e, c): return {1, 2}"));
  EXPECT_EQ(type_of(result), "Runtime.MarshalError");
  EXPECT_EQ(message_of(result),
            "Unable to marshal response: Object of type set is not JSON serializable");
}

TEST_F(FunctionTest, AResponseThatIsTooLargeIsAnError) {
  auto result = call(node("exports.handler = async () => 'x'.repeat(6291556)"));
  EXPECT_EQ(type_of(result), "Function.ResponseSizeTooLarge");
  EXPECT_EQ(message_of(result),
            "Response payload size exceeded maximum allowed payload size (6291556 bytes).");
}

TEST_F(FunctionTest, APythonResponseThatIsTooLargeIsAnError) {
  EXPECT_EQ(type_of(call(python("def handler(e, c): return 'x' * 6291556"))),
            "Function.ResponseSizeTooLarge");
}

TEST_F(FunctionTest, TheLargestResponsePasses) {
  EXPECT_EQ(call(node("exports.handler = async () => 'x'.repeat(6291554)")).payload.size(),
            6'291'556U);
}

// ---- hostile

TEST_F(FunctionTest, AHangingFunctionTimesOutAndItsChildrenDieToo) {
  FunctionSpec spec = python(
      "import os, time\n"
      "def handler(e, c):\n"
      "  pid = os.fork()\n"
      "  if pid: print('child', pid, flush=True)\n"
      "  while True: time.sleep(1)");
  spec.timeout = std::chrono::seconds(1);
  auto result = call(spec);
  EXPECT_EQ(type_of(result), "Sandbox.Timedout");
  EXPECT_TRUE(message_of(result).ends_with(" Error: Task timed out after 1.00 seconds"));
  EXPECT_EQ(result.duration, std::chrono::seconds(1));
  EXPECT_TRUE(logged(" Task timed out after 1.00 seconds\n\nEND RequestId"));
  EXPECT_TRUE(logged("Status: timeout\n"));
  auto at = log.text.find("child ");
  ASSERT_NE(at, string::npos);
  EXPECT_TRUE(ends_within(std::stoi(log.text.substr(at + 6)), std::chrono::seconds(10)));
}

TEST_F(FunctionTest, ABusyLoopTimesOut) {
  FunctionSpec spec = node("exports.handler = async () => { for (;;) ; }");
  spec.timeout = std::chrono::seconds(1);
  EXPECT_EQ(type_of(call(spec)), "Sandbox.Timedout");
}

TEST_F(FunctionTest, AnInitPhaseThatHangsTimesOutInTheFirstInvocation) {
  FunctionSpec spec = python("import time\ntime.sleep(60)");
  spec.timeout = std::chrono::seconds(1);
  Dependencies hurried = dependencies();
  hurried.options.init_timeout = Millis(100);
  invoker = make_invoker(std::move(hurried));
  auto result = call(spec);
  EXPECT_EQ(type_of(result), "Sandbox.Timedout");
  EXPECT_EQ(result.duration, std::chrono::seconds(1));
  EXPECT_TRUE(in_order({"INIT_REPORT Init Duration: 100.00 ms\tPhase: init\tStatus: timeout\n",
                        "INIT_REPORT Init Duration: ", "\tPhase: invoke\tStatus: timeout\n",
                        "START RequestId", " Task timed out after 1.00 seconds\n\nEND RequestId"}));
}

TEST_F(FunctionTest, AnInitPhaseLongerThanItsLimitRunsAgainInTheFirstInvocation) {
  Dependencies hurried = dependencies();
  hurried.options.init_timeout = Millis(1);
  invoker = make_invoker(std::move(hurried));
  auto result = call(python("print('loading')\ndef handler(e, c): return 'late'"));
  EXPECT_EQ(result.payload, "\"late\"");
  EXPECT_EQ(result.init_duration, std::chrono::microseconds(0));
  EXPECT_TRUE(in_order({"INIT_START",
                        "INIT_REPORT Init Duration: 1.00 ms\tPhase: init\tStatus: "
                        "timeout\n",
                        "loading\n", "START RequestId", "REPORT RequestId"}));
  EXPECT_FALSE(logged("Phase: invoke"));
  EXPECT_EQ(log.text.find("INIT_START", 1), string::npos);
  EXPECT_EQ(log.streams.size(), 1U);
}

TEST_F(FunctionTest, AnInitPhaseThatFailsRunsAgainInTheFirstInvocation) {
  auto result = call(node("console.log('loading'); throw new RangeError('no')"));
  EXPECT_EQ(type_of(result), "RangeError");
  EXPECT_TRUE(in_order(
      {"INIT_START", "\tINFO\tloading\n", "INIT_REPORT Init Duration: ",
       "\tPhase: init\tStatus: error\tError Type: RangeError\n", "\tINFO\tloading\n",
       "INIT_REPORT Init Duration: ", "\tPhase: invoke\tStatus: error\tError Type: RangeError\n",
       "START RequestId", "END RequestId", "REPORT RequestId",
       "Status: error\tError Type: RangeError\n"}));
  EXPECT_EQ(log.text.find("Init Duration", log.text.find("\nREPORT ")), string::npos);
  EXPECT_NE(result.log_tail.find("Phase: invoke"), string::npos);
  EXPECT_TRUE(invoker->instances().empty());
}

TEST_F(FunctionTest, AnInitPhaseThatFailsOnceIsForgotten) {
  const string marker = (directory / "was-here").string();
  FunctionSpec spec = python("import os, sys\nif not os.path.exists('" + marker + "'):\n  open('" +
                             marker + "', 'w')\n  sys.exit(3)\ndef handler(e, c): return e");
  std::optional<Result<InvokeResult>> first, second, third;
  run(call_three(spec, "1", first, "2", second, "3", third));
  EXPECT_EQ((**first).payload, "1");
  EXPECT_EQ((**third).payload, "3");
  EXPECT_TRUE(in_order(
      {"\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n", "START RequestId"}));
  EXPECT_FALSE(logged("Phase: invoke"));
  EXPECT_EQ(log.text.find("INIT_START", 1), string::npos);  // the same instance served all three
}

TEST_F(FunctionTest, GarbageOnTheControlChannelEndsTheInstance) {
  auto result = call(python("import os\ndef handler(e, c): os.write(3, b'\\xff' * 64); return 1"));
  EXPECT_EQ(type_of(result), "Runtime.ExitError");
  EXPECT_NE(message_of(result).find("malformed frame"), string::npos);
  EXPECT_TRUE(invoker->instances().empty());
}

TEST_F(FunctionTest, AnAnswerToAnotherInvocationEndsTheInstance) {
  auto result =
      call(python("import os\ndef handler(e, c): os.write(3, bytes([2,0,0,0, 18,0,0,0, 9,0,0,0]) + "
                  "b'{}'); return 1"));
  EXPECT_NE(message_of(result).find("wrong invocation id"), string::npos);
}

TEST_F(FunctionTest, AFrameOfFourGigabytesIsRefusedByItsHeader) {
  auto result =
      call(python("import os\ndef handler(e, c): os.write(3, "
                  "b'\\xff\\xff\\xff\\xff\\x12\\0\\0\\0\\1\\0\\0\\0'); return 1"));
  EXPECT_NE(message_of(result).find("frame too large"), string::npos);
}

TEST_F(FunctionTest, AClosedControlChannelEndsTheInstance) {
  auto result =
      call(python("import os, time\ndef handler(e, c):\n  os.close(3)\n  time.sleep(60)"));
  EXPECT_EQ(type_of(result), "Runtime.ExitError");
}

TEST_F(FunctionTest, AChildThatKeepsThePipesOpenDoesNotHoldTheAnswer) {
  auto result =
      call(python("import subprocess\ndef handler(e, c):\n  subprocess.Popen(['/bin/sleep', "
                  "'60']); return 'done'"));
  EXPECT_EQ(result.payload, "\"done\"");
}

// ---- custom runtimes

constexpr const char* python_bootstrap = R"(#!/usr/bin/python3
import http.client, json, os, sys
api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
def ask(method, path, body=None, headers={}):
    api.request(method, '/2018-06-01/runtime/' + path, body, headers)
    answer = api.getresponse()
    return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()
)";

class CustomRuntimeTest : public FunctionTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/bin/python3")) {
      GTEST_SKIP() << "there is no /usr/bin/python3, in which these runtimes are written";
    }
  }
  FunctionSpec custom(const string& source) {
    write("bootstrap", python_bootstrap + source);
    return function("provided.al2023", "any");
  }
};

TEST_F(CustomRuntimeTest, TheRuntimeApiServesNextAndResponse) {
  auto result = call(custom(R"(
while True:
    status, headers, event = ask('GET', 'invocation/next')
    keep = {k: v for k, v in headers.items() if k.startswith('lambda-runtime')}
    ask('POST', f"invocation/{headers['lambda-runtime-aws-request-id']}/response", json.dumps([status, keep, json.loads(event)]))
)"),
                     R"({"a":1})");
  auto answer = json(result.payload);
  ASSERT_TRUE(answer.array()) << result.payload;
  EXPECT_EQ((*answer.array())[0].text(), "200");
  EXPECT_EQ((*answer.array())[1].string_at("lambda-runtime-invoked-function-arn"),
            "arn:aws:lambda:eu-central-1:000000000000:function:f");
  EXPECT_EQ((*answer.array())[1].string_at("lambda-runtime-deadline-ms")->size(), 13U);
  EXPECT_EQ((*answer.array())[2].text(), R"({"a":1})");
}

TEST_F(CustomRuntimeTest, AnErrorIsTheAnswer) {
  auto result = call(custom(R"(
while True:
    status, headers, event = ask('GET', 'invocation/next')
    ask('POST', f"invocation/{headers['lambda-runtime-aws-request-id']}/error", '{"errorType":"A.B","errorMessage":"no"}')
)"));
  EXPECT_EQ(result.payload, R"({"errorType":"A.B","errorMessage":"no"})");
  EXPECT_EQ(result.error, FunctionError::unhandled);
}

TEST_F(CustomRuntimeTest, WrongIdsAndWrongOrderAreRefused) {
  auto result = call(custom(R"(
seen = []
while True:
    status, headers, event = ask('GET', 'invocation/next')
    seen.append(ask('POST', 'invocation/wrong/response', '1')[0])
    seen.append(ask('POST', 'invocation/wrong/error', '1')[0])
    seen.append(ask('GET', 'invocation/next')[0])
    seen.append(ask('POST', 'init/error', '{}')[0])
    seen.append(ask('GET', 'nothing')[0])
    seen.append(json.loads(ask('POST', 'invocation/wrong/response', '1')[2])['errorType'])
    ask('POST', f"invocation/{headers['lambda-runtime-aws-request-id']}/response", json.dumps(seen))
)"));
  EXPECT_EQ(json(result.payload).text(), R"([400,400,403,403,404,"InvalidRequestID"])");
}

TEST_F(CustomRuntimeTest, AResponseThatIsTooLargeIsRefusedAndTheRuntimeLives) {
  FunctionSpec spec = custom(R"(
while True:
    status, headers, event = ask('GET', 'invocation/next')
    print('too large:', ask('POST', f"invocation/{headers['lambda-runtime-aws-request-id']}/response", 'x' * 6291557)[0], flush=True)
)");
  auto result = call(spec);
  EXPECT_EQ(type_of(result), "Function.ResponseSizeTooLarge");
}

TEST_F(CustomRuntimeTest, AnInitErrorIsTheAnswer) {
  auto result = call(custom(R"(
ask('POST', 'init/error', '{"errorType":"Custom.Init","errorMessage":"no config"}', {'Lambda-Runtime-Function-Error-Type': 'Custom.Init'})
sys.exit(1)
)"));
  EXPECT_EQ(type_of(result), "Custom.Init");
  EXPECT_TRUE(logged("Phase: init\tStatus: error\tError Type: Custom.Init"));
}

TEST_F(CustomRuntimeTest, APackageWithoutABootstrapFailsInit) {
  auto result = call(function("provided.al2023", "any"));
  EXPECT_EQ(type_of(result), "Runtime.InvalidEntrypoint");
  EXPECT_EQ(message_of(result),
            "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]");
}

TEST_F(CustomRuntimeTest, ABootstrapOfAnotherArchitectureFailsInit) {
  // The head of a 64-bit ELF program for machine 183, which is arm64.
  string program("\x7f\x45\x4c\x46\x02\x01\x01", 7);
  program.append(9, '\0');
  program.append("\x02\x00\xb7\x00\x01\x00\x00\x00", 8);
  program.append(40, '\0');
  write("bootstrap", program);
  auto result = call(function("provided.al2023", "any"));
  EXPECT_EQ(type_of(result), "Runtime.InvalidEntrypoint");
  EXPECT_TRUE(message_of(result).ends_with("/bootstrap: exec format error"));
  EXPECT_TRUE(message_of(result).starts_with("fork/exec /"));
}

TEST_F(CustomRuntimeTest, ABootstrapWithoutItsInterpreterFailsInit) {
  write("bootstrap", "#!/no/such/shell\n");
  auto result = call(function("provided.al2023", "any"));
  EXPECT_EQ(type_of(result), "Runtime.InvalidEntrypoint");
  EXPECT_TRUE(message_of(result).ends_with("/bootstrap: no such file or directory"));
}

TEST_F(CustomRuntimeTest, ARuntimeThatNeverPollsTimesOut) {
  FunctionSpec spec = custom("import threading; threading.Event().wait()");
  spec.timeout = std::chrono::seconds(1);
  Dependencies hurried = dependencies();
  hurried.options.init_timeout = Millis(100);
  invoker = make_invoker(std::move(hurried));
  EXPECT_EQ(type_of(call(spec)), "Sandbox.Timedout");
  EXPECT_TRUE(logged("INIT_REPORT Init Duration: 100.00 ms\tPhase: init\tStatus: timeout\n"));
  EXPECT_TRUE(invoker->instances().empty());
}

TEST_F(CustomRuntimeTest, AnInvocationThatADyingRuntimeNeverHeardOfGoesToAnother) {
  FunctionSpec spec = custom(R"(
status, headers, event = ask('GET', 'invocation/next')
ask('POST', f"invocation/{headers['lambda-runtime-aws-request-id']}/response", event)
os._exit(1)
)");
  std::optional<Result<InvokeResult>> first, second, third;
  run(call_three(spec, "1", first, "2", second, "3", third));
  EXPECT_EQ((**first).payload, "1");
  EXPECT_EQ((**second).payload, "2");
  EXPECT_EQ((**third).payload, "3");
  EXPECT_EQ(usage.size(), 3U);
}

TEST_F(CustomRuntimeTest, ABootstrapThatExitsIsReported) {
  auto result = call(custom("sys.exit(4)"));
  EXPECT_TRUE(message_of(result).ends_with("exit status 4"));
}

bool compile(const string& source, const string& program) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::execlp("clang++-19", "clang++-19", "-O1", "-o", program.c_str(), source.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  return pid > 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
}

TEST_F(CustomRuntimeTest, TheExampleInCppAnswers) {
  FunctionSpec spec = function("provided.al2023", "any");
  const string source = (repository_root() / "examples/custom-runtime/bootstrap.cc").string();
  if (!compile(source, spec.package_path + "/bootstrap")) GTEST_SKIP() << "no C++ compiler";
  std::optional<Result<InvokeResult>> first, second, third;
  run(call_three(spec, R"({"text":"to be or not"})", first, "{}", second, R"({"text":""})", third));
  EXPECT_EQ((**first).payload, R"({"words":4})");
  EXPECT_EQ(type_of(**second), "Function.NoText");
  EXPECT_EQ((**third).payload, R"({"words":0})");
  EXPECT_TRUE(logged("4 words\n"));
}

}  // namespace
}  // namespace wolke::invoke
