#pragma once
// Carries the lifecycles of all buckets out, once a day each: after midnight (UTC), and at once
// when the rules were set. Each key is judged again in the transaction that changes it, so a sweep
// may be interrupted anywhere and run beside writers. No event is published.

#include <cstddef>

#include "wolke/base/env.h"
#include "wolke/base/result.h"
#include "wolke/store/store.h"

namespace wolke::s3 {

/// One bucket, the next that is due; how many versions and uploads were changed or taken away.
/// nullopt when no bucket is due. For threads that may block.
Result<std::optional<std::size_t>> sweep_lifecycle(store::Store& store, Random& random,
                                                   Timestamp now);

}  // namespace wolke::s3
