#pragma once
// The landlock layer: a second, independent word on which files a program may open, make or remove,
// and (where the kernel can) that its signals and abstract sockets end at the sandbox. Threads: the
// calling one. Failure: Result.

#include "wolke/base/result.h"

namespace wolke::sandbox {

/// The kernel's landlock ABI version; 0 when it has none.
int landlock_abi();

/// Read and execute everywhere; everything below /tmp and /dev/shm; read and write the five device
/// files.
Result<void> restrict_by_landlock(int abi);

}  // namespace wolke::sandbox
