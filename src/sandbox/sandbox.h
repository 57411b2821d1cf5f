#pragma once
// The sandbox port, as the server sees it. No AWS words here: a sandbox is a root file system, a
// program, limits, and a few descriptors. Behind it: launcher and spawner processes (privileged,
// parser-free) that make ready shells ahead of need; level full, rootless, limited or process
// decided by decide_level() over host facts (level.h).
//
// Threads: Sandboxes and Instance belong to one loop. Lifetime: destroying an Instance kills
// everything in it.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wolke/async/loop.h"
#include "wolke/async/task.h"
#include "wolke/base/fd.h"
#include "wolke/base/result.h"

namespace wolke::sandbox {

enum class Level { full, rootless, limited, process };
std::string_view level_name(Level level);

/// A host directory shown read-only inside.
struct ReadOnlyMount {
  std::string host_path;
  std::string inside_path;  // "/var/task", "/opt", "/var/lang", "/var/runtime"
};

struct Spec {
  std::string id;  // [a-z0-9-]{1,64}, names the cgroup
  std::vector<ReadOnlyMount> mounts;
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // "NAME=value"
  std::string working_directory = "/var/task";
  std::uint64_t memory_bytes = 128ULL << 20;
  std::uint64_t tmp_bytes = 512ULL << 20;
  std::uint32_t pids_max = 1024;
  std::uint32_t files_max = 1024;
  /// Makes listening sockets inside the sandbox's network namespace and hands them to the server:
  /// "127.0.0.1:9001", "udp:127.0.0.1:53". "outward" is a socket that the server may
  /// connect to a listener inside; only where the sandbox has a network of its own.
  std::vector<std::string> listen;
  /// Name -> address lines of /etc/hosts.
  std::vector<std::pair<std::string, std::string>> hosts;
  std::string hostname = "sandbox";
};

struct Usage {
  std::uint64_t memory_peak_bytes = 0;
  std::chrono::microseconds cpu{0};
  bool out_of_memory = false;
};

struct Exit {
  int code = 0;    // exit code, or
  int signal = 0;  // terminating signal
  bool out_of_memory = false;
};

class Instance {
 public:
  virtual ~Instance() = default;
  /// Our end of the socket pair that the program has as descriptor 3.
  virtual int control_fd() const = 0;
  /// Read ends of stdout and stderr.
  virtual int stdout_fd() const = 0;
  virtual int stderr_fd() const = 0;
  /// Listening sockets, in the order of Spec::listen.
  virtual std::vector<Fd> take_listeners() = 0;
  virtual Result<void> freeze() = 0;
  virtual Result<void> thaw() = 0;
  /// From here it gets no more than its share of the processors; until then it starts at full
  /// speed.
  virtual void throttle() = 0;
  /// SIGTERM to the program alone, which may take it or not; a frozen one gets it when it thaws.
  virtual void terminate() = 0;
  /// Kills every process inside; the exit follows within limits::sandbox_kill_max.
  virtual void kill() = 0;
  virtual Usage usage() = 0;
  /// Ends when the program has ended; nullopt at the deadline. May be called again.
  virtual async::Task<std::optional<Exit>> exited(Monotonic deadline) = 0;
};

class Sandboxes {
 public:
  virtual ~Sandboxes() = default;
  virtual Level level() const = 0;
  /// Errors: "SandboxRefused" (self-check failed: named check), "SandboxFailed" (step and errno),
  /// "NotExecutable" (the program's file is there, the kernel cannot run it: errno's text).
  virtual async::Task<Result<std::unique_ptr<Instance>>> start(Spec spec) = 0;
};

}  // namespace wolke::sandbox
