#pragma once
// Where events are, by their ids. Ids have no index, for they would cost every event a write that
// only people need: the ranges of an account (or of one function) are read, at most
// searched_records_max of them. Reads a snapshot only; pool threads.

#include <map>
#include <optional>
#include <set>
#include <string>

#include "wolke/deliver/records.h"
#include "wolke/store/store.h"

namespace wolke::deliver {

inline constexpr std::size_t searched_records_max = 200'000;

struct Search {
  std::string account;
  std::string function_arn;  // unqualified; empty: all functions of the account
  std::set<std::string> ids;
};

struct Located {
  Delivery delivery;                    // of an ended one: what it was
  std::optional<TerminalRecord> ended;  // nullopt: pending
};

/// By id; those of another account and those that are not there are left out. Error:
/// "TooManyEvents" where more would have to be read.
Result<std::map<std::string, Located>> find_events(store::Snapshot& snapshot, const Search& search);

}  // namespace wolke::deliver
