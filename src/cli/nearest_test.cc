#include "wolke/cli/nearest.h"

#include <gtest/gtest.h>

namespace wolke::cli {
namespace {

const std::vector<std::string> verbs = {"serve", "dev", "deploy", "logs", "ps", "rm", "invoke"};

TEST(Nearest, OneSlipIsForgiven) {
  EXPECT_EQ(nearest("depoly", verbs), "deploy");
  EXPECT_EQ(nearest("log", verbs), "logs");
  EXPECT_EQ(nearest("invok", verbs), "invoke");
  EXPECT_EQ(nearest("sreve", verbs), "serve");
}

TEST(Nearest, WhatIsFarFromEverythingHasNone) {
  EXPECT_EQ(nearest("thumbnails", verbs), "");
  EXPECT_EQ(nearest("xy", verbs), "");
  EXPECT_EQ(nearest("", verbs), "");
}

}  // namespace
}  // namespace wolke::cli
