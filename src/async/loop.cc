#include "wolke/async/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "wolke/base/fd.h"
#include "wolke/base/guarded.h"

namespace wolke::async {
namespace {

constexpr std::size_t events_per_wait = 128;

/// The frame that owns a spawned task: it starts suspended and destroys itself at its end.
struct Root {
  struct promise_type {
    Root get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { assert_failed("no exception in a task", __FILE__, __LINE__); }
  };
  std::coroutine_handle<promise_type> handle;
};

Root own(Task<void> task, std::size_t& live) {
  co_await std::move(task);
  --live;
}

}  // namespace

struct Loop::State {
  /// Interest stays registered (level-triggered) between waits, so a connection that waits again
  /// costs no epoll_ctl; it is taken back only when the descriptor fires with nobody waiting.
  struct Slot {
    std::array<Waiter*, 2> waiter{};  // [0] readable, [1] writable
    std::uint32_t registered = 0;
  };
  struct Timer {
    Monotonic when;
    Waiter* waiter;
  };
  struct Inbox {
    std::vector<std::function<void()>> work;
    bool asleep = false;  // the loop is in, or about to enter, epoll_wait without a poll
  };

  Fd epoll;
  Fd wake_up;
  std::vector<Slot> slots;    // by descriptor
  std::vector<Timer> timers;  // binary heap, earliest first
  Waiter* parked = nullptr;
  std::vector<std::coroutine_handle<>> ready;
  std::vector<std::coroutine_handle<>> resuming;  // the batch being run; kept for its capacity
  Guarded<Inbox> inbox;
  std::atomic<bool> stop_requested = false;
  std::atomic<std::thread::id> thread;
  bool cancelled = false;
  std::size_t live = 0;

  void link(Waiter& w);
  void unlink(Waiter& w);
  void timer_add(Waiter& w);
  void timer_remove(Waiter& w);
  void sift_up(std::size_t i);
  void sift_down(std::size_t i);
  bool watch(Waiter& w);
  bool set_interest(int fd, std::uint32_t mask);
  void fire(int fd, std::uint32_t events);
  void make_ready(Waiter& w, Wake how);
  void expire(Monotonic now);
  void run_ready();
  void cancel_all();
  std::vector<std::function<void()>> take_posted();
  int timeout_ms();
  bool finished();
};

// ---- waiters

void Loop::State::link(Waiter& w) {
  w.parked = true;
  w.previous = nullptr;
  w.next = parked;
  if (parked) parked->previous = &w;
  parked = &w;
  if (w.deadline != Monotonic::max()) timer_add(w);
}

void Loop::State::unlink(Waiter& w) {
  w.parked = false;
  if (w.previous) w.previous->next = w.next;
  if (w.next) w.next->previous = w.previous;
  if (parked == &w) parked = w.next;
  if (w.timer != Waiter::not_timed) timer_remove(w);
  if (w.fd >= 0) slots[static_cast<std::size_t>(w.fd)].waiter[w.write ? 1 : 0] = nullptr;
}

void Loop::State::make_ready(Waiter& w, Wake how) {
  unlink(w);
  w.wake = how;
  ready.push_back(w.handle);
}

Loop::Waiter::~Waiter() {
  if (parked) state->unlink(*this);
}

// ---- timers

void Loop::State::timer_add(Waiter& w) {
  w.timer = timers.size();
  timers.push_back({w.deadline, &w});
  sift_up(w.timer);
}

void Loop::State::timer_remove(Waiter& w) {
  std::size_t hole = std::exchange(w.timer, Waiter::not_timed);
  Timer last = timers.back();
  timers.pop_back();
  if (last.waiter == &w) return;
  timers[hole] = last;
  last.waiter->timer = hole;
  sift_up(hole);
  sift_down(last.waiter->timer);
}

void Loop::State::sift_up(std::size_t i) {
  while (i > 0) {
    std::size_t up = (i - 1) / 2;
    if (timers[up].when <= timers[i].when) return;
    std::swap(timers[up], timers[i]);
    timers[up].waiter->timer = up;
    timers[i].waiter->timer = i;
    i = up;
  }
}

void Loop::State::sift_down(std::size_t i) {
  for (;;) {
    std::size_t least = i;
    for (std::size_t child = 2 * i + 1; child <= 2 * i + 2 && child < timers.size(); ++child) {
      if (timers[child].when < timers[least].when) least = child;
    }
    if (least == i) return;
    std::swap(timers[least], timers[i]);
    timers[least].waiter->timer = least;
    timers[i].waiter->timer = i;
    i = least;
  }
}

void Loop::State::expire(Monotonic now) {
  while (!timers.empty() && timers.front().when <= now) {
    make_ready(*timers.front().waiter, Wake::timed_out);
  }
}

// ---- descriptors

/// False when the descriptor cannot be polled (a regular file is always ready).
bool Loop::State::set_interest(int fd, std::uint32_t mask) {
  Slot& slot = slots[static_cast<std::size_t>(fd)];
  epoll_event event{.events = mask, .data = {.fd = fd}};
  int op = slot.registered == 0 ? EPOLL_CTL_ADD : mask == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  if (::epoll_ctl(epoll.get(), op, fd, &event) != 0) {
    if (op == EPOLL_CTL_ADD && errno == EPERM) return false;
    // Someone closed the descriptor without forget(); the kernel dropped it, and the number was
    // given out again.
    bool again =
        (op == EPOLL_CTL_MOD && errno == ENOENT) || (op == EPOLL_CTL_ADD && errno == EEXIST);
    if (again) {
      op = op == EPOLL_CTL_MOD ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
      ASSERT(::epoll_ctl(epoll.get(), op, fd, &event) == 0);
    } else {
      ASSERT(op == EPOLL_CTL_DEL);
    }
  }
  slot.registered = mask;
  return true;
}

bool Loop::State::watch(Waiter& w) {
  auto index = static_cast<std::size_t>(w.fd);
  if (index >= slots.size()) slots.resize(index + 16);
  Slot& slot = slots[index];
  ASSERT(slot.waiter[w.write ? 1 : 0] == nullptr);
  std::uint32_t wanted = slot.registered | static_cast<std::uint32_t>(w.write ? EPOLLOUT : EPOLLIN);
  if (wanted != slot.registered && !set_interest(w.fd, wanted)) return false;
  slot.waiter[w.write ? 1 : 0] = &w;
  return true;
}

void Loop::State::fire(int fd, std::uint32_t events) {
  Slot& slot = slots[static_cast<std::size_t>(fd)];
  if (events & (EPOLLERR | EPOLLHUP)) events |= EPOLLIN | EPOLLOUT;
  std::uint32_t unwanted = 0;
  for (std::size_t direction : {0U, 1U}) {
    std::uint32_t bit = direction == 0 ? EPOLLIN : EPOLLOUT;
    if (!(events & bit)) continue;
    if (slot.waiter[direction]) {
      make_ready(*slot.waiter[direction], Wake::ready);
    } else {
      unwanted |= bit;
    }
  }
  std::uint32_t left = slot.registered & ~unwanted;
  if (left != slot.registered) set_interest(fd, left);
}

// ---- the loop

void Loop::State::run_ready() {
  resuming.swap(ready);
  for (std::coroutine_handle<> handle : resuming) handle.resume();
  resuming.clear();
}

void Loop::State::cancel_all() {
  cancelled = true;
  while (parked) make_ready(*parked, Wake::cancelled);
}

std::vector<std::function<void()>> Loop::State::take_posted() {
  auto box = inbox.lock();
  box->asleep = false;
  return std::exchange(box->work, {});
}

bool Loop::State::finished() {
  return cancelled && live == 0 && ready.empty() && inbox.lock()->work.empty();
}

/// How long epoll_wait may sleep; rounded up, so that no timer fires early.
int Loop::State::timeout_ms() {
  if (!ready.empty()) return 0;
  {
    auto box = inbox.lock();
    if (!box->work.empty()) return 0;
    box->asleep = true;
  }
  // After `asleep` is set, a stop() writes to wake_up, so a request that was missed here is not
  // lost.
  if (timers.empty()) return -1;
  auto left = timers.front().when - std::chrono::steady_clock::now();
  auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return ms <= 0 ? 0 : ms > INT_MAX ? INT_MAX : static_cast<int>(ms);
}

Loop::Loop() : state_(std::make_unique<State>()) {
  state_->epoll = Fd(::epoll_create1(EPOLL_CLOEXEC));
  state_->wake_up = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  ASSERT(state_->epoll.valid() && state_->wake_up.valid());
  epoll_event event{.events = EPOLLIN, .data = {.fd = state_->wake_up.get()}};
  ASSERT(::epoll_ctl(state_->epoll.get(), EPOLL_CTL_ADD, state_->wake_up.get(), &event) == 0);
  state_->thread = std::this_thread::get_id();
}

Loop::~Loop() {
  // Tasks that never ran are ended by destroying them; one that waits has no one left to wake it.
  state_->live -= state_->ready.size();
  for (std::coroutine_handle<> handle : state_->ready) handle.destroy();
  ASSERT(state_->live == 0);
}

void Loop::run() {
  State& s = *state_;
  s.thread = std::this_thread::get_id();
  std::array<epoll_event, events_per_wait> events;
  for (;;) {
    s.run_ready();
    if (!s.cancelled && s.stop_requested) s.cancel_all();
    if (s.finished()) return;
    int count = ::epoll_wait(s.epoll.get(), events.data(), events.size(), s.timeout_ms());
    ASSERT(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd != s.wake_up.get()) {
        s.fire(event.data.fd, event.events);
        continue;
      }
      std::uint64_t ignored = 0;
      [[maybe_unused]] auto n = ::read(s.wake_up.get(), &ignored, sizeof ignored);
    }
    if (!s.timers.empty()) s.expire(std::chrono::steady_clock::now());
    for (auto& work : s.take_posted()) work();
  }
}

void Loop::stop() {
  state_->stop_requested = true;
  std::uint64_t one = 1;
  [[maybe_unused]] auto n = ::write(state_->wake_up.get(), &one, sizeof one);
}

void Loop::post(std::function<void()> work) {
  {
    auto box = state_->inbox.lock();
    box->work.push_back(std::move(work));
    if (!std::exchange(box->asleep, false)) return;
  }
  std::uint64_t one = 1;
  [[maybe_unused]] auto n = ::write(state_->wake_up.get(), &one, sizeof one);
}

void Loop::spawn(Task<void> task) {
  ASSERT(on_loop_thread());
  ++state_->live;
  state_->ready.push_back(own(std::move(task), state_->live).handle);
}

bool Loop::stopping() const {
  return state_->stop_requested;
}
bool Loop::on_loop_thread() const {
  return state_->thread.load() == std::this_thread::get_id();
}
Monotonic Loop::now() const {
  return std::chrono::steady_clock::now();
}

bool Loop::park(Waiter& waiter) {
  if (state_->cancelled) {
    waiter.wake = Wake::cancelled;
    return false;
  }
  waiter.state = state_.get();
  state_->link(waiter);
  return true;
}

void Loop::wake(Waiter& waiter, Wake how) {
  if (waiter.parked) state_->make_ready(waiter, how);
}

void Loop::forget(int fd) {
  auto index = static_cast<std::size_t>(fd);
  if (index >= state_->slots.size()) return;
  State::Slot& slot = state_->slots[index];
  for (Waiter* waiter : slot.waiter) {
    if (waiter) wake(*waiter, Wake::cancelled);
  }
  if (slot.registered != 0) state_->set_interest(fd, 0);
}

Loop::FdAwaiter Loop::readable(int fd, Monotonic deadline) {
  return {state_.get(), fd, false, deadline};
}
Loop::FdAwaiter Loop::writable(int fd, Monotonic deadline) {
  return {state_.get(), fd, true, deadline};
}
Loop::TimerAwaiter Loop::sleep_until(Monotonic when) {
  return {state_.get(), when};
}
Loop::TimerAwaiter Loop::sleep_for(std::chrono::nanoseconds duration) {
  return {state_.get(), now() + duration};
}

bool Loop::FdAwaiter::await_suspend(std::coroutine_handle<> suspended) {
  handle = suspended;
  if (state->cancelled) {
    wake = Wake::cancelled;
    return false;
  }
  if (!state->watch(*this)) {
    wake = Wake::ready;
    return false;
  }
  state->link(*this);
  return true;
}

bool Loop::TimerAwaiter::await_suspend(std::coroutine_handle<> suspended) {
  handle = suspended;
  if (state->cancelled) {
    wake = Wake::cancelled;
    return false;
  }
  state->link(*this);
  return true;
}

}  // namespace wolke::async
