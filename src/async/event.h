#pragma once
// Completion<T>: a one-shot value set from any thread and awaited on one loop; the bridge from
// callbacks (a commit, a pool job) to coroutines. Event: a manual-reset signal among tasks of one
// loop, awaited with a deadline.
//
// Shared ownership: a Completion's state is shared by the setter (which may outlive the waiter) and
// the waiter.

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "wolke/async/loop.h"
#include "wolke/base/guarded.h"

namespace wolke::async {

template <class T>
class Completion {
 public:
  explicit Completion(Loop& loop) : shared_(std::make_shared<Shared>(loop)) {}

  /// A callable for the producing thread; calling it twice is an ASSERT.
  std::function<void(T)> setter() {
    return [shared = shared_](T value) {
      shared->loop.post([shared, boxed = std::make_shared<T>(std::move(value))] {
        ASSERT(!shared->value.has_value());
        shared->value.emplace(std::move(*boxed));
        if (shared->waiter) std::exchange(shared->waiter, {}).resume();
      });
    };
  }

  bool await_ready() const noexcept { return shared_->value.has_value(); }
  void await_suspend(std::coroutine_handle<> handle) { shared_->waiter = handle; }
  T await_resume() { return *std::move(shared_->value); }
  ~Completion() { shared_->waiter = {}; }
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

 private:
  struct Shared {
    explicit Shared(Loop& l) : loop(l) {}
    Loop& loop;  // outlives all tasks; setters run before the loop is destroyed (the pool is
                 // stopped first)
    std::optional<T> value;
    std::coroutine_handle<> waiter;
  };
  std::shared_ptr<Shared> shared_;
};

/// set() wakes all waiters; reset() arms it again. Loop thread only.
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}
  void set();
  void reset() { set_ = false; }
  bool is_set() const { return set_; }
  /// ready when set, timed_out at the deadline, cancelled when the loop stops.
  Task<Wake> wait(Monotonic deadline);

 private:
  struct Waiter;
  Loop& loop_;
  bool set_ = false;
  std::vector<Waiter*> waiters_;
};

}  // namespace wolke::async
