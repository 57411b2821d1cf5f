#include "wolke/services/logs/regex.h"

#include <gtest/gtest.h>

namespace wolke::logs {
namespace {

bool found(std::string_view source, std::string_view text) {
  const auto regex = Regex::compile(source);
  EXPECT_TRUE(regex) << source << ": " << regex.error().message;
  return regex && regex->found_in(text);
}

std::string groups(std::string_view source, std::string_view text) {
  const auto regex = Regex::compile(source);
  if (!regex) return regex.error().message;
  const auto match = regex->match(text);
  if (!match) return "none";
  std::string out;
  for (const auto& group : *match) out += (group ? std::string(*group) : "-") + "|";
  return out;
}

TEST(Regex, FindsAnywhereUnlessAnchored) {
  EXPECT_TRUE(found("colou?r", "the color"));
  EXPECT_TRUE(found("gray|grey", "so grey"));
  EXPECT_FALSE(found("^grey", "so grey"));
  EXPECT_TRUE(found("grey$", "so grey"));
  EXPECT_FALSE(found("grey$", "grey so"));
  EXPECT_TRUE(found("10\\.10\\.0\\.1", "from 10.10.0.1 to"));
  EXPECT_FALSE(found("10\\.10\\.0\\.1", "from 10a10.0.1 to"));
  EXPECT_TRUE(found("", "anything"));
  EXPECT_TRUE(found("x*$", ""));
}

TEST(Regex, ClassesCountsAndBoundaries) {
  EXPECT_TRUE(found("^[a-c]{2,3}$", "abc"));
  EXPECT_FALSE(found("^[a-c]{2,3}$", "abca"));
  EXPECT_TRUE(found("^[^0-9]+$", "é✓"));
  EXPECT_TRUE(found("^..$", "é✓"));
  EXPECT_TRUE(found("\\d{4}-\\d\\d", "on 2026-11"));
  EXPECT_TRUE(found("\\berror\\b", "an error."));
  EXPECT_FALSE(found("\\berror\\b", "errors"));
  EXPECT_TRUE(found("(?i)ERROR", "an ErRoR"));
  EXPECT_TRUE(found("a{,2}", "a{,2}")) << "a brace that counts nothing is itself";
  EXPECT_TRUE(found("[]x]", "]"));
}

TEST(Regex, GroupsPreferWhatIsWrittenFirst) {
  EXPECT_EQ(groups("(a+)(b*)", "xaabb"), "aabb|aa|bb|");
  EXPECT_EQ(groups("(a+?)(a*)", "aaa"), "aaa|a|aa|");
  EXPECT_EQ(groups("(a)|(b)", "b"), "b|-|b|");
  EXPECT_EQ(groups("user=(?<user>\\S+) .*took (?P<ms>\\d+)", "user=ann x took 17ms"),
            "user=ann x took 17|ann|17|");
  EXPECT_EQ(Regex::compile("(?<user>a)(b)")->group_names(),
            (std::vector<std::string>{"", "user", ""}));
}

TEST(Regex, WhatIsNoExpressionIsToldWhere) {
  for (const char* bad :
       {"(", "a)", "[a", "*a", "a{3,1}", "\\", "(?=x)", "\\1", "[z-a]", "(?<>x)"}) {
    const auto regex = Regex::compile(bad);
    ASSERT_FALSE(regex) << bad;
    EXPECT_EQ(regex.error().code, "InvalidRegex");
  }
  EXPECT_EQ(Regex::compile("((((((a{99}){99}){99}){99}){99}){99})").error().code, "InvalidRegex");
}

TEST(Regex, AHostileExpressionTakesTimeInProportionToTheText) {
  // Backtracking would need 2^n steps here; this ends at all only because it does not.
  EXPECT_FALSE(found("(a|a)*(a|aa)*(a*)*b", std::string(5000, 'a')));
}

TEST(Regex, ASearchThatIsMadeToBeSlowEnds) {
  const std::string text(regex_steps_max / 10, 'a');
  const auto slow = Regex::compile("a{1,40}a{1,40}b");
  ASSERT_TRUE(slow);
  EXPECT_FALSE(slow->found_in(text + "b")) << "it would take more steps than a search has";
  EXPECT_TRUE(Regex::compile("ab")->found_in(text + "b"));
  EXPECT_FALSE(Regex::compile("a{1,900}")) << "an expression has at most 256 instructions";
}

}  // namespace
}  // namespace wolke::logs
