#include "wolke/services/logs/filter_pattern.h"

#include <gtest/gtest.h>

namespace wolke::logs {
namespace {

bool matches(std::string_view pattern, std::string_view message) {
  const auto parsed = parse_filter_pattern(pattern);
  EXPECT_TRUE(parsed) << pattern << ": " << parsed.error().message;
  return parsed && parsed->matches(message);
}

std::string extracted(std::string_view pattern, std::string_view message) {
  std::string out;
  for (const auto& [name, value] : parse_filter_pattern(pattern)->extract(message)) {
    out += name + "=" + value + ";";
  }
  return out;
}

TEST(FilterPattern, TermsPhrasesExclusionsAndAlternatives) {
  EXPECT_TRUE(matches("", "anything"));
  EXPECT_TRUE(matches("ERROR code", "[ERROR] code 7"));
  EXPECT_FALSE(matches("ERROR code", "[ERROR] 7"));
  EXPECT_FALSE(matches("ERROR -expected", "ERROR expected"));
  EXPECT_FALSE(matches("ERROR -\"not now\"", "ERROR not now"));
  EXPECT_TRUE(matches("\"two words\"", "has two words"));
  EXPECT_FALSE(matches("\"two words\"", "has words two"));
  EXPECT_TRUE(matches("\"a \\\"b\\\"\"", "x a \"b\""));
  EXPECT_TRUE(matches("?ERROR ?WARN", "WARN x"));
  EXPECT_FALSE(matches("?ERROR ?WARN", "INFO x"));
  EXPECT_FALSE(matches("error", "ERROR"));
}

TEST(FilterPattern, RegularExpressionsAreTermsToo) {
  EXPECT_TRUE(matches("%gr[ae]y%", "so grey"));
  EXPECT_FALSE(matches("%^grey%", "so grey"));
  EXPECT_FALSE(matches("%gr[ae]y% -%o grey%", "so grey"));
  EXPECT_TRUE(matches("?%[0-9]{3}% ?WARN", "code 404"));
}

TEST(FilterPattern, JsonComparesTextNumbersAndFlags) {
  const char* message =
      R"({"level":"error","code":404,"took":12.5,"flag":true,"none":null,"user":{"id":1,"e.mail":"a@x.org"}})";
  EXPECT_TRUE(matches("{ $.level = \"error\" }", message));
  EXPECT_TRUE(matches("{ $.level = error }", message));
  EXPECT_TRUE(matches("{$.level=\"err*\"}", message));
  EXPECT_FALSE(matches("{ $.level = \"err\" }", message));
  EXPECT_TRUE(matches("{ $.level != \"info\" }", message));
  EXPECT_TRUE(matches("{ $.code = 404 }", message));
  EXPECT_TRUE(matches("{ $.code = 4* }", message));
  EXPECT_TRUE(matches("{ $.code >= 4.04e2 && $.code < 405 }", message));
  EXPECT_FALSE(matches("{ $.took > 13 }", message));
  EXPECT_TRUE(matches("{ $.flag IS TRUE }", message));
  EXPECT_FALSE(matches("{ $.flag IS FALSE }", message));
  EXPECT_TRUE(matches("{ $.none IS NULL }", message));
  EXPECT_TRUE(matches("{ $.user.id = 1 && $.user.['e.mail'] = \"*@x.org\" }", message));
  EXPECT_TRUE(matches("{ $.level = %^e.*r$% }", message));
}

TEST(FilterPattern, JsonTellsWhatIsMissingFromWhatIsDifferent) {
  const char* message = R"({"a":1,"b":{"c":2}})";
  EXPECT_TRUE(matches("{ $.x NOT EXISTS }", message));
  EXPECT_FALSE(matches("{ $.a NOT EXISTS }", message));
  EXPECT_TRUE(matches("{ $.b.c EXISTS }", message));
  EXPECT_FALSE(matches("{ $.x IS NULL }", message));
  EXPECT_FALSE(matches("{ $.x != 7 }", message));
  EXPECT_FALSE(matches("{ $.b = 2 }", message)) << "an object is equal to nothing";
  EXPECT_FALSE(matches("{ $.a = 1 }", "a = 1"));
  EXPECT_FALSE(matches("{ $.a = 1 }", "{\"a\":1"));
}

TEST(FilterPattern, JsonIndexesAndWildcards) {
  const char* message = R"({"items":[{"n":1},{"n":5}],"tags":["x","y"]})";
  EXPECT_TRUE(matches("{ $.items[1].n > 3 }", message));
  EXPECT_FALSE(matches("{ $.items[0].n > 3 }", message));
  EXPECT_FALSE(matches("{ $.items[2].n > 3 }", message));
  EXPECT_TRUE(matches("{ $.items[*].n > 3 }", message));
  EXPECT_TRUE(matches("{ $.tags[*] = \"y\" }", message));
  EXPECT_TRUE(matches("{ $.*[0] = x }", message));
  EXPECT_TRUE(matches("{ $.[0] = 7 }", "[7]"));
}

TEST(FilterPattern, AndBindsTighterThanOrAndParenthesesGroup) {
  const char* message = R"({"a":1,"b":2,"c":3})";
  EXPECT_TRUE(matches("{ $.a = 1 || $.b = 9 && $.c = 9 }", message));
  EXPECT_FALSE(matches("{ ($.a = 1 || $.b = 9) && $.c = 9 }", message));
  EXPECT_TRUE(matches("{ ($.a = 9) || (($.b = 2) && ($.c = 3)) }", message));
}

constexpr auto access =
    R"(127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534)";

TEST(FilterPattern, FieldsBetweenSpacesAreNamedAndTested) {
  EXPECT_TRUE(matches("[ip, id, user, time, request, status, bytes]", access));
  EXPECT_FALSE(matches("[ip, id, user]", access)) << "their number has to fit";
  EXPECT_TRUE(matches("[ip, id, user, time, request, status = 4*, bytes]", access));
  EXPECT_FALSE(matches("[ip, id, user, time, request, status = 5*, bytes]", access));
  EXPECT_TRUE(matches("[ip, id, user, time, request = *html*, status, bytes > 1000]", access));
  EXPECT_TRUE(matches("[ip, id, user, time, request = \"GET *\", status = 404 || status = 410, b]",
                      access));
  EXPECT_FALSE(matches("[ip, id, user, time, request, status != 404 && status = 4*, b]", access));
  EXPECT_TRUE(matches("[ip = %127\\.0\\.0\\.[0-9]%, , , , , , ]", access));
}

TEST(FilterPattern, AnEllipsisStandsForAnyNumberOfFields) {
  EXPECT_TRUE(matches("[..., status = 404, bytes]", access));
  EXPECT_TRUE(matches("[ip, ..., bytes = 1534]", access));
  EXPECT_FALSE(matches("[ip, ..., bytes = 404]", access));
  EXPECT_TRUE(matches("[w1 = ERROR, ...]", "ERROR"));
  EXPECT_FALSE(matches("[w1, w2, ...]", "ERROR"));
}

TEST(FilterPattern, WhatItNamesCanBeExtracted) {
  EXPECT_EQ(extracted("[ip, id, user, time, request, status = 4*, bytes]", access),
            "$bytes=1534;$id=-;$ip=127.0.0.1;$request=GET /index.html HTTP/1.0;$status=404;"
            "$time=10/Oct/2000:13:25:15 -0700;$user=frank;");
  EXPECT_EQ(extracted("[ip, ..., bytes]", "a b c d"), "$2=b;$3=c;$bytes=d;$ip=a;");
  EXPECT_EQ(extracted("{ $.a = \"x\" && $.b[0] = 3 }", R"({"a":"x","b":[3]})"), "$.a=x;$.b[0]=3;");
  EXPECT_EQ(extracted("ERROR", "ERROR x"), "");
}

TEST(FilterPattern, NamedFieldsAreThoseOfASpaceDelimitedPattern) {
  using Fields = std::map<std::string, std::string>;
  EXPECT_EQ(parse_filter_pattern("[ip, ..., bytes, ]")->named_fields("a b c d"),
            (Fields{{"ip", "a"}, {"bytes", "c"}}));
  EXPECT_EQ(parse_filter_pattern("{ $.a = 1 }")->named_fields(R"({"a":1})"), Fields{});
}

TEST(FilterPattern, WhatIsNoPatternIsRefused) {
  for (const char* pattern :
       {"{ $.level = \"error\"", "{ $.a }", "{ level = 1 }", "{ $.a > x }", "{ $.a = 1 } x",
        "{ $.a[x] = 1 }", "{ ($.a = 1 }", "{ $.a IS 1 }", "{}", "[ip, user", "[..., ..., a]",
        "[a = 1 && b = 2]", "[a >]", "%err", "%[%", "\"open", "-", "a.b:c"}) {
    const auto parsed = parse_filter_pattern(pattern);
    ASSERT_FALSE(parsed) << pattern;
    EXPECT_EQ(parsed.error().code, "InvalidParameterException");
  }
}

TEST(FilterPattern, NestingHasALimit) {
  const std::string deep = "{" + std::string(500, '(') + "$.a = 1" + std::string(500, ')') + "}";
  EXPECT_FALSE(parse_filter_pattern(deep));
}

}  // namespace
}  // namespace wolke::logs
