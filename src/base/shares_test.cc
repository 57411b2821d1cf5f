#include "wolke/base/shares.h"

#include <gtest/gtest.h>

namespace wolke {
namespace {

TEST(Shares, EachNameHasItsOwnAndGetsThemBack) {
  Shares shares(2);
  auto first = shares.take("a");
  const auto second = shares.take("a");
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(shares.take("a"));
  EXPECT_TRUE(shares.take("b"));
  first.reset();
  EXPECT_TRUE(shares.take("a"));
}

}  // namespace
}  // namespace wolke
