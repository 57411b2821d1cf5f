#pragma once
// Who wants a hint after which keys were touched: the watch() half of both engines. A key's
// watchers are found by walking down its prefixes in one ordered map, so the cost does not grow
// with the number of watchers.
//
// Threads: all functions from any thread. After remove() has returned the hint is not running
// (unless remove() was called from that hint itself) and will not run again. A hint may call
// anything, watch and unwatch included.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/guarded.h"
#include "wolke/store/store.h"

namespace wolke::store {

class Watchers {
 public:
  std::uint64_t add(std::string prefix, std::function<void()> hint);
  void remove(std::uint64_t token);
  /// Collects the watchers of every key that `batch` touches. Cheap when nobody watches.
  class Touched;
  void touch(const Batch& batch, Touched& touched);
  /// Calls each collected hint once.
  static void call(Touched& touched);

 private:
  struct Watcher {
    std::string prefix;
    std::function<void()> hint;
    // Held while the hint runs; recursive because the hint may remove itself or commit again.
    std::recursive_mutex running;
    bool removed = false;
  };
  // Shared by the map and a call in progress.
  using Shared = std::shared_ptr<Watcher>;
  struct State {
    std::map<std::string, std::map<std::uint64_t, Shared>, std::less<>> by_prefix;
    std::map<std::uint64_t, Shared> by_token;
    std::uint64_t next_token = 1;
  };
  static void touch_key(const State& state, std::string_view key, Touched& touched);

  Guarded<State> state_;
};

class Watchers::Touched {
  friend class Watchers;
  std::map<std::uint64_t, Shared> watchers_;
};

}  // namespace wolke::store
