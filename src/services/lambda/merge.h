#pragma once
// Several packages as one directory: a function's layers, of which a later one wins. The directory
// has a package's name, of the packages that it was made of, lies beside them and is collected like
// them; its files are links to theirs, so it takes no room of its own.
//
// Threads: any; merge() blocks on the disk, so pool threads only. Failure: "DiskError"; a directory
// under its final name is complete.

#include <string>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/services/lambda/package.h"

namespace wolke::lambda {

/// The name of what these packages, in this order, are merged into.
std::string merged_name(const std::vector<std::string>& digests);

/// The merged directory's path; the packages must be there.
Result<std::string> merge(Packages& packages, const std::vector<std::string>& digests);

}  // namespace wolke::lambda
