#pragma once
// Deliverer: brings pending events to their target. It wakes on the store's hints and on due times,
// loads a window (schedule.h), attempts through the Target port, and commits what the automaton
// decided. From that commit on the event is at its next place; before it, a crash means one more
// attempt. So: at least one attempt, exactly one terminal record.
//
// Threads: one loop; scans run on the pool. Lifetime: the target, store and pool outlive it; await
// stop() before destroying it. Failure: a commit that fails is tried again, for the attempt has
// happened; nothing is forgotten.

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "wolke/async/event.h"
#include "wolke/async/gate.h"
#include "wolke/async/loop.h"
#include "wolke/async/pool.h"
#include "wolke/base/env.h"
#include "wolke/deliver/cancel.h"
#include "wolke/deliver/schedule.h"
#include "wolke/store/store.h"

namespace wolke::deliver {

/// What runs an event. Implemented by the Lambda service.
class Target {
 public:
  virtual ~Target() = default;
  /// `age` is the event's; a target with a shorter maximum age answers expired.
  virtual async::Task<Attempt> attempt(Event event, Millis age) = 0;
};

/// Terminal records are kept this long.
inline constexpr Millis history_kept = std::chrono::days(14);

class Deliverer {
 public:
  struct Ports {
    Env env;
    store::Store& store;
    async::Pool& pool;
    async::Loop& loop;
    Target& target;
  };
  Deliverer(Ports ports, ScheduleOptions options);
  ~Deliverer();
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;

  /// Spawns the work on the loop. Call once, on the loop's thread.
  void start();
  /// When it ends, what it calls cancelled is not attempted again. On the loop. Errors:
  /// find_events', the store's, "ServiceUnavailable" while stopping or overloaded.
  async::Task<Result<CancelOutcomes>> cancel(CancelRequest request);
  /// No new attempts from here. Then stop the target: attempts that it cuts short are not recorded,
  /// and made again by the next start.
  void close();
  /// Ends when the attempts under way have ended.
  async::Task<void> stop();

 private:
  async::Task<void> run(async::Gate::Holder holder);
  async::Task<void> sweep_regularly(async::Gate::Holder holder);
  async::Task<void> attempt(Delivery delivery, async::Gate::Holder holder);
  async::Task<bool> fill();
  async::Task<bool> commit(store::Batch batch);
  async::Task<Result<CancelOutcomes>> cancel_held(const CancelRequest& request);
  async::Task<bool> complete_payload(Delivery& delivery);
  Monotonic wake_at() const;
  void start_attempts();

  Ports ports_;
  Schedule schedule_;
  async::Event wake_;
  async::Event closing_;
  async::Gate gate_;
  std::atomic<std::uint32_t> hinted_{0};  // a bit per lane; set on the writer's thread
  std::array<std::uint64_t, lane_count> watches_{};
};

}  // namespace wolke::deliver
