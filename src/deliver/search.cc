#include "wolke/deliver/search.h"

#include <fmt/format.h>

#include "wolke/base/text.h"
#include "wolke/store/keys.h"

namespace wolke::deliver {
namespace {

constexpr std::size_t account_part = 4;  // arn:aws:lambda:REGION:ACCOUNT:function:NAME

class Finder {
 public:
  Finder(store::Snapshot& snapshot, const Search& search) : snapshot_(snapshot), search_(search) {}

  Result<void> read(std::string_view table, Lane lane) {
    std::string prefix = lane_prefix(table, lane);
    if (!search_.function_arn.empty()) {
      prefix = store::KeyBuilder(table).number(lane).text(search_.function_arn).build();
    }
    store::Scan scan;
    scan.shard = shard_of_lane(lane);
    scan.begin = prefix;
    scan.end = store::prefix_end(prefix);
    scan.reverse = true;  // the newest are asked for most
    while (!all_found()) {
      TRY(auto page, snapshot_.scan(scan));
      std::string skip;
      for (const store::Record& record : page.records) {
        TRY(const bool own, look(table, lane, record));
        if (own) continue;
        skip = record.key;
        break;
      }
      if (!skip.empty()) {
        // Another account's function: its range is passed over whole.
        const std::string function = function_of_key(skip).value_or("");
        scan.end = store::KeyBuilder(table).number(lane).text(function).build();
        continue;
      }
      if (!page.more || page.records.empty()) return {};
      scan.end = page.records.back().key;
    }
    return {};
  }

  bool all_found() const { return found_.size() == search_.ids.size(); }
  std::map<std::string, Located> take() { return std::move(found_); }

 private:
  /// False: it is not of the account.
  Result<bool> look(std::string_view table, Lane lane, const store::Record& record) {
    if (++read_ > searched_records_max) {
      return fail(Error{"TooManyEvents", 400,
                        fmt::format("More than {} events would have to be read to find these; name "
                                    "their function.",
                                    searched_records_max)});
    }
    const auto function = function_of_key(record.key);
    if (!function) return fail(internal_error("a delivery's key has an unknown form"));
    const auto parts = split(*function, ':');
    if (parts.size() > account_part && parts[account_part] != search_.account) return false;
    Located found;
    found.delivery.place = {{shard_of_lane(lane), record.key}, record.version};
    found.delivery.lane = lane;
    found.delivery.function = *function;
    if (table == "deliver.done") {
      TRY(found.ended, store::decode<TerminalRecord>(record.value, done_prefix(lane, *function)));
      found.delivery.record = found.ended->event;
    } else {
      const std::string bound = table == "deliver.due" ? record.key : inbox_prefix(lane, *function);
      TRY(found.delivery.record, store::decode<PendingRecord>(record.value, bound));
    }
    const std::string id = found.delivery.record.id;
    if (found.delivery.record.account == search_.account && search_.ids.contains(id)) {
      found_.insert_or_assign(id, std::move(found));
    }
    return true;
  }

  store::Snapshot& snapshot_;
  const Search& search_;
  std::map<std::string, Located> found_;
  std::size_t read_ = 0;
};

}  // namespace

Result<std::map<std::string, Located>> find_events(store::Snapshot& snapshot,
                                                   const Search& search) {
  Finder finder(snapshot, search);
  // Pending ones first: they are fewer.
  for (std::string_view table : {"deliver.inbox", "deliver.due", "deliver.done"}) {
    for (Lane lane = 0; lane < lane_count && !finder.all_found(); ++lane) {
      if (!search.function_arn.empty() && lane != lane_of(search.function_arn)) continue;
      TRY(finder.read(table, lane));
    }
  }
  return finder.take();
}

}  // namespace wolke::deliver
