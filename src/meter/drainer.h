#pragma once
// Drainer: moves usage from the ring into the store's totals, every second, when the ring is half
// full, and on demand. record() is the warm path's call: it appends and never waits. Reading and
// summing run on the pool, the commit on the store's writer; the loop only waits.
//
// Threads: everything on the loop. Lifetime: the parts outlive the drainer; stop() before it is
// destroyed. Failure: a failed pass leaves its records in the ring and is tried again a second
// later; what the ring lost (full, torn) is counted in the watermark and said in the log.

#include <chrono>
#include <cstdint>
#include <string>

#include "wolke/async/event.h"
#include "wolke/async/gate.h"
#include "wolke/async/loop.h"
#include "wolke/async/pool.h"
#include "wolke/meter/drain.h"
#include "wolke/meter/usage_log.h"
#include "wolke/store/store.h"

namespace wolke::meter {

inline constexpr auto drain_interval = std::chrono::seconds(1);

class Drainer {
 public:
  struct Parts {
    async::Loop& loop;
    async::Pool& pool;
    store::Store& store;
    UsageLog& log;
    std::string node = "local";
  };
  explicit Drainer(Parts parts);
  Drainer(const Drainer&) = delete;
  Drainer& operator=(const Drainer&) = delete;

  /// The warm path: no lock, no system call.
  void record(const UsageRecord& usage) {
    if (parts_.log.append(usage) != Appended::stored) wake_.set();
  }

  void start();
  /// Everything appended before the call is in the totals when this is good. Gives the records
  /// counted.
  async::Task<Result<std::uint64_t>> drain_now();
  /// Ends the loop and drains once more; what cannot be drained stays in the ring for the next
  /// start.
  async::Task<void> stop();

 private:
  async::Task<void> run();
  async::Task<Result<std::uint64_t>> drain();
  async::Task<Result<Pass>> pass();
  bool has_work() const;
  void say_losses(const Pass& pass) const;

  Parts parts_;
  async::Event wake_;
  async::Event stopping_;
  async::Event idle_;  // set while no drain() runs
  async::Gate gate_;
  std::uint64_t overflow_said_ = 0;
};

}  // namespace wolke::meter
