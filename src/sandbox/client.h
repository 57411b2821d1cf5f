#pragma once
// The server's end: connect() turns the channel to the spawner into the Sandboxes port on a loop.
// ServerSide is what the launcher leaves to the server process; start_spawner() makes one without a
// launcher (tests, one-shot commands).
//
// Threads: one loop; everything belongs to it. Failure: a spawner that dies ends every instance
// (signal 9) and is replaced by the launcher, which sends the new channel; starts wait for it a
// moment.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wolke/async/loop.h"
#include "wolke/base/fd.h"
#include "wolke/base/result.h"
#include "wolke/sandbox/cgroups.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::sandbox {

/// A directory that was opened before the server gave up its rights: mounts below it need no right
/// on its parents.
struct Root {
  std::string path;
  Fd fd;  // O_PATH
};

struct ServerSide {
  Fd spawner;   // SOCK_SEQPACKET
  Fd launcher;  // brings the channel of a new spawner; none without a launcher
  Level level = Level::full;
  std::vector<Root> roots;
};

std::unique_ptr<Sandboxes> connect(async::Loop& loop, ServerSide side);

/// A spawner of our own, forked now: call before any thread exists. It ends when `lifeline` and the
/// channel close.
struct SpawnerProcess {
  pid_t pid = -1;
  Fd lifeline;
  ServerSide side;
  CgroupLayout cgroups;
};
struct SpawnerOptions {
  Level level = Level::full;
  unsigned ready_shells = 4;
  bool use_cgroups = true;  // false: as on a host where none can be written
};
Result<SpawnerProcess> start_spawner(SpawnerOptions options);
/// Closes it and waits until it has cleaned up.
void stop_spawner(SpawnerProcess& process);

#ifdef WOLKE_TEST_WEAKEN
/// Layers that the next starts leave out (wire::Weaken).
void set_weaken(Sandboxes& sandboxes, std::uint32_t weaken);
#endif

}  // namespace wolke::sandbox
