#pragma once
// The level `process`: a plain child process, no isolation at all. For tests, and for machines
// where nothing better can be had and the operator asked for it by name; it runs with the server's
// own rights.
//
// What a sandbox would do by mounts and namespaces is done by rewriting: in argv, the environment
// and the working directory, a mount's inside path becomes its host path, and an address of
// Spec::listen becomes one on a loopback address of the instance's own (127.64.0.0/10).
// Spec::hosts, memory, /tmp and process limits have no effect; a program that leaves its process
// group survives kill(). Addresses that may not be bound (port 443 without rights) are handed over
// as descriptors that are not valid(). Threads: the loop's.

#include <memory>

#include "wolke/async/loop.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::sandbox {

std::unique_ptr<Sandboxes> make_process_sandboxes(async::Loop& loop);

}  // namespace wolke::sandbox
