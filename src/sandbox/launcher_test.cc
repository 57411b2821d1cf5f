// The launcher as a process of its own: restarts, rights, and that nothing is left behind.
#include "wolke/sandbox/launcher.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

#include "wolke/base/text.h"
#include "wolke/sandbox/fixture.h"
#include "wolke/sandbox/level.h"
#include "wolke/sandbox/spawner.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

using namespace std::chrono_literals;
using async::Task;

/// What the server processes tell the test, in memory that all of them share.
struct Told {
  std::atomic<int> starts, sandboxes_run;
  std::atomic<unsigned> uid;
  std::atomic<bool> has_capability, owns_data, up;
};

class LauncherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    void* shared =
        ::mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    told_ = new (shared) Told{};
    char name[] = "/tmp/launcher-test-XXXXXX";
    directory_ = ::mkdtemp(name);
    std::filesystem::permissions(directory_, std::filesystem::perms(0755));
    config_.data_dir = directory_ + "/data";
    config_.level = decide_level(gather_facts());
    config_.ready_shells = 1;
    config_.stop_timeout = 5s;
    // What the launcher leaves behind becomes our child, so that it can be counted.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  void TearDown() override {
    if (launcher_ > 0 && !ended_) {
      ::kill(launcher_, SIGKILL);
      wait_for_end();
    }
    std::filesystem::remove_all(directory_);
    ::munmap(told_, sizeof(Told));
  }

  void launch(const std::function<int(ServerSide)>& server_main) {
    launcher_ = ::fork();
    if (launcher_ == 0) {
      ::_exit(run_launcher(config_, [&](ServerSide side) {
        ++told_->starts;
        return server_main(std::move(side));
      }));
    }
  }
  int wait_for_end() {
    int status = 0;
    ::waitpid(launcher_, &status, 0);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  static bool eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 500; ++i) {
      if (holds()) return true;
      ::usleep(10'000);  // allowed: a poll
    }
    return false;
  }
  pid_t child_named(std::string_view name) const {
    const std::string path =
        "/proc/" + std::to_string(launcher_) + "/task/" + std::to_string(launcher_) + "/children";
    const std::string text = read_small_file(path.c_str());
    for (std::string_view pid : split(text, ' ')) {
      if (pid.empty()) continue;
      const std::string comm = read_small_file(("/proc/" + std::string(pid) + "/comm").c_str());
      if (comm.starts_with(name)) return static_cast<pid_t>(parse_u64(pid).value_or(0));
    }
    return 0;
  }
  /// "wolke-<namespace>-<pid>-<start>" whose spawner is dead, or came from this test: other servers
  /// may run beside it, and in a PID namespace of their own, where we cannot see them.
  static bool is_of_this_test(std::string_view name) {
    const auto parts = split(name, '-');
    if (parts.size() != 4 || parts[0] != "wolke") return false;
    const std::string own_name = cgroup_parent_name(::getpid());
    const auto own = split(own_name, '-');
    if (own.size() != 4 || parts[1] != own[1]) return false;
    const std::string status =
        read_small_file(("/proc/" + std::string(parts[2]) + "/status").c_str());
    if (status.empty()) return true;
    return status.find("PPid:\t" + std::to_string(::getpid()) + "\n") != std::string::npos;
  }
  /// Control groups of dead spawners, and children that nobody ended.
  static int leftovers() {
    int count = 0;
    const CgroupLayout layout = detect_cgroups();
    std::vector<std::string> bases(layout.legacy.begin(), layout.legacy.end());
    bases.push_back(layout.unified);
    for (const std::string& base : bases) {
      if (base.empty()) continue;
      for (const auto& entry : std::filesystem::directory_iterator(base)) {
        if (is_of_this_test(entry.path().filename().string())) ++count;
      }
    }
    int status = 0;
    while (::waitpid(-1, &status, WNOHANG) > 0) {
    }
    return count + (errno == ECHILD ? 0 : 1);
  }

  Told* told_ = nullptr;
  std::string directory_;
  LauncherConfig config_;
  pid_t launcher_ = -1;
  bool ended_ = false;
};

TEST_F(LauncherTest, the_servers_own_exit_code_ends_the_launcher) {
  launch([](ServerSide) { return 5; });
  EXPECT_EQ(wait_for_end(), 5);
  EXPECT_EQ(told_->starts, 1);
  EXPECT_EQ(leftovers(), 0);
}

TEST_F(LauncherTest, a_killed_server_runs_again) {
  launch([&](ServerSide) -> int {
    if (told_->starts == 1) {
      told_->up = true;
      ::kill(::getpid(), SIGKILL);
    }
    return 0;
  });
  EXPECT_EQ(wait_for_end(), 0);
  EXPECT_EQ(told_->starts, 2);
  EXPECT_EQ(leftovers(), 0);
}

TEST_F(LauncherTest, the_server_has_its_own_uid_no_capability_and_the_data_directory) {
  launch([&](ServerSide) -> int {
    told_->uid = ::getuid();
    const std::string status = read_small_file("/proc/self/status");
    told_->has_capability = status.find("CapEff:\t0000000000000000") == std::string::npos ||
                            status.find("CapPrm:\t0000000000000000") == std::string::npos;
    told_->owns_data = ::access(config_.data_dir.c_str(), W_OK | X_OK) == 0;
    return 0;
  });
  EXPECT_EQ(wait_for_end(), 0);
  EXPECT_FALSE(told_->has_capability);
  EXPECT_TRUE(told_->owns_data);
  if (::geteuid() == 0) EXPECT_EQ(told_->uid, host_uid_base);
}

TEST_F(LauncherTest, a_data_directory_of_somebody_else_is_not_taken) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: only root gives directories away";
  std::filesystem::create_directories(config_.data_dir + "/precious");
  launch([](ServerSide) { return 0; });
  EXPECT_EQ(wait_for_end(), 78);
  EXPECT_EQ(told_->starts, 0);
}

TEST_F(LauncherTest, a_termination_signal_reaches_the_server_and_its_exit_is_the_end) {
  launch([&](ServerSide) -> int {
    sigset_t term;
    ::sigemptyset(&term);
    ::sigaddset(&term, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &term, nullptr);
    told_->up = true;
    int signal = 0;
    ::sigwait(&term, &signal);
    return 3;
  });
  ASSERT_TRUE(eventually([&] { return told_->up.load(); }));
  ::kill(launcher_, SIGTERM);
  EXPECT_EQ(wait_for_end(), 3);
}

Task<void> keep_starting(Sandboxes& sandboxes, async::Loop& loop, Told& told, bool stay) {
  while (told.sandboxes_run < 100) {
    auto started = co_await sandboxes.start(shell_spec("echo hello; exec sleep 100"));
    if (started) {
      (void)co_await loop.readable((*started)->stdout_fd(), loop.now() + 5s);
      ++told.sandboxes_run;
      if (stay) (void)co_await (*started)->exited(loop.now() + 60s);
    }
    if (co_await loop.sleep_for(5ms) == async::Wake::cancelled) break;
  }
}

int serve(ServerSide side, Told& told, bool stay) {
  async::Loop loop;
  auto sandboxes = connect(loop, std::move(side));
  loop.spawn(keep_starting(*sandboxes, loop, told, stay));
  loop.run();
  return 0;
}

TEST_F(LauncherTest, a_killed_spawner_is_replaced_and_the_same_server_goes_on) {
  launch([&](ServerSide side) { return serve(std::move(side), *told_, true); });
  ASSERT_TRUE(eventually([&] { return told_->sandboxes_run >= 1; }));
  ASSERT_TRUE(eventually([&] { return child_named("wolke-spawner") > 0; }));
  ::kill(child_named("wolke-spawner"), SIGKILL);
  EXPECT_TRUE(eventually([&] { return told_->sandboxes_run >= 2; }));
  EXPECT_EQ(told_->starts, 1);
  ::kill(launcher_, SIGTERM);
  wait_for_end();
  EXPECT_TRUE(eventually([] { return leftovers() == 0; }));
}

TEST_F(LauncherTest, the_spawner_keeps_only_the_capabilities_that_it_uses) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  launch([&](ServerSide side) { return serve(std::move(side), *told_, true); });
  ASSERT_TRUE(eventually([&] { return told_->sandboxes_run >= 1; }));
  const std::string status = read_small_file(
      ("/proc/" + std::to_string(child_named("wolke-spawner")) + "/status").c_str());
  EXPECT_NE(status.find("CapEff:\t00000000002014e2"), std::string::npos) << status;
  EXPECT_NE(status.find("CapBnd:\t00000000002014e2"), std::string::npos) << status;
}

TEST_F(LauncherTest, kill_9_of_the_launcher_leaves_nothing_behind) {
  launch([&](ServerSide side) { return serve(std::move(side), *told_, true); });
  ASSERT_TRUE(eventually([&] { return told_->sandboxes_run >= 1; }));
  ::kill(launcher_, SIGKILL);
  wait_for_end();
  EXPECT_TRUE(eventually([] { return leftovers() == 0; }));
}

TEST(RestartPauseTest, ten_restarts_are_at_once_then_pauses_grow_to_ten_seconds) {
  EXPECT_EQ(restart_pause(1), 0ms);
  EXPECT_EQ(restart_pause(10), 0ms);
  EXPECT_EQ(restart_pause(11), 100ms);
  EXPECT_EQ(restart_pause(12), 200ms);
  EXPECT_EQ(restart_pause(30), 10s);
}

}  // namespace
}  // namespace wolke::sandbox
