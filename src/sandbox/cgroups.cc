#include "wolke/sandbox/cgroups.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "wolke/base/text.h"
#include "wolke/sandbox/delegation.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

constexpr std::array<Controller, controller_count> every_controller = {
    Controller::memory, Controller::cpu,     Controller::cpuacct,
    Controller::pids,   Controller::devices, Controller::freezer};

bool has_word(std::string_view words, char separator, std::string_view wanted) {
  const auto parts = split(words, separator);
  return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}

Result<Fd> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) < 0 && errno != EEXIST) {
    return fail(step_failed(path, errno));
  }
  Fd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return fail(step_failed(path, errno));
  return fd;
}

/// The line of /proc/self/cgroup that lists `controller` ("" for v2), without the leading fields.
std::string own_path(std::string_view self_cgroup, std::string_view controller) {
  for (std::string_view line : split(self_cgroup, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view list = line.substr(first + 1, second - first - 1);
    const bool is_it = controller.empty() ? list.empty() : has_word(list, ',', controller);
    if (is_it) {
      const std::string path(line.substr(second + 1));
      return path == "/" ? "" : path;
    }
  }
  return "";
}

std::uint64_t number_after(std::string_view text, std::string_view key) {
  for (std::string_view line : split(text, '\n')) {
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') {
      return parse_u64(trim(line.substr(key.size() + 1))).value_or(0);
    }
  }
  return 0;
}

std::uint64_t number_in(int directory, const char* file) {
  Fd fd(::openat(directory, file, O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return 0;
  std::string text = read_small_fd(fd.get(), 64);
  return parse_u64(trim(std::string_view(text).substr(0, text.find('\n')))).value_or(0);
}

std::string text_in(int directory, const char* file) {
  Fd fd(::openat(directory, file, O_RDONLY | O_CLOEXEC));
  return fd.valid() ? read_small_fd(fd.get()) : std::string();
}

}  // namespace

std::string_view controller_name(Controller controller) {
  switch (controller) {
    case Controller::memory:
      return "memory";
    case Controller::cpu:
      return "cpu";
    case Controller::cpuacct:
      return "cpuacct";
    case Controller::pids:
      return "pids";
    case Controller::devices:
      return "devices";
    case Controller::freezer:
      return "freezer";
  }
  return "";
}

bool CgroupLayout::can_limit_memory() const {
  return unified_has_controllers || !legacy_of(Controller::memory).empty();
}
bool CgroupLayout::can_limit_pids() const {
  return unified_has_controllers || !legacy_of(Controller::pids).empty();
}

std::string_view CgroupLayout::kind() const {
  const bool any_legacy = std::any_of(legacy.begin(), legacy.end(),
                                      [](const std::string& path) { return !path.empty(); });
  if (unified_has_controllers) return "v2";
  if (any_legacy) return unified.empty() ? "v1" : "hybrid";
  return "none";
}

CgroupLayout parse_cgroups(std::string_view mounts, std::string_view self_cgroup,
                           std::string_view unified_controllers) {
  CgroupLayout layout;
  for (std::string_view line : split(mounts, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 4) continue;
    const std::string point(fields[1]);
    if (fields[2] == "cgroup2" && layout.unified.empty()) {
      layout.unified = point + own_path(self_cgroup, "");
      const std::string_view words = unified_controllers.substr(0, unified_controllers.find('\n'));
      layout.unified_has_controllers =
          has_word(words, ' ', "memory") && has_word(words, ' ', "pids");
    } else if (fields[2] == "cgroup") {
      for (Controller c : every_controller) {
        std::string& path = layout.legacy[static_cast<std::size_t>(c)];
        if (path.empty() && has_word(fields[3], ',', controller_name(c))) {
          path = point + own_path(self_cgroup, controller_name(c));
        }
      }
    }
  }
  return layout;
}

CgroupLayout detect_cgroups() {
  const std::string mounts = read_small_file("/proc/mounts", 1024 * 1024);
  const std::string own = read_small_file("/proc/self/cgroup");
  CgroupLayout layout = parse_cgroups(mounts, own, "");
  if (!layout.unified.empty()) {
    const std::string path = own_path(own, "");
    const std::string top = layout.unified.substr(0, layout.unified.size() - path.size());
    UnifiedPlace place = find_place(top, path, ::getpid(), ::geteuid() == 0);
    layout.unified = std::move(place.directory);
    layout.unified_has_controllers = place.has_controllers;
    layout.needs_leaf = place.needs_leaf;
  }
  auto drop_unwritable = [](std::string& path) {
    if (!path.empty() && ::access(path.c_str(), W_OK) != 0) path.clear();
  };
  for (std::string& path : layout.legacy) drop_unwritable(path);
  return layout;
}

CpuShare cpu_share(std::uint64_t memory_bytes) {
  CpuShare share{};
  share.shares_v1 = std::max<std::uint64_t>(2, 1024 * memory_bytes / memory_per_cpu);
  share.weight_v2 = std::clamp<std::uint64_t>(100 * memory_bytes / memory_per_cpu, 1, 10000);
  if (memory_bytes >= memory_per_cpu) share.quota_us = 100'000 * memory_bytes / memory_per_cpu;
  return share;
}

unsigned visible_cpus(std::uint64_t memory_bytes, unsigned host_cpus) {
  // Lambda shows two processors up to 3,008 MB; we never show more than the host has.
  const std::uint64_t wanted =
      std::max<std::uint64_t>(2, (memory_bytes + memory_per_cpu - 1) / memory_per_cpu);
  return static_cast<unsigned>(std::min<std::uint64_t>(wanted, std::max(1U, host_cpus)));
}

Result<void> Cgroups::make_parents() {
  if (!layout_.unified.empty()) {
    const std::string path = layout_.unified + "/" + parent_;
    TRY(auto made, make_directory(path));
    if (layout_.unified_has_controllers) {
      // The base may hand them down already; then the write changes nothing. A user's group often
      // has no processor controller: without it sandboxes share evenly.
      const std::string base = layout_.unified + "/cgroup.subtree_control";
      (void)write_file(base.c_str(), "+memory +pids");
      (void)write_file(base.c_str(), "+cpu");
      TRY(write_file_at(made.get(), "cgroup.subtree_control", "+memory +pids"));
      (void)write_file_at(made.get(), "cgroup.subtree_control", "+cpu");
    }
  }
  for (Controller c : every_controller) {
    if (layout_.legacy_of(c).empty()) continue;
    TRY(auto made, make_directory(layout_.legacy_of(c) + "/" + parent_));
    if (c == Controller::memory) (void)write_file_at(made.get(), "memory.use_hierarchy", "1");
  }
  return {};
}

Result<Cgroup> Cgroups::make(const std::string& name) {
  Cgroup group;
  group.name = name;
  if (!layout_.unified.empty()) {
    TRY(group.unified, make_directory(layout_.unified + "/" + parent_ + "/" + name));
  }
  for (Controller c : every_controller) {
    // v2 freezes faster and kills; the v1 freezer is used only without it.
    if (layout_.legacy_of(c).empty()) continue;
    if (c == Controller::freezer && group.unified.valid()) continue;
    TRY(group.legacy[static_cast<std::size_t>(c)],
        make_directory(layout_.legacy_of(c) + "/" + parent_ + "/" + name));
    if (c == Controller::devices) {
      // SAFETY: only narrows. Null, zero, full, random, urandom; a second layer behind "no mknod"
      // and our own /dev.
      const int directory = group.legacy_of(c).get();
      TRY(write_file_at(directory, "devices.deny", "a"));
      for (const char* device : {"c 1:3 rw", "c 1:5 rw", "c 1:7 rw", "c 1:8 rw", "c 1:9 rw"}) {
        TRY(write_file_at(directory, "devices.allow", device));
      }
    }
  }
  return group;
}

Result<void> Cgroups::attach(const Cgroup& group, pid_t pid) const {
  const std::string text = fmt::format("{}", pid);
  for (const Fd& directory : group.legacy) {
    if (directory.valid()) {
      TRY(write_file_at(directory.get(), "cgroup.procs", text));
    }
  }
  return {};
}

Result<void> Cgroups::limit(const Cgroup& group, const CgroupLimits& limits) const {
  const CpuShare share = cpu_share(limits.memory_bytes);
  // A write to a tmpfs fails at the limit, with no way to wait for a higher one: so it is set for a
  // full one at once, and what the program itself holds is watched (memory_gauge.h).
  const std::string memory = fmt::format("{}", limits.memory_bytes + limits.tmp_bytes);
  const std::string pids = fmt::format("{}", limits.pids_max);
  if (layout_.unified_has_controllers) {
    const int directory = group.unified.get();
    TRY(write_file_at(directory, "memory.max", memory));
    (void)write_file_at(directory, "memory.swap.max", "0");  // absent without swap accounting
    (void)write_file_at(directory, "memory.oom.group", "1");
    TRY(write_file_at(directory, "pids.max", pids));
    (void)write_file_at(directory, "cpu.weight", fmt::format("{}", share.weight_v2));
    return {};
  }
  if (const Fd& directory = group.legacy_of(Controller::memory); directory.valid()) {
    TRY(write_file_at(directory.get(), "memory.limit_in_bytes", memory));
    (void)write_file_at(directory.get(), "memory.memsw.limit_in_bytes", memory);
    (void)write_file_at(directory.get(), "memory.swappiness", "0");
  }
  if (const Fd& directory = group.legacy_of(Controller::pids); directory.valid()) {
    TRY(write_file_at(directory.get(), "pids.max", pids));
  }
  if (const Fd& directory = group.legacy_of(Controller::cpu); directory.valid()) {
    TRY(write_file_at(directory.get(), "cpu.shares", fmt::format("{}", share.shares_v1)));
  }
  return {};
}

CgroupUsage Cgroups::usage(const Cgroup& group) const {
  CgroupUsage usage;
  if (group.unified.valid()) {
    const int directory = group.unified.get();
    usage.cpu_microseconds = number_after(text_in(directory, "cpu.stat"), "usage_usec");
    if (layout_.unified_has_controllers) {
      usage.memory_peak_bytes = number_in(directory, "memory.peak");
      usage.out_of_memory = number_after(text_in(directory, "memory.events"), "oom_kill") > 0;
    }
  }
  if (const Fd& directory = group.legacy_of(Controller::memory); directory.valid()) {
    usage.memory_peak_bytes = number_in(directory.get(), "memory.max_usage_in_bytes");
    usage.out_of_memory =
        number_after(text_in(directory.get(), "memory.oom_control"), "oom_kill") > 0;
  }
  if (const Fd& directory = group.legacy_of(Controller::cpuacct); directory.valid()) {
    usage.cpu_microseconds = number_in(directory.get(), "cpuacct.usage") / 1000;
  }
  return usage;
}

void Cgroups::kill(const Cgroup& group) const {
  if (group.unified.valid()) (void)write_file_at(group.unified.get(), "cgroup.kill", "1");
  if (const Fd& directory = group.legacy_of(Controller::freezer); directory.valid()) {
    (void)write_file_at(directory.get(), "freezer.state", "THAWED");
  }
}

void Cgroups::hurry(const Cgroup& group) const {
  if (layout_.unified_has_controllers) {
    (void)write_file_at(group.unified.get(), "cpu.max", "max");
    (void)write_file_at(group.unified.get(), "cpu.weight", "10000");
  } else if (const Fd& directory = group.legacy_of(Controller::cpu); directory.valid()) {
    (void)write_file_at(directory.get(), "cpu.cfs_quota_us", "-1");
    (void)write_file_at(directory.get(), "cpu.shares", "262144");
  }
}

void Cgroups::remove(Cgroup& group) const {
  auto remove_below = [&](Fd& directory, const std::string& base) {
    if (!directory.valid()) return;
    directory.reset();
    (void)::rmdir((base + "/" + parent_ + "/" + group.name).c_str());
  };
  remove_below(group.unified, layout_.unified);
  for (Controller c : every_controller) {
    remove_below(group.legacy[static_cast<std::size_t>(c)], layout_.legacy_of(c));
  }
}

namespace {

/// Kills every process below `path` and removes the directories, children first.
void remove_tree(const std::string& path, int depth) {
  if (depth > 3) return;
  if (DIR* directory = ::opendir(path.c_str())) {
    while (const dirent* entry = ::readdir(directory)) {
      if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
        remove_tree(path + "/" + entry->d_name, depth + 1);
      }
    }
    ::closedir(directory);
  }
  (void)write_file((path + "/cgroup.kill").c_str(), "1");
  (void)write_file((path + "/freezer.state").c_str(), "THAWED");
  for (int attempt = 0; attempt < 50 && ::rmdir(path.c_str()) < 0 && errno == EBUSY; ++attempt) {
    const std::string pids = read_small_file((path + "/cgroup.procs").c_str());
    for (std::string_view line : split(pids, '\n')) {
      // SAFETY: the directory carries our name and its launcher is dead: what is in it is ours to
      // end.
      if (const auto pid = parse_u64(line)) (void)::kill(static_cast<pid_t>(*pid), SIGKILL);
    }
    ::usleep(2000);
  }
}

std::optional<std::uint64_t> start_time_of(pid_t pid) {
  const std::string stat = read_small_file(fmt::format("/proc/{}/stat", pid).c_str(), 4096);
  const std::size_t end_of_name = stat.rfind(')');
  if (end_of_name == std::string::npos) return std::nullopt;
  const auto fields = split(std::string_view(stat).substr(end_of_name + 2), ' ');
  return fields.size() > 19 ? parse_u64(fields[19]) : std::nullopt;  // field 22 of proc(5)
}

/// Process ids mean something only within one PID namespace, so a name carries that too.
std::uint64_t pid_namespace() {
  struct stat status{};
  return ::stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

bool is_leftover(std::string_view name) {
  const auto parts = split(name, '-');
  if (parts.size() != 4 || parts[0] != "wolke") return false;
  const auto space = parse_u64(parts[1]);
  const auto pid = parse_u64(parts[2]);
  const auto started = parse_u64(parts[3]);
  if (!space || !pid || !started || *space != pid_namespace()) return false;
  return start_time_of(static_cast<pid_t>(*pid)) != started;
}

}  // namespace

void Cgroups::remove_parents() const {
  if (!layout_.unified.empty()) remove_tree(layout_.unified + "/" + parent_, 0);
  for (const std::string& base : layout_.legacy) {
    if (!base.empty()) remove_tree(base + "/" + parent_, 0);
  }
}

std::string cgroup_parent_name(pid_t launcher) {
  return fmt::format("wolke-{}-{}-{}", pid_namespace(), launcher,
                     start_time_of(launcher).value_or(0));
}

void remove_leftover_cgroups(const CgroupLayout& layout) {
  std::vector<std::string> bases(layout.legacy.begin(), layout.legacy.end());
  bases.push_back(layout.unified);
  for (const std::string& base : bases) {
    DIR* directory = base.empty() ? nullptr : ::opendir(base.c_str());
    if (directory == nullptr) continue;
    std::vector<std::string> found;
    while (const dirent* entry = ::readdir(directory)) {
      if (is_leftover(entry->d_name)) found.emplace_back(entry->d_name);
    }
    ::closedir(directory);
    for (const std::string& name : found) remove_tree(base + "/" + name, 0);
  }
}

}  // namespace wolke::sandbox
