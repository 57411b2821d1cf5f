#pragma once
// The engines under test, each opened fresh. Included by tests only.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wolke/store/engines.h"

namespace wolke::store {

struct OpenedStore {
  virtual ~OpenedStore() = default;
  std::unique_ptr<Store> store;
  /// Returns when hints of commits that were acknowledged have run.
  void settle() { commit_and_wait(*store, {.checks = {{{0, "settle"}, 0}}}); }
};

struct TestEngine {
  std::string name;
  std::function<std::unique_ptr<OpenedStore>()> open;
};

inline std::vector<TestEngine> test_engines() {
  return {{"memory", [] {
             auto opened = std::make_unique<OpenedStore>();
             opened->store = open_memory_store();
             return opened;
           }}};
}

}  // namespace wolke::store
