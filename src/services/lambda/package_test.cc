#include "wolke/services/lambda/package.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "wolke/base/hash.h"
#include "wolke/services/lambda/zip_fixture.h"

namespace wolke::lambda {
namespace {

using namespace fixture;

class PackageTest : public testing::Test {
 protected:
  PackageTest() {
    std::string pattern = testing::TempDir() + "package-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    packages_ = *Packages::open(root_ + "/packages", system_env().random);
  }
  ~PackageTest() override {
    packages_.reset();
    std::filesystem::remove_all(root_);
  }

  Result<Pin> stage(const std::string& bytes) {
    return packages_->stage(bytes, to_hex(sha256(bytes)));
  }
  std::string path(const std::string& bytes, const std::string& name) {
    return packages_->path_of(to_hex(sha256(bytes))) + "/" + name;
  }
  static std::string read(const std::string& file) {
    std::ifstream in(file);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
  }
  static unsigned mode(const std::string& file) {
    struct stat info{};
    EXPECT_EQ(::lstat(file.c_str(), &info), 0) << file;
    return info.st_mode;
  }
  std::size_t names_in_root() {
    std::size_t count = 0;
    DIR* listing = ::opendir((root_ + "/packages").c_str());
    while (const dirent* entry = ::readdir(listing))
      count += entry->d_name[0] != '.' || entry->d_name[1] == 's';
    ::closedir(listing);
    return count;
  }

  std::string root_;
  std::unique_ptr<Packages> packages_;
};

TEST_F(PackageTest, FilesLinksAndModesAreAsTheArchiveSays) {
  const ::mode_t before = ::umask(077);
  const std::string bytes =
      zip({stored("index.js", "exports"), deflated("bin/tool", "#!", 0104755),
           stored("bin/alias", "tool", 0120777), stored("empty/", "", 0040700)});
  ASSERT_TRUE(stage(bytes));
  ::umask(before);
  EXPECT_EQ(read(path(bytes, "index.js")), "exports");
  EXPECT_EQ(mode(path(bytes, "index.js")), 0100644U);
  EXPECT_EQ(mode(path(bytes, "bin/tool")), 0100755U) << "set-id bits are dropped";
  EXPECT_EQ(mode(path(bytes, "bin")), 0040755U);
  EXPECT_EQ(mode(path(bytes, "empty")), 0040755U);
  EXPECT_EQ(read(path(bytes, "bin/alias")), "#!");
}

TEST_F(PackageTest, ARefusedArchiveLeavesNothingBehind) {
  Entry bad = deflated("b", "content");
  bad.local.crc = bad.central.crc = 1;
  EXPECT_FALSE(stage(zip({stored("a", "x"), bad})));
  EXPECT_FALSE(stage(zip({stored("a", "x"), stored("link", "../../outside", 0120777)})));
  EXPECT_EQ(names_in_root(), 0U);
  EXPECT_NE(::access((root_ + "/outside").c_str(), F_OK), 0);
}

TEST_F(PackageTest, EqualZipsShareOneDirectory) {
  const std::string bytes = zip({stored("a", "x")});
  ASSERT_TRUE(stage(bytes));
  ASSERT_TRUE(stage(bytes));
  EXPECT_EQ(names_in_root(), 1U);
}

TEST_F(PackageTest, WhatACrashLeftHalfDoneIsRemovedAtStart) {
  ASSERT_EQ(::mkdir((root_ + "/packages/.staging-0123").c_str(), 0700), 0);
  std::ofstream(root_ + "/packages/.staging-0123/half") << "x";
  packages_ = *Packages::open(root_ + "/packages", system_env().random);
  EXPECT_EQ(names_in_root(), 0U);
}

TEST_F(PackageTest, AnUnreferencedPackageIsCollectedAfterAnHourUnlessPinned) {
  const std::string bytes = zip({stored("a", "x")});
  auto pin = stage(bytes);
  const auto nobody = [](const std::string&) -> Result<bool> { return false; };
  const Timestamp start = from_millis(0);
  EXPECT_EQ(*packages_->collect(nobody, start), 0U);
  EXPECT_EQ(*packages_->collect(nobody, start + std::chrono::hours(2)), 0U) << "pinned";
  *pin = Pin();
  EXPECT_EQ(*packages_->collect(nobody, start + std::chrono::hours(2)), 1U);
  EXPECT_FALSE(packages_->present(to_hex(sha256(bytes))));
}

TEST_F(PackageTest, AReferencedPackageStays) {
  const std::string bytes = zip({stored("a", "x")});
  ASSERT_TRUE(stage(bytes));
  const auto somebody = [](const std::string&) -> Result<bool> { return true; };
  EXPECT_EQ(*packages_->collect(somebody, from_millis(0)), 0U);
  EXPECT_EQ(*packages_->collect(somebody, from_millis(0) + std::chrono::hours(9)), 0U);
}

}  // namespace
}  // namespace wolke::lambda
