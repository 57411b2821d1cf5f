#include "wolke/cli/run_door.h"

#include <gtest/gtest.h>

namespace wolke::cli {
namespace {

TEST(Refusal, IsInTheFormThatTheSdkReads) {
  net::RequestHead head{.method = "PUT", .target = "/bucket/key", .headers = {}};
  EXPECT_EQ(refusal_for(head, "no server").body,
            "<Error><Code>NoServer</Code><Message>no server</Message></Error>");
  head.target = "/";
  head.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}};
  EXPECT_EQ(refusal_for(head, "no server").body,
            "<ErrorResponse><Error><Type>Sender</Type><Code>NoServer</Code><Message>no "
            "server</Message></Error></ErrorResponse>");
  head.headers = {{"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", "Logs.X"}};
  EXPECT_EQ(refusal_for(head, "no server").body, R"({"__type":"NoServer","message":"no server"})");
  head.headers = {};
  head.target = "/2015-03-31/functions";
  EXPECT_EQ(refusal_for(head, "no server").content_type, "application/x-amz-json-1.1");
}

}  // namespace
}  // namespace wolke::cli
