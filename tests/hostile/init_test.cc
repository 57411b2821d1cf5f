// pid 1: what it is made of, what it holds, and what it refuses. Needs root; else each test is
// skipped by name.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "wolke/base/text.h"
#include "wolke/sandbox/fixture.h"
#include "wolke/sandbox/init_image.h"
#include "wolke/sandbox/landlock.h"
#include "wolke/sandbox/sealed.h"
#include "wolke/sandbox/step.h"
#include "wolke/sandbox/wire.h"

namespace wolke::sandbox {
namespace {

using namespace std::chrono_literals;
using namespace wire;
using async::Task;

/// The first child of `parent`.
pid_t child_of(pid_t parent) {
  const std::string path = "/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent);
  const std::string text = read_small_file((path + "/children").c_str());
  return static_cast<pid_t>(parse_u64(text.substr(0, text.find(' '))).value_or(0));
}

/// Whether the bytes from `begin` to `end` of the memory hold `wanted`.
bool range_holds(int memory, std::uint64_t begin, std::uint64_t end, std::string_view wanted) {
  constexpr std::uint64_t piece_bytes = 4 << 20;
  std::string piece;
  for (std::uint64_t at = begin; at < end; at += piece_bytes) {
    // A little of the next piece, for what lies across the border.
    piece.resize(std::min(piece_bytes + wanted.size(), end - at));
    const ssize_t got = ::pread(memory, piece.data(), piece.size(), static_cast<off_t>(at));
    if (got <= 0) return false;  // [vvar] and the like
    if (std::string_view(piece).substr(0, static_cast<std::size_t>(got)).find(wanted) !=
        std::string_view::npos) {
      return true;
    }
  }
  return false;
}

/// Whether any readable page of the process holds `wanted`.
bool memory_holds(pid_t pid, std::string_view wanted) {
  constexpr std::uint64_t range_bytes_max = 1ULL << 30;  // beyond it is a sanitizer's shadow
  const std::string base = "/proc/" + std::to_string(pid);
  const Fd memory(::open((base + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  const std::string maps = read_small_file((base + "/maps").c_str(), 4 << 20);
  EXPECT_TRUE(memory.valid() && !maps.empty());
  for (std::string_view line : split(maps, '\n')) {
    const std::size_t dash = line.find('-'), space = line.find(' ');
    if (space == std::string_view::npos || line[space + 1] != 'r') continue;
    const auto begin = std::stoull(std::string(line.substr(0, dash)), nullptr, 16);
    const auto end = std::stoull(std::string(line.substr(dash + 1, space - dash - 1)), nullptr, 16);
    if (end - begin > range_bytes_max) continue;
    if (range_holds(memory.get(), begin, end, wanted)) return true;
  }
  return false;
}

class InitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "SKIP (needs root)";
    // In the heap of this process, and by the fork in the spawner's; assembled, so that no binary
    // holds it as a whole.
    canary_ = std::string("canary-of-the-") + "server-" + std::to_string(::getpid());
    host_ = std::make_unique<TestHost>();
  }
  Outcome run(const Spec& spec, std::uint32_t weaken, During during = {}) {
    host_->weaken(weaken);
    return host_->run(spec, std::move(during), 20s);
  }
  /// Runs `look` on pid 1 of a sandbox, by its number on the host, while its program waits.
  void with_init(std::uint32_t weaken, const std::function<void(pid_t)>& look) {
    bool looked = false;
    const Outcome outcome =
        run(shell_spec("echo up; exec sleep 100"), weaken,
            [&](async::Loop& loop, Instance& instance) -> Task<void> {
              (void)co_await loop.readable(instance.stdout_fd(), loop.now() + 9s);
              look(child_of(host_->spawner_pid()));
              looked = true;
              instance.kill();
            });
    EXPECT_TRUE(outcome.started && looked) << outcome.error;
  }

  std::string canary_;
  std::unique_ptr<TestHost> host_;
};

TEST_F(InitTest, pid_1_holds_nothing_of_the_spawners_memory) {
  with_init(0, [&](pid_t init) {
    EXPECT_FALSE(memory_holds(init, canary_));
    EXPECT_FALSE(memory_holds(child_of(init), canary_));
    EXPECT_TRUE(memory_holds(host_->spawner_pid(), canary_)) << "the control failed";
  });
}

/// What CVE-2019-5736 did: hold the executable of pid 1, wait until it no longer runs, write. The
/// attacker here is root of the host, which no function is.
bool can_overwrite(InitTest&, int executable) {
  const std::string path = "/proc/self/fd/" + std::to_string(executable);
  Fd writable;
  for (int i = 0; i < 500 && !writable.valid(); ++i) {  // ETXTBSY while it runs
    writable = Fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!writable.valid()) ::usleep(10'000);  // allowed: a poll
  }
  EXPECT_TRUE(writable.valid());
  return ::pwrite(writable.get(), "#!/tmp/x", 8, 0) == 8;
}

TEST_F(InitTest, A10_the_executable_of_pid_1_is_sealed_even_against_root) {
  for (const bool weak : {false, true}) {
    Fd executable;
    with_init(weak ? weaken_seals | weaken_self_check : 0, [&](pid_t init) {
      const std::string path = "/proc/" + std::to_string(init) + "/exe";
      executable = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      char target[64] = {};
      EXPECT_GT(::readlink(path.c_str(), target, sizeof target - 1), 0);
      EXPECT_STREQ(target, "/memfd:wolke-init (deleted)");
      const Fd now(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
      EXPECT_FALSE(now.valid());
    });
    host_.reset();  // with the spawner the last sandbox that runs it is gone
    EXPECT_EQ(can_overwrite(*this, executable.get()), weak);
    std::string bytes(init_program().size(), '\0');
    EXPECT_EQ(::pread(executable.get(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
    EXPECT_EQ(bytes == init_program(), !weak);
    host_ = std::make_unique<TestHost>();
  }
}

struct Weakness {
  std::uint32_t layers;
  const char* check;  // that notices it
};

class SelfCheckTest : public InitTest, public ::testing::WithParamInterface<Weakness> {};

TEST_P(SelfCheckTest, a_sandbox_without_this_layer_is_refused) {
  if (GetParam().layers == weaken_landlock && landlock_abi() < landlock_abi_with_a_check) {
    GTEST_SKIP() << "SKIP landlock (this kernel's cannot be asked whether it holds)";
  }
  Spec spec = shell_spec("echo ran");
  if (std::strcmp(GetParam().check, "working directory inside") == 0) {
    spec.working_directory = "/proc/self/fd/7";
  }
  const Outcome refused = run(spec, GetParam().layers);
  EXPECT_FALSE(refused.started);
  EXPECT_EQ(refused.out, "");
  EXPECT_EQ(refused.error, std::string("SandboxRefused: self-check failed: ") + GetParam().check);
  const Outcome unchecked = run(spec, GetParam().layers | weaken_self_check);
  EXPECT_EQ(unchecked.out, "ran\n") << "the control failed: " << unchecked.error << unchecked.err;
}

constexpr Weakness weaknesses[] = {
    {weaken_capabilities, "CapEff:"},
    {weaken_no_new_privileges | weaken_seccomp, "no_new_privs"},
    {weaken_seccomp, "seccomp filter"},
    {weaken_user, "uid"},
    {weaken_init, "not dumpable"},
    {weaken_pid, "pid"},
    {weaken_network, "net"},
    {weaken_ipc, "ipc"},
    {weaken_uid_map, "not root of the host"},
    {weaken_seals, "sealed init"},
    {weaken_read_only, "read-only root"},
    {weaken_nosuid, "nosuid root"},
    {weaken_masks, "read-only /proc"},
    {weaken_descriptors | weaken_landlock, "working directory inside"},
    {weaken_descriptors, "only known descriptors"},
    {weaken_devices, "only known devices"},
    {weaken_landlock, "landlock"},
    {weaken_limits, "no core dumps"},
};
INSTANTIATE_TEST_SUITE_P(Layers, SelfCheckTest, ::testing::ValuesIn(weaknesses));

}  // namespace
}  // namespace wolke::sandbox
