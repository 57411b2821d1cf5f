#pragma once
// Loop: one thread's epoll loop: descriptor readiness, timers, work posted from other threads, and
// the tasks that run on it. Everything but post() belongs to the loop's own thread. A loop outlives
// every task spawned on it: stop() makes run() return only after each of them has ended (they see
// their waits fail with Wake::cancelled).
//
// Time comes from the kernel's monotonic clock; the simulator does not use this class but the ports
// above it.

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>

#include "wolke/async/task.h"
#include "wolke/base/time.h"

namespace wolke::async {

enum class Wake { ready, timed_out, cancelled };

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until stop() was called and no spawned task is left.
  void run();
  /// From any thread. Waits in progress end with Wake::cancelled.
  void stop();
  /// From any thread: runs `work` on the loop soon, in the order posted.
  void post(std::function<void()> work);
  /// On the loop's thread: starts `task` and owns it until it ends.
  void spawn(Task<void> task);
  bool stopping() const;
  bool on_loop_thread() const;

  /// co_await loop.readable(fd, deadline): one waiter per fd and direction. The fd must be
  /// non-blocking and stay open while awaited; call forget(fd) before closing it.
  struct FdAwaiter;
  FdAwaiter readable(int fd, Monotonic deadline);
  FdAwaiter writable(int fd, Monotonic deadline);
  /// A waiter still there is woken with Wake::cancelled.
  void forget(int fd);

  /// co_await loop.sleep_until(t): timed_out at t, cancelled at stop().
  struct TimerAwaiter;
  TimerAwaiter sleep_until(Monotonic when);
  TimerAwaiter sleep_for(std::chrono::nanoseconds duration);
  Monotonic now() const;

  /// For further primitives of this module (Event): what a suspended task leaves with the loop.
  struct Waiter;
  /// Registers a suspended task; false when the loop is stopping (the waiter's wake is then
  /// cancelled).
  bool park(Waiter& waiter);
  /// Resumes a parked task soon, in the order woken; nothing when it is not parked any more.
  void wake(Waiter& waiter, Wake how);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

/// Lives in the suspended coroutine's frame, linked into the loop while parked.
struct Loop::Waiter {
  static constexpr std::size_t not_timed = static_cast<std::size_t>(-1);

  Waiter(State* loop_state, Monotonic until) : state(loop_state), deadline(until) {}
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  State* state;
  Monotonic deadline;  // Monotonic::max(): none
  std::coroutine_handle<> handle;
  Wake wake = Wake::ready;
  bool parked = false;
  bool write = false;
  int fd = -1;
  std::size_t timer = not_timed;  // position in the loop's heap
  Waiter* previous = nullptr;     // all parked waiters, for stop()
  Waiter* next = nullptr;
};

struct Loop::FdAwaiter : Waiter {
  FdAwaiter(State* loop_state, int descriptor, bool for_write, Monotonic until)
      : Waiter(loop_state, until) {
    fd = descriptor;
    write = for_write;
  }
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> suspended);
  Wake await_resume() const noexcept { return wake; }
};

struct Loop::TimerAwaiter : Waiter {
  using Waiter::Waiter;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> suspended);
  Wake await_resume() const noexcept { return wake; }
};

}  // namespace wolke::async
