#include "wolke/services/lambda/retirement.h"

#include "wolke/observe/log.h"
#include "wolke/services/lambda/state.h"

namespace wolke::lambda {

namespace {

/// Longer than a call may take from its function's resolution to its instance's start.
constexpr auto second_look_after = std::chrono::seconds(3);
constexpr auto longest_wait = std::chrono::hours(1);

using Spec = std::shared_ptr<const invoke::FunctionSpec>;  // shared with its instances

Result<bool> is_stale(store::Tx& tx, const invoke::FunctionSpec& spec) {
  const FunctionRef ref{spec.account, spec.region, spec.name, spec.version};
  const auto function = get_function(tx, ref);
  if (!function && function.error().status == 404) return true;
  if (!function) return fail(function.error());
  const auto version = get_version(tx, ref, *function);
  if (!version && version.error().status == 404) return true;
  if (!version) return fail(version.error());
  return version->revision != spec.revision;
}

Result<std::vector<Spec>> stale_ones(store::Store& store, const std::vector<Spec>& running) {
  TRY(auto snapshot, store.snapshot());
  store::Tx tx(*snapshot);
  std::vector<Spec> out;
  for (const Spec& spec : running) {
    TRY(const bool stale, is_stale(tx, *spec));
    if (stale) out.push_back(spec);
  }
  return out;
}

}  // namespace

Retirement::Retirement(Lambda& service)
    : service_(service), wake_(service.parts.runner.loop), closing_(service.parts.runner.loop) {}

void Retirement::start() {
  watch_ = service_.parts.runner.store.watch(std::string(watch_prefix), [this] {
    // Only the first hint since the last look needs to wake the loop.
    if (!hinted_.exchange(true)) service_.parts.runner.loop.post([this] { wake_.set(); });
  });
  service_.parts.runner.loop.spawn(run(gate_.enter()));
}

async::Task<void> Retirement::stop() {
  closing_.set();
  wake_.set();
  co_await gate_.close();
  service_.parts.runner.store.unwatch(watch_);
}

async::Task<void> Retirement::run(async::Gate::Holder holder) {
  if (!holder) co_return;
  async::Loop& loop = service_.parts.runner.loop;
  auto limit = std::chrono::seconds(longest_wait);
  while (!closing_.is_set()) {
    const async::Wake woken = co_await wake_.wait(loop.now() + limit);
    if (woken == async::Wake::cancelled || closing_.is_set()) co_return;
    wake_.reset();
    hinted_ = false;
    co_await look();
    limit = woken == async::Wake::ready ? second_look_after : longest_wait;
  }
}

async::Task<void> Retirement::look() {
  const std::vector<Spec> running = service_.parts.invoker.running();
  if (running.empty()) co_return;
  auto found = co_await async::run_on(
      service_.parts.runner.pool, service_.parts.runner.loop,
      [this, &running] { return stale_ones(service_.parts.runner.store, running); });
  if (!found) co_return;  // the pool is full: the second look is near
  if (!*found) {
    observe::log(observe::Level::warning, "lambda", "old instances were not looked for",
                 {{"error", found->error().message}});
    co_return;
  }
  for (const Spec& spec : **found) service_.parts.invoker.retire(*spec);
}

}  // namespace wolke::lambda
