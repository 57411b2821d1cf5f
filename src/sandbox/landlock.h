#pragma once
// The landlock layer: a second, independent word on which files a program may open, make or remove,
// and (where the kernel can) that its signals and abstract sockets end at the sandbox. Threads: the
// calling one. Failure: Result.

#include <string>
#include <vector>

#include "wolke/base/result.h"

namespace wolke::sandbox {

/// From this version on (device ioctls) a program can notice that it is not restricted.
inline constexpr int landlock_abi_with_a_check = 5;

/// The kernel's landlock ABI version; 0 when it has none.
int landlock_abi();

struct LandlockPaths {
  std::vector<std::string> read;   // read and execute below; those that do not exist are left out
  std::vector<std::string> write;  // everything below
};

/// Also: read and write the five device files.
Result<void> restrict_by_landlock(int abi, const LandlockPaths& paths);

}  // namespace wolke::sandbox
