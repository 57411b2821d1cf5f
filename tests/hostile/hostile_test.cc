// Each attack runs twice: in a whole sandbox, where it must fail, and in one without the layers
// that stop it, where the same attack must succeed (the positive control: a test that cannot fail
// proves nothing). The host judges: by canary files, a victim process, the attacker's exit, and by
// what is left behind. Needs root; else each is skipped by name.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "wolke/base/limits.h"
#include "wolke/base/text.h"
#include "wolke/sandbox/cgroups.h"
#include "wolke/sandbox/fixture.h"
#include "wolke/sandbox/step.h"
#include "wolke/sandbox/wire.h"

namespace wolke::sandbox {
namespace {

using namespace std::chrono_literals;
using namespace wire;
using async::Task;

constexpr std::string_view secret = "canary-6f1d0c57a2";

// Root of the host in all but the namespaces that stay: the control of attacks that need a
// privilege.
constexpr std::uint32_t as_root =
    weaken_user | weaken_capabilities | weaken_seccomp | weaken_landlock | weaken_no_new_privileges;

struct Inventory {
  std::size_t mounts = 0, attackers = 0, groups = 0;
  bool operator==(const Inventory&) const = default;
};

/// The attacker's name in the host's eyes: other runs of this test may be on the same machine.
std::string attacker_name() {
  return "hostile-" + std::to_string(::getpid());
}

std::size_t attackers() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string comm = read_small_file((entry.path().string() + "/comm").c_str());
    if (comm == attacker_name() + "\n") ++count;
  }
  return count;
}

/// The groups of the sandboxes of this spawner; other servers may run on the same machine.
std::size_t groups(const std::string& base, const std::string& parent) {
  std::error_code missing;
  std::size_t count = 0;
  if (base.empty()) return 0;
  for (const auto& group : std::filesystem::directory_iterator(base + "/" + parent, missing)) {
    count += group.is_directory();
  }
  return count;
}

Inventory take_inventory(pid_t spawner) {
  Inventory inventory;
  const std::string mounts = read_small_file("/proc/self/mountinfo", 1 << 20);
  inventory.mounts = split(mounts, '\n').size();
  inventory.attackers = attackers();
  const CgroupLayout layout = detect_cgroups();
  const std::string parent = cgroup_parent_name(spawner);
  for (const std::string& base : layout.legacy) inventory.groups += groups(base, parent);
  inventory.groups += groups(layout.unified, parent);
  return inventory;
}

class HostileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "SKIP (needs root)";
    char name[] = "/tmp/hostile-XXXXXX";
    directory_ = ::mkdtemp(name);
    ::chmod(name, 0755);
    package_ = directory_ + "/package";
    std::filesystem::create_directory(package_);
    std::filesystem::copy(HOSTILE_PROGRAM, package_ + "/" + attacker_name());
    std::filesystem::copy(HOSTILE_PROGRAM, package_ + "/suid");
    ASSERT_EQ(::chown((package_ + "/suid").c_str(), 4711, 4711), 0);
    ::chmod((package_ + "/suid").c_str(), 04755);
    write(package_ + "/victim", "intact");
    ::chmod((package_ + "/victim").c_str(), 0666);
    ::chmod(package_.c_str(), 0777);
    write(directory_ + "/canary", std::string(secret));
    host_ = std::make_unique<TestHost>();
    before_ = take_inventory(host_->spawner_pid());
  }
  void TearDown() override {
    if (!host_) return;
    for (int i = 0; i < 100 && take_inventory(host_->spawner_pid()) != before_; ++i)
      ::usleep(10'000);  // allowed: a poll
    const Inventory after = take_inventory(host_->spawner_pid());
    EXPECT_EQ(after.mounts, before_.mounts);
    EXPECT_EQ(after.attackers, before_.attackers);
    EXPECT_EQ(after.groups, before_.groups);
    EXPECT_EQ(read(directory_ + "/canary"), secret);
    host_.reset();
    std::filesystem::remove_all(directory_);
  }

  static void write(const std::string& path, std::string_view text) { std::ofstream(path) << text; }
  static std::string read(const std::string& path) { return read_small_file(path.c_str()); }

  Spec attack(std::vector<std::string> arguments) const {
    Spec spec = shell_spec("");
    spec.argv = {"/var/task/" + attacker_name()};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    spec.mounts = {{package_, "/var/task"}};
    spec.memory_bytes = 64 << 20;
    spec.tmp_bytes = 8 << 20;
    spec.pids_max = 64;
    spec.files_max = 128;
    return spec;
  }
  Outcome run(const Spec& spec, std::uint32_t weaken = 0, During during = {}) {
    host_->weaken(weaken == 0 ? 0 : weaken | weaken_self_check);
    return host_->run(spec, std::move(during), 20s);
  }
  static bool won(const Outcome& outcome) { return outcome.out.find("WON") != std::string::npos; }

  /// `parts` are those of the attack that each must win in the control.
  void expect_stopped_and_control(const Spec& spec, std::uint32_t weaken,
                                  const std::vector<std::string>& parts = {""}) {
    const Outcome strong = run(spec);
    EXPECT_TRUE(strong.started) << strong.error;
    EXPECT_FALSE(won(strong)) << strong.out;
    const Outcome weak = run(spec, weaken);
    EXPECT_TRUE(weak.started) << weak.error;
    for (const std::string& part : parts) {
      EXPECT_NE(weak.out.find("WON " + part), std::string::npos)
          << "the control failed: " << part << " in " << weak.out << weak.err;
    }
  }
  void expect_secret_kept_and_control(const Spec& spec, std::uint32_t weaken) {
    EXPECT_EQ(run(spec).out.find(secret), std::string::npos);
    const Outcome weak = run(spec, weaken);
    EXPECT_NE(weak.out.find(secret), std::string::npos)
        << "the control failed: " << weak.error << weak.out;
  }

  std::string directory_, package_;
  std::unique_ptr<TestHost> host_;
  Inventory before_;
};

// A. Leave the namespaces.
TEST_F(HostileTest, A1_new_namespaces) {
  expect_stopped_and_control(attack({"unshare"}), weaken_seccomp);
}
TEST_F(HostileTest, A1_new_namespaces_through_the_i386_entry) {
  EXPECT_FALSE(won(run(attack({"i386"}))));
  const Outcome weak = run(attack({"i386"}), weaken_seccomp);
  // A kernel without the i386 entry kills the caller by itself: then there is nothing to control.
  if (!won(weak)) GTEST_SKIP() << "SKIP control (this kernel has no i386 entry)";
}
TEST_F(HostileTest, A2_setns) {
  expect_stopped_and_control(attack({"setns"}), as_root | weaken_init);
}
TEST_F(HostileTest, A3_mounts) {
  expect_stopped_and_control(attack({"mount"}), as_root, {"mount", "bind", "fsopen", "open_tree"});
}
TEST_F(HostileTest, A4_chroot_and_pivot_root) {
  expect_stopped_and_control(attack({"chroot"}), as_root);
}
TEST_F(HostileTest, A5_file_handles) {
  expect_stopped_and_control(attack({"handle"}), as_root);
}
TEST_F(HostileTest, A6_devices) {
  expect_stopped_and_control(attack({"device"}), as_root | weaken_cgroup);
  expect_stopped_and_control(attack({"device"}), weaken_devices);
}
TEST_F(HostileTest, A7_walks_out_of_the_root) {
  expect_secret_kept_and_control(attack({"walk", directory_ + "/canary"}),
                                 weaken_descriptors | weaken_landlock);
  // Two layers: landlock alone stops it even with a way out in hand.
  EXPECT_EQ(run(attack({"walk", directory_ + "/canary"}), weaken_descriptors).out.find(secret),
            std::string::npos);
}
TEST_F(HostileTest, A8_set_user_id_programs) {
  expect_stopped_and_control(attack({"suid"}), as_root | weaken_nosuid);
}
TEST_F(HostileTest, A9_tracing_init) {
  expect_stopped_and_control(attack({"trace"}), as_root | weaken_init);
}
TEST_F(HostileTest, A10_overwriting_the_runtime) {
  const auto hash = std::filesystem::last_write_time(package_ + "/" + attacker_name());
  EXPECT_FALSE(won(run(attack({"overwrite"}))));
  EXPECT_EQ(read(package_ + "/victim"), "intact");
  EXPECT_TRUE(won(run(attack({"overwrite"}), weaken_read_only | weaken_landlock)));
  EXPECT_EQ(read(package_ + "/victim"), "0wned" + std::string("t"));
  EXPECT_EQ(std::filesystem::last_write_time(package_ + "/" + attacker_name()), hash);
}
TEST_F(HostileTest, A11_working_directory_through_a_descriptor) {
  for (int fd = 3; fd < 64; ++fd) {
    Spec spec = attack({"relative", directory_ + "/canary"});
    spec.working_directory = "/proc/self/fd/" + std::to_string(fd);
    const Outcome outcome = run(spec);
    EXPECT_FALSE(outcome.started) << fd;
    EXPECT_EQ(outcome.out.find(secret), std::string::npos);
  }
  Spec spec = attack({"relative", directory_ + "/canary"});
  spec.working_directory = "/proc/self/fd/7";
  expect_secret_kept_and_control(spec, weaken_descriptors | weaken_landlock);
}
TEST_F(HostileTest, A12_inherited_descriptors) {
  expect_stopped_and_control(attack({"descriptors"}), weaken_descriptors);
}

// B. Kernel interfaces.
TEST_F(HostileTest, B1_writing_proc) {
  expect_stopped_and_control(attack({"write-proc"}), as_root | weaken_masks,
                             {"/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches"});
}
TEST_F(HostileTest, B2_reading_kernel_files) {
  expect_stopped_and_control(attack({"read-kernel"}), weaken_masks,
                             {"/proc/cmdline", "/proc/vmstat", "/proc/key-users"});
  // What only root may read even without the masks.
  expect_stopped_and_control(attack({"read-kernel"}), as_root | weaken_masks | weaken_devices,
                             {"/proc/kallsyms", "/proc/vmallocinfo"});
}
TEST_F(HostileTest, B3_seeing_host_processes) {
  expect_stopped_and_control(attack({"see", std::to_string(::getpid())}), weaken_pid);
}
TEST_F(HostileTest, B4_host_names_in_proc_self) {
  EXPECT_EQ(run(attack({"proc-self"})).out.find("hostile-"), std::string::npos);
  EXPECT_NE(run(attack({"proc-self"}), weaken_read_only).out.find("hostile-"), std::string::npos);
}
TEST_F(HostileTest, B5_control_groups) {
  expect_stopped_and_control(attack({"groups"}), as_root);
}
TEST_F(HostileTest, B6_sysfs) {
  expect_stopped_and_control(attack({"sysfs"}), as_root);
}
TEST_F(HostileTest, B7_kernel_log) {
  expect_stopped_and_control(attack({"klog"}), as_root);
}
TEST_F(HostileTest, B8_keys_bpf_userfaultfd_io_uring) {
  expect_stopped_and_control(attack({"interfaces"}), weaken_seccomp,
                             {"add_key", "keyctl", "userfaultfd", "io_uring"});
  expect_stopped_and_control(attack({"interfaces"}), as_root, {"bpf", "perf"});
}
/// Of the parts, those that this kernel has: the module of one may not be there to be loaded.
std::vector<std::string> supported(std::vector<std::string> parts, std::string_view part,
                                   int family, int protocol) {
  if (!Fd(::socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol)).valid() && errno != EPERM) {
    std::erase(parts, part);
  }
  return parts;
}
TEST_F(HostileTest, B9_odd_sockets) {
  expect_stopped_and_control(
      attack({"sockets"}), weaken_seccomp,
      supported({"uevent", "audit", "xfrm"}, "xfrm", AF_NETLINK, NETLINK_XFRM));
  expect_stopped_and_control(
      attack({"sockets"}), as_root,
      supported({"packet", "raw", "nfnetlink"}, "nfnetlink", AF_NETLINK, NETLINK_NETFILTER));
}
TEST_F(HostileTest, B10_process_controls) {
  expect_stopped_and_control(attack({"prctl"}), weaken_seccomp, {"dumpable", "keepcaps"});
}

// D. Residue.
TEST_F(HostileTest, D1_files_and_ipc_left_for_the_next_sandbox) {
  EXPECT_TRUE(run(attack({"leave"})).started);
  EXPECT_FALSE(won(run(attack({"find"}))));
  run(attack({"leave"}), weaken_ipc);
  EXPECT_TRUE(won(run(attack({"find"}), weaken_ipc))) << "the control failed";
  if (const int id = ::shmget(0x77a11, 0, 0); id >= 0) ::shmctl(id, IPC_RMID, nullptr);
}

/// The processor time that the sandbox used within 200 ms of standing still, or, not frozen, within
/// a wait for enough of it: others may have the processor.
Task<void> measure(async::Loop& loop, Instance& instance, bool freeze,
                   std::chrono::microseconds& used) {
  (void)co_await loop.readable(instance.stdout_fd(), loop.now() + 5s);
  if (freeze) (void)instance.freeze();
  auto before = instance.usage().cpu;
  for (int i = 0; i < 100; ++i) {
    (void)co_await loop.sleep_for(50ms);
    used = instance.usage().cpu - before;
    if (freeze ? used < 1ms : used > 20ms) break;
    if (freeze) before = instance.usage().cpu;
  }
  if (freeze) {
    (void)co_await loop.sleep_for(200ms);
    used = instance.usage().cpu - before;
  }
  (void)instance.thaw();
  instance.kill();
}

TEST_F(HostileTest, D3_background_work_stands_still_while_frozen) {
  std::chrono::microseconds frozen{0}, running{0};
  run(attack({"outlive"}), 0,
      [&](async::Loop& l, Instance& i) { return measure(l, i, true, frozen); });
  run(attack({"outlive"}), 0,
      [&](async::Loop& l, Instance& i) { return measure(l, i, false, running); });
  EXPECT_LT(frozen, 1ms);
  EXPECT_GT(running, 5ms) << "the control failed";  // others may flood the machine
}

/// The attackers that are there when they are many, and, after the kill, when none is left or the
/// wait ends.
struct Census {
  std::size_t before = 0, after = 0;
};

Task<void> kill_and_count(async::Loop& loop, Instance& instance, bool kill, Census& census) {
  (void)co_await loop.readable(instance.stdout_fd(), loop.now() + 5s);
  for (int i = 0; i < 500 && census.before < 9; ++i) {
    (void)co_await loop.sleep_for(10ms);
    census.before = attackers();
  }
  if (kill) instance.kill();
  // Bounded, not timed: how long it takes is a figure of the bench.
  for (int i = 0; i < 500; ++i) {
    census.after = attackers();
    if (census.after == 0 || (!kill && i == 10)) break;
    (void)co_await loop.sleep_for(10ms);
  }
  instance.kill();
}

TEST_F(HostileTest, D4_daemons_after_the_kill) {
  for (const char* kind : {"outlive", "swarm"}) {
    Census killed, control;
    // An attack that did not come to be proves nothing, and is made again.
    for (int attempt = 0; attempt < 5 && killed.before < 9; ++attempt) {
      killed = {};
      run(attack({kind}), 0,
          [&](async::Loop& l, Instance& i) { return kill_and_count(l, i, true, killed); });
    }
    EXPECT_GE(killed.before, 9u) << kind;
    EXPECT_EQ(killed.after, 0u) << kind;
    for (int attempt = 0; attempt < 5 && control.after < 9; ++attempt) {
      control = {};
      run(attack({kind}), 0,
          [&](async::Loop& l, Instance& i) { return kill_and_count(l, i, false, control); });
    }
    EXPECT_GE(control.after, 9u) << "the control failed: " << kind;
  }
}
TEST_F(HostileTest, D5_replacing_the_bootstrap) {
  EXPECT_FALSE(won(run(attack({"overwrite"}))));
  EXPECT_EQ(read(package_ + "/victim"), "intact");
  EXPECT_TRUE(won(run(attack({"overwrite"}), weaken_read_only | weaken_landlock)))
      << "the control failed";
}

// F. Exhaustion.
TEST_F(HostileTest, F1_fork_bomb) {
  expect_stopped_and_control(attack({"forks", "64"}), weaken_cgroup | weaken_limits);
}
TEST_F(HostileTest, F2_memory_bomb) {
  const Outcome strong = run(attack({"memory", "256"}));
  ASSERT_TRUE(strong.exit.has_value());
  EXPECT_TRUE(strong.exit->out_of_memory);
  expect_stopped_and_control(attack({"memory", "256"}), weaken_cgroup);
}
TEST_F(HostileTest, F3_real_time_priority) {
  expect_stopped_and_control(attack({"priority"}), as_root | weaken_limits | weaken_cgroup);
  // A server with a priority above others' passes none of it on. It forks while it has it.
  const int own = ::getpriority(PRIO_PROCESS, 0);
  ASSERT_EQ(::setpriority(PRIO_PROCESS, 0, -15), 0);
  TestHost favoured;
  ::setpriority(PRIO_PROCESS, 0, own);
  EXPECT_FALSE(won(favoured.run(attack({"priority"}))));
  favoured.weaken(weaken_limits | weaken_self_check);
  const Outcome weak = favoured.run(attack({"priority"}));
  EXPECT_TRUE(won(weak)) << "the control failed: " << weak.error << weak.out << weak.err;
}
TEST_F(HostileTest, F4_disk_and_inodes) {
  Spec large = attack({"disk", "20"});
  EXPECT_FALSE(won(run(large)));
  large.tmp_bytes = 40 << 20;
  EXPECT_TRUE(won(run(large))) << "the control failed";
  Spec inodes = attack({"inodes", "17000"});
  EXPECT_FALSE(won(run(inodes)));
  inodes.tmp_bytes = 512 << 20;
  EXPECT_TRUE(won(run(inodes))) << "the control failed";
}
TEST_F(HostileTest, F5_descriptors) {
  expect_stopped_and_control(attack({"files", "128"}), weaken_limits);
}

// G. Signals. The victim is a process of the host that any of these signals would end.
class Victim {
 public:
  Victim() : pid_(::fork()) {
    if (pid_ == 0) {
      while (true) ::pause();
    }
  }
  ~Victim() {
    ::kill(pid_, SIGKILL);
    if (!reaped_) ::waitpid(pid_, nullptr, 0);
  }
  bool alive() {
    if (!reaped_ && ::waitpid(pid_, nullptr, WNOHANG) == pid_) reaped_ = true;
    return !reaped_;
  }
  /// A signal that was sent takes effect soon, not at once.
  bool ends() {
    const int end = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    pollfd ended{.fd = end, .events = POLLIN, .revents = 0};
    (void)::poll(&ended, 1, 5000);
    ::close(end);
    return !alive();
  }
  std::string pid() const { return std::to_string(pid_); }

 private:
  pid_t pid_;
  bool reaped_ = false;
};

TEST_F(HostileTest, G1_killing_a_process_of_the_host) {
  Victim victim;
  run(attack({"kill", victim.pid()}));
  EXPECT_TRUE(victim.alive());
  run(attack({"kill", victim.pid()}), as_root | weaken_pid);
  EXPECT_TRUE(victim.ends()) << "the control failed";
}
TEST_F(HostileTest, G2_signals_through_descriptor_owners) {
  Victim victim;
  run(attack({"owner", victim.pid()}));
  EXPECT_TRUE(victim.alive());
  run(attack({"owner", victim.pid()}), as_root | weaken_pid);
  EXPECT_TRUE(victim.ends()) << "the control failed";
}

}  // namespace
}  // namespace wolke::sandbox
