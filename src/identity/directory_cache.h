#pragma once
// GenerationCache: values that are valid until anything in IAM changes. invalidate() is called from
// the store's watch; a value is stored under the generation that was current before it was read, so
// one that was read while a change was on its way is never used. Bounded: a full cache is emptied.
// Threads: any.

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "wolke/base/guarded.h"

namespace wolke::identity {

class Generation {
 public:
  std::uint64_t current() const { return value_.load(std::memory_order_acquire); }
  void advance() { value_.fetch_add(1, std::memory_order_acq_rel); }

 private:
  std::atomic<std::uint64_t> value_{1};
};

template <class T>
class GenerationCache {
 public:
  explicit GenerationCache(std::size_t entries_max) : entries_max_(entries_max) {}

  std::optional<T> find(const std::string& key, std::uint64_t generation) {
    auto entries = entries_.lock();
    if (auto it = entries->find(key); it != entries->end() && it->second.first == generation) {
      return it->second.second;
    }
    return std::nullopt;
  }
  void store(std::string key, std::uint64_t generation, T value) {
    auto entries = entries_.lock();
    if (entries->size() >= entries_max_) entries->clear();
    entries->insert_or_assign(std::move(key), std::make_pair(generation, std::move(value)));
  }

 private:
  std::size_t entries_max_;
  Guarded<std::map<std::string, std::pair<std::uint64_t, T>>> entries_;
};

}  // namespace wolke::identity
