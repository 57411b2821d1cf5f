#include "wolke/sandbox/level.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace wolke::sandbox {
namespace {

constexpr std::string_view hybrid_mounts =
    "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
    "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n"
    "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n"
    "cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0\n"
    "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n";
constexpr std::string_view hybrid_self = "4:memory:/job/7\n3:cpu,cpuacct:/\n2:pids:/\n0::/\n";

HostFacts good_host() {
  HostFacts facts;
  facts.root = true;
  facts.user_namespaces = facts.all_namespaces = facts.proc_mountable = true;
  facts.overlay_mountable = facts.seccomp = facts.mount_api = true;
  facts.landlock_abi = 7;
  facts.cgroups = parse_cgroups(hybrid_mounts, hybrid_self, "");
  return facts;
}

TEST(LevelTest, each_missing_fact_lowers_the_level_as_far_as_it_must) {
  EXPECT_EQ(decide_level(good_host()), Level::full);
  HostFacts facts = good_host();
  facts.root = false;
  EXPECT_EQ(decide_level(facts), Level::rootless);
  facts = good_host();
  facts.cgroups = {};
  EXPECT_EQ(decide_level(facts), Level::rootless);
  for (bool HostFacts::* needed :
       {&HostFacts::user_namespaces, &HostFacts::all_namespaces, &HostFacts::proc_mountable,
        &HostFacts::overlay_mountable, &HostFacts::mount_api}) {
    facts = good_host();
    facts.*needed = false;
    EXPECT_EQ(decide_level(facts), Level::limited);
    facts.landlock_abi = 0;
    EXPECT_EQ(decide_level(facts), Level::process);
  }
  facts = good_host();
  facts.seccomp = false;
  EXPECT_EQ(decide_level(facts), Level::process);
}

TEST(LevelTest, findings_name_what_is_missing) {
  HostFacts facts = good_host();
  facts.user_namespaces = false;
  const auto found = findings(facts);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].mark, Finding::Mark::fail);
  EXPECT_TRUE(std::any_of(found.begin(), found.end(), [](const Finding& f) {
    return f.name == "namespaces" && f.mark == Finding::Mark::fail;
  }));
}

TEST(CgroupLayoutTest, a_hybrid_host_limits_by_v1_and_freezes_by_v2_below_its_own_group) {
  const CgroupLayout layout = parse_cgroups(hybrid_mounts, hybrid_self, "hugetlb\n");
  EXPECT_EQ(layout.kind(), "hybrid");
  EXPECT_FALSE(layout.unified_has_controllers);
  EXPECT_EQ(layout.legacy_of(Controller::memory), "/sys/fs/cgroup/memory/job/7");
  EXPECT_EQ(layout.legacy_of(Controller::cpu), "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(layout.legacy_of(Controller::cpuacct), "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_TRUE(layout.can_limit_memory() && layout.can_limit_pids() && layout.can_freeze());
}

TEST(CgroupLayoutTest, a_v2_host_limits_by_v2) {
  const CgroupLayout layout = parse_cgroups("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n",
                                            "0::/user.slice/a\n", "cpuset cpu io memory pids\n");
  EXPECT_EQ(layout.kind(), "v2");
  EXPECT_EQ(layout.unified, "/sys/fs/cgroup/user.slice/a");
  EXPECT_TRUE(layout.can_limit_memory());
}

TEST(CgroupLayoutTest, a_host_without_groups_limits_nothing) {
  const CgroupLayout layout = parse_cgroups("proc /proc proc rw 0 0\n", "", "");
  EXPECT_EQ(layout.kind(), "none");
  EXPECT_FALSE(layout.can_limit_memory() || layout.can_limit_pids() || layout.can_freeze());
}

TEST(CpuShareTest, cpu_follows_memory_and_has_a_quota_only_from_one_processor_up) {
  EXPECT_EQ(cpu_share(memory_per_cpu).shares_v1, 1024u);
  EXPECT_EQ(cpu_share(memory_per_cpu).quota_us, 100'000u);
  EXPECT_EQ(cpu_share(memory_per_cpu - 1).quota_us, 0u);
  EXPECT_EQ(cpu_share(2 * memory_per_cpu).quota_us, 200'000u);
  EXPECT_EQ(cpu_share(128 << 20).shares_v1, 74u);
  EXPECT_EQ(cpu_share(128 << 20).weight_v2, 7u);
  EXPECT_EQ(visible_cpus(128 << 20, 8), 2u);
  EXPECT_EQ(visible_cpus(10ULL << 30, 8), 6u);
  EXPECT_EQ(visible_cpus(10ULL << 30, 2), 2u);
}

}  // namespace
}  // namespace wolke::sandbox
