#include "wolke/sandbox/delegation.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <utility>

#include "wolke/base/text.h"
#include "wolke/sandbox/cgroups.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

std::string text_of(const std::string& directory, const char* file) {
  return read_small_file((directory + "/" + file).c_str());
}

bool has_memory_and_pids(std::string_view words) {
  const auto parts = split(words.substr(0, words.find('\n')), ' ');
  auto has = [&](std::string_view wanted) {
    return std::find(parts.begin(), parts.end(), wanted) != parts.end();
  };
  return has("memory") && has("pids");
}

bool offers(const std::string& directory) {
  return has_memory_and_pids(text_of(directory, "cgroup.controllers"));
}

bool hands_down(const std::string& directory) {
  return has_memory_and_pids(text_of(directory, "cgroup.subtree_control"));
}

/// Groups can be made in it and processes moved between them (cgroups(7), "Delegation").
bool is_ours(const std::string& directory) {
  return ::access(directory.c_str(), W_OK) == 0 &&
         ::access((directory + "/cgroup.procs").c_str(), W_OK) == 0;
}

/// The top of a container's hierarchy looks like a top, but is a group like others.
bool is_real_top(const std::string& directory) {
  return ::access((directory + "/cgroup.events").c_str(), F_OK) != 0;
}

bool is_alone(const std::string& directory, pid_t pid) {
  return text_of(directory, "cgroup.procs") == fmt::format("{}\n", pid);
}

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

bool is_leaf_of_ours(const std::string& own) {
  return own.substr(own.rfind('/') + 1).starts_with("wolke-");
}

Result<void> hand_down(const std::string& directory) {
  return write_file((directory + "/cgroup.subtree_control").c_str(), "+memory +pids");
}

}  // namespace

UnifiedPlace find_place(const std::string& top, const std::string& own, pid_t pid, bool root) {
  const std::string here = top + own;
  if (root && is_ours(top) && offers(top) && (is_real_top(top) || hands_down(top))) {
    return {top, true, false};
  }
  const std::string above = own.empty() ? std::string() : top + parent_of(own);
  const bool above_serves = !above.empty() && is_ours(above) && hands_down(above);
  if (above_serves && is_leaf_of_ours(own)) return {above, true, false};
  const bool can_hand_down =
      ::access((here + "/cgroup.subtree_control").c_str(), W_OK) == 0 && offers(here);
  if (is_ours(here) && can_hand_down && is_alone(here, pid)) return {here, true, true};
  if (above_serves) return {above, true, false};
  if (is_ours(here)) return {here, false, false};
  return {};
}

Result<void> enter_leaf(CgroupLayout& layout) {
  if (!std::exchange(layout.needs_leaf, false)) return {};
  layout.leaf = cgroup_parent_name(::getpid());
  const std::string path = layout.unified + "/" + layout.leaf;
  if (::mkdir(path.c_str(), 0755) < 0 && errno != EEXIST) return fail(step_failed(path, errno));
  // SAFETY: only this process, only below the group that it was in.
  TRY(write_file((path + "/cgroup.procs").c_str(), "0"));
  auto freed = hand_down(layout.unified);
  if (!freed) leave_leaf(layout);
  return freed;
}

void leave_leaf(const CgroupLayout& layout) {
  if (layout.leaf.empty()) return;
  const auto owner = parse_u64(split(layout.leaf, '-')[2]);
  const bool is_its_child = owner != static_cast<std::uint64_t>(::getpid());
  if (is_its_child && owner == static_cast<std::uint64_t>(::getppid())) return;
  // The group takes processes again once nothing is handed down; each controller by itself, since
  // one that was never on fails the whole line.
  for (const char* controller : {"-memory", "-pids", "-cpu"}) {
    (void)write_file((layout.unified + "/cgroup.subtree_control").c_str(), controller);
  }
  (void)write_file((layout.unified + "/cgroup.procs").c_str(), "0");
  (void)::rmdir((layout.unified + "/" + layout.leaf).c_str());
}

}  // namespace wolke::sandbox
