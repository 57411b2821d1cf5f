#include "wolke/services/logs/logs.h"

#include <gtest/gtest.h>

#include "wolke/services/logs/ops.h"
#include "wolke/store/engines.h"

namespace wolke::logs {
namespace {

class LogsTest : public testing::Test {
 protected:
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
  Result<op::CreateLogGroup::Output> make_group(const std::string& name) {
    op::CreateLogGroup::Input input;
    input.log_group_name = name;
    return call<op::CreateLogGroup, create_group>(input);
  }
  Result<op::CreateLogStream::Output> make_stream(const std::string& group,
                                                  const std::string& name) {
    op::CreateLogStream::Input input;
    input.log_group_name = group;
    input.log_stream_name = name;
    return call<op::CreateLogStream, create_stream>(input);
  }
  Result<op::PutLogEvents::Output> put(const std::string& stream,
                                       std::vector<std::pair<std::int64_t, std::string>> events) {
    op::PutLogEvents::Input input;
    input.log_group_name = "g";
    input.log_stream_name = stream;
    input.log_events.emplace();
    for (auto& [offset, message] : events) {
      auto& event = input.log_events->emplace_back();
      event.timestamp = now_ms() + offset;
      event.message = message;
    }
    return call<op::PutLogEvents, put_events>(input);
  }
  op::GetLogEvents::Output get(const std::string& stream, std::optional<std::string> token = {},
                               bool head = true, std::int32_t limit = 10) {
    op::GetLogEvents::Input input;
    input.log_group_name = "g";
    input.log_stream_name = stream;
    input.next_token = std::move(token);
    input.start_from_head = head;
    input.limit = limit;
    return *call<op::GetLogEvents, get_events>(input);
  }
  template <class Out>
  static std::string messages(const Out& out) {
    std::string all;
    for (const auto& event : *out.events) all += *event.message + " ";
    return all;
  }
  std::int64_t now_ms() const { return to_millis(context_.now); }
  void make_g() {
    ASSERT_TRUE(make_group("g"));
    ASSERT_TRUE(make_stream("g", "s"));
  }

  std::unique_ptr<store::Store> store_ = store::open_memory_store();
  Env env_ = system_env();
  Logs service_{Limits{}};
  operation::Context context_{.account = "000000000000",
                              .region = "us-east-1",
                              .now = from_millis(1'700'000'000'000),
                              .random = &env_.random};
};

TEST_F(LogsTest, GroupsAndStreamsAreMadeOnce) {
  make_g();
  EXPECT_EQ(make_group("g").error().code, "ResourceAlreadyExistsException");
  EXPECT_EQ(make_stream("g", "s").error().code, "ResourceAlreadyExistsException");
  EXPECT_EQ(make_stream("nope", "s").error().message, "The specified log group does not exist.");
}

TEST_F(LogsTest, EventsAreReadInTimeOrderWhateverTheOrderOfTheirBatches) {
  make_g();
  ASSERT_TRUE(put("s", {{10, "c"}, {20, "d"}}));
  ASSERT_TRUE(put("s", {{0, "a"}, {10, "c2"}}));
  EXPECT_EQ(messages(get("s")), "a c c2 d ");
}

TEST_F(LogsTest, TokensGoForwardAndBackAndStandStillAtTheEnds) {
  make_g();
  ASSERT_TRUE(put("s", {{0, "a"}, {1, "b"}, {2, "c"}, {3, "d"}, {4, "e"}}));
  const auto first = get("s", {}, true, 2);
  EXPECT_EQ(messages(first), "a b ");
  const auto second = get("s", first.next_forward_token, true, 2);
  EXPECT_EQ(messages(second), "c d ");
  const auto third = get("s", second.next_forward_token, true, 2);
  EXPECT_EQ(messages(third), "e ");
  const auto end = get("s", third.next_forward_token, true, 2);
  EXPECT_EQ(messages(end), "");
  EXPECT_EQ(end.next_forward_token, third.next_forward_token);
  EXPECT_EQ(messages(get("s", third.next_backward_token, true, 2)), "c d ");
  ASSERT_TRUE(put("s", {{5, "f"}}));
  EXPECT_EQ(messages(get("s", end.next_forward_token)), "f ") << "a follower sees what comes later";
}

TEST_F(LogsTest, WithoutStartFromHeadTheNewestComeInTimeOrder) {
  make_g();
  ASSERT_TRUE(put("s", {{0, "a"}, {1, "b"}, {2, "c"}}));
  EXPECT_EQ(messages(get("s", {}, false, 2)), "b c ");
}

TEST_F(LogsTest, AFollowerOfAnEmptyStreamSeesItsFirstEvent) {
  make_g();
  const auto none = get("s");
  ASSERT_TRUE(put("s", {{0, "first"}}));
  EXPECT_EQ(messages(get("s", none.next_forward_token)), "first ");
}

TEST_F(LogsTest, OldAndFutureEventsAreRejectedWithTheirIndices) {
  make_g();
  const std::int64_t day = 24 * 3600 * 1000;
  const auto old =
      put("s", {{-14 * day - 2, "old"}, {-14 * day - 1, "old"}, {-14 * day + 5, "kept"}});
  ASSERT_TRUE(old);
  EXPECT_EQ(old->rejected_log_events_info->too_old_log_event_end_index, 2);
  const auto ahead = put("s", {{0, "kept"}, {3 * 3600 * 1000, "future"}});
  EXPECT_EQ(ahead->rejected_log_events_info->too_new_log_event_start_index, 1);
  EXPECT_EQ(messages(get("s")), "kept kept ");
}

TEST_F(LogsTest, BatchesOutOfOrderOrTooWideAreRefused) {
  make_g();
  EXPECT_EQ(put("s", {{1, "b"}, {0, "a"}}).error().code, "InvalidParameterException");
  EXPECT_EQ(put("s", {{-25LL * 3600 * 1000, "a"}, {0, "b"}}).error().code,
            "InvalidParameterException");
  EXPECT_EQ(put("s", {{0, std::string(event_bytes_max, 'x')}}).error().code,
            "InvalidParameterException");
  EXPECT_EQ(messages(get("s")), "");
}

TEST_F(LogsTest, FilteringMergesStreamsByTimeAndPages) {
  make_g();
  ASSERT_TRUE(make_stream("g", "t"));
  ASSERT_TRUE(put("s", {{0, "s0"}, {2, "s2"}, {4, "s4 ERROR"}}));
  ASSERT_TRUE(put("t", {{1, "t1"}, {3, "t3 ERROR"}, {5, "t5"}}));
  op::FilterLogEvents::Input input;
  input.log_group_name = "g";
  EXPECT_EQ(messages(*call<op::FilterLogEvents, filter_events>(input)),
            "s0 t1 s2 t3 ERROR s4 ERROR t5 ");
  input.limit = 2;
  std::string all;
  int pages = 0;
  do {
    const auto page = *call<op::FilterLogEvents, filter_events>(input);
    all += messages(page);
    input.next_token = page.next_token;
    ASSERT_LT(++pages, 10);
  } while (input.next_token);
  EXPECT_EQ(all, "s0 t1 s2 t3 ERROR s4 ERROR t5 ");
  input.limit.reset();
  input.filter_pattern = "ERROR";
  EXPECT_EQ(messages(*call<op::FilterLogEvents, filter_events>(input)), "t3 ERROR s4 ERROR ");
  input.log_stream_names = {"t"};
  EXPECT_EQ(messages(*call<op::FilterLogEvents, filter_events>(input)), "t3 ERROR ");
}

TEST_F(LogsTest, ADeletedGroupIsEmptyWhenItIsMadeAgainAndItsEventsAreSwept) {
  make_g();
  ASSERT_TRUE(put("s", {{0, "a"}}));
  op::DeleteLogGroup::Input input;
  input.log_group_name = "g";
  ASSERT_TRUE((call<op::DeleteLogGroup, delete_group>(input)));
  make_g();
  EXPECT_EQ(messages(get("s")), "");
  int rounds = 0;
  while (*sweep_events(*store_, context_.now) > 0) ASSERT_LT(++rounds, 10);
  EXPECT_GE(rounds, 2);
  EXPECT_EQ(messages(get("s")), "");
}

TEST_F(LogsTest, RetentionHidesAndThenRemovesOldEvents) {
  make_g();
  const std::int64_t day = 24 * 3600 * 1000;
  ASSERT_TRUE(put("s", {{-2 * day, "old"}}));
  ASSERT_TRUE(put("s", {{0, "new"}}));
  op::PutRetentionPolicy::Input input;
  input.log_group_name = "g";
  input.retention_in_days = 1;
  EXPECT_TRUE((call<op::PutRetentionPolicy, put_retention>(input)));
  EXPECT_EQ(messages(get("s")), "new ");
  EXPECT_EQ(*sweep_events(*store_, context_.now), 1U);
  input.retention_in_days = 4;
  EXPECT_FALSE((call<op::PutRetentionPolicy, put_retention>(input))) << "AWS knows no such number";
}

TEST_F(LogsTest, StreamsAreListedByNameOrByTheirLastEvent) {
  make_g();
  ASSERT_TRUE(make_stream("g", "a"));
  ASSERT_TRUE(put("a", {{0, "x"}}));
  ASSERT_TRUE(put("s", {{1, "x"}}));
  op::DescribeLogStreams::Input input;
  input.log_group_name = "g";
  const auto names = [&] {
    std::string out;
    const auto page = *call<op::DescribeLogStreams, describe_streams>(input);
    for (const auto& stream : *page.log_streams) out += *stream.log_stream_name;
    input.next_token = page.next_token;
    return out;
  };
  EXPECT_EQ(names(), "as");
  input.order_by = "LastEventTime";
  input.descending = true;
  input.limit = 1;
  EXPECT_EQ(names(), "s");
  EXPECT_EQ(names(), "a");
  EXPECT_FALSE(input.next_token);
}

TEST_F(LogsTest, GroupsAreListedByWhatTheirNamesBeginWithOrContain) {
  for (const char* name : {"/l/a/one", "/l/b/one", "/l/b/two", "/other/l/b"}) {
    op::CreateLogGroup::Input group;
    group.log_group_name = name;
    ASSERT_TRUE((call<op::CreateLogGroup, create_group>(group)));
  }
  op::ListLogGroups::Input input;
  const auto names = [&] {
    std::vector<std::string> out;
    const auto page = *call<op::ListLogGroups, list_log_groups>(input);
    for (const auto& group : *page.log_groups) out.push_back(*group.log_group_name);
    input.next_token = page.next_token;
    return out;
  };
  using Names = std::vector<std::string>;
  input.log_group_name_pattern = "^/l/b";
  EXPECT_EQ(names(), (Names{"/l/b/one", "/l/b/two"}));
  input.log_group_name_pattern = "/l/b";
  EXPECT_EQ(names(), (Names{"/l/b/one", "/l/b/two", "/other/l/b"}));
  input.log_group_name_pattern = "two|^/l/a";
  EXPECT_EQ(names(), (Names{"/l/a/one", "/l/b/two"}));
  input.limit = 1;
  EXPECT_EQ(names(), (Names{"/l/a/one"}));
  EXPECT_EQ(names(), (Names{"/l/b/two"}));
  EXPECT_FALSE(input.next_token);
  input.log_group_tags.emplace();
  EXPECT_EQ((call<op::ListLogGroups, list_log_groups>(input).error().message),
            "logGroupTags is not served by this server.");
}

TEST(ValidText, BrokenUtf8BecomesReplacementCharacters) {
  EXPECT_EQ(valid_text("a\xff\xc3\xa9\xe2\x82"), "a\xEF\xBF\xBD\xc3\xa9\xEF\xBF\xBD\xEF\xBF\xBD");
}

// ---- the appender ----

async::Task<void> append_and_stop(Appender& appender, async::Loop& loop, int lines,
                                  std::string line) {
  appender.start();
  for (int i = 0; i < lines; ++i) {
    appender.append("000000000000", "us-east-1", "/aws/lambda/f", "2026/11/23/[$LATEST]0",
                    from_millis(1'700'000'000'000), line + std::to_string(i));
  }
  co_await appender.stop();
  loop.stop();
}

class AppenderTest : public LogsTest {
 protected:
  std::size_t run(int lines, const std::string& line, AppenderOptions options) {
    async::Loop loop;
    async::Pool pool(1, 100);
    Appender appender(env_, {*store_, pool, loop}, options);
    loop.spawn(append_and_stop(appender, loop, lines, line));
    loop.run();
    lost_ = appender.lost();
    op::FilterLogEvents::Input input;
    input.log_group_name = "/aws/lambda/f";
    const auto out = *call<op::FilterLogEvents, filter_events>(input);
    last_ = out.events->empty() ? "" : *out.events->back().message;
    return out.events->size();
  }
  std::uint64_t lost_ = 0;
  std::string last_;
};

TEST_F(AppenderTest, EveryLineIsThereWhenItHasStopped) {
  EXPECT_EQ(run(2500, "line ", {}), 2500U);
  EXPECT_EQ(last_, "line 2499");
  EXPECT_EQ(lost_, 0U);
}

TEST_F(AppenderTest, AFloodIsCutAndTheLossIsSaid) {
  const std::size_t kept = run(1000, std::string(1000, 'x'), {.buffered_bytes_max = 100'000});
  EXPECT_LT(kept, 200U);
  EXPECT_EQ(lost_ + kept - 1, 1000U) << "one line tells of the loss";
  EXPECT_NE(last_.find("log lines were lost"), std::string::npos);
}

}  // namespace
}  // namespace wolke::logs
