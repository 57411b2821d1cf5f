#pragma once
// The engines under test, each opened fresh. Included by tests only.

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/store/cipher.h"
#include "wolke/store/engines.h"

namespace wolke::store {

/// A new directory under the system's temporary one, removed with all it holds.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wolke-store-XXXXXX").string();
    ASSERT(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline Keyring keys_for_test(char seed = 'k') {
  return Keyring(std::string(cipher_key_bytes, seed));
}

struct OpenedStore {
  TemporaryDirectory directory;
  std::unique_ptr<Store> store;
  /// Returns when hints of commits that were acknowledged have run.
  void settle() { commit_and_wait(*store, {.checks = {{{0, "settle"}, 0}}}); }
};

struct TestEngine {
  std::string name;
  std::function<std::unique_ptr<OpenedStore>()> open;
};

inline std::vector<TestEngine> test_engines() {
  const auto memory = [] {
    auto opened = std::make_unique<OpenedStore>();
    opened->store = open_memory_store();
    return opened;
  };
  const auto sqlite = [] {
    auto opened = std::make_unique<OpenedStore>();
    auto store = open_sqlite_store(system_env(),
                                   {.directory = opened->directory.path(), .lock_note = "test"});
    ASSERT(store);
    opened->store = *std::move(store);
    return opened;
  };
  return {{"memory", memory}, {"sqlite", sqlite}};
}

}  // namespace wolke::store
