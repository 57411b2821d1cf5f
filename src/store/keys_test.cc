#include "wolke/store/keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace wolke::store {
namespace {

TEST(Keys, PartsComeBackAsTheyWereGiven) {
  const std::string part("a\0b\xFF\x01", 5);
  const std::string key = KeyBuilder("table").text(part).number(1ULL << 40).text("").build();
  KeyReader reader(key);
  EXPECT_EQ(reader.text(), "table");
  EXPECT_EQ(reader.text(), part);
  EXPECT_EQ(reader.number(), 1ULL << 40);
  EXPECT_EQ(reader.text(), "");
  EXPECT_TRUE(reader.at_end());
}

TEST(Keys, OrderIsTheOrderOfTheParts) {
  using namespace std::string_literals;
  const std::vector<std::string> parts = {""s,  "\0"s,  "\0\0"s, "\0\x01"s, "\0\xFF"s, "\x01"s,
                                          "a"s, "a\0"s, "a\0b"s, "a\x01"s,  "ab"s,     "\xFF"s};
  ASSERT_TRUE(std::ranges::is_sorted(parts));
  for (const std::string& left : parts) {
    for (const std::string& right : parts) {
      const std::string a = KeyBuilder("t").text(left).text("z").build();
      const std::string b = KeyBuilder("t").text(right).text("a").build();
      if (left != right) EXPECT_EQ(left < right, a < b);
    }
  }
  EXPECT_LT(KeyBuilder("t").number(255).build(), KeyBuilder("t").number(256).build());
}

TEST(Keys, PrefixEndIsTheFirstKeyAfterAllWithThePrefix) {
  EXPECT_EQ(prefix_end("ab"), "ac");
  EXPECT_EQ(prefix_end("a\xFF\xFF"), "b");
  EXPECT_EQ(prefix_end("\xFF"), "");
  const std::string open = KeyBuilder("t").text_prefix("pho").build();
  const std::string inside = KeyBuilder("t").text("photo").build();
  EXPECT_LE(open, inside);
  EXPECT_LT(inside, prefix_end(open));
  EXPECT_GT(KeyBuilder("t").text("phy").build(), prefix_end(open));
}

TEST(Keys, AKeyOfAnotherFormIsRefused) {
  KeyReader cut("abc");
  EXPECT_EQ(cut.text(), std::nullopt);
  EXPECT_EQ(cut.number(), std::nullopt);
  KeyReader bad_escape(std::string_view("a\0\x02", 3));
  EXPECT_EQ(bad_escape.text(), std::nullopt);
}

}  // namespace
}  // namespace wolke::store
