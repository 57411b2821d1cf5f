#include "wolke/meter/drain.h"

#include <algorithm>
#include <map>

#include "wolke/meter/totals.h"
#include "wolke/store/keys.h"
#include "wolke/store/record.h"

namespace wolke::meter {

namespace {

struct WatermarkRecord : store::Fields {
  std::uint64_t next = 1;
  std::uint64_t overflowed = 0;
  std::uint64_t torn = 0;
  std::uint64_t missing = 0;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, next);
    v(2, overflowed);
    v(3, torn);
    v(4, missing);
  }
};

store::Key watermark_key(const std::string& node) {
  return {store::shard_of("usage-log/" + node), store::KeyBuilder("usage-log").text(node).build()};
}

struct StoredWatermark {
  Watermark watermark;
  store::Version version = 0;
};

Result<StoredWatermark> read_stored(store::Snapshot& snapshot, const store::Key& key) {
  TRY(auto found, snapshot.get(key));
  if (!found) return StoredWatermark{};
  TRY(auto record, store::decode<WatermarkRecord>(found->value, key.bytes));
  return StoredWatermark{.watermark = {.next = record.next,
                                       .overflowed = record.overflowed,
                                       .torn = record.torn,
                                       .missing = record.missing},
                         .version = found->version};
}

std::string encode_watermark(const Watermark& watermark, const store::Key& key) {
  WatermarkRecord record;
  record.next = watermark.next;
  record.overflowed = watermark.overflowed;
  record.torn = watermark.torn;
  record.missing = watermark.missing;
  return store::encode(record, key.bytes);
}

/// Sums [pass.after.next, last) into the batch and moves pass.after over them.
void sum(const UsageLog& log, std::uint64_t last, Pass& pass, const SeededBugs& bugs) {
  std::map<LineName, Totals> lines;  // names are views into the ring
  for (std::uint64_t& next = pass.after.next; next < last; ++next) {
    const UsageLog::Read read = log.read(next, bugs);
    if (read.found == UsageLog::Found::torn) {
      ++pass.after.torn;
    } else if (read.found == UsageLog::Found::missing) {
      ++pass.after.missing;
    } else {
      const UsageRecord& record = read.record;
      lines[{record.account, day_of(record.at), record.kind, record.resource}].count_in(record);
      ++pass.records;
    }
  }
  for (const auto& [name, totals] : lines) add_totals(pass.batch, name, totals);
}

}  // namespace

Result<Watermark> read_watermark(store::Snapshot& snapshot, const std::string& node) {
  TRY(auto stored, read_stored(snapshot, watermark_key(node)));
  return stored.watermark;
}

Result<std::optional<Pass>> prepare_pass(store::Snapshot& snapshot, const UsageLog& log,
                                         const std::string& node, const SeededBugs& bugs) {
  const store::Key key = watermark_key(node);
  TRY(const StoredWatermark stored, read_stored(snapshot, key));
  const UsageLog::Pending pending = log.pending();

  Pass pass{.before = stored.watermark, .after = stored.watermark};
  if (bugs.drain_from_tail) pass.after.next = pending.first;
  if (pass.after.next > pending.last) {
    return fail(internal_error("the usage log is behind its watermark"));
  }
  if (pass.after.next < pending.first) {
    // The store went back in time (a restored copy) and the ring no longer has these.
    pass.after.missing += pending.first - pass.after.next;
    pass.after.next = pending.first;
  }
  const std::uint64_t last = std::min(pending.last, pass.after.next + records_per_pass_max);
  sum(log, last, pass, bugs);
  pass.more = last < pending.last;
  if (!bugs.forget_overflow) {
    pass.after.overflowed = std::max(pass.after.overflowed, log.overflowed());
  }
  if (pass.after == pass.before) return std::nullopt;

  if (!bugs.skip_check) pass.batch.checks.push_back({key, stored.version});
  if (!bugs.keep_watermark) pass.batch.puts.push_back({key, encode_watermark(pass.after, key)});
  return pass;
}

void conclude(const Pass& pass, store::CommitStatus status, UsageLog& log, const SeededBugs& bugs) {
  if (status == store::CommitStatus::committed || bugs.release_always) log.release(pass.after.next);
}

Result<std::unique_ptr<UsageLog>> open_usage_log(store::Store& store, const std::string& path,
                                                 const std::string& node, std::size_t bytes) {
  TRY(auto snapshot, store.snapshot());
  TRY(const Watermark drained, read_watermark(*snapshot, node));
  return UsageLog::open(path, drained, bytes);
}

}  // namespace wolke::meter
