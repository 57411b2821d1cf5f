#pragma once
// Cancelling pending events: each ends in a terminal record of its own, cancelled, with its payload
// kept, so it can be replayed. Pure but for the snapshot it is given.
//
// An attempt that is under way is not stopped; it ends unrecorded, for its settlement finds the
// event moved. What was acknowledged as cancelled is not attempted again.

#include <map>
#include <set>
#include <string>

#include "wolke/deliver/search.h"

namespace wolke::deliver {

struct CancelRequest {
  Search events;
  std::string by;  // ARN of who asks, for the record
};

struct CancelOutcome {
  enum class What { cancelled, ended_before, unknown };
  What what = What::unknown;
  Terminal terminal = Terminal::pending;  // how it had ended before
  bool under_way = false;                 // an attempt was
};

using CancelOutcomes = std::map<std::string, CancelOutcome>;  // by id

/// The batch that cancels those of `found` that are pending, adding what becomes of each.
store::Batch cancel(const std::map<std::string, Located>& found, const CancelRequest& request,
                    Timestamp now, CancelOutcomes& outcomes);

}  // namespace wolke::deliver
