#include "wolke/shape/json.h"

#include <gtest/gtest.h>

namespace wolke::shape {
namespace {

std::string round_trip(std::string_view text) {
  Result<Json> json = parse_json(text);
  return json ? json->text() : json.error().code;
}

TEST(Json, writes_what_it_read_without_spaces) {
  EXPECT_EQ(round_trip(" { \"a\" : [ 1 , 2.50 , -0 , 1e9 , true , false , null , \"x\" ] } "),
            R"({"a":[1,2.50,-0,1e9,true,false,null,"x"]})");
}

TEST(Json, keeps_the_order_of_members_and_the_last_of_equal_names) {
  EXPECT_EQ(round_trip(R"({"b":1,"a":2,"b":3,"c":4,"a":5})"), R"({"b":3,"a":5,"c":4})");
}

TEST(Json, decodes_escapes_and_surrogate_pairs) {
  Result<Json> json = parse_json(R"("\u00e4\n\t\"\\\/\ud83d\ude00")");
  ASSERT_TRUE(json);
  EXPECT_EQ(*json->string(), "ä\n\t\"\\/😀");
}

TEST(Json, escapes_only_what_must_be_escaped) {
  EXPECT_EQ(Json("a\x01\x1f\n\"\\/ä\x7f").text(), "\"a\\u0001\\u001f\\n\\\"\\\\/ä\x7f\"");
}

TEST(Json, refuses_what_the_grammar_does_not_have) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "[",
                           "[1,]",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"a\"}",
                           "01",
                           "1.",
                           ".5",
                           "1e",
                           "+1",
                           "-",
                           "NaN",
                           "tru",
                           "'a'",
                           "\"a",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\udc00\"",
                           "\"a\nb\"",
                           "1 2",
                           "[1 2]",
                           "{\"a\":1 \"b\":2}",
                           "\"\xff\"",
                           "\"\xc0\xaf\"",
                           "\xef\xbb\xbf{}"}) {
    EXPECT_EQ(round_trip(text), "InvalidJson") << text;
  }
}

TEST(Json, names_the_byte_that_is_wrong) {
  Result<Json> json = parse_json("{\"a\":x}");
  ASSERT_FALSE(json);
  EXPECT_NE(json.error().message.find("at byte 5"), std::string::npos) << json.error().message;
}

TEST(Json, refuses_nesting_beyond_the_limit_and_takes_it_up_to_there) {
  auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(nested(64)));
  EXPECT_FALSE(parse_json(nested(65)));
  EXPECT_FALSE(parse_json(nested(100'000)));
}

TEST(Json, set_replaces_and_appends) {
  Json json;
  json.set("a", 1);
  json.set("b", "x");
  json.set("a", true);
  EXPECT_EQ(json.text(), R"({"a":true,"b":"x"})");
  EXPECT_EQ(json.string_at("b"), "x");
  EXPECT_EQ(json.integer_at("b"), std::nullopt);
  EXPECT_EQ(json.find("c"), nullptr);
}

TEST(Json, pretty_prints_with_two_spaces) {
  EXPECT_EQ(parse_json(R"({"a":[1,{}],"b":[]})")->pretty(),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
}

}  // namespace
}  // namespace wolke::shape
