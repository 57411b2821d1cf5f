#pragma once
// One pass of the drainer, as plain functions: prepare_pass() reads the watermark, sums the records
// from there on and makes ONE batch of the totals, the new watermark and a check on the old one;
// conclude() lets the ring forget what is committed. Whatever happens in between (a failed commit,
// one whose outcome is unknown, a kill), the next pass starts at what the store says, so each
// record counts once.
//
// Threads: one pass at a time over a log; any thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "wolke/meter/usage_log.h"
#include "wolke/store/store.h"

namespace wolke::meter {

/// Totals of one pass fit into one batch of the store (20,000 entries).
inline constexpr std::uint64_t records_per_pass_max = 2048;

struct Pass {
  store::Batch batch;
  Watermark before;
  Watermark after;
  std::uint64_t records = 0;
  bool more = false;  // the ring holds further records
};

Result<Watermark> read_watermark(store::Snapshot& snapshot, const std::string& node);

/// nullopt: nothing to drain. `node` names the log's owner; each has its own watermark.
Result<std::optional<Pass>> prepare_pass(store::Snapshot& snapshot, const UsageLog& log,
                                         const std::string& node, const SeededBugs& bugs = {});

void conclude(const Pass& pass, store::CommitStatus status, UsageLog& log,
              const SeededBugs& bugs = {});

/// Opens the log at the place that the store knows. Blocks; for start-up.
Result<std::unique_ptr<UsageLog>> open_usage_log(store::Store& store, const std::string& path,
                                                 const std::string& node,
                                                 std::size_t bytes = UsageLog::bytes_default);

}  // namespace wolke::meter
