// What must hold before the program runs, looked at from inside, after the lock: a sandbox that
// does not pass is refused, never run "as good as it goes". It asks the kernel, not the code that
// should have done it.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "wolke/base/text.h"
#include "wolke/sandbox/landlock.h"
#include "wolke/sandbox/sealed.h"
#include "wolke/sandbox/shell.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

Result<void> holds(bool condition, std::string_view check) {
  if (!condition) return fail(check_failed(check));
  return {};
}

/// The value of one line of /proc/self/status, as the kernel writes it.
std::string_view status_of(std::string_view status, std::string_view key) {
  for (std::string_view line : split(status, '\n')) {
    if (line.starts_with(key)) return trim(line.substr(key.size()));
  }
  return {};
}

Result<void> check_privileges(const ShellSetup& setup) {
  const std::string status = read_small_file("/proc/self/status");
  for (const char* set : {"CapEff:", "CapPrm:", "CapInh:", "CapAmb:", "CapBnd:"}) {
    TRY(holds(status_of(status, set) == "0000000000000000", set));
  }
  TRY(holds(status_of(status, "NoNewPrivs:") == "1", "no_new_privs"));
  TRY(holds(status_of(status, "Seccomp:") == "2", "seccomp filter"));
  TRY(holds(status_of(status, "Uid:") == fmt::format("{0}\t{0}\t{0}\t{0}", inside_uid), "uid"));
  TRY(holds(status_of(status, "Gid:") == fmt::format("{0}\t{0}\t{0}\t{0}", inside_gid), "gid"));
  // A user without rights over groups (rootless) keeps those that it has; they are unmapped.
  TRY(holds(!setup.privileged || status_of(status, "Groups:").empty(), "no further group"));
  TRY(holds(::prctl(PR_GET_DUMPABLE) == 0, "not dumpable"));
  // The filter is not only there but ours: a call that it refuses, with nothing to lose if it does
  // not.
  return holds(::syscall(SYS_unshare, CLONE_NEWUSER) < 0 && errno == EPERM,
               "filter refuses unshare");
}

/// One uid is mapped, ours, and outside it is not root.
Result<void> check_user_map() {
  for (const char* path : {"/proc/self/uid_map", "/proc/self/gid_map"}) {
    const std::string map = read_small_file(path);
    TRY(holds(map.ends_with('\n') && map.find('\n') == map.size() - 1, "one user mapped"));
    const bool uid = std::string_view(path).ends_with("uid_map");
    std::vector<std::string_view> words;
    for (std::string_view word : split(std::string_view(map).substr(0, map.size() - 1), ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    const unsigned inside = uid ? inside_uid : inside_gid;
    TRY(holds(words.size() == 3 && words[0] == fmt::to_string(inside) && words[2] == "1",
              "one user mapped"));
    TRY(holds(words[1] != "0", "not root of the host"));
  }
  return {};
}

/// Our own executable is the one that nobody can write.
Result<void> check_executable() {
  const Fd self(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const int seals = self.valid() ? ::fcntl(self.get(), F_GET_SEALS) : -1;
  return holds(seals >= 0 && (seals & all_seals()) == all_seals(), "sealed init");
}

/// Landlock has no query: where it knows device ioctls, it answers one before the device does.
Result<void> check_landlock(int abi) {
  if (abi < landlock_abi_with_a_check) return {};
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  termios unused{};
  return holds(::ioctl(null.get(), TCGETS, &unused) < 0 && errno == EACCES, "landlock");
}

Result<void> check_namespaces(const HostView& host) {
  for (std::size_t i = 0; i < namespace_names.size(); ++i) {
    struct stat status{};
    const std::string path = fmt::format("/proc/self/ns/{}", namespace_names[i]);
    TRY(holds(::stat(path.c_str(), &status) == 0 && host.namespaces[i] != 0 &&
                  status.st_ino != host.namespaces[i],
              namespace_names[i]));
  }
  return holds(::getpid() == 1, "pid 1");
}

Result<void> check_files() {
  struct statvfs root{};
  TRY(holds(::statvfs("/", &root) == 0 && (root.f_flag & ST_RDONLY) != 0, "read-only root"));
  TRY(holds((root.f_flag & ST_NOSUID) != 0, "nosuid root"));
  const int made = ::open("/var/.check", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (made >= 0) ::close(made);
  TRY(holds(made < 0, "root cannot be written"));
  for (const char* path : {"/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"}) {
    const int opened = ::open(path, O_WRONLY | O_CLOEXEC);
    if (opened >= 0) ::close(opened);
    TRY(holds(opened < 0, "/proc cannot be written"));
  }
  char directory[4096];
  TRY(holds(::getcwd(directory, sizeof directory) != nullptr && directory[0] == '/',
            "working directory inside"));
  for (const char* path : {"/proc", "/proc/sys"}) {
    struct statvfs proc{};
    TRY(holds(::statvfs(path, &proc) == 0 && (proc.f_flag & ST_RDONLY) != 0, "read-only /proc"));
  }
  return {};
}

/// /dev holds what we put there and nothing of the host's.
Result<void> check_devices() {
  constexpr std::string_view known[] = {".",       "..",  "null", "zero",  "full",   "random",
                                        "urandom", "shm", "fd",   "stdin", "stdout", "stderr"};
  DIR* directory = ::opendir("/dev");
  if (directory == nullptr) return fail(check_failed("devices"));
  bool only_known = true;
  while (const dirent* entry = ::readdir(directory)) {
    if (std::ranges::find(known, std::string_view(entry->d_name)) == std::end(known)) {
      only_known = false;
    }
  }
  ::closedir(directory);
  return holds(only_known, "only known devices");
}

Result<void> check_descriptors(int socket) {
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return fail(check_failed("descriptors"));
  bool only_known = true;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    const long fd = std::strtol(entry->d_name, nullptr, 10);
    if (fd > 3 && fd != socket && fd != ::dirfd(directory)) only_known = false;
  }
  ::closedir(directory);
  return holds(only_known, "only known descriptors");
}

Result<void> check_limits(const wire::Request& request) {
  rlimit limit{};
  TRY(holds(::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0, "no core dumps"));
  TRY(holds(::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max <= request.files_max,
            "descriptor limit"));
  TRY(holds(::getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_max <= request.pids_max,
            "process limit"));
  TRY(holds(::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_max <= 1 << 20,
            "locked memory limit"));
  return holds(::getrlimit(RLIMIT_RTPRIO, &limit) == 0 && limit.rlim_max == 0, "no real time");
}

}  // namespace

Result<void> check_self(const ShellSetup& setup, const wire::Request& request) {
  // A test that leaves a layer out wants to see what happens without it, or that it is noticed.
  if (without(setup.weaken, wire::weaken_self_check)) return {};
  TRY(check_privileges(setup));
  TRY(check_namespaces(*setup.host));
  TRY(check_user_map());
  TRY(check_executable());
  TRY(check_files());
  TRY(check_devices());
  TRY(check_landlock(setup.host->landlock_abi));
  TRY(check_descriptors(setup.socket));
  return check_limits(request);
}

}  // namespace wolke::sandbox
