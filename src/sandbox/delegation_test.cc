#include "wolke/sandbox/delegation.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "wolke/sandbox/cgroups.h"

namespace wolke::sandbox {
namespace {

constexpr pid_t us = 71;

/// A hierarchy of plain files: what the kernel would show in them.
class PlaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/delegation-XXXXXX";
    top_ = ::mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(top_); }

  struct Group {
    std::string offered = "cpu memory pids\n", handed_down = "\n", processes;
  };
  void make(const std::string& path, const Group& group) {
    std::filesystem::create_directories(top_ + path);
    std::ofstream(top_ + path + "/cgroup.controllers") << group.offered;
    std::ofstream(top_ + path + "/cgroup.subtree_control") << group.handed_down;
    std::ofstream(top_ + path + "/cgroup.procs") << group.processes;
  }
  /// Every group but the hierarchy's real top has this file.
  void make_below_the_real_top(const std::string& path, const Group& group) {
    make(path, group);
    std::ofstream(top_ + path + "/cgroup.events") << "populated 1\n";
  }

  std::string top_;
};

TEST_F(PlaceTest, root_takes_the_real_top_wherever_it_was_started) {
  make("", {});
  make_below_the_real_top("/service", {.processes = "71\n"});
  const UnifiedPlace place = find_place(top_, "/service", us, true);
  EXPECT_EQ(place.directory, top_);
  EXPECT_TRUE(place.has_controllers);
  EXPECT_FALSE(place.needs_leaf);
}

TEST_F(PlaceTest, alone_in_a_given_group_we_move_into_a_leaf) {
  make_below_the_real_top("", {.processes = "71\n"});
  for (const bool root : {true, false}) {  // a container's root, too
    const UnifiedPlace place = find_place(top_, "", us, root);
    EXPECT_EQ(place.directory, top_);
    EXPECT_TRUE(place.has_controllers);
    EXPECT_TRUE(place.needs_leaf);
  }
}

TEST_F(PlaceTest, beside_processes_of_others_groups_only_freeze_and_kill) {
  make_below_the_real_top("", {.processes = "1\n71\n"});
  for (const bool root : {true, false}) {
    const UnifiedPlace place = find_place(top_, "", us, root);
    EXPECT_EQ(place.directory, top_);
    EXPECT_FALSE(place.has_controllers);
    EXPECT_FALSE(place.needs_leaf);
  }
}

TEST_F(PlaceTest, the_group_above_serves_when_it_hands_controllers_down) {
  make_below_the_real_top("", {.handed_down = "memory pids\n"});
  make_below_the_real_top("/terminal", {.processes = "5\n71\n"});
  const UnifiedPlace place = find_place(top_, "/terminal", us, false);
  EXPECT_EQ(place.directory, top_);
  EXPECT_TRUE(place.has_controllers);
  EXPECT_FALSE(place.needs_leaf);
}

TEST_F(PlaceTest, out_of_a_leaf_of_ours_no_second_leaf_is_made) {
  make_below_the_real_top("", {.handed_down = "memory pids\n"});
  make_below_the_real_top("/wolke-1-71-2", {.processes = "71\n"});
  const UnifiedPlace place = find_place(top_, "/wolke-1-71-2", us, false);
  EXPECT_EQ(place.directory, top_);
  EXPECT_FALSE(place.needs_leaf);
}

TEST_F(PlaceTest, without_memory_and_pids_there_is_nothing_to_hand_down) {
  make("", {.offered = "cpu io\n", .processes = "71\n"});
  EXPECT_FALSE(find_place(top_, "", us, true).has_controllers);
  EXPECT_TRUE(find_place(top_ + "/missing", "", us, false).directory.empty());
}

}  // namespace
}  // namespace wolke::sandbox
