#pragma once
// Gate: counts background work that a component started, so that its shutdown can wait for it.
// enter() fails once close() has begun. Loop thread only. The closer resumes inside the last
// leave(), so a task declares its Holder before everything that the closer may destroy.

#include <coroutine>
#include <cstddef>
#include <utility>

#include "wolke/async/task.h"

namespace wolke::async {

class Gate {
 public:
  class Holder {
   public:
    explicit Holder(Gate* gate) : gate_(gate) {}
    Holder(Holder&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Holder& operator=(Holder&&) = delete;
    ~Holder() {
      if (gate_) gate_->leave();
    }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    Gate* gate_;
  };

  /// False-y once closing.
  Holder enter() {
    if (closing_) return Holder(nullptr);
    ++inside_;
    return Holder(this);
  }
  bool closing() const { return closing_; }
  std::size_t inside() const { return inside_; }
  /// Ends when everyone who entered has left. Call once.
  Task<void> close();

 private:
  friend class Holder;
  void leave();
  bool closing_ = false;
  std::size_t inside_ = 0;
  std::coroutine_handle<> closer_;
  struct Closed;
};

}  // namespace wolke::async
