#include "wolke/sandbox/client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <thread>
#include <utility>

#include "wolke/async/event.h"
#include "wolke/base/limits.h"
#include "wolke/base/text.h"
#include "wolke/observe/log.h"
#include "wolke/sandbox/cgroups.h"
#include "wolke/sandbox/delegation.h"
#include "wolke/sandbox/launcher.h"
#include "wolke/sandbox/memory_gauge.h"
#include "wolke/sandbox/pack.h"
#include "wolke/sandbox/plain.h"
#include "wolke/sandbox/spawner.h"
#include "wolke/sandbox/step.h"
#include "wolke/sandbox/wire.h"

namespace wolke::sandbox {
namespace {

using async::Task;
using async::Wake;
using namespace std::chrono_literals;

const char* code_of(wire::Cause cause) {
  if (cause == wire::Cause::refused) return "SandboxRefused";
  return cause == wire::Cause::not_executable ? "NotExecutable" : "SandboxFailed";
}

constexpr auto start_patience = 10s;   // for the spawner's answer
constexpr auto spawner_patience = 3s;  // for a new spawner after one died

/// One sandbox as the server knows it, from the request until it is forgotten.
struct Entry {
  explicit Entry(async::Loop& loop) : answered(loop), ended(loop), thawed(loop) {}
  async::Event answered;
  async::Event ended;
  async::Event thawed;
  wire::Reply answer{};
  std::vector<Fd> granted;                    // with a `started` answer
  std::array<Fd, wire::present_kinds> files;  // of its control groups
  std::unique_ptr<MemoryGauge> memory;        // from `started` on
  std::uint64_t memory_bytes = 0;
  Exit exit;
  Usage last_usage;
  bool has_ended = false;
  bool frozen = false;
  bool over_memory = false;  // and ended for it
  bool forgotten = false;    // nobody holds the instance any more

  int file(wire::Present bit) const {
    return files[static_cast<std::size_t>(__builtin_ctz(bit))].get();
  }
  Fd take_file(wire::Present bit) {
    return std::move(files[static_cast<std::size_t>(__builtin_ctz(bit))]);
  }
};

/// What the client, its reader task and every instance share; the last of them ends it.
struct Core {
  Core(async::Loop& l, ServerSide s) : loop(l), side(std::move(s)), connected(l) {}
  async::Loop& loop;
  ServerSide side;
  async::Event connected;
  std::uint64_t next_handle = 1;
  std::uint32_t weaken = 0;
  const unsigned cpus = std::max(1U, std::thread::hardware_concurrency());
  std::map<std::uint64_t, std::shared_ptr<Entry>> entries;  // shared with the start or the instance

  void tell(wire::RequestKind kind, std::uint64_t handle) {
    wire::Request request{};
    request.version = wire::version;
    request.kind = kind;
    request.handle = handle;
    // A full channel loses nothing: the spawner kills what it started when it sees `release` or our
    // end.
    if (side.spawner.valid()) (void)wire::send(side.spawner.get(), request);
  }
};

void end_entry(Entry& entry, Exit exit) {
  if (entry.has_ended) return;
  entry.has_ended = true;
  entry.exit = exit;
  entry.exit.out_of_memory = exit.out_of_memory || entry.over_memory;
  Usage& usage = entry.last_usage;
  usage.out_of_memory = entry.exit.out_of_memory;
  if (usage.out_of_memory) usage.memory_peak_bytes = entry.memory_bytes;
  entry.ended.set();
  entry.thawed.set();
}

void on_reply(Core& core, const wire::Reply& reply, std::vector<Fd> descriptors) {
  const auto found = core.entries.find(reply.handle);
  if (found == core.entries.end()) {
    // Nobody waits any more: the start was given up.
    if (reply.kind == wire::ReplyKind::started) core.tell(wire::RequestKind::release, reply.handle);
    return;
  }
  const std::shared_ptr<Entry> entry = found->second;
  if (reply.kind == wire::ReplyKind::exited) {
    Usage& usage = entry->last_usage;
    if (entry->memory && reply.memory_peak_bytes != 0) {
      usage.memory_peak_bytes = entry->memory->peak_at_end(reply.memory_peak_bytes);
    }
    usage.cpu = std::chrono::microseconds(reply.cpu_microseconds);
    end_entry(*entry, Exit{reply.exit_code, reply.exit_signal, reply.out_of_memory != 0});
    return;
  }
  entry->answer = reply;
  entry->granted = std::move(descriptors);
  entry->answered.set();
}

/// The spawner is gone, and everything that it made with it.
void on_spawner_lost(Core& core) {
  core.loop.forget(core.side.spawner.get());
  core.side.spawner.reset();
  core.connected.reset();
  const auto entries = core.entries;  // waking a waiter may change the map
  for (const auto& [handle, entry] : entries) {
    if (!entry->answered.is_set()) {
      entry->answer.kind = wire::ReplyKind::failed;
      wire::copy_text(entry->answer.what, "the spawner ended");
      entry->answered.set();
    }
    end_entry(*entry, Exit{0, SIGKILL, false});
  }
}

void drain_channel(Core& core) {
  while (core.side.spawner.valid()) {
    wire::Reply reply{};
    std::vector<Fd> descriptors;
    switch (wire::receive(core.side.spawner.get(), reply, descriptors)) {
      case wire::Transfer::done:
        on_reply(core, reply, std::move(descriptors));
        break;
      case wire::Transfer::would_block:
        return;
      case wire::Transfer::malformed:
        break;
      case wire::Transfer::closed:
        on_spawner_lost(core);
        return;
    }
  }
}

/// Reads the spawner's answers for ever; after a spawner's death waits for the launcher to bring
/// the next one.
Task<void> read_answers(std::shared_ptr<Core> core) {
  while (true) {
    const bool lost = !core->side.spawner.valid();
    const int fd = lost ? core->side.launcher.get() : core->side.spawner.get();
    if (fd < 0) co_return;
    const Wake wake = co_await core->loop.readable(fd, core->loop.now() + 1h);
    if (wake == Wake::cancelled) co_return;
    if (wake == Wake::timed_out) continue;
    if (!lost) {
      drain_channel(*core);
      continue;
    }
    std::uint32_t word = 0;
    std::vector<Fd> brought;
    const wire::Transfer got = wire::receive(fd, word, brought);
    if (got == wire::Transfer::closed) co_return;
    if (got == wire::Transfer::done && brought.size() == 1) {
      observe::log(observe::Level::warning, "sandbox", "spawner replaced");
      (void)::fcntl(brought[0].get(), F_SETFL, O_NONBLOCK);
      core->side.spawner = std::move(brought[0]);
      core->connected.set();
    }
  }
}

Task<Result<void>> send_request(std::shared_ptr<Core> core, const Packed& packed) {
  std::vector<int> descriptors;
  for (const Fd& fd : packed.descriptors) descriptors.push_back(fd.get());
  const Monotonic deadline = core->loop.now() + start_patience;
  while (core->loop.now() < deadline) {
    if (!core->side.spawner.valid()) {
      const Wake wake = co_await core->connected.wait(core->loop.now() + spawner_patience);
      if (wake != Wake::ready) break;
      continue;
    }
    switch (wire::send(core->side.spawner.get(), packed.request, descriptors)) {
      case wire::Transfer::done:
        co_return Result<void>();
      case wire::Transfer::would_block:
        // The channel holds some hundred requests; beyond that we come back rather than queue here.
        if (co_await core->loop.sleep_for(1ms) == Wake::cancelled)
          co_return fail(step_failed("start", ECANCELED));
        break;
      default:
        on_spawner_lost(*core);
        break;
    }
  }
  co_return fail(step_failed("start: no spawner", EPIPE));
}

void kill_entry(Core& core, const Entry& entry, std::uint64_t handle) {
  if (entry.has_ended) return;
  // At once, from here; the spawner adds what a host without cgroup.kill needs.
  if (const int fd = entry.file(wire::present_kill); fd >= 0) (void)!::pwrite(fd, "1", 1, 0);
  core.tell(wire::RequestKind::kill, handle);
}

/// Ends the sandbox when it holds more memory than it may, /tmp apart. A frozen one is looked at
/// once more and then left alone.
Task<void> watch_memory(std::shared_ptr<Core> core, std::shared_ptr<Entry> entry,
                        std::uint64_t handle) {
  while (!entry->has_ended && !entry->forgotten) {
    const MemoryGauge::Look look = entry->memory->look();
    if (look.over) {
      entry->over_memory = true;
      kill_entry(*core, *entry, handle);
      co_return;
    }
    if (entry->frozen && co_await entry->thawed.wait(core->loop.now() + 24h) == Wake::cancelled) {
      co_return;
    }
    if (co_await entry->ended.wait(core->loop.now() + look.next) != Wake::timed_out) co_return;
  }
}

Result<std::uint64_t> read_number(int fd) {
  char text[32] = {};
  if (::pread(fd, text, sizeof text - 1, 0) <= 0) return fail(step_failed("control group", errno));
  return parse_u64(trim(std::string_view(text).substr(0, std::string_view(text).find('\n'))))
      .value_or(0);
}

std::uint64_t stat_value(std::string_view text, std::string_view key) {
  for (std::string_view line : split(text, '\n')) {
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') {
      return parse_u64(line.substr(key.size() + 1)).value_or(0);
    }
  }
  return 0;
}

Task<std::optional<Exit>> wait_for_end(std::shared_ptr<Entry> entry, Monotonic deadline) {
  if (!entry->has_ended) (void)co_await entry->ended.wait(deadline);
  co_return entry->has_ended ? std::optional<Exit>(entry->exit) : std::nullopt;
}

class ClientInstance final : public Instance {
 public:
  ClientInstance(std::shared_ptr<Core> core, std::shared_ptr<Entry> entry, std::uint64_t handle,
                 Packed packed)
      : core_(std::move(core)),
        entry_(std::move(entry)),
        handle_(handle),
        stdout_(std::move(packed.stdout_read)),
        stderr_(std::move(packed.stderr_read)),
        control_(std::move(packed.control)) {
    std::size_t next = 0;
    for (std::size_t bit = 0; bit < wire::present_kinds; ++bit) {
      if ((entry_->answer.present & (1u << bit)) == 0) continue;
      if (next < entry_->granted.size()) entry_->files[bit] = std::move(entry_->granted[next++]);
    }
    for (; next < entry_->granted.size(); ++next) {
      listeners_.push_back(std::move(entry_->granted[next]));
    }
    entry_->granted.clear();
    entry_->memory = make_gauge(*entry_, core_->cpus);
    if (entry_->memory->watches()) core_->loop.spawn(watch_memory(core_, entry_, handle_));
  }

  ~ClientInstance() override {
    ClientInstance::kill();
    entry_->forgotten = true;
    entry_->thawed.set();
    core_->tell(wire::RequestKind::release, handle_);
    core_->entries.erase(handle_);
    for (const Fd* fd : {&stdout_, &stderr_, &control_}) {
      if (fd->valid()) core_->loop.forget(fd->get());
    }
  }

  int control_fd() const override { return control_.get(); }
  int stdout_fd() const override { return stdout_.get(); }
  int stderr_fd() const override { return stderr_.get(); }
  std::vector<Fd> take_listeners() override { return std::move(listeners_); }

  Result<void> freeze() override { return set_frozen(true); }
  Result<void> thaw() override { return set_frozen(false); }

  void throttle() override {
    const std::uint64_t quota = cpu_share(entry_->memory_bytes).quota_us;
    const int fd = file(wire::present_quota);
    if (quota == 0 || fd < 0) return;
    // The period is the kernel's default, 100 ms: cpu.max keeps it when only the quota is given.
    const std::string text = std::to_string(quota);
    (void)!::pwrite(fd, text.data(), text.size(), 0);
  }

  void terminate() override {
    if (!entry_->has_ended) core_->tell(wire::RequestKind::terminate, handle_);
  }
  void kill() override { kill_entry(*core_, *entry_, handle_); }

  Usage usage() override {
    if (entry_->has_ended) return entry_->last_usage;
    Usage& usage = entry_->last_usage;
    usage.memory_peak_bytes = entry_->memory->peak();
    if (const int fd = file(wire::present_cpu_v1); fd >= 0) {
      if (auto ns = read_number(fd)) usage.cpu = std::chrono::microseconds(*ns / 1000);
    } else if (const int v2 = file(wire::present_cpu_v2); v2 >= 0) {
      usage.cpu = std::chrono::microseconds(stat_value(read_small_fd(v2), "usage_usec"));
    }
    if (const int fd = file(wire::present_oom); fd >= 0) {
      usage.out_of_memory = stat_value(read_small_fd(fd), "oom_kill") > 0;
    }
    return usage;
  }

  Task<std::optional<Exit>> exited(Monotonic deadline) override {
    return wait_for_end(entry_, deadline);
  }

 private:
  int file(wire::Present bit) const { return entry_->file(bit); }

  static std::unique_ptr<MemoryGauge> make_gauge(Entry& entry, unsigned cpus) {
    MemoryGauge::Sources sources;
    sources.usage = entry.take_file(wire::present_memory_usage);
    sources.peak = entry.take_file(wire::present_memory_peak);
    sources.stat = entry.take_file(wire::present_memory_stat);
    sources.tmp = entry.take_file(wire::present_tmp);
    sources.init = entry.take_file(wire::present_pidfd);
    return std::make_unique<MemoryGauge>(std::move(sources), entry.memory_bytes, cpus);
  }

  Result<void> set_frozen(bool frozen) {
    if (entry_->has_ended) return fail(step_failed("freeze", ESRCH));
    const bool v2 = file(wire::present_freeze) >= 0;
    const int fd = file(v2 ? wire::present_freeze : wire::present_freezer_v1);
    if (fd < 0) return {};  // no freezer on this host: doctor says so
    const std::string_view word =
        v2 ? (frozen ? "1" : "0") : (frozen ? std::string_view("FROZEN") : "THAWED");
    TRY(checked(::pwrite(fd, word.data(), word.size(), 0), "freeze"));
    entry_->frozen = frozen;
    frozen ? entry_->thawed.reset() : entry_->thawed.set();
    return {};
  }

  std::shared_ptr<Core> core_;
  std::shared_ptr<Entry> entry_;
  std::uint64_t handle_;
  std::vector<Fd> listeners_;
  Fd stdout_, stderr_, control_;
};

Task<Result<std::unique_ptr<Instance>>> start_one(std::shared_ptr<Core> core, Spec spec) {
  const std::uint64_t handle = core->next_handle++;
  if (!has_namespaces(core->side.level)) {
    // The process id keeps two servers of one machine apart.
    take_own_address(
        spec, static_cast<std::uint32_t>(::getpid()) * 64 + static_cast<std::uint32_t>(handle));
  }
  CO_TRY(Packed packed, pack(spec, core->side.roots));
  packed.request.handle = handle;
  packed.request.weaken = core->weaken;
  auto entry = std::make_shared<Entry>(core->loop);
  entry->memory_bytes = spec.memory_bytes;
  CO_TRY(co_await send_request(core, packed));
  core->entries.emplace(handle, entry);
  packed.descriptors.clear();
  const Wake wake = co_await entry->answered.wait(core->loop.now() + start_patience);
  if (wake != Wake::ready) {
    core->entries.erase(handle);
    core->tell(wire::RequestKind::release, handle);
    co_return fail(step_failed("start", wake == Wake::cancelled ? ECANCELED : ETIMEDOUT));
  }
  if (entry->answer.kind != wire::ReplyKind::started) {
    core->entries.erase(handle);
    const std::string what(wire::text_of(entry->answer.what));
    co_return fail(Error{code_of(entry->answer.cause), 500, what});
  }
  co_return std::make_unique<ClientInstance>(core, entry, handle, std::move(packed));
}

class Client final : public Sandboxes {
 public:
  explicit Client(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  Level level() const override { return core_->side.level; }
  Task<Result<std::unique_ptr<Instance>>> start(Spec spec) override {
    return start_one(core_, std::move(spec));
  }
  Core& core() { return *core_; }

 private:
  std::shared_ptr<Core> core_;
};

}  // namespace

std::unique_ptr<Sandboxes> connect(async::Loop& loop, ServerSide side) {
  (void)::fcntl(side.spawner.get(), F_SETFL, O_NONBLOCK);
  if (side.launcher.valid()) (void)::fcntl(side.launcher.get(), F_SETFL, O_NONBLOCK);
  auto core = std::make_shared<Core>(loop, std::move(side));
  core->connected.set();
  loop.spawn(read_answers(core));
  return std::make_unique<Client>(std::move(core));
}

#ifdef WOLKE_TEST_WEAKEN
void set_weaken(Sandboxes& sandboxes, std::uint32_t weaken) {
  static_cast<Client&>(sandboxes).core().weaken = weaken;
}
#endif

Result<SpawnerProcess> start_spawner(SpawnerOptions options) {
  if (options.level == Level::rootless) {
    TRY(enter_nursery());
  }
  int channel[2] = {-1, -1};
  int lifeline[2] = {-1, -1};
  TRY(checked(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), "socketpair"));
  TRY(checked(::pipe2(lifeline, O_CLOEXEC), "pipe"));
  SpawnerProcess process;
  process.side.spawner = Fd(channel[0]);
  process.lifeline = Fd(lifeline[1]);
  process.side.level = options.level;
  SpawnerConfig config;
  config.channel = Fd(channel[1]);
  config.lifeline = Fd(lifeline[0]);
  config.level = options.level;
  config.cgroups = detect_cgroups();
  TRY(enter_leaf(config.cgroups));
  process.cgroups = config.cgroups;
  config.ready_shells = options.ready_shells;
  if (!options.use_cgroups) config.cgroups = {};
  remove_leftover_cgroups(config.cgroups);
  process.pid = ::fork();
  if (process.pid == 0) {
    process.side.spawner.reset();
    process.lifeline.reset();
    (void)::fcntl(config.channel.get(), F_SETFL, O_NONBLOCK);
    // Our own pid, so that two of one parent do not share groups.
    config.cgroup_parent = cgroup_parent_name(::getpid());
    ::_exit(run_spawner(std::move(config)));
  }
  TRY(checked(process.pid, "fork"));
  return process;
}

void stop_spawner(SpawnerProcess& process) {
  process.lifeline.reset();
  process.side.spawner.reset();
  if (process.pid > 0) (void)::waitpid(std::exchange(process.pid, -1), nullptr, 0);
  leave_leaf(process.cgroups);
}

}  // namespace wolke::sandbox
