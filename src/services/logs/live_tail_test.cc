#include "wolke/services/logs/live_tail.h"

#include <gtest/gtest.h>

#include "wolke/services/logs/ops.h"
#include "wolke/shape/json.h"
#include "wolke/store/engines.h"

namespace wolke::logs {
namespace {

using shape::Json;

class LiveTailTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"g", "other"}) {
      op::CreateLogGroup::Input input;
      input.log_group_name = name;
      ASSERT_TRUE((call<op::CreateLogGroup, create_group>(input)));
    }
    put("g", "s", {{0, "before"}});
  }

  template <class Op, auto Function>
  Result<typename Op::Output> call(const typename Op::Input& input) {
    std::optional<typename Op::Output> out;
    TRY(operation::transact_blocking(*store_, [&](Tx& tx) -> Result<void> {
      TRY(auto value, Function(service_, tx, context_, input));
      out.emplace(std::move(value));
      return {};
    }));
    return *std::move(out);
  }

  /// Milliseconds from now on, and messages.
  void put(const std::string& group, const std::string& stream,
           const std::vector<std::pair<std::int64_t, std::string>>& events) {
    std::vector<NewEvent> given;
    for (const auto& [offset, message] : events) {
      given.push_back({to_millis(context_.now) + offset, message});
    }
    const StreamName name{{context_.account, context_.region, group}, stream};
    ASSERT_TRUE(operation::transact_blocking(*store_, [&](Tx& tx) {
      return append_events(tx, name, given, context_.now, env_.random);
    }));
  }

  static op::StartLiveTail::Input about(std::vector<std::string> groups) {
    op::StartLiveTail::Input input;
    input.log_group_identifiers = std::move(groups);
    return input;
  }
  Result<std::shared_ptr<LiveBody>> start(const op::StartLiveTail::Input& input) {
    TRY(auto out, call<op::StartLiveTail, start_live_tail>(input));
    return out.response_stream->live;
  }
  std::string code_of(const op::StartLiveTail::Input& input) {
    const auto started = start(input);
    return started ? "" : started.error().code;
  }
  /// The document of the last message of a piece.
  Json document(LiveBody& tail) {
    const auto piece = tail.next(context_.now);
    if (!piece || !*piece) return {};
    const std::size_t begin = (**piece).rfind("event{");
    if (begin == std::string::npos) return {};
    return shape::parse_json((**piece).substr(begin + 5, (**piece).size() - begin - 9)).value();
  }
  std::string messages(LiveBody& tail) {
    const Json update = document(tail);
    std::string out;
    for (const Json& item : *update.find("sessionResults")->array()) {
      out += *item.string_at("message") + ";";
    }
    return out;
  }

  std::unique_ptr<store::Store> store_ = store::open_memory_store();
  Logs service_{Limits{}, nullptr, store_.get()};
  Env env_ = system_env();
  operation::Context context_{.account = "111111111111",
                              .region = "us-east-1",
                              .now = from_millis(1'795'435'200'000),
                              .random = &env_.random};
};

TEST_F(LiveTailTest, ItSendsWhatIsWrittenFromNowOn) {
  const auto tail = *start(about({"g"}));
  EXPECT_EQ(document(*tail).find("logGroupIdentifiers")->text(), R"(["g"])");
  EXPECT_EQ(messages(*tail), "");
  put("g", "s", {{1, "one"}, {2, "two"}});
  put("g", "new stream", {{0, "zero"}});
  put("other", "s", {{0, "not asked for"}});
  EXPECT_EQ(messages(*tail), "zero;one;two;");
  EXPECT_EQ(messages(*tail), "");
  put("g", "s", {{-3'600'000, "late"}});
  const Json item = document(*tail).find("sessionResults")->array()->front();
  EXPECT_EQ(item.string_at("message"), "late");
  EXPECT_EQ(item.string_at("logStreamName"), "s");
  EXPECT_EQ(item.string_at("logGroupIdentifier"), "111111111111:g");
  EXPECT_EQ(item.integer_at("timestamp"), to_millis(context_.now) - 3'600'000);
  EXPECT_EQ(item.integer_at("ingestionTime"), to_millis(context_.now));
}

TEST_F(LiveTailTest, StreamsAndAPatternChoose) {
  auto by_prefix = about({"g"});
  by_prefix.log_stream_name_prefixes = {"a", "b"};
  by_prefix.log_event_filter_pattern = "ERROR";
  const auto tail = *start(by_prefix);
  auto by_name = about({"arn:aws:logs:us-east-1:111111111111:log-group:g"});
  by_name.log_stream_names = {"s"};
  const auto named = *start(by_name);
  document(*tail), document(*named);
  put("g", "a1", {{0, "ERROR 1"}, {1, "fine"}});
  put("g", "b1", {{2, "ERROR 2"}});
  put("g", "s", {{3, "ERROR 3"}});
  EXPECT_EQ(messages(*tail), "ERROR 1;ERROR 2;");
  EXPECT_EQ(messages(*named), "ERROR 3;");
}

TEST_F(LiveTailTest, MoreThanAnUpdateCarriesIsSampled) {
  const auto tail = *start(about({"g"}));
  document(*tail);
  std::vector<std::pair<std::int64_t, std::string>> many;
  for (int i = 0; i < 2000; ++i) many.emplace_back(i, std::to_string(i));
  put("g", "s", many);
  const Json update = document(*tail);
  EXPECT_EQ(update.find("sessionMetadata")->text(), R"({"sampled":true})");
  const Json::Array& items = *update.find("sessionResults")->array();
  ASSERT_EQ(items.size(), tail_update_events_max);
  EXPECT_EQ(items.front().string_at("message"), "0");
  EXPECT_EQ(items.back().string_at("message"), "1996");
  EXPECT_EQ(document(*tail).find("sessionMetadata")->text(), R"({"sampled":false})");
}

TEST_F(LiveTailTest, NoMoreThanSoManyBytesAreReadOrSent) {
  const auto tail = *start(about({"g"}));
  document(*tail);
  for (int i = 0; i < 80; ++i) put("g", "s", {{i, std::string(250 * 1024, 'x')}});
  const auto piece = *tail->next(context_.now);
  EXPECT_GT(piece->size(), 250U * 1024);
  EXPECT_LT(piece->size(), 1100U * 1024);
  EXPECT_NE(piece->find(R"("sampled":true)"), std::string::npos);
}

TEST_F(LiveTailTest, ItEndsAfterThreeHoursOrWithTheServer) {
  const auto tail = *start(about({"g"}));
  document(*tail);
  context_.now += tail_session_max;
  const auto last = *tail->next(context_.now);
  EXPECT_NE(last->find("SessionTimeoutException"), std::string::npos);
  EXPECT_EQ(*tail->next(context_.now), std::nullopt);
  const auto other = *start(about({"g"}));
  service_.close_tails();
  EXPECT_EQ(*other->next(context_.now), std::nullopt);
}

TEST_F(LiveTailTest, AnAccountHasFifteen) {
  std::vector<std::shared_ptr<LiveBody>> open;
  for (std::size_t i = 0; i < tails_of_account_max; ++i) open.push_back(*start(about({"g"})));
  EXPECT_EQ(code_of(about({"g"})), "LimitExceededException");
  open.pop_back();
  EXPECT_EQ(code_of(about({"g"})), "");
}

TEST_F(LiveTailTest, WhatCannotBeTailedIsRefusedByName) {
  EXPECT_EQ(code_of(about({"nothing"})), "ResourceNotFoundException");
  EXPECT_EQ(code_of(about({})), "InvalidParameterException");
  EXPECT_EQ(code_of(about({"arn:aws:logs:us-east-1:111111111111:log-group:g:*"})),
            "InvalidParameterException");
  auto input = about({"g", "other"});
  input.log_stream_names = {"s"};
  EXPECT_EQ(code_of(input), "InvalidParameterException");
  input = about({"g"});
  input.log_stream_names = {"s"};
  input.log_stream_name_prefixes = {"s"};
  EXPECT_EQ(code_of(input), "InvalidParameterException");
  input = about({"g"});
  input.log_stream_names = {"nothing"};
  EXPECT_EQ(code_of(input), "ResourceNotFoundException");
  input = about({"g"});
  input.log_event_filter_pattern = "{ $.a = ";
  EXPECT_EQ(code_of(input), "InvalidParameterException");
}

TEST_F(LiveTailTest, AGroupThatIsMadeAgainGoesOn) {
  const auto tail = *start(about({"g"}));
  document(*tail);
  op::DeleteLogGroup::Input input;
  input.log_group_name = "g";
  ASSERT_TRUE((call<op::DeleteLogGroup, delete_group>(input)));
  EXPECT_EQ(messages(*tail), "");
  put("g", "s", {{0, "again"}});
  EXPECT_EQ(messages(*tail), "again;");
}

}  // namespace
}  // namespace wolke::logs
