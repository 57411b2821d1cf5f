#include "wolke/async/pool.h"

#include <condition_variable>
#include <deque>
#include <thread>
#include <vector>

namespace wolke::async {

struct Pool::State {
  struct Queue {
    std::deque<std::function<void()>> work;
    bool closing = false;
  };
  Guarded<Queue> queue;
  std::condition_variable changed;
  std::size_t queue_max = 0;
  std::vector<std::thread> threads;

  void run();
};

void Pool::State::run() {
  for (;;) {
    std::function<void()> work;
    {
      auto locked = queue.lock();
      changed.wait(locked.native(), [&] { return locked->closing || !locked->work.empty(); });
      if (locked->work.empty()) return;
      work = std::move(locked->work.front());
      locked->work.pop_front();
    }
    work();
  }
}

Pool::Pool(unsigned threads, std::size_t queue_max) : state_(std::make_unique<State>()) {
  ASSERT(threads > 0);
  state_->queue_max = queue_max;
  for (unsigned i = 0; i < threads; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->run(); });
  }
}

Pool::~Pool() {
  state_->queue.lock()->closing = true;
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

bool Pool::submit(std::function<void()> work) {
  {
    auto locked = state_->queue.lock();
    if (locked->closing || locked->work.size() >= state_->queue_max) return false;
    locked->work.push_back(std::move(work));
  }
  state_->changed.notify_one();
  return true;
}

}  // namespace wolke::async
