#include "wolke/async/event.h"

namespace wolke::async {

struct Event::Waiter : Loop::Waiter {
  Waiter(Event& awaited, Monotonic until) : Loop::Waiter(nullptr, until), event(awaited) {}

  bool await_ready() const noexcept { return event.set_; }
  bool await_suspend(std::coroutine_handle<> suspended) {
    handle = suspended;
    if (!event.loop_.park(*this)) return false;
    event.waiters_.push_back(this);
    return true;
  }
  /// set() has taken a woken waiter out of the list; a timed out or cancelled one leaves by itself.
  Wake await_resume() {
    if (wake != Wake::ready) std::erase(event.waiters_, this);
    return wake;
  }

  Event& event;
};

Task<Wake> Event::wait(Monotonic deadline) {
  co_return co_await Waiter(*this, deadline);
}

void Event::set() {
  set_ = true;
  for (Waiter* waiter : std::exchange(waiters_, {})) loop_.wake(*waiter, Wake::ready);
}

}  // namespace wolke::async
