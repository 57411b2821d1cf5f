// What is written to a control group, in directories that stand for the host's hierarchies.

#include "wolke/sandbox/cgroups.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace wolke::sandbox {
namespace {

namespace fs = std::filesystem;

class CgroupsTest : public ::testing::Test {
 protected:
  CgroupsTest() {
    char name[] = "/tmp/cgroups-test-XXXXXX";
    root = ::mkdtemp(name);
  }
  ~CgroupsTest() override { fs::remove_all(root); }

  /// A hierarchy, as a directory; its groups have these files.
  std::string hierarchy(const std::string& name) {
    fs::create_directories(root / name / "parent");
    return root / name;
  }
  void put(const std::string& name, const std::string& file) {
    std::ofstream(root / name / "parent/group" / file) << "as it was";
  }
  std::string read(const std::string& name, const std::string& file) {
    std::ifstream in(root / name / "parent/group" / file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path root;
};

TEST_F(CgroupsTest, WhatWasKilledMayEndWithEveryProcessorOnV2) {
  CgroupLayout layout;
  layout.unified = hierarchy("unified");
  layout.unified_has_controllers = true;
  Cgroups cgroups(layout, "parent");
  auto group = cgroups.make("group");
  ASSERT_TRUE(group) << group.error().message;
  for (const char* file : {"cgroup.kill", "cpu.max", "cpu.weight"}) put("unified", file);
  cgroups.kill(*group);
  EXPECT_TRUE(read("unified", "cgroup.kill").starts_with("1"));
  EXPECT_TRUE(read("unified", "cpu.weight").starts_with("as it was"));
  cgroups.hurry(*group);
  EXPECT_TRUE(read("unified", "cpu.max").starts_with("max"));
  EXPECT_TRUE(read("unified", "cpu.weight").starts_with("10000"));
}

TEST_F(CgroupsTest, WhatWasKilledMayEndWithEveryProcessorOnV1) {
  CgroupLayout layout;
  layout.legacy[static_cast<std::size_t>(Controller::cpu)] = hierarchy("cpu");
  Cgroups cgroups(layout, "parent");
  auto group = cgroups.make("group");
  ASSERT_TRUE(group) << group.error().message;
  for (const char* file : {"cpu.cfs_quota_us", "cpu.shares"}) put("cpu", file);
  cgroups.hurry(*group);
  EXPECT_TRUE(read("cpu", "cpu.cfs_quota_us").starts_with("-1"));
  EXPECT_TRUE(read("cpu", "cpu.shares").starts_with("262144"));
}

}  // namespace
}  // namespace wolke::sandbox
