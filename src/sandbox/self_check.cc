// What must hold before the program runs, looked at from inside, after the lock: a sandbox that
// does not pass is refused, never run "as good as it goes". It asks the kernel, not the code that
// should have done it.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "wolke/sandbox/shell.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

Result<void> holds(bool condition, std::string_view check) {
  if (!condition) return fail(check_failed(check));
  return {};
}

Result<void> check_privileges() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct have[2] = {};
  TRY(checked(::syscall(SYS_capget, &head, have), "capget"));
  for (const auto& part : have) {
    TRY(holds(part.effective == 0 && part.permitted == 0 && part.inheritable == 0,
              "no capability"));
  }
  for (int capability = 0;; ++capability) {
    const int bounded = ::prctl(PR_CAPBSET_READ, capability);
    if (bounded < 0) break;
    TRY(holds(bounded == 0, "empty bounding set"));
  }
  TRY(holds(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no_new_privs"));
  TRY(holds(::prctl(PR_GET_SECCOMP) == 2, "seccomp filter"));
  TRY(holds(::getuid() == inside_uid && ::geteuid() == inside_uid, "uid"));
  TRY(holds(::getgid() == inside_gid && ::getegid() == inside_gid, "gid"));
  // The filter is not only there but ours: a call that it refuses, with nothing to lose if it does
  // not.
  return holds(::syscall(SYS_unshare, CLONE_NEWUSER) < 0 && errno == EPERM,
               "filter refuses unshare");
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
  struct statvfs proc{};
  return holds(::statvfs("/proc", &proc) == 0 && (proc.f_flag & ST_RDONLY) != 0, "read-only /proc");
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
  return holds(::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max <= request.files_max,
               "descriptor limit");
}

}  // namespace

Result<void> check_self(const ShellSetup& setup, const wire::Request& request) {
#ifdef WOLKE_TEST_WEAKEN
  if (setup.weaken != 0) return {};  // the test wants to see what happens without the layer
#endif
  TRY(check_privileges());
  TRY(check_namespaces(*setup.host));
  TRY(check_files());
  TRY(check_descriptors(setup.socket));
  return check_limits(request);
}

}  // namespace wolke::sandbox
