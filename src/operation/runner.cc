#include "wolke/operation/runner.h"

#include "wolke/base/limits.h"

namespace wolke::operation {

namespace {

Error too_many_conflicts() {
  return Error{.code = "OperationAborted",
               .status = 409,
               .message =
                   "A conflicting conditional operation is currently in progress against this "
                   "resource. Please try again."};
}

Error overloaded() {
  return Error{
      .code = "ServiceUnavailable", .status = 503, .message = "Please reduce your request rate."};
}

/// One run against a fresh snapshot: what the operation wants to commit.
Result<store::Batch> attempt(store::Store& store,
                             const std::function<Result<void>(store::Tx&)>& body) {
  TRY(std::unique_ptr<store::Snapshot> snapshot, store.snapshot());
  store::Tx tx(*snapshot);
  TRY(body(tx));
  return tx.take_batch();
}

}  // namespace

async::Task<Result<void>> transact_erased(Runner runner,
                                          std::function<Result<void>(store::Tx&)> body) {
  for (int run = 0; run < limits::commit_conflict_retries_max; ++run) {
    auto work = [&runner, &body] { return attempt(runner.store, body); };
    std::optional<Result<store::Batch>> batch =
        co_await async::run_on(runner.pool, runner.loop, work);
    if (!batch) co_return fail(overloaded());
    if (!*batch) co_return fail(std::move(*batch).error());
    if ((*batch)->writes_nothing()) co_return Result<void>();
    async::Completion<store::CommitResult> committed(runner.loop);
    runner.store.commit(*std::move(*batch), committed.setter());
    store::CommitResult result = co_await committed;
    if (result.status == store::CommitStatus::committed) co_return Result<void>();
    if (result.status == store::CommitStatus::failed) co_return fail(std::move(result.error));
  }
  co_return fail(too_many_conflicts());
}

Result<void> transact_blocking(store::Store& store,
                               const std::function<Result<void>(store::Tx&)>& body) {
  for (int run = 0; run < limits::commit_conflict_retries_max; ++run) {
    TRY(store::Batch batch, attempt(store, body));
    if (batch.writes_nothing()) return {};
    store::CommitResult result = store::commit_and_wait(store, std::move(batch));
    if (result.status == store::CommitStatus::committed) return {};
    if (result.status == store::CommitStatus::failed) return fail(std::move(result.error));
  }
  return fail(too_many_conflicts());
}

}  // namespace wolke::operation
