#pragma once
// What processes say of their own memory, in /proc: for hosts without control groups, and for what
// groups cannot tell. Threads: any. Failure: what cannot be read counts as nothing.

#include <sys/types.h>

#include <cstdint>

namespace wolke::sandbox {

/// The process that a pidfd means, as numbered in our PID namespace; 0 when it ended or is not
/// seen.
pid_t pid_of(int pidfd);
/// The largest resident size that a process had (VmHWM); bytes.
std::uint64_t resident_peak(pid_t pid);
/// The sum over all descendants of `ancestor`, which is not counted itself. Pages that several
/// share are counted for each.
std::uint64_t resident_peak_below(pid_t ancestor);

}  // namespace wolke::sandbox
