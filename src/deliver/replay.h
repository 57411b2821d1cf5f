#pragma once
// Replaying ended events: a new event with the same target, payload, source and trace, linked to
// its origin; the origin's record tells of it in the same commit. A source's right to the function
// is judged at its delivery, as any event's. Blocks on the store: pool threads only.

#include <map>
#include <string>

#include "wolke/base/env.h"
#include "wolke/deliver/search.h"

namespace wolke::deliver {

struct ReplayOutcome {
  enum class What {
    replayed,
    pending,     // it has not ended
    no_payload,  // it succeeded: its payload was not kept
    unknown,
    failed,  // the store did not take it
  };
  What what = What::unknown;
  std::string replayed_as;  // the new event's id
};

using ReplayOutcomes = std::map<std::string, ReplayOutcome>;  // by id

Result<ReplayOutcomes> replay(store::Store& store, Env env, const Search& search);

}  // namespace wolke::deliver
