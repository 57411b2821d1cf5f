#pragma once
// Bytes that nobody can change any more, handed on as a descriptor: a sealed memfd.
//
// Threads: any. Lifetime: the bytes live as long as a descriptor does. Failure: Result naming the
// step.

#include <string_view>

#include "wolke/base/fd.h"
#include "wolke/base/result.h"

namespace wolke::sandbox {

/// F_SEAL_SEAL, _SHRINK, _GROW, _WRITE.
int all_seals();

/// A memfd with `bytes`, sealed for ever unless a test left that out.
Result<Fd> sealed_memfd(const char* name, std::string_view bytes, bool executable,
                        bool sealed = true);

}  // namespace wolke::sandbox
