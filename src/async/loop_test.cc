#include "wolke/async/loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "wolke/base/fd.h"

namespace wolke::async {
namespace {

using std::chrono::milliseconds;

struct Pair {
  Fd a;
  Fd b;
};

Pair socket_pair() {
  int fds[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  return {Fd(fds[0]), Fd(fds[1])};
}

Task<int> answer() {
  co_return 42;
}

Task<int> deep(int levels) {
  if (levels == 0) co_return 0;
  co_return 1 + co_await deep(levels - 1);
}

Task<void> store_answer(Loop& loop, int& out) {
  out = co_await answer();
  loop.stop();
}

Task<void> await_many(Loop& loop, int& sum) {
  for (int i = 0; i < 200'000; ++i) sum += co_await deep(1);
  loop.stop();
}

TEST(Loop, RunsASpawnedTaskAndEndsAfterStop) {
  Loop loop;
  int out = 0;
  loop.spawn(store_answer(loop, out));
  EXPECT_EQ(out, 0) << "a task starts on the loop, not inside spawn";
  loop.run();
  EXPECT_EQ(out, 42);
}

TEST(Loop, LongChainsOfAwaitsDoNotGrowTheStack) {
  Loop loop;
  int sum = 0;
  loop.spawn(await_many(loop, sum));
  loop.run();
  EXPECT_EQ(sum, 200'000);
}

TEST(Loop, AnUnstartedTaskIsDestroyedWithTheLoop) {
  int out = 0;
  {
    Loop loop;
    loop.spawn(store_answer(loop, out));
  }
  EXPECT_EQ(out, 0);
}

Task<void> note_after(Loop& loop, milliseconds delay, int id, std::vector<int>& order,
                      std::size_t stop_at) {
  Monotonic until = loop.now() + delay;
  Wake wake = co_await loop.sleep_until(until);
  EXPECT_EQ(wake, Wake::timed_out);
  EXPECT_GE(loop.now(), until);
  order.push_back(id);
  if (order.size() == stop_at) loop.stop();
}

TEST(Loop, TimersFireInTheOrderOfTheirDeadlinesAndNotEarly) {
  Loop loop;
  std::vector<int> order;
  for (int i : {5, 1, 4, 2, 3, 0}) {
    loop.spawn(note_after(loop, milliseconds(2 * i), i, order, 6));
  }
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

Task<void> read_one(Loop& loop, int fd, Monotonic deadline, Wake& wake, std::string& got) {
  wake = co_await loop.readable(fd, deadline);
  char byte = 0;
  if (wake == Wake::ready && ::read(fd, &byte, 1) == 1) got += byte;
}

Task<void> read_twice(Loop& loop, int fd, std::string& got) {
  Wake wake = Wake::cancelled;
  co_await read_one(loop, fd, Monotonic::max(), wake, got);
  co_await read_one(loop, fd, Monotonic::max(), wake, got);
  loop.stop();
}

TEST(Loop, ADescriptorThatStillHasBytesIsReadableAgain) {
  Loop loop;
  Pair pair = socket_pair();
  ASSERT_EQ(::write(pair.b.get(), "xy", 2), 2);
  std::string got;
  loop.spawn(read_twice(loop, pair.a.get(), got));
  loop.run();
  EXPECT_EQ(got, "xy");
}

Task<void> time_out_then_read(Loop& loop, int fd, int writer, std::vector<Wake>& wakes) {
  wakes.push_back(co_await loop.readable(fd, loop.now() + milliseconds(1)));
  EXPECT_EQ(::write(writer, "z", 1), 1);
  wakes.push_back(co_await loop.readable(fd, Monotonic::max()));
  wakes.push_back(co_await loop.writable(fd, Monotonic::max()));
  loop.stop();
}

TEST(Loop, AWaitTimesOutAtItsDeadlineAndCanBeRepeated) {
  Loop loop;
  Pair pair = socket_pair();
  std::vector<Wake> wakes;
  loop.spawn(time_out_then_read(loop, pair.a.get(), pair.b.get(), wakes));
  loop.run();
  EXPECT_EQ(wakes, (std::vector{Wake::timed_out, Wake::ready, Wake::ready}));
}

Task<void> wait_hangup(Loop& loop, int fd, Wake& wake) {
  wake = co_await loop.readable(fd, Monotonic::max());
  co_await loop.sleep_for(milliseconds(3));  // the hang-up fires with nobody waiting: must not spin
  wake = co_await loop.readable(fd, Monotonic::max());
  loop.stop();
}

TEST(Loop, AHangUpIsSeenEachTimeItIsAwaited) {
  Loop loop;
  Pair pair = socket_pair();
  pair.b.reset();
  Wake wake = Wake::cancelled;
  loop.spawn(wait_hangup(loop, pair.a.get(), wake));
  loop.run();
  EXPECT_EQ(wake, Wake::ready);
}

TEST(Loop, ARegularFileIsAlwaysReady) {
  Loop loop;
  Fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file.valid());
  Wake wake = Wake::cancelled;
  std::string got;
  loop.spawn(read_one(loop, file.get(), Monotonic::max(), wake, got));
  loop.stop();
  loop.run();
  EXPECT_EQ(wake, Wake::ready);
}

Task<void> collect_wake(Loop& loop, int fd, std::vector<Wake>& wakes) {
  wakes.push_back(co_await loop.readable(fd, Monotonic::max()));
  wakes.push_back(co_await loop.sleep_until(Monotonic::max()));
}

Task<void> sleep_forever(Loop& loop, std::vector<Wake>& wakes) {
  wakes.push_back(co_await loop.sleep_until(Monotonic::max()));
}

TEST(Loop, StopCancelsEveryWaitAndThoseThatFollow) {
  Loop loop;
  Pair pair = socket_pair();
  std::vector<Wake> wakes;
  loop.spawn(collect_wake(loop, pair.a.get(), wakes));
  loop.spawn(sleep_forever(loop, wakes));
  std::thread stopper([&] { loop.post([&] { loop.stop(); }); });
  loop.run();
  stopper.join();
  EXPECT_EQ(wakes, (std::vector{Wake::cancelled, Wake::cancelled, Wake::cancelled}));
}

Task<void> forget_soon(Loop& loop, int fd) {
  co_await loop.sleep_for(milliseconds(1));
  loop.forget(fd);
  co_await loop.sleep_for(milliseconds(1));
  loop.stop();
}

TEST(Loop, ForgettingADescriptorCancelsItsWaiter) {
  Loop loop;
  Pair pair = socket_pair();
  Wake wake = Wake::ready;
  std::string got;
  loop.spawn(read_one(loop, pair.a.get(), Monotonic::max(), wake, got));
  loop.spawn(forget_soon(loop, pair.a.get()));
  loop.run();
  EXPECT_EQ(wake, Wake::cancelled);
}

TEST(Loop, WorkPostedFromAThreadRunsInOrderOnTheLoop) {
  Loop loop;
  std::vector<int> order;
  std::thread poster([&] {
    for (int i = 0; i < 1000; ++i) {
      loop.post([&, i] {
        EXPECT_TRUE(loop.on_loop_thread());
        order.push_back(i);
      });
    }
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  poster.join();
  ASSERT_EQ(order.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(Loop, WorkPostedBeforeStopIsStillRun) {
  Loop loop;
  bool ran = false;
  loop.post([&] { loop.post([&] { ran = true; }); });
  loop.stop();
  loop.run();
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace wolke::async
