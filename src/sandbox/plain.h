#pragma once
// Levels `limited` and `process`: no namespaces, so no root of its own. What a request shows at an
// inside path stays where it is on the host, and the program's arguments, environment and working
// directory are rewritten to it; /tmp is a private directory named by TMPDIR. `limited` adds the
// filter, landlock and limits; `process` nothing.
//
// Runs inside the shell process. Failure: Result naming the step.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wolke/sandbox/shell.h"

namespace wolke::sandbox {

/// (inside path, host path)
using PathMap = std::vector<std::pair<std::string, std::string>>;

/// Every inside path that begins a word of `text` (its start, after '=' or ':') becomes the host's.
/// Pure.
std::string to_host_paths(std::string_view text, const PathMap& paths);

/// All sandboxes share the host's network: each listens on a loopback address of its own, chosen by
/// `serial`, and its arguments and environment name that one in the place of 127.0.0.1. Ports that
/// only root may have (:443) are left out, since nothing resolves to them here. Pure.
void take_own_address(Spec& spec, std::uint32_t serial);

/// Rewrites the program, makes its temporary directory (returned) and, at `limited`, restricts this
/// process.
Result<std::string> finish_plain(const ShellSetup& setup, const wire::Request& request,
                                 const std::vector<Fd>& mounts, Program& program);

}  // namespace wolke::sandbox
