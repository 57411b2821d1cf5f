#pragma once
// The launcher: the process that `wolke serve` is. It keeps what rights it was started with, and
// does almost nothing: forks the spawner, forks the server, waits, restarts. When root, the server
// gets a uid of its own and no capability, and owns the data directory. Single-threaded; call it
// before any thread exists.
//
//   signals  SIGTERM and SIGINT go to the server; it ends by itself within stop_timeout or is
//   killed server   killed by a signal (a crash, kill -9): a new one at once, then with growing
//   pauses; an exit of its own,
//            clean or with an error code, ends the launcher with that code
//   spawner  a dead one is replaced, the server gets the new channel
//   kill -9  of the launcher: the server dies by its parent-death signal; the spawner sees its
//   lifeline close, ends all
//            sandboxes and removes their control groups; what it could not remove the next start
//            does, by name

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "wolke/sandbox/client.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::sandbox {

struct LauncherConfig {
  std::string data_dir;       // made when missing; the server's own when we are root
  Level level = Level::full;  // decide_level(gather_facts()), or what the user named
  std::vector<std::string>
      roots;  // directories to open before rights are given up: runtimes, interpreters
  unsigned ready_shells = 4;
  std::chrono::milliseconds stop_timeout = std::chrono::seconds(30);
};

/// Runs until the server ends for good; returns the exit code for main(). `server_main` runs in the
/// server process.
int run_launcher(const LauncherConfig& config, const std::function<int(ServerSide)>& server_main);

/// Rootless: this process gets a user and a mount namespace of its own in which it has rights and
/// the same uid.
Result<void> enter_nursery();

/// How long to wait before the restart after `crashes` crashes in a row: not at all ten times, then
/// 100 ms doubling up to 10 s.
std::chrono::milliseconds restart_pause(unsigned crashes);

}  // namespace wolke::sandbox
