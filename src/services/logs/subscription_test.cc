#include "wolke/services/logs/subscription.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <set>

#include "wolke/base/hash.h"
#include "wolke/deliver/events.h"
#include "wolke/services/logs/append.h"
#include "wolke/services/logs/ops.h"
#include "wolke/shape/json.h"
#include "wolke/store/engines.h"

namespace wolke::logs {
namespace {

constexpr auto function_arn = "arn:aws:lambda:us-east-1:000000000000:function:f";

class AnyFunction final : public FunctionDirectory {
 public:
  Result<bool> may_invoke(store::Tx&, const std::string& function, const std::string& service,
                          const std::string& source_arn, const std::string&) const override {
    asked = source_arn;
    return function == function_arn && service == permitted;
  }
  std::string permitted = "logs.amazonaws.com";
  mutable std::string asked;
};

std::string unzipped(const std::string& packed) {
  std::string out(4 * 1024 * 1024, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

class SubscriptionTest : public testing::Test {
 protected:
  SubscriptionTest() {
    op::CreateLogGroup::Input group;
    group.log_group_name = "g";
    EXPECT_TRUE((call<op::CreateLogGroup, create_group>(group)));
    op::CreateLogStream::Input stream;
    stream.log_group_name = "g";
    stream.log_stream_name = "s";
    EXPECT_TRUE((call<op::CreateLogStream, create_stream>(stream)));
  }
  template <class Op, auto Function>
  Result<typename Op::Output> call(typename Op::Input input) {
    std::optional<typename Op::Output> out;
    TRY(operation::transact_blocking(*store_, [&](Tx& tx) -> Result<void> {
      TRY(auto value, Function(service_, tx, context_, input));
      out.emplace(std::move(value));
      return {};
    }));
    return *std::move(out);
  }
  Result<op::PutSubscriptionFilter::Output> subscribe(const std::string& name,
                                                      const std::string& pattern,
                                                      const std::string& arn = function_arn,
                                                      const std::string& group = "g") {
    op::PutSubscriptionFilter::Input input;
    input.log_group_name = group;
    input.filter_name = name;
    input.filter_pattern = pattern;
    input.destination_arn = arn;
    return call<op::PutSubscriptionFilter, put_subscription_filter>(input);
  }
  void put(const std::vector<std::string>& messages) {
    op::PutLogEvents::Input input;
    input.log_group_name = "g";
    input.log_stream_name = "s";
    input.log_events.emplace();
    for (const std::string& message : messages) {
      auto& event = input.log_events->emplace_back();
      event.timestamp = to_millis(context_.now);
      event.message = message;
    }
    ASSERT_TRUE((call<op::PutLogEvents, put_events>(input)));
  }
  std::size_t pending() {
    auto snapshot = *store_->snapshot();
    return deliver::list_events(*snapshot, {.account = "000000000000"})->size();
  }

  std::unique_ptr<store::Store> store_ = store::open_memory_store();
  Env env_ = system_env();
  AnyFunction functions_;
  Logs service_{Limits{}, &functions_};
  operation::Context context_{.account = "000000000000",
                              .region = "us-east-1",
                              .now = from_millis(1'700'000'000'000),
                              .random = &env_.random};
};

TEST_F(SubscriptionTest, OnlyMatchingEventsAreEnqueued) {
  ASSERT_TRUE(subscribe("errors", "ERROR"));
  EXPECT_EQ(functions_.asked, "arn:aws:logs:us-east-1:000000000000:log-group:g:*");
  put({"INFO a"});
  EXPECT_EQ(pending(), 0U);
  put({"ERROR a", "INFO b", "ERROR c"});
  EXPECT_EQ(pending(), 1U) << "one event for one batch";
}

TEST_F(SubscriptionTest, LargeBatchesBecomeSeveralEvents) {
  ASSERT_TRUE(subscribe("all", ""));
  put({std::string(200'000, 'x'), std::string(200'000, 'y'), std::string(200'000, 'z')});
  EXPECT_EQ(pending(), 3U);
}

TEST_F(SubscriptionTest, TheChainInWhichEventsWereWrittenGoesOnEachInItsOwnEvent) {
  ASSERT_TRUE(subscribe("all", ""));
  const auto traces = [this] {
    std::multiset<std::string> out;
    auto snapshot = *store_->snapshot();
    const auto events = *deliver::list_events(*snapshot, {.account = "000000000000"});
    for (const auto& status : events) out.insert(status.event.trace);
    return out;
  };
  const std::vector<NewEvent> events = {{1, "a", "Lineage=00000001:1"},
                                        {2, "b", "Lineage=00000001:1"},
                                        {3, "c", "Lineage=00000001:2"},
                                        {4, "d", {}}};
  const StreamName name{{"000000000000", "us-east-1", "g"}, "s"};
  ASSERT_TRUE(operation::transact_blocking(
      *store_, [&](Tx& tx) { return append_events(tx, name, events, context_.now, env_.random); }));
  EXPECT_EQ(traces(), (std::multiset<std::string>{"", "Lineage=00000001:1", "Lineage=00000001:2"}));
}

TEST_F(SubscriptionTest, WhatAFunctionPutsIntoALogIsOfItsChain) {
  ASSERT_TRUE(subscribe("all", ""));
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"x-amzn-trace-id", "Root=1-0-0;Lineage=00000001:7;Sampled=0"}};
  context_.headers = &headers;
  put({"a"});
  auto snapshot = *store_->snapshot();
  const auto events = *deliver::list_events(*snapshot, {.account = "000000000000"});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events.front().event.trace, "Lineage=00000001:7");
}

TEST_F(SubscriptionTest, AFunctionNeedsAPolicyThatAdmitsTheServiceOrItsRegion) {
  functions_.permitted = "logs.us-east-1.amazonaws.com";
  EXPECT_TRUE(subscribe("a", ""));
  functions_.permitted = "s3.amazonaws.com";
  EXPECT_TRUE(subscribe("b", "").error().message.starts_with("Could not execute the lambda"));
}

TEST_F(SubscriptionTest, AFunctionNeverGetsItsOwnLogs) {
  op::CreateLogGroup::Input group;
  group.log_group_name = "/aws/lambda/f";
  ASSERT_TRUE((call<op::CreateLogGroup, create_group>(group)));
  const auto refused = subscribe("loop", "", function_arn, "/aws/lambda/f");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "The log group provided is reserved for the function log of the destination function.");
}

TEST_F(SubscriptionTest, AGroupHasTwoAndOtherDestinationsAreRefusedByName) {
  ASSERT_TRUE(subscribe("a", ""));
  ASSERT_TRUE(subscribe("b", ""));
  ASSERT_TRUE(subscribe("b", "changed"));
  EXPECT_EQ(subscribe("c", "").error().code, "LimitExceededException");
  const auto kinesis = subscribe("a", "", "arn:aws:kinesis:us-east-1:000000000000:stream/s");
  EXPECT_NE(kinesis.error().message.find("kinesis is not served"), std::string::npos);
  op::DescribeSubscriptionFilters::Input list;
  list.log_group_name = "g";
  const auto found = *call<op::DescribeSubscriptionFilters, describe_subscription_filters>(list);
  ASSERT_EQ(found.subscription_filters->size(), 2U);
  EXPECT_EQ(found.subscription_filters->back().filter_pattern, "changed");
  op::DeleteSubscriptionFilter::Input remove;
  remove.log_group_name = "g";
  remove.filter_name = "a";
  EXPECT_TRUE((call<op::DeleteSubscriptionFilter, delete_subscription_filter>(remove)));
  EXPECT_EQ(
      (call<op::DeleteSubscriptionFilter, delete_subscription_filter>(remove).error().message),
      "The specified subscription filter does not exist.");
}

TEST(SubscriptionPayload, IsTheDocumentCompressedInBase64) {
  std::vector<SubscribedEvent> events = {{"1", 7, "a \"b\"", {}}};
  events.front().fields["w"] = "a";
  const std::string document = subscription_document({"000000000000", "g", "s", "f"}, events);
  EXPECT_EQ(document,
            R"({"messageType":"DATA_MESSAGE","owner":"000000000000","logGroup":"g",)"
            R"("logStream":"s","subscriptionFilters":["f"],"logEvents":[{"id":"1","timestamp":7,)"
            R"("message":"a \"b\"","extractedFields":{"w":"a"}}]})");
  const auto payload = shape::parse_json(subscription_payload(document));
  ASSERT_TRUE(payload);
  const auto packed = from_base64(*payload->find("awslogs")->string_at("data"));
  EXPECT_EQ(unzipped(*packed), document);
}

TEST(SubscriptionPayload, StaysBelowLambdasLimitWhateverTheMessages) {
  // What cannot be compressed: the worst case.
  std::string noise;
  std::uint64_t state = 1;
  while (noise.size() < payload_messages_bytes_max) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    noise += static_cast<char>(0x20 + (state >> 33) % 0x5F);
  }
  const std::vector<SubscribedEvent> events = {{"1", 7, noise, {}}};
  const std::string payload = subscription_payload(subscription_document({}, events));
  EXPECT_LT(payload.size(), limits::invoke_async_payload_bytes_max);
}

// ---- metric filters and resource policies ----

TEST_F(SubscriptionTest, MetricFiltersAreKeptFoundAndGoWithTheirGroup) {
  op::PutMetricFilter::Input input;
  input.log_group_name = "g";
  input.filter_name = "m";
  input.filter_pattern = "{ $.code = 5* }";
  input.metric_transformations.emplace();
  auto& made = input.metric_transformations->emplace_back();
  made.metric_name = "Errors";
  made.metric_namespace = "App";
  made.metric_value = "1";
  ASSERT_TRUE((call<op::PutMetricFilter, put_metric_filter>(input)));
  made.default_value = 0;
  made.dimensions.emplace()["code"] = "$.code";
  EXPECT_FALSE((call<op::PutMetricFilter, put_metric_filter>(input)));
  op::DescribeMetricFilters::Input list;
  list.metric_name = "Errors";
  EXPECT_FALSE((call<op::DescribeMetricFilters, describe_metric_filters>(list)));
  list.metric_namespace = "App";
  const auto count = [&] {
    return call<op::DescribeMetricFilters, describe_metric_filters>(list)->metric_filters->size();
  };
  EXPECT_EQ(count(), 1U);
  op::DeleteLogGroup::Input remove;
  remove.log_group_name = "g";
  ASSERT_TRUE((call<op::DeleteLogGroup, delete_group>(remove)));
  EXPECT_EQ(count(), 0U);
}

TEST_F(SubscriptionTest, APatternCanBeTried) {
  op::TestMetricFilter::Input input;
  input.filter_pattern = "[w1 = ERROR, w2]";
  input.log_event_messages = {"INFO a", "ERROR b"};
  const auto out = *call<op::TestMetricFilter, test_metric_filter>(input);
  ASSERT_EQ(out.matches->size(), 1U);
  EXPECT_EQ(out.matches->front().event_number, 2);
  EXPECT_EQ(out.matches->front().extracted_values->at("$w2"), "b");
}

TEST_F(SubscriptionTest, ResourcePoliciesAreRecordedTenAtMost) {
  op::PutResourcePolicy::Input input;
  input.policy_document = "{}";
  input.policy_name = "p";
  EXPECT_FALSE((call<op::PutResourcePolicy, put_resource_policy>(input)));
  input.policy_document = R"({"Statement":[]})";
  for (int i = 0; i < 10; ++i) {
    input.policy_name = "p" + std::to_string(i);
    EXPECT_TRUE((call<op::PutResourcePolicy, put_resource_policy>(input)));
  }
  input.policy_name = "one more";
  EXPECT_EQ((call<op::PutResourcePolicy, put_resource_policy>(input).error().code),
            "LimitExceededException");
  const auto listed = *call<op::DescribeResourcePolicies, describe_resource_policies>({});
  EXPECT_EQ(listed.resource_policies->size(), 10U);
}

}  // namespace
}  // namespace wolke::logs
