#include "wolke/shape/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace wolke::shape {
namespace {

bool match(std::string_view pattern, std::string_view text) {
  Result<Pattern> compiled = Pattern::compile(pattern);
  EXPECT_TRUE(compiled) << pattern << ": " << compiled.error().message;
  return compiled && compiled->matches(text);
}

TEST(Pattern, matches_the_whole_text_only) {
  EXPECT_TRUE(match("[a-c]+", "abc"));
  EXPECT_FALSE(match("[a-c]+", "abcd"));
  EXPECT_FALSE(match("[a-c]+", "xabc"));
  EXPECT_FALSE(match("[a-c]+", ""));
  EXPECT_TRUE(match("[a-c]*", ""));
}

TEST(Pattern, has_alternatives_groups_and_counts) {
  EXPECT_TRUE(match("a|bc|", "bc"));
  EXPECT_TRUE(match("a|bc|", ""));
  EXPECT_FALSE(match("a|bc|d", "ad"));
  EXPECT_TRUE(match("(a|b)(c|d)|(e|f)", "f"));
  EXPECT_TRUE(match("(ab){2,3}", "ababab"));
  EXPECT_FALSE(match("(ab){2,3}", "ab"));
  EXPECT_FALSE(match("(ab){2,3}", "abababab"));
  EXPECT_TRUE(match("\\d{12}", "012345678901"));
  EXPECT_FALSE(match("\\d{12}", "0123456789012"));
  EXPECT_TRUE(match("a{2,}", "aaaa"));
  EXPECT_FALSE(match("a{2,}", "a"));
}

TEST(Pattern, has_the_classes_of_the_models) {
  EXPECT_TRUE(match("[\\w+=,.@-]+", "user.name@x-y_1"));
  EXPECT_FALSE(match("[\\w+=,.@-]+", "a b"));
  EXPECT_TRUE(match("[a-zA-Z0-9-_]+", "a-_9"));
  EXPECT_TRUE(match("[^:*$]*", "log group"));
  EXPECT_FALSE(match("[^:*$]*", "a*"));
  EXPECT_TRUE(match("(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)", "/a/b/"));
  EXPECT_FALSE(match("(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)", "/a"));
  EXPECT_TRUE(match("[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", "Straße 7"));
  EXPECT_FALSE(match("[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", "a;b"));
  EXPECT_TRUE(match("[\\s\\S]*", "a\nb"));
  EXPECT_FALSE(match(".*", "a\nb"));
}

TEST(Pattern, has_anchors_and_lookaround) {
  EXPECT_TRUE(match("(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "12a"));
  EXPECT_FALSE(match("(?!^[0-9]+$)([a-zA-Z0-9-_]+)", "12"));
  EXPECT_TRUE(match("[0-9A-Za-z\\.\\-_]*(?<!\\.)", "bucket.name"));
  EXPECT_FALSE(match("[0-9A-Za-z\\.\\-_]*(?<!\\.)", "bucket."));
  EXPECT_FALSE(match("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "a--b"));
  EXPECT_TRUE(match("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "a-b-c"));
  EXPECT_TRUE(match("(^(?!(system\\x2e)))(^[_a-zA-Z0-9])([^$]*)", "order"));
  EXPECT_FALSE(match("(^(?!(system\\x2e)))(^[_a-zA-Z0-9])([^$]*)", "system.x"));
}

TEST(Pattern, takes_linear_time_on_patterns_that_explode_elsewhere) {
  Result<Pattern> pattern = Pattern::compile("(a|a|aa)*(a*)*b");
  ASSERT_TRUE(pattern);
  EXPECT_FALSE(pattern->matches(std::string(20'000, 'a')));
}

TEST(Pattern, refuses_what_it_does_not_know) {
  for (const char* source :
       {"(a", "a)", "[a", "*a", "a{2,1}", "a{x}", "\\k", "\\p{Cyrillic}", "(?<!ab)c", "a{99999}"}) {
    EXPECT_FALSE(Pattern::compile(source)) << source;
  }
}

}  // namespace
}  // namespace wolke::shape
