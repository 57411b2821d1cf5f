#pragma once
// Loop: one thread's epoll loop: descriptor readiness, timers, work posted from other threads, and the tasks that run
// on it. Everything but post() belongs to the loop's own thread. A loop outlives every task spawned on it: stop() makes
// run() return only after each of them has ended (they see their waits fail with Wake::cancelled).
//
// Time comes from the kernel's monotonic clock; the simulator does not use this class but the ports above it.

#include <chrono>
#include <coroutine>
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

  /// co_await loop.readable(fd, deadline): one waiter per fd and direction. The fd must be non-blocking and stay open
  /// while awaited; call forget(fd) before closing it.
  struct FdAwaiter;
  FdAwaiter readable(int fd, Monotonic deadline);
  FdAwaiter writable(int fd, Monotonic deadline);
  void forget(int fd);

  /// co_await loop.sleep_until(t): timed_out at t, cancelled at stop().
  struct TimerAwaiter;
  TimerAwaiter sleep_until(Monotonic when);
  TimerAwaiter sleep_for(std::chrono::nanoseconds duration);
  Monotonic now() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

struct Loop::FdAwaiter {
  Loop::State* state;
  int fd;
  bool write;
  Monotonic deadline;
  Wake wake = Wake::ready;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> handle);
  Wake await_resume() const noexcept { return wake; }
};

struct Loop::TimerAwaiter {
  Loop::State* state;
  Monotonic when;
  Wake wake = Wake::timed_out;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> handle);
  Wake await_resume() const noexcept { return wake; }
};

}  // namespace wolke::async
