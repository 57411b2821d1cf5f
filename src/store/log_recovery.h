#pragma once
// What is done to a log that an earlier process left, before SQLite reads it.
//
// After a failed sync the kernel may hold pages that the disk does not have and that it believes
// clean. A process that starts then (without a reboot between) would read them, build on them, and
// sync nothing. So the log's live frames are written again, byte for byte, and synced: from then on
// what is read is what is on the disk.

#include <string>

#include "wolke/base/env.h"

namespace wolke::store {

/// `path` is the log's; nothing happens when it is not there or holds no frames.
Result<void> rewrite_log(Disk& disk, const std::string& path);

}  // namespace wolke::store
