#pragma once
// What is done to a log that an earlier process left, before SQLite reads it. Two things SQLite
// does not do:
//
// It is written again. After a failed sync the kernel may hold pages that the disk does not have
// and that it believes clean. A process that starts then (without a reboot between) would read
// them, build on them, and sync nothing. So the log's live frames are written again, byte for byte,
// and synced: what is read from then on is what is on the disk.
//
// It is looked at for damage in the middle. SQLite ends the log at the first frame whose checksum
// is wrong, because a power cut may tear the last transaction. But a transaction is only begun
// after the one before it was synced, so when frames go on correctly behind a wrong one,
// acknowledged data is damaged: that is "Corrupt", not the end of the log. (Damage in the very last
// transaction cannot be told from a torn write.)

#include <string>

#include "wolke/base/env.h"

namespace wolke::store {

/// `path` is the log's; nothing happens when it is not there or holds no frames.
Result<void> take_over_log(Disk& disk, const std::string& path);

}  // namespace wolke::store
