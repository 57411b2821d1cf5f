#pragma once
// Control groups behind one face, over the three layouts that hosts have: v2, v1, and hybrid (v1
// controllers with an empty v2 hierarchy, which still can freeze and kill). detect() looks at the
// host; a Cgroups owns one parent directory per hierarchy, named after the launcher; a Cgroup is
// one sandbox's directories below them.
//
// Threads: the spawner's only one. Failure: Result naming the file. Lifetime: remove() is explicit,
// because a directory can be removed only when its last process is gone.

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/fd.h"
#include "wolke/base/result.h"

namespace wolke::sandbox {

enum class Controller : std::uint8_t { memory, cpu, cpuacct, pids, devices, freezer };
inline constexpr std::size_t controller_count = 6;
std::string_view controller_name(Controller controller);

/// Where the host's hierarchies are; strings are directories in which we may make ours, empty when
/// there is none.
struct CgroupLayout {
  std::string unified;                               // a v2 hierarchy
  bool unified_has_controllers = false;              // memory and pids (and maybe cpu) are v2's
  bool needs_leaf = false;                           // see delegation.h
  std::string leaf;                                  // the name of that leaf, once it is ours
  std::array<std::string, controller_count> legacy;  // by Controller

  bool can_limit_memory() const;
  bool can_limit_pids() const;
  bool can_freeze() const { return !unified.empty() || !legacy_of(Controller::freezer).empty(); }
  const std::string& legacy_of(Controller c) const { return legacy[static_cast<std::size_t>(c)]; }
  /// "v2", "v1", "hybrid" or "none".
  std::string_view kind() const;
};

/// Reads /proc/mounts and /proc/self/cgroup; keeps only directories that this process may write.
CgroupLayout detect_cgroups();
/// The same from given texts: pure, for tests. `writable` answers whether a directory can be used.
CgroupLayout parse_cgroups(std::string_view mounts, std::string_view self_cgroup,
                           std::string_view unified_controllers);

struct CgroupLimits {
  std::uint64_t memory_bytes = 0;  // of the program; decides its share of processors too
  std::uint64_t tmp_bytes = 0;     // files on a tmpfs, for which there is room beside it
  std::uint32_t pids_max = 0;
};

/// CPU follows memory as on Lambda: 1,769 MB are one vCPU. Below that only a weight; from there a
/// quota too, which begins to hold when the program has started (Instance::throttle).
inline constexpr std::uint64_t memory_per_cpu = 1769ULL << 20;
struct CpuShare {
  std::uint64_t shares_v1;  // cpu.shares, 1024 = one vCPU
  std::uint64_t weight_v2;  // cpu.weight, 100 = one vCPU
  std::uint64_t quota_us;   // per 100 ms; 0: none
};
CpuShare cpu_share(std::uint64_t memory_bytes);
/// How many processors a sandbox is shown.
unsigned visible_cpus(std::uint64_t memory_bytes, unsigned host_cpus);

/// One sandbox's control groups.
struct Cgroup {
  std::string name;
  Fd unified;  // directory of the v2 group, valid when the layout has v2
  std::array<Fd, controller_count> legacy;

  const Fd& legacy_of(Controller c) const { return legacy[static_cast<std::size_t>(c)]; }
};

struct CgroupUsage {
  std::uint64_t memory_peak_bytes = 0;
  std::uint64_t cpu_microseconds = 0;
  bool out_of_memory = false;
};

class Cgroups {
 public:
  Cgroups(CgroupLayout layout, std::string parent)
      : layout_(std::move(layout)), parent_(std::move(parent)) {}

  /// Makes the parent directories and, on v2, hands the controllers down.
  Result<void> make_parents();
  Result<Cgroup> make(const std::string& name);
  /// Moves `pid` into the v1 groups; v2 is entered by clone3.
  Result<void> attach(const Cgroup& group, pid_t pid) const;
  Result<void> limit(const Cgroup& group, const CgroupLimits& limits) const;
  CgroupUsage usage(const Cgroup& group) const;
  /// Kills what is in it, without waiting; thaws a v1 freezer so that the kill is delivered.
  void kill(const Cgroup& group) const;
  /// After a kill: what was killed still has to end, each process frees its own memory with the
  /// processor that its group has. None of it runs its program any more, so it may have all there
  /// is.
  void hurry(const Cgroup& group) const;
  void remove(Cgroup& group) const;
  void remove_parents() const;
  const CgroupLayout& layout() const { return layout_; }
  const std::string& parent() const { return parent_; }

 private:
  CgroupLayout layout_;
  std::string parent_;
};

/// "wolke-<pid namespace>-<pid>-<start time>": the launcher that owns the groups can be told dead
/// from its name.
std::string cgroup_parent_name(pid_t launcher);
/// Kills and removes the groups of launchers that are gone.
void remove_leftover_cgroups(const CgroupLayout& layout);

}  // namespace wolke::sandbox
