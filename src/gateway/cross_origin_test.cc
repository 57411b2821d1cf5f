#include "wolke/gateway/cross_origin.h"

#include <gtest/gtest.h>

namespace wolke::gateway {
namespace {

net::RequestHead options(net::HeaderList headers) {
  net::RequestHead head;
  head.method = "OPTIONS";
  head.headers = std::move(headers);
  return head;
}

TEST(CrossOrigin, APreflightNamesOriginMethodAndHeaders) {
  auto ask = ask_of_preflight(options({{"origin", "https://a.example"},
                                       {"access-control-request-method", "PUT"},
                                       {"access-control-request-headers", "X-Amz-Date, b"}}),
                              "photos");
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->method, "PUT");
  EXPECT_EQ(ask->headers, (std::vector<std::string>{"x-amz-date", "b"}));
}

TEST(CrossOrigin, WhatIsNoPreflightIsABadRequest) {
  EXPECT_EQ(ask_of_preflight(options({}), "photos").error().code, "BadRequest");
  EXPECT_EQ(ask_of_preflight(options({{"origin", "a"}}), "photos").error().code, "BadRequest");
  EXPECT_EQ(ask_of_preflight(options({{"origin", "a"}, {"access-control-request-method", "PATCH"}}),
                             "photos")
                .error()
                .code,
            "BadRequest");
}

TEST(CrossOrigin, RefusalsSayWhichOfTheTwoItIs) {
  EXPECT_NE(allow_preflight({}).error().message.find("not enabled"), std::string::npos);
  EXPECT_NE(
      allow_preflight({.configured = true, .headers = {}}).error().message.find("not allowed"),
      std::string::npos);
  EXPECT_TRUE(allow_preflight({.configured = true, .headers = net::HeaderList{}}));
}

TEST(CrossOrigin, OnlyRequestsWithAnOriginAsk) {
  EXPECT_FALSE(ask_of_request(options({}), "photos"));
  EXPECT_TRUE(ask_of_request(options({{"origin", "https://a.example"}}), "photos"));
}

TEST(CrossOrigin, ARequestMaySayItselfWhatAPreflightWouldHaveAsked) {
  net::RequestHead head = options({{"origin", "https://a.example"},
                                   {"access-control-request-method", "GET"},
                                   {"access-control-request-headers", "X-Amz-Date"}});
  head.method = "PUT";
  auto ask = ask_of_request(head, "photos");
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->method, "GET");
  EXPECT_EQ(ask->headers, std::vector<std::string>{"x-amz-date"});
  head.headers = {{"origin", "https://a.example"}};
  EXPECT_EQ(ask_of_request(head, "photos")->method, "PUT");
}

}  // namespace
}  // namespace wolke::gateway
