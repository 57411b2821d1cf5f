// Whole sandboxes through the port: needs root (level full) or user namespaces (rootless).
#include "wolke/sandbox/sandbox.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "wolke/base/limits.h"
#include "wolke/sandbox/cgroups.h"
#include "wolke/sandbox/fixture.h"
#include "wolke/sandbox/plain.h"

namespace wolke::sandbox {
namespace {

using namespace std::chrono_literals;
using async::Task;

/// Programs of these tests are written in it; ./dev may have unpacked it elsewhere.
bool has_python() {
  return std::filesystem::exists("/usr/bin/python3");
}

class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/sandbox-test-XXXXXX";
    directory_ = ::mkdtemp(name);
    ::chmod(name, 0755);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string make_directory(const std::string& name) {
    const std::string path = directory_ + "/" + name;
    ::mkdir(path.c_str(), 0755);
    return path;
  }
  static void write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
  }
  Outcome run(const std::string& script) { return host_.run(shell_spec(script)); }
  static bool has_groups() { return detect_cgroups().can_limit_memory(); }

  std::string directory_;
  TestHost host_;
};

TEST_F(SandboxTest, a_program_runs_and_its_output_and_exit_code_arrive) {
  const Outcome outcome = run("echo out; echo err >&2; exit 7");
  ASSERT_TRUE(outcome.started) << outcome.error;
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "err\n");
  ASSERT_TRUE(outcome.exit.has_value());
  EXPECT_EQ(outcome.exit->code, 7);
  EXPECT_EQ(outcome.exit->signal, 0);
}

TEST_F(SandboxTest, a_program_killed_by_a_signal_is_reported_with_it) {
  const Outcome outcome = run("kill -SEGV $$");
  ASSERT_TRUE(outcome.exit.has_value()) << outcome.error;
  EXPECT_EQ(outcome.exit->signal, 11);
}

TEST_F(SandboxTest, a_program_that_is_not_there_is_named) {
  Spec spec = shell_spec("");
  spec.argv = {"/usr/bin/no-such-program"};
  const Outcome outcome = host_.run(spec);
  EXPECT_FALSE(outcome.started);
  EXPECT_NE(outcome.error.find("no-such-program: No such file"), std::string::npos)
      << outcome.error;
}

TEST_F(SandboxTest, mounts_are_read_only_and_name_no_host_path) {
  const std::string task = make_directory("package");
  write(task + "/handler.txt", "hello");
  Spec spec = shell_spec(
      "cat handler.txt; touch handler.txt x 2>&1; cat /proc/self/mountinfo /proc/self/cgroup");
  spec.mounts = {{task, "/var/task"}};
  const Outcome outcome = host_.run(spec);
  ASSERT_TRUE(outcome.started) << outcome.error;
  EXPECT_EQ(outcome.out.substr(0, 5), "hello");
  EXPECT_NE(outcome.out.find("Read-only file system"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("sandbox-test"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("wolke-"), std::string::npos) << outcome.out;
}

TEST_F(SandboxTest, layers_at_one_place_merge_and_the_later_wins) {
  const std::string one = make_directory("one"), two = make_directory("two");
  write(one + "/a", "one");
  write(one + "/b", "one");
  write(two + "/b", "two");
  Spec spec = shell_spec("cat /opt/a /opt/b");
  spec.mounts = {{one, "/opt"}, {two, "/opt"}};
  EXPECT_EQ(host_.run(spec).out, "onetwo");
}

TEST_F(SandboxTest, tmp_is_writable_up_to_its_size_and_starts_empty) {
  Spec spec = shell_spec(
      "ls /tmp | wc -l; head -c 3000000 /dev/zero > /tmp/a && echo ok;"
      "head -c 3000000 /dev/zero > /tmp/b 2>/dev/null || echo full");
  spec.tmp_bytes = 4 << 20;
  EXPECT_EQ(host_.run(spec).out, "0\nok\nfull\n");
}

TEST_F(SandboxTest, the_program_has_descriptors_0_to_3_only) {
  const Outcome outcome = run("exec /bin/ls /proc/self/fd");
  EXPECT_EQ(outcome.out, "0\n1\n2\n3\n4\n");  // 4 is ls's own
}

TEST_F(SandboxTest, the_user_the_host_name_and_hosts_are_the_sandboxes_own) {
  Spec spec = shell_spec("id -un; hostname; grep api /etc/hosts; nproc >/dev/null && echo n");
  spec.hosts = {{"api.example", "127.0.0.9"}};
  spec.hostname = "fn";
  EXPECT_EQ(host_.run(spec).out, "sbx_user1051\nfn\n127.0.0.9 api.example\nn\n");
}

TEST_F(SandboxTest, more_memory_than_allowed_is_an_out_of_memory_exit) {
  if (!has_python()) GTEST_SKIP() << "there is no /usr/bin/python3";
  if (!has_groups()) GTEST_SKIP() << "needs control groups: root, or a delegated group";
  Spec spec = shell_spec("exec python3 -c 'x = bytearray(300 << 20); print(len(x))'");
  spec.memory_bytes = 64 << 20;
  const Outcome outcome = host_.run(spec);
  ASSERT_TRUE(outcome.exit.has_value()) << outcome.error;
  EXPECT_TRUE(outcome.exit->out_of_memory);
  EXPECT_EQ(outcome.exit->signal, 9);
  EXPECT_EQ(outcome.out, "");
}

/// Python, 64 MB of memory, 512 MB of /tmp; needs control groups.
class TmpTest : public SandboxTest {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    if (!has_groups()) GTEST_SKIP() << "needs control groups: root, or a delegated group";
  }
  Outcome python(const std::string& program, During during = {}) {
    Spec spec = shell_spec("");
    spec.argv = {"/usr/bin/python3", "-c",
                 "import os, time\n"
                 "def fill(name, mib):\n"
                 "  piece = b'x' * (1 << 20)\n"
                 "  with open('/tmp/' + name, 'wb', 0) as file:\n"
                 "    for _ in range(mib): file.write(piece)\n"
                 "held = []\n"
                 "def hold(mib):\n"
                 "  for _ in range(mib): held.append(b'y' * (1 << 20)); time.sleep(0.001)\n" +
                     program};
    spec.memory_bytes = 64 << 20;
    spec.tmp_bytes = 512 << 20;
    return host_.run(spec, std::move(during), 60s);
  }
  static void expect_out_of_memory(const Outcome& outcome) {
    ASSERT_TRUE(outcome.exit.has_value()) << outcome.error;
    EXPECT_TRUE(outcome.exit->out_of_memory) << outcome.out << outcome.err;
    EXPECT_EQ(outcome.exit->signal, 9);
    EXPECT_EQ(outcome.usage.memory_peak_bytes, 64u << 20);
  }
};

TEST_F(TmpTest, files_in_tmp_are_not_memory) {
  const Outcome outcome = python("fill('a', 300); print(os.stat('/tmp/a').st_size >> 20)");
  EXPECT_EQ(outcome.out, "300\n") << outcome.err;
  EXPECT_FALSE(outcome.exit->out_of_memory);
}

TEST_F(TmpTest, they_are_not_in_the_peak_either_not_even_when_they_are_gone_again) {
  auto look = [](std::uint64_t& peak) {
    return [&peak](async::Loop& loop, Instance& instance) -> Task<void> {
      (void)co_await loop.readable(instance.stdout_fd(), loop.now() + 30s);
      peak = instance.usage().memory_peak_bytes;
      (void)!::write(instance.control_fd(), "x", 1);
    };
  };
  std::uint64_t kept = 0, removed = 0, held = 0;
  python("fill('a', 300); print(1, flush=True); os.read(3, 1)", look(kept));
  python("fill('a', 300); os.unlink('/tmp/a'); print(1, flush=True); os.read(3, 1)", look(removed));
  python("fill('a', 300); hold(40); held.clear(); print(1, flush=True); os.read(3, 1)", look(held));
  EXPECT_GT(kept, 1u << 20);
  EXPECT_LT(kept, 30u << 20);
  EXPECT_GT(removed, 1u << 20);
  EXPECT_LT(removed, 30u << 20);
  EXPECT_GT(held, 40u << 20);
  EXPECT_LE(held, 64u << 20);
}

TEST_F(TmpTest, its_size_is_a_wall_of_its_own) {
  const Outcome outcome = python(
      "try: fill('a', 600)\n"
      "except OSError as error: print(error.errno, os.stat('/tmp/a').st_size >> 20)");
  EXPECT_EQ(outcome.out, "28 512\n") << outcome.err;  // ENOSPC
}

TEST_F(TmpTest, a_memory_bomb_ends_while_tmp_is_full) {
  expect_out_of_memory(python("fill('a', 512); hold(400); print('survived')"));
}

TEST_F(TmpTest, room_in_tmp_is_no_room_for_memory) {
  expect_out_of_memory(python("fill('a', 400); os.unlink('/tmp/a'); hold(400); print('survived')"));
  // The control: as much as the function has is no bomb.
  EXPECT_EQ(python("fill('a', 400); os.unlink('/tmp/a'); hold(30); print('survived')").out,
            "survived\n");
}

TEST_F(TmpTest, files_that_make_way_for_memory_piece_by_piece_do_not_hide_it) {
  expect_out_of_memory(
      python("fill('a', 400)\n"
             "for i in range(400): os.truncate('/tmp/a', (399 - i) << 20); hold(1)\n"
             "print('survived')"));
}

TEST_F(TmpTest, shared_memory_outside_tmp_is_memory) {
  expect_out_of_memory(
      python("fd = os.memfd_create('m')\n"
             "for _ in range(400): os.write(fd, b'z' * (1 << 20)); time.sleep(0.001)\n"
             "print('survived')"));
}

TEST_F(TmpTest, a_frozen_sandbox_is_watched_again_once_it_is_thawed) {
  auto freeze = [](async::Loop& loop, Instance& instance) -> Task<void> {
    (void)co_await loop.readable(instance.stdout_fd(), loop.now() + 30s);
    EXPECT_TRUE(instance.freeze().has_value());
    (void)co_await loop.sleep_for(150ms);  // its watch has gone to rest
    EXPECT_TRUE(instance.thaw().has_value());
    (void)!::write(instance.control_fd(), "x", 1);
  };
  expect_out_of_memory(
      python("print(1, flush=True); os.read(3, 1); hold(400); print('survived')", freeze));
}

TEST_F(SandboxTest, memory_and_processor_times_are_measured) {
  if (!has_python()) GTEST_SKIP() << "there is no /usr/bin/python3";
  if (!has_groups()) GTEST_SKIP() << "needs control groups: root, or a delegated group";
  const Outcome outcome = run("exec python3 -c 'x = bytearray(50 << 20); sum(range(3000000))'");
  EXPECT_GT(outcome.usage.memory_peak_bytes, 50u << 20);
  EXPECT_LT(outcome.usage.memory_peak_bytes, 129u << 20);
  EXPECT_GT(outcome.usage.cpu, 10ms);
}

/// A file of the only sandbox's own group, as the host sees it: v1's `legacy`, else v2's `unified`.
std::string group_file(TestHost& host, const char* legacy, const char* unified) {
  const CgroupLayout layout = detect_cgroups();
  const bool v2 = layout.unified_has_controllers;
  const std::string base = (v2 ? layout.unified : layout.legacy_of(Controller::cpu)) + "/" +
                           cgroup_parent_name(host.spawner_pid());
  for (const auto& group : std::filesystem::directory_iterator(base)) {
    if (!group.is_directory()) continue;
    std::string text;
    std::ifstream file(group.path() / (v2 ? unified : legacy));
    std::getline(file, text);
    return text.substr(0, text.find(' '));
  }
  return "no group";
}

struct ProcessorShare {
  std::string weight, quota_before, quota_after;
};

ProcessorShare share_of(TestHost& host, std::uint64_t memory_bytes) {
  ProcessorShare seen;
  Spec spec = shell_spec("echo up; read a <&3");
  spec.memory_bytes = memory_bytes;
  host.run(spec, [&](async::Loop& loop, Instance& instance) -> Task<void> {
    (void)co_await loop.readable(instance.stdout_fd(), loop.now() + 10s);
    seen.weight = group_file(host, "cpu.shares", "cpu.weight");
    seen.quota_before = group_file(host, "cpu.cfs_quota_us", "cpu.max");
    instance.throttle();
    seen.quota_after = group_file(host, "cpu.cfs_quota_us", "cpu.max");
    instance.kill();
  });
  return seen;
}

TEST_F(SandboxTest,
       processors_follow_memory_with_a_quota_from_one_up_and_not_before_it_has_started) {
  if (host_.level() != Level::full) GTEST_SKIP() << "needs root: control groups";
  const bool v2 = detect_cgroups().unified_has_controllers;
  const std::string none = v2 ? "max" : "-1";
  const ProcessorShare small = share_of(host_, 128 << 20);
  EXPECT_EQ(small.weight, v2 ? "7" : "74");
  EXPECT_EQ(small.quota_before, none);
  EXPECT_EQ(small.quota_after, none);
  const ProcessorShare two = share_of(host_, 2 * memory_per_cpu);
  EXPECT_EQ(two.weight, v2 ? "200" : "2048");
  EXPECT_EQ(two.quota_before, none);
  EXPECT_EQ(two.quota_after, "200000");
}

/// What `nice` prints inside, when the spawner was started with `niceness`.
std::string niceness_inside(int niceness) {
  const int own = ::getpriority(PRIO_PROCESS, 0);
  ::setpriority(PRIO_PROCESS, 0, niceness);
  TestHost host;
  ::setpriority(PRIO_PROCESS, 0, own);
  return host.run(shell_spec("nice")).out;
}

TEST_F(SandboxTest, the_servers_priority_is_not_passed_on_when_it_is_above_others) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(niceness_inside(-15), "0\n");
  EXPECT_EQ(niceness_inside(0), "0\n");
  EXPECT_EQ(niceness_inside(7), "7\n");
}

TEST_F(SandboxTest, python_runs_with_threads_sockets_and_subprocesses) {
  if (!has_python()) GTEST_SKIP() << "there is no /usr/bin/python3";
  Spec spec = shell_spec(
      "exec python3 -c '\n"
      "import threading, subprocess, socket, os, ssl, json, tempfile, multiprocessing, sqlite3\n"
      "t = threading.Thread(target=lambda: print(\"thread\")); t.start(); t.join()\n"
      "print(subprocess.run([\"echo\", \"child\"], capture_output=True, "
      "text=True).stdout.strip())\n"
      "s = socket.create_server((\"127.0.0.1\", 0)); c = "
      "socket.create_connection(s.getsockname())\n"
      "print(os.cpu_count() >= 1, os.getcwd(), tempfile.gettempdir())\n"
      "sqlite3.connect(\"/tmp/x.db\").execute(\"create table t(a)\")\n"
      "q = multiprocessing.Pool(2); print(q.map(abs, [-1, 2])); q.terminate()\n'");
  spec.memory_bytes = 256 << 20;
  const Outcome outcome = host_.run(spec);
  EXPECT_EQ(outcome.out, "thread\nchild\nTrue /var/task /tmp\n[1, 2]\n") << outcome.err;
}

TEST_F(SandboxTest, node_runs_with_workers_files_http_and_wasm) {
  Spec spec = shell_spec("");
  std::string node = "/usr/bin/node";
  if (std::filesystem::exists(WOLKE_TEST_NODE "/bin/node")) {
    spec.mounts = {{.host_path = WOLKE_TEST_NODE, .inside_path = "/var/lang"}};
    node = "/var/lang/bin/node";
  } else if (!std::filesystem::exists(node)) {
    GTEST_SKIP() << "there is no node: ./dev setup fetches it";
  }
  spec.argv = {
      node, "-e",
      "const {Worker} = require('worker_threads'), http = require('http'), fs = require('fs');\n"
      "const wasm = new Uint8Array([0,97,115,109,1,0,0,0]);\n"
      "new WebAssembly.Module(wasm);\n"
      "const w = new Worker('require(\"worker_threads\").parentPort.postMessage(6*7)', {eval: "
      "true});\n"
      "w.on('message', m => { console.log('worker', m);\n"
      "  const s = http.createServer((q, r) => r.end('hi')).listen(0, '127.0.0.1', () =>\n"
      "    http.get({port: s.address().port, host: '127.0.0.1'}, r => r.on('data', d => {\n"
      "      console.log(String(d), require('os').cpus().length > 0, require('os').totalmem() >> "
      "20);\n"
      "      fs.promises.writeFile('/tmp/x', 'y').then(() => {\n"
      "        console.log(require('child_process').execSync('cat /tmp/x').toString());\n"
      "        require('crypto').pbkdf2('a', 'b', 1000, 32, 'sha256', () => process.exit(3)); });\n"
      "    })));\n"
      "});"};
  spec.environment = {"PATH=/usr/bin:/bin"};
  spec.memory_bytes = 256 << 20;
  const Outcome outcome = host_.run(spec);
  EXPECT_EQ(outcome.out, "worker 42\nhi true 256\ny\n") << outcome.error << outcome.err;
  ASSERT_TRUE(outcome.exit.has_value());
  EXPECT_EQ(outcome.exit->code, 3);
}

TEST_F(SandboxTest, listeners_are_sockets_of_the_sandboxes_own_network) {
  if (!has_python()) GTEST_SKIP() << "there is no /usr/bin/python3";
  Spec spec = shell_spec(
      "exec python3 -c 'import socket; s = socket.create_connection((\"127.0.0.1\", 9001));"
      "s.sendall(b\"ping\"); print(s.recv(4).decode())'");
  spec.listen = {"127.0.0.1:9001", "udp:127.0.0.1:53"};
  auto serve = [](async::Loop& loop, Instance& instance) -> Task<void> {
    std::vector<Fd> listeners = instance.take_listeners();
    if (listeners.size() != 2) co_return;
    (void)co_await loop.readable(listeners[0].get(), loop.now() + 10s);
    Fd peer(::accept4(listeners[0].get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!peer.valid()) co_return;
    (void)co_await loop.readable(peer.get(), loop.now() + 10s);
    char text[4];
    if (::read(peer.get(), text, 4) == 4) (void)!::write(peer.get(), "pong", 4);
    loop.forget(peer.get());
    loop.forget(listeners[0].get());
  };
  EXPECT_EQ(host_.run(spec, serve).out, "pong\n");
}

TEST_F(SandboxTest, the_control_socket_is_descriptor_3) {
  auto talk = [](async::Loop& loop, Instance& instance) -> Task<void> {
    (void)!::write(instance.control_fd(), "x\n", 2);
    (void)co_await loop.readable(instance.control_fd(), loop.now() + 10s);
    char text[8] = {};
    const ssize_t got = ::read(instance.control_fd(), text, sizeof text);
    EXPECT_EQ(std::string(text, got > 0 ? static_cast<std::size_t>(got) : 0), "got x\n");
  };
  EXPECT_TRUE(host_.run(shell_spec("read a <&3; echo got $a >&3"), talk).started);
}

TEST_F(SandboxTest, a_frozen_sandbox_makes_no_progress_until_thawed) {
  if (!has_groups()) GTEST_SKIP() << "needs control groups: root, or a delegated group";
  auto freeze = [](async::Loop& loop, Instance& instance) -> Task<void> {
    (void)co_await loop.readable(instance.stdout_fd(), loop.now() + 10s);
    EXPECT_TRUE(instance.freeze().has_value());
    (void)!::write(instance.control_fd(), "go\n", 3);
    // The answer would come within microseconds.
    EXPECT_EQ(co_await loop.readable(instance.control_fd(), loop.now() + 100ms),
              async::Wake::timed_out);
    EXPECT_TRUE(instance.thaw().has_value());
    EXPECT_EQ(co_await loop.readable(instance.control_fd(), loop.now() + 10s), async::Wake::ready);
  };
  const Outcome outcome = host_.run(shell_spec("echo up; read a <&3; echo done >&3"), freeze);
  EXPECT_TRUE(outcome.started) << outcome.error;
}

TEST_F(SandboxTest, kill_ends_everything) {
  auto kill = [&](async::Loop& loop, Instance& instance) -> Task<void> {
    (void)co_await loop.readable(instance.stdout_fd(), loop.now() + 10s);
    instance.kill();
    const auto exit = co_await instance.exited(loop.now() + 5s);
    EXPECT_TRUE(exit.has_value() && exit->signal == 9);
  };
  host_.run(
      shell_spec("trap '' TERM INT; for i in 1 2 3 4; do setsid sh -c 'while :; do :; done' & "
                 "done; echo up; while :; do :; done"),
      kill);
}

TEST_F(SandboxTest, a_spec_that_cannot_be_is_refused_with_its_reason) {
  Spec spec = shell_spec("");
  spec.mounts = {{directory_, "/usr/lib"}};
  EXPECT_NE(host_.run(spec).error.find("mount at /usr/lib"), std::string::npos);
  spec = shell_spec("");
  spec.listen = {"10.0.0.1:80"};
  EXPECT_NE(host_.run(spec).error.find("listen address"), std::string::npos);
  spec = shell_spec("");
  spec.mounts = {{directory_ + "/missing", "/var/task"}};
  EXPECT_NE(host_.run(spec).error.find("missing"), std::string::npos);
}

class PlainTest : public ::testing::TestWithParam<Level> {};

TEST_P(PlainTest, a_level_without_namespaces_runs_the_same_request_on_host_paths) {
  char name[] = "/tmp/sandbox-plain-XXXXXX";
  const std::string directory = ::mkdtemp(name);
  ::chmod(name, 0755);
  std::ofstream(directory + "/handler.txt") << "hello";
  std::string out;
  {
    TestHost host(0, GetParam());
    Spec spec =
        shell_spec("cat handler.txt $FILE; echo x > $TMPDIR/y && cat $TMPDIR/y; echo got; exit 4");
    spec.environment.push_back("FILE=/var/task/handler.txt");
    spec.mounts = {{directory, "/var/task"}};
    const Outcome outcome = host.run(spec);
    ASSERT_TRUE(outcome.started) << outcome.error;
    EXPECT_EQ(outcome.out, "hellohellox\ngot\n") << outcome.err;
    ASSERT_TRUE(outcome.exit.has_value());
    EXPECT_EQ(outcome.exit->code, 4);
  }
  std::filesystem::remove_all(directory);
}

TEST_P(PlainTest, kill_ends_the_program_and_its_children) {
  TestHost host(0, GetParam());
  auto kill = [](async::Loop& loop, Instance& instance) -> Task<void> {
    (void)co_await loop.readable(instance.stdout_fd(), loop.now() + 10s);
    instance.kill();
  };
  const Outcome outcome = host.run(shell_spec("sleep 1000 & echo up; sleep 1000"), kill);
  ASSERT_TRUE(outcome.exit.has_value()) << outcome.error;
  EXPECT_EQ(outcome.exit->signal, 9);
}

TEST(PlainAddressTest, each_sandbox_listens_at_an_address_of_its_own_and_is_told) {
  Spec spec = shell_spec("");
  spec.listen = {"127.0.0.1:9001", "127.0.0.1:4566", "127.0.0.1:443"};
  spec.environment = {"API=127.0.0.1:9001", "URL=http://127.0.0.1:4566/x", "OTHER=127.0.0.1:45661"};
  take_own_address(spec, 0x010203);
  EXPECT_EQ(spec.listen, (std::vector<std::string>{"127.65.2.3:9001", "127.65.2.3:4566"}));
  EXPECT_EQ(spec.environment,
            (std::vector<std::string>{"API=127.65.2.3:9001", "URL=http://127.65.2.3:4566/x",
                                      "OTHER=127.0.0.1:45661"}));
}

TEST(LimitedTest, files_of_the_host_beside_its_own_cannot_be_read_written_or_traced) {
  char name[] = "/tmp/sandbox-other-XXXXXX";
  const std::string other = ::mkdtemp(name);
  ::chmod(name, 0777);
  std::ofstream(other + "/secret") << "canary";
  ::chmod((other + "/secret").c_str(), 0666);
  const std::string attack = "cat " + other + "/secret; echo x > " + other + "/new && echo made; " +
                             "unshare -U true 2>/dev/null && echo unshared; echo ran";
  std::string limited, process;
  {
    TestHost host(0, Level::limited);
    limited = host.run(shell_spec(attack)).out;
  }
  {
    TestHost host(0, Level::process);
    process = host.run(shell_spec(attack)).out;
  }
  EXPECT_EQ(limited, "ran\n");
  EXPECT_EQ(process.substr(0, 11), "canarymade\n") << "the control failed";
  std::filesystem::remove_all(other);
}

TEST(RootlessTest, root_that_chooses_rootless_still_gives_each_sandbox_a_uid_of_its_own) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  TestHost host(0, Level::rootless);
  // The only line of the map: inside uid, host uid, count.
  const Outcome outcome = host.run(shell_spec("cat /proc/self/uid_map"));
  EXPECT_NE(outcome.out.find("20000010"), std::string::npos) << outcome.error << outcome.out;
}

INSTANTIATE_TEST_SUITE_P(Levels, PlainTest, ::testing::Values(Level::limited, Level::process));

/// No control groups at all: what a user without delegation has.
TEST(GrouplessTest, memory_is_measured_by_what_the_processes_say) {
  if (!has_python()) GTEST_SKIP() << "there is no /usr/bin/python3";
  TestHost host({.level = Level::rootless, .ready_shells = 0, .use_cgroups = false});
  std::uint64_t alive = 0;
  auto look = [&](async::Loop& loop, Instance& instance) -> Task<void> {
    (void)co_await loop.readable(instance.stdout_fd(), loop.now() + 30s);
    alive = instance.usage().memory_peak_bytes;
    (void)!::write(instance.control_fd(), "x", 1);
  };
  Spec spec = shell_spec("");
  spec.argv = {"/usr/bin/python3", "-c",
               "import os; x = bytearray(50 << 20); del x; print(1, flush=True); os.read(3, 1)"};
  const Outcome outcome = host.run(spec, look);
  ASSERT_TRUE(outcome.started) << outcome.error;
  EXPECT_GT(alive, 50u << 20);
  EXPECT_LT(alive, 129u << 20);
  EXPECT_GE(outcome.usage.memory_peak_bytes, alive);
  EXPECT_GT(outcome.usage.cpu, 5ms);
  // It ends before anybody asks.
  EXPECT_GT(
      host.run(shell_spec("exec python3 -c 'x = bytearray(50 << 20)'")).usage.memory_peak_bytes,
      50u << 20);
}

TEST(ReadyShellTest, many_sandboxes_at_once_each_get_a_shell_of_their_own) {
  TestHost host(3);
  int finished = 0;
  auto one = [](TestHost& h, int& done) -> Task<void> {
    auto started = co_await h.sandboxes().start(shell_spec("exit 3"));
    EXPECT_TRUE(started.has_value());
    const auto exit = started ? co_await (*started)->exited(h.loop().now() + 20s) : std::nullopt;
    EXPECT_TRUE(exit && exit->code == 3);
    ++done;
  };
  auto all = [&](TestHost& h, int& done) -> Task<void> {
    for (int i = 0; i < 30; ++i) h.loop().spawn(one(h, done));
    while (done < 30 && co_await h.loop().sleep_for(5ms) != async::Wake::cancelled) {
    }
  };
  host.run_task(all(host, finished));
  EXPECT_EQ(finished, 30);
}

}  // namespace
}  // namespace wolke::sandbox
