#include "wolke/cli/serve.h"

#include <gtest/gtest.h>

namespace wolke::cli {
namespace {

using sandbox::HostFacts;
using sandbox::Level;

/// A user's host: everything but root.
HostFacts user_host() {
  HostFacts facts;
  facts.user_namespaces = facts.all_namespaces = facts.proc_mountable = true;
  facts.overlay_mountable = facts.seccomp = facts.mount_api = true;
  facts.landlock_abi = 7;
  return facts;
}

HostFacts without_namespaces() {
  HostFacts facts = user_host();
  facts.user_namespaces = facts.all_namespaces = false;
  return facts;
}

std::string refusal(const std::string& named, const HostFacts& facts) {
  const auto level = choose_level(named, facts);
  return level ? "" : level.error().message;
}

TEST(ChooseLevelTest, the_strongest_is_chosen_when_none_is_named) {
  EXPECT_EQ(choose_level("", user_host()), Level::rootless);
  EXPECT_EQ(choose_level("", without_namespaces()), Level::limited);
}

TEST(ChooseLevelTest, limited_can_be_named_where_a_stronger_one_is_possible) {
  EXPECT_EQ(choose_level("limited", user_host()), Level::limited);
}

TEST(ChooseLevelTest, a_named_level_is_never_replaced_by_a_weaker_one) {
  EXPECT_NE(refusal("full", user_host()), "");
  EXPECT_NE(refusal("rootless", without_namespaces()), "");
  HostFacts bare = without_namespaces();
  bare.landlock_abi = 0;
  EXPECT_NE(refusal("limited", bare).find("landlock"), std::string::npos);
  EXPECT_NE(refusal("", bare).find("--isolation process"), std::string::npos);
}

TEST(ChooseLevelTest, process_is_only_chosen_by_name) {
  EXPECT_EQ(choose_level("process", HostFacts{}), Level::process);
  EXPECT_NE(refusal("", HostFacts{}), "");
}

TEST(ChooseLevelTest, root_is_told_to_start_limited_as_a_user) {
  HostFacts root = without_namespaces();
  root.root = true;
  EXPECT_NE(refusal("limited", root).find("ordinary user"), std::string::npos);
  EXPECT_NE(refusal("", root).find("ordinary user"), std::string::npos);
}

TEST(ChooseLevelTest, levels_that_do_not_isolate_say_so) {
  EXPECT_EQ(isolation_warning(Level::rootless), "");
  EXPECT_NE(isolation_warning(Level::limited).find("not isolated"), std::string::npos);
  EXPECT_NE(isolation_warning(Level::process).find("NOT isolated"), std::string::npos);
}

}  // namespace
}  // namespace wolke::cli
