#include "wolke/services/lambda/merge.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "wolke/services/lambda/zip_fixture.h"

namespace wolke::lambda {
namespace {

class MergeTest : public testing::Test {
 protected:
  MergeTest() {
    std::string pattern = testing::TempDir() + "merge-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    packages_ = *Packages::open(root_ + "/packages", env_.random);
  }
  ~MergeTest() override { std::filesystem::remove_all(root_); }

  std::string package(const std::string& digest, const std::vector<fixture::Entry>& entries) {
    EXPECT_TRUE(packages_->stage(fixture::zip(entries), digest));
    return digest;
  }
  static std::string read(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }

  Env env_ = system_env();
  std::string root_;
  std::unique_ptr<Packages> packages_;
};

TEST_F(MergeTest, TheLaterOfTwoFilesWinsAndDirectoriesGrowTogether) {
  package("a", {fixture::stored("lib/x", "first"), fixture::stored("lib/y", "only")});
  package("b", {fixture::stored("lib/x", "second"), fixture::stored("bin/z", "new")});
  const auto path = merge(*packages_, {"a", "b"});
  ASSERT_TRUE(path);
  EXPECT_EQ(read(*path + "/lib/x"), "second");
  EXPECT_EQ(read(*path + "/lib/y"), "only");
  EXPECT_EQ(read(*path + "/bin/z"), "new");
  EXPECT_EQ(read(packages_->path_of("a") + "/lib/x"), "first");
  EXPECT_NE(*path, *merge(*packages_, {"b", "a"}));
}

TEST_F(MergeTest, ALinkInOnePackageLeadsNowhereForTheNext) {
  package("a", {fixture::stored("real/x", "kept"), fixture::stored("here", "real", 0120777)});
  package("b", {fixture::stored("here/x", "other")});
  const auto path = merge(*packages_, {"a", "b"});
  ASSERT_TRUE(path);
  EXPECT_EQ(read(*path + "/real/x"), "kept");
  EXPECT_EQ(read(*path + "/here/x"), "other");
  EXPECT_EQ(read(packages_->path_of("a") + "/real/x"), "kept");
}

TEST_F(MergeTest, AFileTakesThePlaceOfADirectory) {
  package("a", {fixture::stored("x/y", "below")});
  package("b", {fixture::stored("x", "file")});
  const auto path = merge(*packages_, {"a", "b"});
  ASSERT_TRUE(path);
  EXPECT_EQ(read(*path + "/x"), "file");
}

TEST_F(MergeTest, WhatIsMissingIsAnErrorAndLeavesNothingUnderTheName) {
  package("a", {fixture::stored("x", "1")});
  EXPECT_FALSE(merge(*packages_, {"a", "missing"}));
  EXPECT_FALSE(packages_->present(merged_name({"a", "missing"})));
}

}  // namespace
}  // namespace wolke::lambda
