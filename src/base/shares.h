#pragma once
// Shares: how many may be under way at once for each name, so that one account leaves room for the
// others. Threads: any. Lifetime: outlives its seats.

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "wolke/base/guarded.h"

namespace wolke {

class Shares {
 public:
  explicit Shares(std::size_t seats_of_each) : seats_of_each_(seats_of_each) {}

  /// A place of its name's; given back when it goes.
  class Seat {
   public:
    Seat(Shares& shares, std::string name) : shares_(shares), name_(std::move(name)) {}
    ~Seat() {
      auto taken = shares_.taken_.lock();
      if (const auto own = taken->find(name_); --own->second == 0) taken->erase(own);
    }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

   private:
    Shares& shares_;
    std::string name_;
  };

  /// nullptr: all are taken.
  std::unique_ptr<Seat> take(const std::string& name) {
    auto taken = taken_.lock();
    std::size_t& count = (*taken)[name];
    if (count >= seats_of_each_) return nullptr;
    ++count;
    return std::make_unique<Seat>(*this, name);
  }

 private:
  std::size_t seats_of_each_;
  Guarded<std::map<std::string, std::size_t>> taken_;
};

}  // namespace wolke
