#include "wolke/services/logs/query.h"

#include <gtest/gtest.h>

#include "wolke/services/logs/query_pipeline.h"

namespace wolke::logs {
namespace {

constexpr std::int64_t start_ms = 1'700'000'000'000;  // 2023-11-14 22:13:20

/// The answer as text: "name=value,…;" for each row, @ptr left out. Messages are a second apart.
std::string ask(std::string_view query, const std::vector<std::string>& messages,
                std::size_t limit = query_rows_max) {
  auto commands = parse_query(query, from_millis(start_ms));
  if (!commands) return commands.error().code + ": " + commands.error().message;
  Pipeline pipeline(*std::move(commands), limit);
  const auto source = std::make_shared<const EventSource>(EventSource{"000000000000", "g", "s"});
  std::int64_t at = start_ms;
  for (const std::string& message : messages) {
    pipeline.push(Row({.message = message, .timestamp_ms = at, .source = source}));
    at += 1000;
  }
  if (!pipeline.problem().empty()) return pipeline.problem();
  std::string out;
  for (const ResultRow& row : pipeline.results()) {
    for (const auto& [name, value] : row) {
      if (name != "@ptr") out += name + "=" + value + ",";
    }
    if (!out.empty() && out.back() == ',') out.back() = ';';
  }
  return out;
}

const std::vector<std::string> requests = {
    R"({"path":"/a","took":10,"user":{"id":"ann"},"codes":[200,404]})",
    R"({"path":"/b","took":30,"user":{"id":"bob"}})",
    R"({"path":"/a","took":20,"user":{"id":"ann"}})"};

TEST(Query, WithoutCommandsForThemTimeAndMessageComeNewestFirst) {
  EXPECT_EQ(ask("filter 1 = 1", {"x", "y"}),
            "@timestamp=2023-11-14 22:13:21.000,@message=y;"
            "@timestamp=2023-11-14 22:13:20.000,@message=x;");
}

TEST(Query, MembersOfJsonAreFields) {
  EXPECT_EQ(ask("fields path, user.id, codes.1 | sort took", requests),
            "path=/a,user.id=ann,codes.1=404;path=/a,user.id=ann;path=/b,user.id=bob;");
  EXPECT_EQ(ask("fields took * 2 + 1 as double | filter took > 10 and user.id = 'ann'", requests),
            "double=41;");
}

TEST(Query, FiltersCompareSearchAndCombine) {
  const auto paths = [](const std::string& condition) {
    return ask("fields took | sort took | filter " + condition, requests);
  };
  EXPECT_EQ(paths("took >= 20"), "took=20;took=30;");
  EXPECT_EQ(paths("path like /^.b/"), "took=30;");
  EXPECT_EQ(paths("path =~ /B/ or took = 10"), "took=10;");
  EXPECT_EQ(paths("path not like \"b\""), "took=10;took=20;");
  EXPECT_EQ(paths("user.id in ['bob', 'eve']"), "took=30;");
  EXPECT_EQ(paths("not (user.id not in ['bob'])"), "took=30;");
  EXPECT_EQ(paths("ispresent(codes.0)"), "took=10;");
  EXPECT_EQ(paths("nothing != 7"), "") << "what is missing differs from nothing";
}

TEST(Query, ParseTakesGlobsAndRegularExpressions) {
  const std::vector<std::string> lines = {"user=ann, took 7 ms", "other"};
  EXPECT_EQ(ask("parse @message \"user=*, took * ms\" as who, t | display who, t", lines),
            "who=ann,t=7;");
  EXPECT_EQ(ask(R"(parse @message /user=(?<who>\w+).* (?<t>\d+)/ | filter t > 3 | display who, t)",
                lines),
            "who=ann,t=7;");
  EXPECT_EQ(ask("parse 'user=*,' as who | filter ispresent(who) | display who", lines), "who=ann;");
  EXPECT_EQ(ask("parse @message \"* *\" as one", lines).substr(0, 23), "MalformedQueryException");
}

TEST(Query, StatsCountSumAndGroup) {
  EXPECT_EQ(ask("stats count(*) as n, sum(took), avg(took) as mean, min(took), max(took) by path",
                requests),
            "path=/a,n=2,sum(took)=30,mean=15,min(took)=10,max(took)=20;"
            "path=/b,n=1,sum(took)=30,mean=30,min(took)=30,max(took)=30;");
  EXPECT_EQ(ask("stats pct(took, 50) as p, count_distinct(user.id) as users, median(took) as m",
                requests),
            "p=20,users=2,m=20;");
  EXPECT_EQ(ask("stats max(took) as most, min(took) as least, most - least as between", requests),
            "most=30,least=10,between=20;");
  EXPECT_EQ(ask("stats (max(took) - min(took)) / count(*) as x", {}), "");
  EXPECT_EQ(ask("stats count(*)", {}), "count(*)=0;");
  EXPECT_EQ(ask("stats latest(path) as last, earliest(path) as first", requests),
            "last=/a,first=/a;");
}

TEST(Query, BinsAreTimes) {
  EXPECT_EQ(ask("stats count(*) as n by bin(2s) as t | sort t desc", {"a", "b", "c"}),
            "t=2023-11-14 22:13:22.000,n=1;t=2023-11-14 22:13:20.000,n=2;");
  EXPECT_EQ(ask("stats count(*) by bin(1h)", {"a"}), "bin(1h)=2023-11-14 22:00:00.000,count(*)=1;");
}

TEST(Query, SortLimitAndDedupTakeTheRowsThatComeBefore) {
  EXPECT_EQ(ask("fields took | sort took desc | limit 2", requests), "took=30;took=20;");
  EXPECT_EQ(ask("fields path, took | sort took desc | dedup path", requests),
            "path=/b,took=30;path=/a,took=20;");
  EXPECT_EQ(ask("fields path | dedup path", requests), "path=/a;path=/b;");
  EXPECT_EQ(ask("stats count(*) as n by path | filter n > 1 | display path", requests), "path=/a;");
  EXPECT_EQ(ask("fields took | sort took", requests, 1), "took=10;");
  EXPECT_EQ(ask("stats count(*) as n by path | stats sum(n) as all", requests), "all=3;");
}

TEST(Query, ReportLinesHaveFields) {
  const std::vector<std::string> lines = {
      "START RequestId: r-1 Version: $LATEST\n",
      "REPORT RequestId: r-1\tDuration: 12.5 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\t"
      "Max Memory Used: 64 MB\tInit Duration: 100.5 ms\t\n"};
  EXPECT_EQ(ask("filter @type = \"REPORT\" | fields @requestId, @duration, @billedDuration,"
                " @initDuration | display @requestId, @duration, @billedDuration, @initDuration,"
                " @memorySize / 1000 / 1000 as mb",
                lines),
            "@requestId=r-1,@duration=12.5,@billedDuration=13,@initDuration=100.5,mb=128;");
}

TEST(Query, FunctionsOfTextAndTime) {
  EXPECT_EQ(ask("display concat(toupper(@message), '-', strlen(@message)) as x", {"ab"}),
            "x=AB-2;");
  EXPECT_EQ(ask("display substr(@message, 1, 2) as x, replace(@message, 'b', 'x') as y", {"abcd"}),
            "x=bc,y=axcd;");
  EXPECT_EQ(ask("display datefloor(@timestamp, 1m) as x, tomillis(@timestamp) as y", {"a"}),
            "x=2023-11-14 22:13:00.000,y=1700000000000;");
  EXPECT_EQ(ask("display 1 / 0 > 5 as x, coalesce(nothing, 'd') as y", {"a"}), "x=1,y=d;");
}

TEST(Query, AddressesAreToldFromOtherTextAndFoundInTheirSubnets) {
  const auto holds = [](const std::string& condition) {
    return !ask("filter " + condition + " | display 1 as x", {"10.1.2.3"}).empty();
  };
  EXPECT_TRUE(holds("isValidIp(@message) and isValidIpv4(@message)"));
  EXPECT_FALSE(holds("isValidIpv6(@message)"));
  EXPECT_FALSE(holds("isValidIp('10.1.2') or isValidIp('10.1.2.3.4') or isValidIp('')"));
  EXPECT_TRUE(holds("isIpv4InSubnet(@message, '10.0.0.0/8')"));
  EXPECT_TRUE(holds("isIpInSubnet(@message, '10.1.2.0/30')"));
  EXPECT_FALSE(holds("isIpInSubnet(@message, '10.1.2.0/31')"));
  EXPECT_TRUE(holds("isIpInSubnet(@message, '0.0.0.0/0')"));
  EXPECT_TRUE(holds("isIpv6InSubnet('2001:db8::1', '2001:db8::/32')"));
  EXPECT_FALSE(holds("isIpv6InSubnet('2001:db9::1', '2001:db8::/32')"));
  EXPECT_FALSE(holds("isIpv4InSubnet('2001:db8::1', '2001:db8::/32')"));
  for (const char* subnet : {"10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "::/8", "x/8", ""}) {
    EXPECT_FALSE(holds(std::string("isIpInSubnet(@message, '") + subnet + "')")) << subnet;
  }
}

TEST(Query, TheFirstAndTheLastInOrderAreFound) {
  EXPECT_EQ(ask("stats sortsFirst(@message) as a, sortsLast(@message) as z", {"m", "a", "q"}),
            "a=a,z=q;");
}

TEST(Query, WhatIsNoQueryIsToldWhere) {
  for (const char* query : {"",
                            "fields",
                            "fields a,",
                            "filter",
                            "filter a =",
                            "filter a like b",
                            "stats",
                            "stats sum()",
                            "limit 0",
                            "limit 99999",
                            "sort",
                            "nonsense a",
                            "fields avg(a)",
                            "filter f(a)",
                            "fields a | | fields b",
                            "fields 'a",
                            "parse @message /(/",
                            "stats pct(a)",
                            "fields a b",
                            "parse 'x *'"}) {
    const auto parsed = parse_query(query, from_millis(start_ms));
    ASSERT_FALSE(parsed) << query;
    EXPECT_EQ(parsed.error().code, "MalformedQueryException") << query;
  }
  EXPECT_NE(parse_query("pattern @message", {}).error().message.find("is not served"),
            std::string::npos);
  EXPECT_FALSE(parse_query("filter " + std::string(200, '(') + "1" + std::string(200, ')'), {}));
}

TEST(Query, NowIsTheTimeOfTheQuery) {
  EXPECT_EQ(ask("fields now() as at, toMillis(@timestamp) - now() * 1000 as age", {"a"}),
            "at=1700000000,age=0;");
}

TEST(Query, AnErrorSaysWhereItIs) {
  const auto parsed = parse_query("fields @message | nonsense", {});
  ASSERT_FALSE(parsed);
  ASSERT_EQ(parsed.error().fields.size(), 1U);
  EXPECT_NE(parsed.error().fields[0].second.find(R"("startCharOffset":18)"), std::string::npos)
      << parsed.error().fields[0].second;
}

TEST(Query, WhatItKeepsIsBounded) {
  auto commands = *parse_query("fields @message | sort @message", {});
  Pipeline few(commands, 10);
  Pipeline all(*parse_query("fields @message | sort @message | dedup @message", {}), 10);
  for (int i = 0; i < 60'000; ++i) {
    Row row({.message = std::to_string(1'000'000 - i)});
    few.push(row);
    all.push(std::move(row));
  }
  EXPECT_EQ(few.problem(), "");
  EXPECT_EQ(few.results().front().front().second, "940001");
  EXPECT_NE(all.problem(), "") << "dedup needs every row, and there are too many";
}

TEST(Query, AValueThatIsDoubledAgainAndAgainEndsTheQuery) {
  std::string query = "fields concat(@message, @message) as c0";
  for (int i = 0; i < 20; ++i) {
    query += " | fields concat(c" + std::to_string(i) + ", c" + std::to_string(i) + ") as c" +
             std::to_string(i + 1);
  }
  EXPECT_EQ(ask(query, {std::string(250'000, 'a')}), "a row of the query grows too large");
  EXPECT_EQ(ask("fields strlen(concat(@message, @message)) as n | display n", {"ab"}), "n=4;");
}

}  // namespace
}  // namespace wolke::logs
