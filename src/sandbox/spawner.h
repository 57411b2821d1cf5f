#pragma once
// The spawner: the one process that makes sandboxes. Single-threaded, forked by the launcher before
// any thread exists, without a network and without a parser: fixed-size requests, descriptors
// instead of paths. It keeps a few shells ready, so that a request finds namespaces, control groups
// and a root already made.
//
// Lifetime: it ends when its channel (the server) or its lifeline (the launcher) closes, and first
// kills and removes everything that it made. Failure: a request fails with the step that failed; an
// inconsistent state of its own ends it.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "wolke/base/fd.h"
#include "wolke/base/result.h"
#include "wolke/sandbox/cgroups.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::sandbox {

// Host uids of sandboxes when we are root: far above users, subordinate ids and systemd's
// containers.
inline constexpr uid_t host_uid_base = 2'000'000'000;
inline constexpr uid_t host_uid_reserved = 1'024;  // the first of them are servers'
inline constexpr uid_t host_uid_count = 65'536;

struct SpawnerConfig {
  Fd channel;   // SOCK_SEQPACKET to the server
  Fd lifeline;  // closes when the launcher is gone
  Level level = Level::full;
  CgroupLayout cgroups;
  std::string cgroup_parent;
  uid_t first_uid = host_uid_base + host_uid_reserved;  // where this spawner starts in the range
  unsigned ready_shells = 4;
};

/// Returns the exit code. Call in a process of its own.
int run_spawner(SpawnerConfig config);

/// Hands out host uids, each to one sandbox; a returned one rests before it is used again. Pure.
class UidRange {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr auto quarantine = std::chrono::seconds(60);

  UidRange(uid_t first, uid_t base, uid_t count) : next_(first), base_(base), count_(count) {}
  /// Nothing when every uid is in use or resting.
  std::optional<uid_t> take(Clock::time_point now);
  void give_back(uid_t uid, Clock::time_point now) { resting_.push_back({uid, now}); }

 private:
  struct Resting {
    uid_t uid;
    Clock::time_point since;
  };
  uid_t next_;
  uid_t base_;
  uid_t count_;
  uid_t taken_ = 0;  // how many were handed out fresh
  std::deque<Resting> resting_;
};

}  // namespace wolke::sandbox
