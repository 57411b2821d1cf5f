#pragma once
// Makes a directory's name durable, and its parents' names. A directory that is there already may
// be one that a killed server made and never synced, so what exists is synced too.

#include <string>

#include "wolke/base/env.h"

namespace wolke::store {

/// Creates `directory` with its parents where missing. Its parent must accept a sync; directories
/// further up are synced as far as the system lets us (they may belong to others, and existed
/// before us then).
Result<void> make_durable_directory(Disk& disk, const std::string& directory);

}  // namespace wolke::store
