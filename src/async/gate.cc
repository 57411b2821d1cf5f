#include "wolke/async/gate.h"

namespace wolke::async {

struct Gate::Closed {
  Gate& gate;
  bool await_ready() const noexcept { return gate.inside_ == 0; }
  void await_suspend(std::coroutine_handle<> handle) { gate.closer_ = handle; }
  void await_resume() const noexcept {}
};

Task<void> Gate::close() {
  closing_ = true;
  co_await Closed{*this};
}

void Gate::leave() {
  if (--inside_ == 0 && closer_) std::exchange(closer_, {}).resume();
}

}  // namespace wolke::async
