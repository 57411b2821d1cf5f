#pragma once
// Where on a v2 hierarchy our groups may be made. The kernel's rule: a group that has processes
// cannot hand controllers down to groups below it; only the hierarchy's own top may. So root takes
// the top; who was given a group (`Delegate=yes`, a container) and is alone in it moves into a leaf
// below, which frees the group; who is in a leaf of a group of his own takes that group. Elsewhere
// groups can only freeze and kill, and processes of others are never moved.
//
// Threads: find_place() is a function over files. enter_leaf() moves the whole process: call it
// before forking. Failure: no place, or a Result that names the file. Lifetime: leave_leaf() takes
// back what enter_leaf() did; after a crash the leaf goes by its name, as all our groups.

#include <sys/types.h>

#include <string>

#include "wolke/base/result.h"

namespace wolke::sandbox {

struct CgroupLayout;

struct UnifiedPlace {
  std::string directory;         // empty: nowhere
  bool has_controllers = false;  // memory and pids can be handed down here
  bool needs_leaf = false;       // once this process has moved into a leaf below
};

/// `top`: where the hierarchy is mounted; `own`: our group below it, "" for the top itself; `pid`:
/// this process.
UnifiedPlace find_place(const std::string& top, const std::string& own, pid_t pid, bool root);

/// Moves this process, where the layout needs that; afterwards the layout holds for its children.
Result<void> enter_leaf(CgroupLayout& layout);
/// Back into the group above, when the groups of sandboxes are gone; what cannot be is left. A
/// child of the one that entered does it when that one died.
void leave_leaf(const CgroupLayout& layout);

}  // namespace wolke::sandbox
