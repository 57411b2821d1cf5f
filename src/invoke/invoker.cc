// The pool. A fleet is the instances of one revision; an invocation takes an idle one, or waits in
// its fleet's queue for whichever comes first: one that another invocation gives back, or a new
// one. Instances come and go only in begin_start() and retire(), where the machine's books are
// kept.

#include "wolke/invoke/invoker.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "wolke/async/event.h"
#include "wolke/async/gate.h"
#include "wolke/invoke/instance.h"
#include "wolke/invoke/placement.h"

namespace wolke::invoke {
namespace {

/// What an instance may take of the machine: its memory, and of /tmp what goes beyond everybody's.
std::uint64_t room_of(const FunctionSpec& function) {
  constexpr std::uint32_t tmp_default_mb = 512;
  std::uint64_t tmp_mb = std::max(function.ephemeral_mb, tmp_default_mb) - tmp_default_mb;
  return (function.memory_mb + tmp_mb) << 20;
}

using async::Task;
using async::Wake;
using State = LiveInstance::State;

struct Waiter {
  explicit Waiter(async::Loop& loop) : ready(loop) {}
  async::Event ready;
  LiveInstance* instance = nullptr;
  std::optional<Error> error;
};

struct Fleet {
  std::string key;
  std::shared_ptr<const FunctionSpec> function;  // shared with its instances
  std::vector<LiveInstance*> idle;               // the most recently used last
  std::deque<Waiter*> waiting;
  std::size_t starting = 0;
  std::size_t alive = 0;  // starting, busy and idle
  std::size_t users = 0;  // invocations in progress
  bool superseded = false;
};

std::string function_key(const FunctionSpec& function) {
  return function.arn + ":" + function.version;
}

std::string fleet_key(const FunctionSpec& function, std::string_view reserved) {
  return function_key(function) + "@" + function.revision + std::string(reserved);
}

Error out_of_room() {
  return throttled(Admission::account_exceeded);
}

Error stopping_error() {
  return {.code = "ServiceException", .status = 503, .message = "The server is stopping."};
}

class PoolInvoker final : public Invoker {
 public:
  explicit PoolInvoker(Dependencies dependencies)
      : dependencies_(std::move(dependencies)),
        loop_(dependencies_.loop),
        stop_(loop_),
        quiet_(loop_),
        ended_(loop_) {}

  Task<Result<InvokeResult>> invoke(const FunctionSpec& function, InvokeRequest request) override;
  std::vector<InstanceInfo> instances() const override;
  std::vector<std::shared_ptr<const FunctionSpec>> running() const override;
  void retire(const FunctionSpec& function) override;
  Task<void> stop() override;

 private:
  // Admission.
  Result<void> admit_now(const FunctionSpec& function);
  void leave(const FunctionSpec& function);
  // Fleets.
  Fleet& fleet_of(const FunctionSpec& function);
  void supersede(Fleet& fleet);
  void forget_if_empty(Fleet& fleet);
  Task<Result<InvokeResult>> run(Fleet& fleet, InvokeRequest& request, bool& settles);
  Task<void> settle(Fleet& fleet, LiveInstance& instance, std::string request_id,
                    InvokeResult result);
  void finish(Fleet& fleet, const FunctionSpec& function);
  Task<Result<LiveInstance*>> acquire(Fleet& fleet);
  void release(Fleet& fleet, LiveInstance& instance);
  void give(Fleet& fleet, LiveInstance& instance);
  void feed(Fleet& fleet);
  void feed_hungry();
  // Instances.
  void begin_start(Fleet& fleet);
  Task<void> start(Fleet& fleet, LiveInstance& instance);
  void retire(LiveInstance& instance);
  Task<void> end(std::unique_ptr<LiveInstance> instance);
  void instance_exited(LiveInstance& instance);
  void make_idle(Fleet& fleet, LiveInstance& instance);
  LiveInstance* take_idle(Fleet& fleet);
  bool evict_one();
  Task<void> freeze_when_quiet(std::string id);
  Task<void> expire_idle();
  MachineLoad machine() const;
  void meter(const FunctionSpec& function, const std::string& request_id,
             const InvokeResult& result);

  struct Live {
    std::unique_ptr<LiveInstance> instance;
    Fleet* fleet;
  };

  Dependencies dependencies_;
  async::Loop& loop_;
  std::map<std::string, std::unique_ptr<Fleet>> fleets_;
  std::map<std::string, std::string>
      current_;              // function_key → key of the fleet with the newest revision
  std::set<Fleet*> hungry_;  // have invocations that wait for room
  std::unordered_map<std::string, Live> live_;  // by sandbox id
  std::map<std::string, std::uint32_t> running_by_function_;
  std::map<std::string, std::uint32_t> running_unreserved_;  // by account
  std::size_t running_ = 0;
  std::size_t starting_ = 0;
  std::size_t idle_ = 0;
  std::uint64_t committed_bytes_ = 0;
  bool stopping_ = false;
  bool expires_ = false;
  async::Event stop_;
  async::Event quiet_;      // no invocation is in progress
  std::size_t ending_ = 0;  // retired instances that are not gone yet
  async::Event ended_;      // one of them is gone
  async::Gate gate_;
};

// ---- one invocation

Task<Result<InvokeResult>> PoolInvoker::invoke(const FunctionSpec& function,
                                               InvokeRequest request) {
  auto inside = gate_.enter();
  if (!inside || stopping_) co_return fail(stopping_error());
  CO_TRY(admit_now(function));
  // From here the invocation counts against its function's and its account's concurrency.
  Fleet& fleet = fleet_of(function);
  ++fleet.users;
  // Shared with the fleet and its instances: `function` itself may be gone after the first wait.
  std::shared_ptr<const FunctionSpec> spec = fleet.function;
  bool settles = false;
  Result<InvokeResult> result = co_await run(fleet, request, settles);
  if (!settles) finish(fleet, *spec);
  co_return result;
}

void PoolInvoker::finish(Fleet& fleet, const FunctionSpec& function) {
  leave(function);
  --fleet.users;
  forget_if_empty(fleet);
}

/// What extensions still do for an invocation whose caller has its answer.
Task<void> PoolInvoker::settle(Fleet& fleet, LiveInstance& instance, std::string request_id,
                               InvokeResult result) {
  auto inside = gate_.enter();
  std::shared_ptr<const FunctionSpec> spec = fleet.function;
  co_await instance.settle(result);
  meter(*spec, request_id, result);
  release(fleet, instance);
  finish(fleet, *spec);
}

/// On the first instance that hears of it: each of the others had ended unnoticed while it was
/// idle.
/// `settles`: its end is settle()'s.
Task<Result<InvokeResult>> PoolInvoker::run(Fleet& fleet, InvokeRequest& request, bool& settles) {
  for (;;) {
    CO_TRY(LiveInstance * instance, co_await acquire(fleet));
    std::optional<InvokeResult> result = co_await instance->invoke(request);
    if (result && instance->settling()) {
      if (!request.want_log_tail) {
        settles = true;
        InvokeResult rest = *result;
        rest.payload.clear();
        loop_.spawn(settle(fleet, *instance, request.request_id, std::move(rest)));
        co_return *std::move(result);
      }
      // Who asks for the log waits for its last lines.
      co_await instance->settle(*result);
    }
    // From here it is billed.
    if (result) meter(instance->function(), request.request_id, *result);
    release(fleet, *instance);
    if (result) co_return *std::move(result);
  }
}

void PoolInvoker::meter(const FunctionSpec& function, const std::string& request_id,
                        const InvokeResult& result) {
  if (!dependencies_.meter) return;
  dependencies_.meter({.account = function.account,
                       .function_arn = function.arn,
                       .version = function.version,
                       .request_id = request_id,
                       .at = dependencies_.env.clock.wall(),
                       .billed_ms = result.billed_ms,
                       .memory_mb = function.memory_mb,
                       .duration_us = static_cast<std::uint64_t>(result.duration.count()),
                       .cold = result.init_duration.count() > 0,
                       .error = result.error != FunctionError::none});
}

// ---- admission

Result<void> PoolInvoker::admit_now(const FunctionSpec& function) {
  AccountConcurrency account;
  if (dependencies_.concurrency) account = dependencies_.concurrency(function.account);
  std::uint32_t& running = running_by_function_[function.arn];
  std::uint32_t& unreserved = running_unreserved_[function.account];
  Admission admission = admit({account.limit, account.reserved, unreserved},
                              {running, function.reserved_concurrency});
  if (admission != Admission::admitted) return fail(throttled(admission));
  ++running;
  if (!function.reserved_concurrency) ++unreserved;
  ++running_;
  quiet_.reset();
  return {};
}

/// `function` is the fleet's: whether it was counted as unreserved is told by it, as its revision
/// is the same.
void PoolInvoker::leave(const FunctionSpec& function) {
  auto running = running_by_function_.find(function.arn);
  if (--running->second == 0) running_by_function_.erase(running);
  if (!function.reserved_concurrency) {
    auto unreserved = running_unreserved_.find(function.account);
    if (--unreserved->second == 0) running_unreserved_.erase(unreserved);
  }
  if (--running_ == 0) quiet_.set();
}

// ---- fleets

Fleet& PoolInvoker::fleet_of(const FunctionSpec& function) {
  // A reservation is no part of the revision, but leave() must undo what admit_now() did.
  std::string key = fleet_key(function, function.reserved_concurrency ? "r" : "");
  std::unique_ptr<Fleet>& slot = fleets_[key];
  if (slot) return *slot;
  slot = std::make_unique<Fleet>();
  slot->key = key;
  slot->function = std::make_shared<const FunctionSpec>(function);
  std::string& current = current_[function_key(function)];
  std::string previous = std::exchange(current, key);
  // New code or configuration: what is idle of the old one will not be asked again.
  Fleet& fleet = *slot;
  if (auto old = fleets_.find(previous); !previous.empty() && old != fleets_.end()) {
    supersede(*old->second);
  }
  return fleet;
}

/// The fleet may be gone afterwards.
void PoolInvoker::supersede(Fleet& fleet) {
  fleet.superseded = true;
  for (LiveInstance* instance : std::vector(fleet.idle)) retire(*instance);
}

void PoolInvoker::forget_if_empty(Fleet& fleet) {
  if (fleet.alive > 0 || fleet.users > 0) return;
  hungry_.erase(&fleet);
  auto current = current_.find(function_key(*fleet.function));
  if (current != current_.end() && current->second == fleet.key) current_.erase(current);
  fleets_.erase(std::string(fleet.key));
}

Task<Result<LiveInstance*>> PoolInvoker::acquire(Fleet& fleet) {
  Waiter waiter(loop_);
  fleet.waiting.push_back(&waiter);
  feed(fleet);
  for (;;) {
    Wake wake = co_await waiter.ready.wait(loop_.now() + dependencies_.options.queue_wait_max);
    if (waiter.instance) co_return waiter.instance;
    // A start in progress is worth waiting for: it ends by its own limit.
    if (wake == Wake::timed_out && fleet.starting > 0 && !stopping_) continue;
    std::erase(fleet.waiting, &waiter);
    if (waiter.error) co_return fail(std::move(*waiter.error));
    co_return fail(wake == Wake::timed_out ? out_of_room() : stopping_error());
  }
}

/// Places the invocations that wait in this fleet, as far as there is room.
void PoolInvoker::feed(Fleet& fleet) {
  std::uint64_t needed = room_of(*fleet.function);
  while (!fleet.waiting.empty() && !stopping_) {
    FleetLoad load{fleet.idle.size(), fleet.starting, fleet.waiting.size()};
    switch (place(load, machine(), needed)) {
      case Placement::reuse:
        if (LiveInstance* instance = take_idle(fleet)) give(fleet, *instance);
        continue;
      case Placement::evict_then_start:
        if (!evict_one()) break;
        begin_start(fleet);
        continue;
      case Placement::start:
        begin_start(fleet);
        continue;
      case Placement::wait:
        break;
    }
    break;
  }
  if (fleet.waiting.size() > fleet.starting) {
    hungry_.insert(&fleet);
  } else {
    hungry_.erase(&fleet);
  }
}

void PoolInvoker::feed_hungry() {
  for (Fleet* fleet : std::vector(hungry_.begin(), hungry_.end())) {
    if (hungry_.contains(fleet)) feed(*fleet);
  }
}

/// To the invocation that has waited longest, else to the idle ones.
void PoolInvoker::give(Fleet& fleet, LiveInstance& instance) {
  if (fleet.waiting.empty()) return make_idle(fleet, instance);
  Waiter* waiter = fleet.waiting.front();
  fleet.waiting.pop_front();
  waiter->instance = &instance;
  waiter->ready.set();
}

void PoolInvoker::release(Fleet& fleet, LiveInstance& instance) {
  if (!instance.reusable() || !instance.fresh() || fleet.superseded || stopping_) {
    retire(instance);
    feed_hungry();
    return;
  }
  give(fleet, instance);
  if (!hungry_.empty()) feed_hungry();
}

// ---- instances

MachineLoad PoolInvoker::machine() const {
  return {.committed_bytes = committed_bytes_,
          .budget_bytes = dependencies_.options.memory_budget_bytes,
          .starting = starting_,
          .starts_max = dependencies_.options.starts_max,
          .idle = idle_};
}

void PoolInvoker::begin_start(Fleet& fleet) {
  auto instance = std::make_unique<LiveInstance>(
      dependencies_, fleet.function, [this](LiveInstance& ended) { instance_exited(ended); });
  LiveInstance& started = *instance;
  live_.emplace(started.id(), Live{std::move(instance), &fleet});
  committed_bytes_ += room_of(*fleet.function);
  ++fleet.alive;
  ++fleet.starting;
  ++starting_;
  loop_.spawn(start(fleet, started));
  if (!std::exchange(expires_, true)) loop_.spawn(expire_idle());
}

Task<void> PoolInvoker::start(Fleet& fleet, LiveInstance& instance) {
  auto inside = gate_.enter();
  Result<void> started = co_await instance.start();
  --fleet.starting;
  --starting_;
  instance.state = State::busy;
  if (!started) {
    if (!fleet.waiting.empty()) {
      Waiter* waiter = fleet.waiting.front();
      fleet.waiting.pop_front();
      waiter->error = std::move(started).error();
      waiter->ready.set();
    }
    retire(instance);
  } else if (stopping_ || (fleet.waiting.empty() && (fleet.superseded || !instance.reusable()))) {
    retire(instance);
  } else {
    give(fleet, instance);
  }
  feed_hungry();
}

/// Out of the pool now, ended in the background.
void PoolInvoker::retire(LiveInstance& instance) {
  auto found = live_.find(instance.id());
  if (found == live_.end()) return;  // is ending already
  Fleet& fleet = *found->second.fleet;
  if (std::erase(fleet.idle, &instance) > 0) --idle_;
  committed_bytes_ -= room_of(*fleet.function);
  --fleet.alive;
  instance.state = State::ending;
  instance.give_up();
  ++ending_;
  loop_.spawn(end(std::move(found->second.instance)));
  live_.erase(found);
  if (fleet.waiting.empty()) forget_if_empty(fleet);
}

Task<void> PoolInvoker::end(std::unique_ptr<LiveInstance> instance) {
  co_await instance->shut_down();
  instance.reset();
  --ending_;
  ended_.set();
}

/// A busy one is retired when its invocation has been judged.
void PoolInvoker::instance_exited(LiveInstance& instance) {
  if (instance.state == State::idle || instance.state == State::frozen) retire(instance);
}

void PoolInvoker::make_idle(Fleet& fleet, LiveInstance& instance) {
  instance.state = State::idle;
  instance.idle_since = loop_.now();
  fleet.idle.push_back(&instance);
  ++idle_;
  if (!std::exchange(instance.freezer_waits, true)) loop_.spawn(freeze_when_quiet(instance.id()));
}

/// The most recently used one: its memory is warm, and the others can expire.
LiveInstance* PoolInvoker::take_idle(Fleet& fleet) {
  while (!fleet.idle.empty()) {
    LiveInstance* instance = fleet.idle.back();
    if (!instance->reusable() || !instance->fresh()) {
      retire(*instance);
      continue;
    }
    fleet.idle.pop_back();
    --idle_;
    return instance;
  }
  return nullptr;
}

bool PoolInvoker::evict_one() {
  LiveInstance* oldest = nullptr;
  for (auto& [id, live] : live_) {
    bool idle = live.instance->state == State::idle || live.instance->state == State::frozen;
    if (idle && (!oldest || live.instance->idle_since < oldest->idle_since))
      oldest = live.instance.get();
  }
  if (oldest) retire(*oldest);
  return oldest != nullptr;
}

/// One timer for each instance, however fast its invocations come.
Task<void> PoolInvoker::freeze_when_quiet(std::string id) {
  auto inside = gate_.enter();
  for (;;) {
    auto found = live_.find(id);
    if (found == live_.end()) co_return;
    LiveInstance& instance = *found->second.instance;
    Monotonic due = instance.idle_since + dependencies_.options.freeze_after;
    if (instance.state != State::idle || loop_.now() >= due) {
      instance.freezer_waits = false;
      instance.freeze();
      co_return;
    }
    if (co_await loop_.sleep_until(due) == Wake::cancelled) co_return;
  }
}

Task<void> PoolInvoker::expire_idle() {
  auto inside = gate_.enter();
  auto step = std::max<std::chrono::nanoseconds>(dependencies_.options.idle_expiry / 8, Millis(1));
  while (co_await stop_.wait(loop_.now() + step) == Wake::timed_out) {
    std::vector<LiveInstance*> expired;
    for (auto& [id, live] : live_) {
      bool idle = live.instance->state == State::idle || live.instance->state == State::frozen;
      if (idle && loop_.now() - live.instance->idle_since >= dependencies_.options.idle_expiry) {
        expired.push_back(live.instance.get());
      }
    }
    for (LiveInstance* instance : expired) retire(*instance);
  }
}

// ---- the whole

std::vector<Invoker::InstanceInfo> PoolInvoker::instances() const {
  auto name = [](State state) {
    switch (state) {
      case State::starting:
        return "starting";
      case State::busy:
        return "busy";
      case State::idle:
        return "idle";
      case State::frozen:
        return "frozen";
      case State::ending:
        return "ending";
    }
    return "";
  };
  std::vector<InstanceInfo> out;
  for (const auto& [id, live] : live_) {
    const LiveInstance& instance = *live.instance;
    out.push_back({.function_arn = instance.function().arn,
                   .version = instance.function().version,
                   .sandbox_id = id,
                   .state = name(instance.state),
                   .started = instance.started(),
                   .invocations = instance.invocations()});
  }
  return out;
}

std::vector<std::shared_ptr<const FunctionSpec>> PoolInvoker::running() const {
  std::vector<std::shared_ptr<const FunctionSpec>> out;
  for (const auto& [key, fleet] : fleets_) {
    if (!fleet->superseded) out.push_back(fleet->function);
  }
  return out;
}

void PoolInvoker::retire(const FunctionSpec& function) {
  for (const char* reserved : {"", "r"}) {
    const auto found = fleets_.find(fleet_key(function, reserved));
    if (found != fleets_.end()) supersede(*found->second);
  }
}

Task<void> PoolInvoker::stop() {
  stopping_ = true;
  stop_.set();
  for (auto& [key, fleet] : fleets_) {
    for (Waiter* waiter : fleet->waiting) {
      waiter->error = stopping_error();
      waiter->ready.set();
    }
    fleet->waiting.clear();
  }
  if (running_ > 0) co_await quiet_.wait(loop_.now() + dependencies_.options.stop_grace);
  // A busy instance ends with its invocation's failure; the others are retired here.
  std::vector<LiveInstance*> all;
  for (auto& [id, live] : live_) all.push_back(live.instance.get());
  for (LiveInstance* instance : all) {
    bool busy = instance->state == State::busy || instance->state == State::starting;
    if (busy) {
      instance->kill();
    } else {
      retire(*instance);
    }
  }
  while (!live_.empty() || ending_ > 0) {
    ended_.reset();
    if (co_await ended_.wait(Monotonic::max()) == Wake::cancelled) break;
  }
  co_await gate_.close();
}

}  // namespace

std::unique_ptr<Invoker> make_invoker(Dependencies dependencies) {
  return std::make_unique<PoolInvoker>(std::move(dependencies));
}

}  // namespace wolke::invoke
