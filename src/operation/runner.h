#pragma once
// The runner: runs a transaction operation against a snapshot, commits what it collected, runs it
// again on a conflict (at most limits::commit_conflict_retries_max times, then "OperationAborted"
// 409), and answers only after durable.

#include <functional>

#include "wolke/async/loop.h"
#include "wolke/async/pool.h"
#include "wolke/async/task.h"
#include "wolke/store/store.h"
#include "wolke/store/tx.h"

namespace wolke::operation {

struct Runner {
  store::Store& store;
  async::Pool& pool;
  async::Loop& loop;
};

/// `body` may run several times; it must outlive the await. The pool full: "ServiceUnavailable"
/// 503.
template <class T>
async::Task<Result<T>> transact(Runner runner, std::function<Result<T>(store::Tx&)> body);

async::Task<Result<void>> transact_erased(Runner runner,
                                          std::function<Result<void>(store::Tx&)> body);

template <class T>
async::Task<Result<T>> transact(Runner runner, std::function<Result<T>(store::Tx&)> body) {
  std::optional<T> out;
  std::function<Result<void>(store::Tx&)> erased = [&out, &body](store::Tx& tx) -> Result<void> {
    out.reset();
    TRY(T value, body(tx));
    out.emplace(std::move(value));
    return {};
  };
  Result<void> done = co_await transact_erased(runner, std::move(erased));
  if (!done) co_return fail(std::move(done).error());
  co_return *std::move(out);
}

/// The same for a thread that may block (tests, start-up).
Result<void> transact_blocking(store::Store& store,
                               const std::function<Result<void>(store::Tx&)>& body);

}  // namespace wolke::operation
