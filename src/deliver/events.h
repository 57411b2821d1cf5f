#pragma once
// What became of events, for people: pending ones and the terminal records of the last 14 days.
// Reads a snapshot only.

#include <cstddef>
#include <string>
#include <vector>

#include "wolke/deliver/delivery.h"
#include "wolke/store/store.h"

namespace wolke::deliver {

struct EventFilter {
  std::string account;           // required: events of one account
  std::string function_arn;      // unqualified; empty: all functions
  bool failed_only = false;      // all that did not succeed
  bool replayable_only = false;  // of those, neither cancelled nor replayed
  std::size_t limit = 100;
};

/// Newest first, payloads left out.
Result<std::vector<EventStatus>> list_events(store::Snapshot& snapshot, const EventFilter& filter);

/// Removes terminal records that finished before `before`, with the payloads they kept. Blocks;
/// pool threads only.
Result<std::size_t> sweep_events(store::Store& store, Timestamp before);

}  // namespace wolke::deliver
