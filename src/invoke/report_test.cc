#include "wolke/invoke/report.h"

#include <gtest/gtest.h>

namespace wolke::invoke {
namespace {

TEST(Report, AWarmInvocationsLineIsLambdas) {
  EXPECT_EQ(report_line({.request_id = "id",
                         .duration = Micros(20391),
                         .memory_mb = 128,
                         .memory_peak_bytes = 57 << 20}),
            "REPORT RequestId: id\tDuration: 20.39 ms\tBilled Duration: 21 ms\tMemory Size: 128 "
            "MB\tMax Memory Used: 57 MB\t\n");
}

TEST(Report, AColdInvocationIsBilledWithItsInitPhase) {
  EXPECT_EQ(report_line({.request_id = "id",
                         .duration = Micros(20391),
                         .init_duration = Micros(178500),
                         .memory_mb = 128,
                         .memory_peak_bytes = 1}),
            "REPORT RequestId: id\tDuration: 20.39 ms\tBilled Duration: 199 ms\tMemory Size: 128 "
            "MB\tMax Memory Used: 1 MB\tInit Duration: 178.50 ms\t\n");
}

TEST(Report, AFailureIsNamed) {
  EXPECT_TRUE(report_line({.request_id = "id", .duration = Micros(3'000'000), .status = "timeout"})
                  .ends_with("\tStatus: timeout\n"));
  EXPECT_TRUE(
      report_line({.request_id = "id", .status = "error", .error_type = "Runtime.ExitError"})
          .ends_with("\tStatus: error\tError Type: Runtime.ExitError\n"));
}

TEST(Report, EveryBegunMillisecondIsBilledAndAtLeastOne) {
  EXPECT_EQ(billed_ms(Micros(1), Micros(0)), 1U);
  EXPECT_EQ(billed_ms(Micros(0), Micros(0)), 1U);
  EXPECT_EQ(billed_ms(Micros(1000), Micros(0)), 1U);
  EXPECT_EQ(billed_ms(Micros(1001), Micros(0)), 2U);
}

TEST(Report, ExitsAreToldAsLambdaTellsThem) {
  EXPECT_EQ(exit_fault("id", {.code = 1}).message,
            "RequestId: id Error: Runtime exited with error: exit status 1");
  EXPECT_EQ(exit_fault("id", {}).message,
            "RequestId: id Error: Runtime exited without providing a reason");
  ServiceFault killed = exit_fault("id", {.signal = 9, .out_of_memory = true});
  EXPECT_EQ(killed.message, "RequestId: id Error: Runtime exited with error: signal: killed");
  EXPECT_EQ(killed.type, "Runtime.OutOfMemory");
  EXPECT_EQ(exit_fault("id", {.signal = 9}).type, "Runtime.ExitError");
}

TEST(Report, ATimeoutIsAnErrorWithTwoDecimals) {
  EXPECT_EQ(
      timeout_fault("id", std::chrono::seconds(3)).json(),
      R"({"errorType":"Sandbox.Timedout","errorMessage":"RequestId: id Error: Task timed out after 3.00 seconds"})");
  EXPECT_EQ(timed_out_line(from_millis(0), "id", std::chrono::seconds(900)),
            "1970-01-01T00:00:00.000Z id Task timed out after 900.00 seconds\n\n");
}

TEST(Report, TheStreamsNameHasDateVersionAndInstance) {
  std::string name =
      log_stream_name(from_millis(1'795'427'473'000), "$LATEST", system_env().random);
  EXPECT_TRUE(name.starts_with("2026/11/23/[$LATEST]")) << name;
  EXPECT_EQ(name.size(), std::string("2026/11/23/[$LATEST]").size() + 32);
}

}  // namespace
}  // namespace wolke::invoke
