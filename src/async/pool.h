#pragma once
// Pool: as many threads as cores, for work that would hold up a loop: operations, hashing, disk.
// The queue is bounded (overload is refused before work is done: submit() says false).
//
//   std::optional<Out> out = co_await run_on(pool, loop, [&] { return compute(); });   // nullopt:
//   pool is full

#include <functional>
#include <memory>
#include <optional>

#include "wolke/async/event.h"
#include "wolke/async/task.h"

namespace wolke::async {

class Pool {
 public:
  Pool(unsigned threads, std::size_t queue_max);
  ~Pool();  // runs what is queued, then joins
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  bool submit(std::function<void()> work);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// `work` is a plain callable (not a coroutine); what it refers to must outlive the await.
template <class Work>
Task<std::optional<std::invoke_result_t<Work>>> run_on(Pool& pool, Loop& loop, Work work) {
  using Out = std::invoke_result_t<Work>;
  Completion<Out> done(loop);
  auto set = done.setter();
  bool accepted =
      pool.submit([set, job = std::make_shared<Work>(std::move(work))] { set((*job)()); });
  if (!accepted) co_return std::nullopt;
  co_return co_await done;
}

}  // namespace wolke::async
