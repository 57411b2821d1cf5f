#include "wolke/runtime/table.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace wolke::runtime {
namespace {

RuntimePaths paths() {
  return {.node_root = "/n",
          .node_sdk_root = "/sdk3",
          .node_sdk_v2_root = "/sdk2",
          .python = "/usr/bin/python3.11",
          .runtimes_dir = "/r",
          .node_version = "22.23.3",
          .python_version = "3.11"};
}

bool mounts(const Launch& launch, const std::string& host, const std::string& inside) {
  return std::ranges::any_of(launch.mounts, [&](const sandbox::ReadOnlyMount& mount) {
    return mount.host_path == host && mount.inside_path == inside;
  });
}

TEST(RuntimeTable, TheVersionThatIsThereRunsWithoutAWarning) {
  auto node = plan_launch(paths(), "nodejs22.x", 128);
  ASSERT_TRUE(node);
  EXPECT_EQ(node->version, "nodejs:22.23.3");
  EXPECT_EQ(node->warning, "");
  EXPECT_EQ(plan_launch(paths(), "python3.11", 128)->warning, "");
}

TEST(RuntimeTable, AnotherVersionIsServedWithAWarning) {
  EXPECT_EQ(plan_launch(paths(), "nodejs18.x", 128)->warning,
            "runtime nodejs18.x runs on Node.js 22.23.3 here");
  EXPECT_EQ(plan_launch(paths(), "python3.13", 128)->warning,
            "runtime python3.13 runs on Python 3.11 here");
}

TEST(RuntimeTable, UnpackedPythonPackagesLieWhereLambdasOwnDo) {
  RuntimePaths unpacked = paths();
  unpacked.python_root = "/tree/usr";
  auto launch = plan_launch(unpacked, "python3.11", 128);
  EXPECT_TRUE(mounts(*launch, "/tree/usr", "/var/lang"));
  EXPECT_EQ(launch->argv.front(), "/usr/bin/python3.11");
  unpacked.python = "/tree/usr/bin/python3.11";
  EXPECT_EQ(plan_launch(unpacked, "python3.11", 128)->argv.front(), "/var/lang/bin/python3.11");
  EXPECT_FALSE(mounts(*plan_launch(paths(), "python3.11", 128), "", "/var/lang"));
}

TEST(RuntimeTable, NamesUpToNode16FindTheOldSdk) {
  EXPECT_TRUE(mounts(*plan_launch(paths(), "nodejs16.x", 128), "/sdk2", "/var/runtime"));
  EXPECT_TRUE(mounts(*plan_launch(paths(), "nodejs18.x", 128), "/sdk3", "/var/runtime"));
}

TEST(RuntimeTable, NodesHeapStaysBelowTheSandboxesMemory) {
  auto launch = plan_launch(paths(), "nodejs22.x", 1000);
  EXPECT_TRUE(std::ranges::find(launch->argv, "--max-old-space-size=900") != launch->argv.end());
}

TEST(RuntimeTable, CustomRuntimesSpeakTheRuntimeApi) {
  for (const char* name : {"provided", "provided.al2", "provided.al2023"}) {
    EXPECT_EQ(plan_launch(paths(), name, 128)->protocol, Protocol::runtime_api) << name;
  }
}

TEST(RuntimeTable, OtherNamesAreRefused) {
  for (const char* name : {"", "java21", "nodejs", "nodejs.x", "nodejsX.x", "nodejs22", "python2.7",
                           "python3.", "providedX", "ruby3.3"}) {
    EXPECT_FALSE(is_served(name)) << name;
    auto launch = plan_launch(paths(), name, 128);
    ASSERT_FALSE(launch) << name;
    EXPECT_EQ(launch.error().code, "InvalidRuntimeException");
  }
}

TEST(RuntimeTable, AMissingInterpreterIsNamed) {
  RuntimePaths nowhere = paths();
  nowhere.node_root = "/nowhere";
  EXPECT_EQ(locate(nowhere).error().message, "no Node interpreter at /nowhere/bin/node");
}

}  // namespace
}  // namespace wolke::runtime
