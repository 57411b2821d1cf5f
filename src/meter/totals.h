#pragma once
// Totals: what an account's resources used, per day (UTC), as counters in the store, and the query
// that reads them back for people and bills. Adds commute, so several nodes may count for one
// account.
//
// A line is one (account, day, kind, resource). Each of its numbers that is not zero is one counter
// with the key  "usage", account, day, kind, resource, field  in the account's own shard; a line's
// counters lie side by side. Pure functions over a batch or a snapshot.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/meter/usage_log.h"
#include "wolke/store/store.h"

namespace wolke::meter {

struct Totals {
  std::int64_t count = 0;
  std::int64_t errors = 0;
  std::int64_t cold_starts = 0;
  std::int64_t billed_ms = 0;
  std::int64_t memory_mb_ms = 0;  // billed milliseconds × megabytes; 1,024,000 are a GB-second
  std::int64_t duration_us = 0;
  std::int64_t bytes_in = 0;
  std::int64_t bytes_out = 0;

  void count_in(const UsageRecord& record);
  bool operator==(const Totals&) const = default;
};

std::chrono::sys_days day_of(Timestamp at);

/// Adds a line's numbers that are not zero.
struct LineName {
  std::string_view account;
  std::chrono::sys_days day;
  Kind kind = Kind::invocation;
  std::string_view resource;
  auto operator<=>(const LineName&) const = default;
};
void add_totals(store::Batch& batch, const LineName& name, const Totals& totals);
/// At most so many adds for a line.
inline constexpr std::size_t fields_per_line = 8;

struct UsageLine {
  std::chrono::sys_days day;
  Kind kind = Kind::invocation;
  std::string resource;  // <function ARN>:<version> or <service>:<operation>
  Totals totals;
};

struct UsageQuery {
  std::string account;
  std::chrono::sys_days from;
  std::chrono::sys_days to;  // inclusive
  std::size_t lines_max = 1000;
  std::string after = {};  // UsagePage::next of the page before
};

struct UsagePage {
  std::vector<UsageLine> lines;  // by day, kind, resource
  std::string next;              // empty: that was all
};

/// Errors: "Corrupt" when a key or value below the account's usage is none of ours; the engine's.
Result<UsagePage> usage(store::Snapshot& snapshot, const UsageQuery& query);

}  // namespace wolke::meter
