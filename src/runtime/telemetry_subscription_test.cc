#include "wolke/runtime/telemetry_subscription.h"

#include <gtest/gtest.h>

namespace wolke::runtime {
namespace {

using namespace std::chrono_literals;

std::string request(const std::string& uri, const std::string& more = "") {
  return R"({"schemaVersion":"2022-12-13","types":["platform","function"],"destination":)"
         R"({"protocol":"HTTP","URI":")" +
         uri + "\"}" + more + "}";
}

std::string wrong(const std::string& body, TelemetryApi api = TelemetryApi::telemetry) {
  auto parsed = parse_subscription(api, body);
  return parsed ? "" : parsed.error().message;
}

TEST(TelemetrySubscription, SaysWhereAndWhat) {
  auto parsed = parse_subscription(TelemetryApi::telemetry,
                                   request("http://sandbox.localdomain:8080/a?b",
                                           R"(,"buffering":{"timeoutMs":25,"maxItems":1000})"));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->port, 8080);
  EXPECT_EQ(parsed->path, "/a?b");
  EXPECT_EQ(parsed->timeout, 25ms);
  EXPECT_EQ(parsed->items_max, 1000U);
  EXPECT_TRUE(parsed->wants(TelemetryKind::function, "function"));
  EXPECT_FALSE(parsed->wants(TelemetryKind::extension, "extension"));
  EXPECT_FALSE(parsed->wants(TelemetryKind::platform, "platform.end"));
}

TEST(TelemetrySubscription, LeadsToTheSandboxOnlyAndToNothingOfOurs) {
  EXPECT_EQ(wrong(request("http://sandbox:1024")), "");
  EXPECT_EQ(wrong(request("http://127.0.0.1:8080")),
            "URI host should be sandbox.localdomain or sandbox");
  EXPECT_EQ(wrong(request("http://a@sandbox.localdomain:80")),
            "URI host should be sandbox.localdomain or sandbox");
  EXPECT_EQ(wrong(request("https://sandbox.localdomain:8080")), "URI scheme should be http");
  for (const char* port : {"9001", "9002", "4566", "443", "53"}) {
    EXPECT_EQ(wrong(request(std::string("http://sandbox.localdomain:") + port)),
              std::string("URI port ") + port + " is reserved");
  }
  for (const char* bad : {"", ":", ":0", ":65536", ":x", ":80:80", ":-1"}) {
    EXPECT_EQ(wrong(request(std::string("http://sandbox.localdomain") + bad)),
              "URI port is not provided")
        << bad;
  }
  EXPECT_EQ(wrong(request("http://sandbox:80/a\\r\\nX: y")), "URI path is not valid");
}

TEST(TelemetrySubscription, SaysEverythingThatIsWrong) {
  EXPECT_EQ(
      wrong(
          R"({"schemaVersion":"2022-07-01","types":[],"destination":{"protocol":"HTTP","URI":"http://sandbox"}})"),
      "URI port is not provided; types should not be empty");
  EXPECT_EQ(wrong("[]"), "the body is no JSON object");
  EXPECT_EQ(
      wrong(request("http://sandbox:80", R"(,"buffering":{"timeoutMs":24,"maxBytes":1})")),
      "maxBytes should be between 262144 and 1048576; timeoutMs should be between 25 and 30000");
}

TEST(TelemetrySubscription, OlderSchemasAreToldLess) {
  std::string body =
      R"({"types":["platform"],"destination":{"protocol":"HTTP","URI":"http://sandbox:80"}})";
  auto first = parse_subscription(TelemetryApi::logs, body).value();
  EXPECT_TRUE(first.wants(TelemetryKind::platform, "platform.end"));
  EXPECT_FALSE(first.wants(TelemetryKind::platform, "platform.runtimeDone"));
  EXPECT_FALSE(first.wants(TelemetryKind::platform, "platform.initStart"));
  body.insert(1, R"("schemaVersion":"2021-03-18",)");
  auto second = parse_subscription(TelemetryApi::logs, body).value();
  EXPECT_TRUE(second.wants(TelemetryKind::platform, "platform.runtimeDone"));
}

class Buffering : public ::testing::Test {
 protected:
  TelemetrySubscription subscription{.items_max = 3, .bytes_max = 20, .timeout = 100ms};
  TelemetryBuffer buffer{subscription};
  Monotonic start{1s};
};

TEST_F(Buffering, ABatchIsDueWhenItIsOldOrFull) {
  EXPECT_EQ(buffer.due(), Monotonic::max());
  buffer.add("1", start, true);
  EXPECT_EQ(buffer.due(), start + 100ms);
  buffer.add("2", start + 1ms, true);
  buffer.add("3", start + 2ms, true);
  EXPECT_LE(buffer.due(), start);
  EXPECT_EQ(buffer.batch({}), "[1,2,3]");
  buffer.sent();
  EXPECT_EQ(buffer.due(), Monotonic::max());
  EXPECT_EQ(buffer.bytes(), 0U);
}

TEST_F(Buffering, ABatchThatWasNotSentComesAgain) {
  buffer.add("1", start, true);
  EXPECT_EQ(buffer.batch({}), "[1]");
  buffer.add("2", start, true);
  EXPECT_EQ(buffer.batch({}), "[1,2]");
  buffer.sent();
  EXPECT_EQ(buffer.bytes(), 0U);
}

TEST_F(Buffering, WhatComesDuringADeliveryStays) {
  buffer.add("1", start, true);
  EXPECT_EQ(buffer.batch({}), "[1]");
  buffer.add("2", start, true);
  buffer.sent();
  EXPECT_EQ(buffer.batch({}), "[2]");
}

TEST_F(Buffering, WhatDoesNotFitIsCountedAndSaid) {
  for (int i = 0; i < 9; ++i) buffer.add("1", start, true);
  buffer.add("22", start, false);
  std::string batch = buffer.batch({});
  EXPECT_TRUE(batch.starts_with("[1,1,1,{\"time\":")) << batch;
  EXPECT_NE(batch.find("\"droppedRecords\":4,\"droppedBytes\":5"), std::string::npos) << batch;
  buffer.sent();
  EXPECT_EQ(buffer.batch({}), "[1,1,1]");
}

TEST_F(Buffering, AFlushMakesEverythingDue) {
  for (int i = 0; i < 4; ++i) buffer.add("1", start, true);
  buffer.flush();
  (void)buffer.batch({});
  buffer.sent();
  EXPECT_LE(buffer.due(), start);
  (void)buffer.batch({});
  buffer.sent();
  EXPECT_EQ(buffer.due(), Monotonic::max());
}

}  // namespace
}  // namespace wolke::runtime
