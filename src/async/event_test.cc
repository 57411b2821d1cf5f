#include "wolke/async/event.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "wolke/async/gate.h"
#include "wolke/async/pool.h"

namespace wolke::async {
namespace {

using std::chrono::milliseconds;

Task<void> wait_for(Event& event, Monotonic deadline, std::vector<Wake>& wakes) {
  wakes.push_back(co_await event.wait(deadline));
}

Task<void> set_then_stop(Loop& loop, Event& event) {
  co_await loop.sleep_for(milliseconds(1));
  event.set();
  co_await loop.sleep_for(milliseconds(1));
  loop.stop();
}

TEST(Event, SetWakesAllWaitersAndLaterOnesFindItSet) {
  Loop loop;
  Event event(loop);
  std::vector<Wake> wakes;
  loop.spawn(wait_for(event, Monotonic::max(), wakes));
  loop.spawn(wait_for(event, Monotonic::max(), wakes));
  loop.spawn(set_then_stop(loop, event));
  loop.run();
  EXPECT_EQ(wakes, (std::vector{Wake::ready, Wake::ready}));
  EXPECT_TRUE(event.is_set());
  event.reset();
  EXPECT_FALSE(event.is_set());
}

Task<void> time_out_then_wait(Loop& loop, Event& event, std::vector<Wake>& wakes) {
  wakes.push_back(co_await event.wait(loop.now() + milliseconds(1)));
  event.set();  // the waiter that timed out has left the list: nothing is woken twice
  wakes.push_back(co_await event.wait(loop.now()));
  event.reset();
  loop.stop();
  wakes.push_back(co_await event.wait(Monotonic::max()));
}

TEST(Event, AWaitTimesOutIsReadyWhenSetAndIsCancelledAtStop) {
  Loop loop;
  Event event(loop);
  std::vector<Wake> wakes;
  loop.spawn(time_out_then_wait(loop, event, wakes));
  loop.run();
  EXPECT_EQ(wakes, (std::vector{Wake::timed_out, Wake::ready, Wake::cancelled}));
}

Task<void> work_inside(Loop& loop, Gate& gate, milliseconds time, int& done) {
  auto inside = gate.enter();
  EXPECT_TRUE(inside);
  co_await loop.sleep_for(time);
  ++done;
}

Task<void> close_gate(Loop& loop, Gate& gate, int& done) {
  co_await loop.sleep_for(milliseconds(1));
  EXPECT_EQ(gate.inside(), 2U);
  co_await gate.close();
  EXPECT_EQ(done, 2);
  EXPECT_FALSE(gate.enter());
  loop.stop();
}

TEST(Gate, CloseWaitsForAllWhoEnteredAndRefusesNewOnes) {
  Loop loop;
  Gate gate;
  int done = 0;
  loop.spawn(work_inside(loop, gate, milliseconds(2), done));
  loop.spawn(work_inside(loop, gate, milliseconds(5), done));
  loop.spawn(close_gate(loop, gate, done));
  loop.run();
  EXPECT_EQ(done, 2);
}

Task<void> close_empty(Loop& loop, Gate& gate) {
  co_await gate.close();
  loop.stop();
}

TEST(Gate, ClosingAnEmptyGateEndsAtOnce) {
  Loop loop;
  Gate gate;
  loop.spawn(close_empty(loop, gate));
  loop.run();
  EXPECT_TRUE(gate.closing());
}

int square(int x) {
  return x * x;
}

Task<void> compute(Loop& loop, Pool& pool, int& sum, int& left) {
  for (int i = 0; i < 100; ++i) {
    std::optional<int> out = co_await run_on(pool, loop, [i] { return square(i); });
    EXPECT_TRUE(out.has_value());
    sum += out.value_or(0);
  }
  if (--left == 0) loop.stop();
}

TEST(Pool, ResultsComeBackToTheLoop) {
  Loop loop;
  Pool pool(2, 64);
  int sum = 0;
  int left = 4;
  for (int i = 0; i < 4; ++i) loop.spawn(compute(loop, pool, sum, left));
  loop.run();
  EXPECT_EQ(sum, 4 * 328'350);
}

TEST(Pool, AFullQueueRefusesAndTheDestructorRunsWhatIsQueued) {
  std::atomic<int> ran = 0;
  {
    std::latch started(1);
    std::latch release(1);
    Pool pool(1, 2);
    ASSERT_TRUE(pool.submit([&] {
      started.count_down();
      release.wait();
      ++ran;
    }));
    started.wait();
    EXPECT_TRUE(pool.submit([&] { ++ran; }));
    EXPECT_TRUE(pool.submit([&] { ++ran; }));
    EXPECT_FALSE(pool.submit([&] { ++ran; }));
    release.count_down();
  }
  EXPECT_EQ(ran, 3);
}

Task<void> await_refused(Loop& loop, Pool& pool, bool& refused) {
  refused = !(co_await run_on(pool, loop, [] { return 1; })).has_value();
  loop.stop();
}

TEST(Pool, RunOnSaysNulloptWhenThePoolIsFull) {
  Loop loop;
  Pool pool(1, 0);
  bool refused = false;
  loop.spawn(await_refused(loop, pool, refused));
  loop.run();
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace wolke::async
