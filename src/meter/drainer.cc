#include "wolke/meter/drainer.h"

#include <optional>
#include <utility>

#include "wolke/observe/log.h"

namespace wolke::meter {

namespace {

constexpr auto turn_timeout = std::chrono::seconds(30);

Error not_now(std::string why) {
  return {.code = "ServiceUnavailable", .status = 503, .message = std::move(why)};
}

Result<std::optional<Pass>> prepare(store::Store& store, const UsageLog& log,
                                    const std::string& node) {
  TRY(auto snapshot, store.snapshot());
  TRY(auto pass, prepare_pass(*snapshot, log, node));
  // Here, off the loop: the next second's appends then meet pages that are ready.
  if (pass) log.fault_ahead(2 * pass->records);
  return pass;
}

}  // namespace

Drainer::Drainer(Parts parts)
    : parts_(std::move(parts)), wake_(parts_.loop), stopping_(parts_.loop), idle_(parts_.loop) {
  idle_.set();
}

void Drainer::start() {
  parts_.loop.spawn(run());
}

async::Task<void> Drainer::run() {
  const auto inside = gate_.enter();
  if (!inside) co_return;
  while (!stopping_.is_set()) {
    const auto wake = co_await wake_.wait(parts_.loop.now() + drain_interval);
    if (wake == async::Wake::cancelled) co_return;
    wake_.reset();
    if (stopping_.is_set()) co_return;
    if (auto drained = co_await drain_now(); !drained) {
      observe::log(observe::Level::warning, "meter", "usage was not drained; it stays in its log",
                   {{"error", drained.error().code}, {"reason", drained.error().message}});
      // Not at once again, however full the ring is.
      const auto rest = co_await stopping_.wait(parts_.loop.now() + drain_interval);
      if (rest == async::Wake::cancelled) co_return;
    }
  }
}

async::Task<Result<std::uint64_t>> Drainer::drain_now() {
  const Monotonic deadline = parts_.loop.now() + turn_timeout;
  while (!idle_.is_set()) {
    if (co_await idle_.wait(deadline) != async::Wake::ready) {
      co_return fail(not_now("The usage log is being drained."));
    }
  }
  idle_.reset();
  Result<std::uint64_t> drained = co_await drain();
  idle_.set();
  co_return drained;
}

async::Task<Result<std::uint64_t>> Drainer::drain() {
  std::uint64_t records = 0;
  if (!has_work()) co_return records;
  const std::uint64_t goal = parts_.log.pending().last;
  while (true) {
    CO_TRY(const Pass done, co_await pass());
    records += done.records;
    if (!done.more || done.after.next >= goal) co_return records;
  }
}

async::Task<Result<Pass>> Drainer::pass() {
  auto prepared = co_await async::run_on(
      parts_.pool, parts_.loop, [this] { return prepare(parts_.store, parts_.log, parts_.node); });
  if (!prepared) co_return fail(not_now("The pool is full."));
  CO_TRY(std::optional<Pass> found, *std::move(prepared));
  if (!found) co_return Pass{};

  async::Completion<store::CommitResult> done(parts_.loop);
  parts_.store.commit(std::move(found->batch), done.setter());
  const store::CommitResult result = co_await done;
  conclude(*found, result.status, parts_.log);
  if (result.status == store::CommitStatus::failed) co_return fail(result.error);
  if (result.status == store::CommitStatus::conflict) {
    co_return fail(not_now("Another process drains this usage log."));
  }
  // From here these records are billed, once.
  overflow_said_ = found->after.overflowed;
  say_losses(*found);
  co_return *std::move(found);
}

/// An idle server's drainer touches neither store nor disk.
bool Drainer::has_work() const {
  const UsageLog::Pending pending = parts_.log.pending();
  return pending.first != pending.last || parts_.log.overflowed() != overflow_said_;
}

void Drainer::say_losses(const Pass& pass) const {
  const auto say = [](std::string_view what, std::uint64_t before, std::uint64_t after) {
    if (after == before) return;
    observe::log(observe::Level::error, "meter", what,
                 {{"records", std::to_string(after - before)}, {"ever", std::to_string(after)}});
  };
  say("usage was lost: its log was full", pass.before.overflowed, pass.after.overflowed);
  say("usage was lost: torn records", pass.before.torn, pass.after.torn);
  say("usage was lost: records are missing", pass.before.missing, pass.after.missing);
}

async::Task<void> Drainer::stop() {
  stopping_.set();
  wake_.set();
  co_await gate_.close();
  if (auto drained = co_await drain_now(); !drained) {
    observe::log(observe::Level::warning, "meter", "the last usage stays in its log",
                 {{"reason", drained.error().message}});
  }
}

}  // namespace wolke::meter
