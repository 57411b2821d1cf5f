#pragma once
// Retirement: instances of what was updated or deleted end at once, not when they have been idle
// for long; busy ones end after their invocation. It wakes on the store's hints, compares what has
// instances with what the store says, and looks once more a little later: an invocation that was
// resolved just before the change may have started an instance just after the first look.
//
// Threads: the loop; the store is read on the pool. Lifetime: the service outlives it; await stop()
// before destroying it. Failure: a look that fails is repeated by the next one; old instances are
// never given to new invocations, whatever happens here.

#include <atomic>
#include <cstdint>

#include "wolke/async/event.h"
#include "wolke/async/gate.h"
#include "wolke/services/lambda/lambda.h"

namespace wolke::lambda {

class Retirement {
 public:
  explicit Retirement(Lambda& service);
  Retirement(const Retirement&) = delete;
  Retirement& operator=(const Retirement&) = delete;

  /// On the loop's thread, once.
  void start();
  async::Task<void> stop();

 private:
  async::Task<void> run(async::Gate::Holder holder);
  async::Task<void> look();

  Lambda& service_;
  async::Event wake_;
  async::Event closing_;
  async::Gate gate_;
  std::atomic<bool> hinted_{false};  // set on the writer's thread
  std::uint64_t watch_ = 0;
};

}  // namespace wolke::lambda
