#include "wolke/sandbox/memory_gauge.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "wolke/sandbox/process_memory.h"

namespace wolke::sandbox {
namespace {

using namespace std::chrono_literals;
constexpr std::uint64_t mib = 1 << 20;

constexpr std::string_view v1_stat =
    "cache 500\nrss 70\nrss_huge 0\nshmem 300\nmapped_file 10\nswap 5\ninactive_file 150\n"
    "total_cache 9999\ntotal_rss 9999\ntotal_shmem 9999\n";
constexpr std::string_view v2_stat =
    "anon 70\nfile 500\nkernel 60\nkernel_stack 1\npagetables 2\npercpu 3\nsock 4\nvmalloc 5\n"
    "shmem 300\nfile_mapped 10\nslab_reclaimable 40\nslab_unreclaimable 6\nslab 46\n";

TEST(MemoryStatTest, v1_counts_the_groups_own_pages_and_tells_files_from_tmpfs) {
  const MemoryStat stat = parse_memory_stat(v1_stat);
  EXPECT_EQ(stat.held, 70u);
  EXPECT_EQ(stat.cached, 200u);
  EXPECT_EQ(stat.shared, 305u);  // what is swapped out may be a file of /tmp
}

TEST(MemoryStatTest, v2_counts_what_of_the_kernels_cannot_be_taken_back) {
  const MemoryStat stat = parse_memory_stat(v2_stat);
  EXPECT_EQ(stat.held, 70u + 1 + 2 + 3 + 4 + 5 + 6);
  EXPECT_EQ(stat.cached, 200u);
  EXPECT_EQ(stat.shared, 300u);
}

TEST(HeldBytesTest, files_in_tmp_are_not_held_but_other_shared_memory_is) {
  const MemoryStat stat{.held = 50, .shared = 300, .cached = 1000};
  EXPECT_EQ(held_bytes(stat, 0), 350u);
  EXPECT_EQ(held_bytes(stat, 300), 50u);
  EXPECT_EQ(held_bytes(stat, 200), 150u);
  EXPECT_EQ(held_bytes(stat, 900), 50u);  // a count that is older than the other
}

TEST(NextLookTest, it_is_soon_near_the_limit_and_late_far_from_it) {
  EXPECT_EQ(until_next_look(128 * mib, 128 * mib), 2ms);
  EXPECT_EQ(until_next_look(500 * mib, 128 * mib), 2ms);
  EXPECT_EQ(until_next_look(108 * mib, 128 * mib), 10ms);
  EXPECT_EQ(until_next_look(0, 10240 * mib), 50ms);
}

TEST(ToleranceTest, it_follows_the_processors_and_stays_small_beside_the_limit) {
  EXPECT_EQ(tolerance_bytes(128 * mib, 2), 512u << 10);
  EXPECT_EQ(tolerance_bytes(128 * mib, 128), 8 * mib);
}

/// Files in the place of a group's, so that both layouts are played through anywhere.
class MemoryGaugeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/dev/shm/gauge-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  void TearDown() override {
    for (const std::string& file : files_) ::unlink(file.c_str());
    ::rmdir(directory_.c_str());
  }
  std::string path(const char* name) const { return directory_ + "/" + name; }
  Fd file(const char* name, const std::string& text) {
    put(name, text);
    return Fd(::open(path(name).c_str(), O_RDONLY | O_CLOEXEC));
  }
  void put(const char* name, const std::string& text) {
    Fd fd(::open(path(name).c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
    ASSERT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    files_.push_back(path(name));
  }
  MemoryGauge::Sources sources(std::uint64_t usage, std::uint64_t peak, std::uint64_t anonymous) {
    MemoryGauge::Sources made;
    made.usage = file("usage", std::to_string(usage) + "\n");
    made.peak = file("peak", std::to_string(peak) + "\n");
    made.stat = file("stat", "anon " + std::to_string(anonymous) + "\nfile 0\nshmem 0\n");
    return made;
  }

  std::string directory_;
  std::vector<std::string> files_;
};

TEST_F(MemoryGaugeTest, a_group_within_its_limit_is_not_over) {
  MemoryGauge gauge(sources(100 * mib, 0, 900 * mib), 128 * mib, 2);
  const MemoryGauge::Look look = gauge.look();
  EXPECT_FALSE(look.over);
  EXPECT_EQ(look.next, 14ms);
}

TEST_F(MemoryGaugeTest, a_group_full_of_file_caches_is_not_over) {
  MemoryGauge gauge(sources(600 * mib, 0, 100 * mib), 128 * mib, 2);
  EXPECT_FALSE(gauge.look().over);
}

TEST_F(MemoryGaugeTest, a_program_that_holds_more_than_its_limit_is_over) {
  MemoryGauge gauge(sources(600 * mib, 0, 130 * mib), 128 * mib, 2);
  EXPECT_TRUE(gauge.look().over);
}

TEST_F(MemoryGaugeTest, the_peak_follows_the_kernels_and_never_falls) {
  MemoryGauge gauge(sources(0, 40 * mib, 0), 128 * mib, 2);
  EXPECT_EQ(gauge.peak(), 40 * mib);
  put("peak", std::to_string(50 * mib));
  EXPECT_EQ(gauge.peak(), 50 * mib);
  put("peak", std::to_string(30 * mib));
  EXPECT_EQ(gauge.peak(), 50 * mib);
  EXPECT_EQ(gauge.peak_at_end(60 * mib), 60 * mib);
}

TEST_F(MemoryGaugeTest, a_peak_above_the_limit_counts_only_what_was_held) {
  MemoryGauge gauge(sources(0, 400 * mib, 30 * mib), 128 * mib, 2);
  EXPECT_EQ(gauge.peak(), 30 * mib);
}

TEST(ProcessMemoryTest, the_peaks_of_children_and_their_children_are_summed) {
  int ready[2] = {-1, -1};
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::fork() == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      std::vector<char> held(64 * mib, 'x');
      (void)!::write(ready[1], held.data(), 1);
    }
    while (true) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const std::uint64_t below = resident_peak_below(::getpid());
  EXPECT_GE(below, 64 * mib);
  EXPECT_GE(resident_peak_below(child), 64 * mib);
  EXPECT_LT(resident_peak_below(child), below);
  EXPECT_EQ(resident_peak_below(0), 0u);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace wolke::sandbox
