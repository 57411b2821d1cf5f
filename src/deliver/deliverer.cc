#include "wolke/deliver/deliverer.h"

#include "wolke/deliver/destination.h"
#include "wolke/deliver/events.h"
#include "wolke/observe/log.h"

namespace wolke::deliver {
namespace {

constexpr auto commit_retry_delay = std::chrono::seconds(1);
constexpr auto sweep_interval = std::chrono::hours(1);
/// Wall time may jump; due times are looked at again at least this often.
constexpr auto longest_wait = std::chrono::seconds(30);
constexpr int cancel_tries_max = 8;

using LoadResult = Result<std::vector<Loaded>>;

LoadResult load_all(store::Store& store, const std::vector<LoadPlan>& plans) {
  TRY(auto snapshot, store.snapshot());
  std::vector<Loaded> out;
  for (const LoadPlan& plan : plans) {
    TRY(auto loaded, load(*snapshot, plan));
    out.push_back(std::move(loaded));
  }
  return out;
}

Error unavailable(std::string why) {
  return {"ServiceUnavailable", 503, std::move(why)};
}

double unit(Random& random) {
  return static_cast<double>(random.below(1'000'000)) / 1e6;
}

}  // namespace

Deliverer::Deliverer(Ports ports, ScheduleOptions options)
    : ports_(ports), schedule_(options), wake_(ports.loop), closing_(ports.loop) {}

Deliverer::~Deliverer() = default;

void Deliverer::start() {
  for (Lane lane = 0; lane < lane_count; ++lane) {
    watches_[lane] = ports_.store.watch(inbox_watch_prefix(lane), [this, lane] {
      // Only the first hint since the last look needs to wake the loop.
      if (hinted_.fetch_or(1U << lane) == 0) {
        ports_.loop.post([this] { wake_.set(); });
      }
    });
  }
  schedule_.mark_all();
  ports_.loop.spawn(run(gate_.enter()));
  ports_.loop.spawn(sweep_regularly(gate_.enter()));
}

void Deliverer::close() {
  closing_.set();
  wake_.set();
}

async::Task<void> Deliverer::stop() {
  close();
  co_await gate_.close();
  for (std::uint64_t token : watches_) ports_.store.unwatch(token);
}

async::Task<void> Deliverer::run(async::Gate::Holder holder) {
  if (!holder) co_return;
  while (!closing_.is_set() && !ports_.loop.stopping()) {
    wake_.reset();
    const std::uint32_t hints = hinted_.exchange(0);
    for (Lane lane = 0; lane < lane_count; ++lane) {
      if (hints & (1U << lane)) schedule_.mark(lane);
    }
    const bool progress = co_await fill();
    start_attempts();
    if (progress) continue;
    co_await wake_.wait(wake_at());
  }
}

/// Loads what is new; true when there was something.
async::Task<bool> Deliverer::fill() {
  std::vector<LoadPlan> plans = schedule_.plans(ports_.env.clock.wall());
  if (plans.empty()) co_return false;
  std::optional<LoadResult> loaded =
      co_await async::run_on(ports_.pool, ports_.loop,
                             [store = &ports_.store, &plans] { return load_all(*store, plans); });
  if (!loaded || !*loaded) {
    // Overload or a sick disk: look again a little later.
    if (loaded)
      observe::log(observe::Level::error, "deliver", "reading events failed",
                   {{"error", loaded->error().message}});
    for (const LoadPlan& plan : plans) schedule_.mark(plan.lane);
    co_await closing_.wait(ports_.loop.now() + commit_retry_delay);
    co_return !closing_.is_set();
  }
  std::size_t added = 0;
  for (Loaded& lane : **loaded) added += schedule_.merge(std::move(lane));
  co_return added > 0;
}

void Deliverer::start_attempts() {
  while (!closing_.is_set()) {
    std::optional<Delivery> next = schedule_.take();
    if (!next) return;
    ports_.loop.spawn(attempt(*std::move(next), gate_.enter()));
  }
}

async::Task<void> Deliverer::attempt(Delivery delivery, async::Gate::Holder holder) {
  Attempt result;
  if (!co_await complete_payload(delivery)) {
    result.outcome = Outcome::server_error;
    result.reason = "the event's payload could not be read";
  } else {
    const Timestamp started = ports_.env.clock.wall();
    result = co_await ports_.target.attempt(event_of(delivery.record),
                                            started - delivery.record.enqueued);
  }
  // A target that is being stopped fails its calls; that says nothing about the event.
  const bool stopping = closing_.is_set() || ports_.loop.stopping();
  if (!holder || (stopping && result.outcome != Outcome::succeeded)) co_return;

  const Timestamp now = ports_.env.clock.wall();
  const Step step = after_attempt(state_of(delivery.record), result, now, unit(ports_.env.random));
  store::Batch batch = settle(delivery, step, now);
  add_destination(batch, delivery, result, step, now, ports_.env.random.uuid());
  const bool recorded = co_await commit(std::move(batch));
  if (!recorded) co_return;
  const bool again = step.terminal == Terminal::pending;
  schedule_.settled(delivery, result, again ? std::optional(step.next_attempt) : std::nullopt);
  wake_.set();
}

async::Task<bool> Deliverer::complete_payload(Delivery& delivery) {
  if (delivery.record.payload_parts == 0) co_return true;
  auto done = co_await async::run_on(ports_.pool, ports_.loop,
                                     [store = &ports_.store, &delivery]() -> Result<void> {
                                       TRY(auto snapshot, store->snapshot());
                                       return load_payload(*snapshot, delivery);
                                     });
  co_return done.has_value() && done->has_value();
}

/// True when the event is at its new place (or somebody else moved it); false when we stop before
/// that.
async::Task<bool> Deliverer::commit(store::Batch batch) {
  while (true) {
    async::Completion<store::CommitResult> done(ports_.loop);
    ports_.store.commit(batch, done.setter());
    const store::CommitResult result = co_await done;
    if (result.status == store::CommitStatus::committed) co_return true;
    if (result.status == store::CommitStatus::conflict) {
      observe::log(observe::Level::warning, "deliver", "an event was settled by somebody else");
      co_return true;
    }
    observe::log(observe::Level::error, "deliver", "an outcome could not be recorded; trying again",
                 {{"error", result.error.message}});
    if (closing_.is_set()) co_return false;
    if (co_await closing_.wait(ports_.loop.now() + commit_retry_delay) != async::Wake::timed_out)
      co_return false;
  }
}

async::Task<Result<CancelOutcomes>> Deliverer::cancel(CancelRequest request) {
  const async::Gate::Holder holder = gate_.enter();
  if (!holder) co_return fail(unavailable("the server is stopping"));
  // From here until release() none of them starts.
  schedule_.hold(request.events.ids);
  Result<CancelOutcomes> out = co_await cancel_held(request);
  schedule_.release(request.events.ids);
  wake_.set();
  co_return out;
}

async::Task<Result<CancelOutcomes>> Deliverer::cancel_held(const CancelRequest& request) {
  for (int tries = 0; tries < cancel_tries_max; ++tries) {
    auto found = co_await async::run_on(
        ports_.pool, ports_.loop,
        [store = &ports_.store, &request]() -> Result<std::map<std::string, Located>> {
          TRY(auto snapshot, store->snapshot());
          return find_events(*snapshot, request.events);
        });
    if (!found) co_return fail(unavailable("the server is overloaded"));
    if (!*found) co_return fail(found->error());
    CancelOutcomes outcomes;
    store::Batch batch = deliver::cancel(**found, request, ports_.env.clock.wall(), outcomes);
    if (batch.writes_nothing()) co_return outcomes;
    async::Completion<store::CommitResult> done(ports_.loop);
    ports_.store.commit(std::move(batch), done.setter());
    const store::CommitResult result = co_await done;
    if (result.status == store::CommitStatus::failed) co_return fail(result.error);
    // An attempt ended meanwhile and moved its event: look again where it is.
    if (result.status == store::CommitStatus::conflict) continue;
    std::set<std::string> cancelled;
    for (auto& [id, outcome] : outcomes) {
      if (outcome.what != CancelOutcome::What::cancelled) continue;
      const Delivery& delivery = (*found)->at(id).delivery;
      outcome.under_way = schedule_.is_under_way(delivery.function, delivery.place.key.bytes);
      cancelled.insert(id);
    }
    schedule_.drop(cancelled);
    co_return outcomes;
  }
  co_return fail(unavailable("the events are being moved too fast; try again"));
}

async::Task<void> Deliverer::sweep_regularly(async::Gate::Holder holder) {
  if (!holder) co_return;
  while (!closing_.is_set()) {
    const Timestamp before = ports_.env.clock.wall() - history_kept;
    co_await async::run_on(ports_.pool, ports_.loop, [store = &ports_.store, before] {
      return sweep_events(*store, before).has_value();
    });
    if (co_await closing_.wait(ports_.loop.now() + sweep_interval) == async::Wake::cancelled)
      co_return;
  }
}

Monotonic Deliverer::wake_at() const {
  const Monotonic now = ports_.loop.now();
  const auto due = schedule_.next_due();
  if (!due) return now + longest_wait;
  const Millis ahead = *due - ports_.env.clock.wall();
  return now + std::clamp<std::chrono::nanoseconds>(ahead, Millis(1), longest_wait);
}

}  // namespace wolke::deliver
