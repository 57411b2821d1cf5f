// The log of functions whose format is JSON: what the platform says, what Node's console and
// Python's logging say, and which levels of either are kept.

#include <string>
#include <vector>

#include "wolke/invoke/log_level.h"
#include "wolke/invoke/test_pool.h"

namespace wolke::invoke {
namespace {

using shape::Json;
using std::string;

TEST(LogLevelOfALine, IsThatOfAnObjectWithAValidTime) {
  EXPECT_EQ(level_of_line(R"({"level":"debug","timestamp":"2024-11-02T16:51:31.587199Z"})"),
            LogLevel::debug);
  EXPECT_EQ(level_of_line(R"({"time":"2024-11-02T16:51:31+02:00","Level":"CRITICAL"})"),
            LogLevel::fatal);
}

TEST(LogLevelOfALine, IsInfoForEverythingElse) {
  for (const char* line : {"text", "{broken", R"({"level":"ERROR"})", R"(["ERROR"])",
                           R"({"level":"ERROR","timestamp":"yesterday"})",
                           R"({"level":"loud","timestamp":"2024-11-02T16:51:31Z"})"}) {
    EXPECT_EQ(level_of_line(line), LogLevel::info) << line;
  }
}

class JsonLogTest : public PoolTest {
 protected:
  FunctionSpec in_json(FunctionSpec spec, string application = "INFO", string system = "INFO") {
    spec.logging = {.json = true,
                    .application_level = std::move(application),
                    .system_level = std::move(system)};
    return spec;
  }

  /// Every line of the log; each must be an object.
  std::vector<Json> lines() const {
    std::vector<Json> out;
    std::size_t at = 0;
    for (std::size_t end; (end = log.text.find('\n', at)) != string::npos; at = end + 1) {
      out.push_back(json(log.text.substr(at, end - at)));
      EXPECT_TRUE(out.back().object()) << log.text.substr(at, end - at);
    }
    return out;
  }
  /// Those that have this member with this text.
  std::vector<Json> lines_with(std::string_view key, std::string_view value) const {
    std::vector<Json> out;
    for (Json& line : lines()) {
      if (line.string_at(key) == value) out.push_back(std::move(line));
    }
    return out;
  }
  std::vector<string> types() const {
    std::vector<string> out;
    for (const Json& line : lines()) {
      if (auto type = line.string_at("type")) out.push_back(*type);
    }
    return out;
  }
  Json record(std::string_view type) const {
    auto found = lines_with("type", type);
    if (found.size() == 1) return *found[0].find("record");
    ADD_FAILURE() << found.size() << " of " << type << " in\n" << log.text;
    return {};
  }
};

using Texts = std::vector<string>;

TEST_F(JsonLogTest, ThePlatformsEventsAreJson) {
  auto result = call(in_json(node("exports.handler = async () => 1")));
  EXPECT_EQ(types(), Texts({"platform.initStart", "platform.start", "platform.report"}));
  EXPECT_EQ(record("platform.initStart").string_at("runtimeVersion"), "nodejs:22.0.0");
  EXPECT_EQ(record("platform.initStart").string_at("initializationType"), "on-demand");
  EXPECT_EQ(record("platform.start").string_at("version"), "$LATEST");
  Json report = record("platform.report");
  EXPECT_EQ(report.string_at("requestId"), record("platform.start").string_at("requestId"));
  EXPECT_EQ(report.string_at("status"), "success");
  const Json& metrics = *report.find("metrics");
  EXPECT_EQ(metrics.integer_at("memorySizeMB"), 128);
  EXPECT_EQ(metrics.integer_at("billedDurationMs"), static_cast<std::int64_t>(result.billed_ms));
  EXPECT_TRUE(metrics.find("durationMs")->number());
  EXPECT_TRUE(metrics.find("initDurationMs")->number());
  EXPECT_TRUE(lines()[0].string_at("time")->ends_with("Z"));
  EXPECT_EQ(log.text.find("INIT_START"), string::npos);
}

TEST_F(JsonLogTest, WithDebugThePlatformSaysMore) {
  call(in_json(node("exports.handler = async () => 'four'"), "INFO", "DEBUG"));
  EXPECT_EQ(types(), Texts({"platform.initStart", "platform.initRuntimeDone", "platform.initReport",
                            "platform.start", "platform.runtimeDone", "platform.report"}));
  EXPECT_EQ(record("platform.initRuntimeDone").string_at("status"), "success");
  EXPECT_EQ(record("platform.runtimeDone").find("metrics")->integer_at("producedBytes"), 6);
}

TEST_F(JsonLogTest, WithWarnThePlatformSaysOnlyWhatFailed) {
  call(in_json(node("exports.handler = async () => 1"), "INFO", "WARN"));
  EXPECT_EQ(types(), Texts());
}

TEST_F(JsonLogTest, WhatFailsIsSaidWithWarn) {
  call(in_json(node("throw new RangeError('no')"), "INFO", "WARN"));
  EXPECT_EQ(types(),
            Texts({"platform.initRuntimeDone", "platform.initReport", "platform.initRuntimeDone",
                   "platform.initReport", "platform.runtimeDone", "platform.report"}));
  EXPECT_EQ(record("platform.report").string_at("errorType"), "RangeError");
  auto reports = lines_with("type", "platform.initReport");
  EXPECT_EQ(reports[0].find("record")->string_at("phase"), "init");
  EXPECT_EQ(reports[1].find("record")->string_at("phase"), "invoke");
}

TEST_F(JsonLogTest, NodesConsoleWritesObjects) {
  call(in_json(
      node("console.log('loading');\nexports.handler = async () => {\n"
           "  console.warn({a: [1]}); console.info('n=%d\\nlines', 2);\n"
           "  console.error('so', new TypeError('bad')); console.error(new Error('only'));\n"
           "  console.debug('not kept') }")));
  EXPECT_EQ(log.text.find("not kept"), string::npos);
  Json loading = lines_with("message", "loading").at(0);
  EXPECT_EQ(loading.string_at("level"), "INFO");
  EXPECT_FALSE(loading.find("requestId"));
  Json warning = lines_with("level", "WARN").at(0);
  EXPECT_EQ(warning.find("message")->text(), R"({"a":[1]})");
  EXPECT_EQ(warning.string_at("requestId"), record("platform.start").string_at("requestId"));
  EXPECT_TRUE(parse_iso8601(*warning.string_at("timestamp")));
  EXPECT_EQ(lines_with("message", "n=2\nlines").size(), 1U);
  auto errors = lines_with("level", "ERROR");
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].string_at("errorType"), "TypeError");
  EXPECT_EQ(errors[1].find("message")->string_at("errorMessage"), "only");
}

TEST_F(JsonLogTest, ALevelThatIsNotKeptIsNotWritten) {
  FunctionSpec spec = in_json(node("exports.handler = async () => {\n"
                                   "  console.info('low'); console.error('high');\n"
                                   "  process.stdout.write('raw\\n'); return [process.env."
                                   "AWS_LAMBDA_LOG_LEVEL, process.env.AWS_LAMBDA_LOG_FORMAT] }"),
                              "ERROR", "WARN");
  EXPECT_EQ(call(spec).payload, R"(["ERROR","JSON"])");
  EXPECT_EQ(lines().size(), 1U) << log.text;
  EXPECT_EQ(lines_with("message", "high").size(), 1U);
}

TEST_F(JsonLogTest, AnErrorOfAHandlerIsAnObject) {
  call(in_json(node("exports.handler = async () => { throw new RangeError('no') }")));
  Json error = lines_with("level", "ERROR").at(0);
  EXPECT_EQ(error.find("message")->string_at("errorType"), "RangeError");
  EXPECT_EQ(record("platform.report").string_at("status"), "success");
}

TEST_F(JsonLogTest, PythonsLoggingWritesObjects) {
  call(
      in_json(python("import logging\nlog = logging.getLogger('mine')\ndef handler(e, c):\n"
                     "  log.info('n=%d', 2, extra={'order': 7})\n  log.debug('not kept')\n"
                     "  try: 1 / 0\n  except ZeroDivisionError: log.exception('so')\n"
                     "  raise KeyError('no')")));
  EXPECT_EQ(log.text.find("not kept"), string::npos);
  Json info = lines_with("message", "n=2").at(0);
  EXPECT_EQ(info.string_at("level"), "INFO");
  EXPECT_EQ(info.string_at("logger"), "mine");
  EXPECT_EQ(info.integer_at("order"), 7);
  EXPECT_EQ(info.string_at("requestId"), record("platform.start").string_at("requestId"));
  EXPECT_TRUE(parse_iso8601(*info.string_at("timestamp")));
  Json caught = lines_with("message", "so").at(0);
  EXPECT_EQ(caught.string_at("errorType"), "ZeroDivisionError");
  EXPECT_EQ(caught.string_at("errorMessage"), "division by zero");
  EXPECT_TRUE(caught.find("stackTrace")->array());
  Json thrown = lines_with("errorType", "KeyError").at(0);
  EXPECT_EQ(thrown.string_at("level"), "ERROR");
}

TEST_F(JsonLogTest, WhatThePlatformSaysOfAnExitIsAnObject) {
  call(in_json(python("import sys\ndef handler(e, c): sys.exit(3)")));
  Json error = lines_with("level", "ERROR").at(0);
  EXPECT_TRUE(error.string_at("message")->ends_with("exit status 3"));
  EXPECT_EQ(record("platform.report").string_at("errorType"), "Runtime.ExitError");
}

TEST_F(JsonLogTest, ATimeoutIsAnObject) {
  FunctionSpec spec =
      in_json(python("import threading\ndef handler(e, c): threading.Event().wait()"));
  spec.timeout = std::chrono::seconds(1);
  call(spec);
  EXPECT_EQ(lines_with("message", "Task timed out after 1.00 seconds").size(), 1U);
  EXPECT_EQ(record("platform.report").string_at("status"), "timeout");
}

}  // namespace
}  // namespace wolke::invoke
