#pragma once
// The isolation level of this host: a pure function over facts. `full`: namespaces, own uid for
// each sandbox, control groups, filter. `rootless`: the same code in the user's own user namespace;
// limits where groups are delegated. `limited`: filter and landlock only, no namespaces. `process`:
// a plain child process; never chosen unless named.
//
// gather_facts() asks the kernel by trying (in a child), not by reading version numbers. Threads:
// call it before there are any. Failure: a fact that cannot be had is false.

#include <string>
#include <string_view>
#include <vector>

#include "wolke/sandbox/cgroups.h"
#include "wolke/sandbox/sandbox.h"

namespace wolke::sandbox {

struct HostFacts {
  bool root = false;               // uid 0 with CAP_SYS_ADMIN
  bool user_namespaces = false;    // this process can make one
  bool all_namespaces = false;     // mnt, pid, net, ipc, uts, cgroup inside it
  bool proc_mountable = false;     // a new procfs inside (the host's is not masked)
  bool overlay_mountable = false;  // inside a user namespace
  bool seccomp = false;
  int landlock_abi = 0;
  bool mount_api = false;  // open_tree, move_mount, mount_setattr (5.12)
  CgroupLayout cgroups;
};

HostFacts gather_facts();
Level decide_level(const HostFacts& facts);

/// One line of `doctor`.
struct Finding {
  enum class Mark { ok, warn, fail };
  std::string name;
  Mark mark = Mark::ok;
  std::string sentence;
};
/// What holds, what is missing and what it costs; first the level.
std::vector<Finding> findings(const HostFacts& facts);

}  // namespace wolke::sandbox
