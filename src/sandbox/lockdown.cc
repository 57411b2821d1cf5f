// Gives up every right that the program must not have. The order: limits first (they need nothing),
// then capabilities, no_new_privs (landlock and seccomp need it), landlock, and seccomp last, since
// it forbids what the others use.
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "wolke/sandbox/landlock.h"
#include "wolke/sandbox/seccomp.h"
#include "wolke/sandbox/shell.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

Result<void> limit(__rlimit_resource resource, rlim_t value, const char* name) {
  rlimit current{};
  TRY(checked(::getrlimit(resource, &current), name));
  // Never upwards: that would need a capability of the host.
  const rlim_t fits = std::min(value, current.rlim_max);
  const rlimit wanted{fits, fits};
  return checked(::setrlimit(resource, &wanted), name);
}

/// A server that was started with a priority above others' does not pass it on: sandboxes share the
/// processors by the weights of their groups. One below others' (nice) is kept. Downwards needs no
/// right, and without one there is no way back.
Result<void> take_ordinary_priority() {
  const int policy = ::sched_getscheduler(0);
  if (policy == SCHED_FIFO || policy == SCHED_RR) {
    const sched_param none{};
    TRY(checked(::sched_setscheduler(0, SCHED_OTHER, &none), "scheduler"));
  }
  if (::getpriority(PRIO_PROCESS, 0) < 0) {
    TRY(checked(::setpriority(PRIO_PROCESS, 0, 0), "niceness"));
  }
  constexpr int io_process = 1;  // IOPRIO_WHO_PROCESS; class 0: as the niceness says
  return checked(::syscall(SYS_ioprio_set, io_process, 0, 0), "disk priority");
}

Result<void> drop_capabilities() {
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    TRY(checked(::prctl(PR_CAPBSET_DROP, capability), "bounding set"));
  }
  TRY(checked(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "ambient set"));
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  return checked(::syscall(SYS_capset, &head, none), "capset");
}

}  // namespace

Result<void> set_limits(const ShellSetup& setup, const wire::Request& request) {
  TRY(take_ordinary_priority());
  TRY(limit(RLIMIT_CORE, 0, "RLIMIT_CORE"));
  TRY(limit(RLIMIT_NOFILE, request.files_max, "RLIMIT_NOFILE"));
  // A second word beside pids.max, where the count is the sandbox's own: by its uid or its user
  // namespace.
  if (setup.privileged || has_namespaces(setup.level)) {
    TRY(limit(RLIMIT_NPROC, request.pids_max, "RLIMIT_NPROC"));
  }
  TRY(limit(RLIMIT_MSGQUEUE, 819200, "RLIMIT_MSGQUEUE"));
  TRY(limit(RLIMIT_SIGPENDING, 1024, "RLIMIT_SIGPENDING"));
  TRY(limit(RLIMIT_MEMLOCK, 1 << 20, "RLIMIT_MEMLOCK"));
  TRY(limit(RLIMIT_RTPRIO, 0, "RLIMIT_RTPRIO"));
  TRY(limit(RLIMIT_NICE, 0, "RLIMIT_NICE"));
  if (setup.limits_by_rlimit) {
    // No control group: each process alone is bounded. Interpreters reserve much more than they
    // use, so this bounds writable data only, with room for the reservations of V8.
    TRY(limit(RLIMIT_DATA, request.memory_bytes + (1ULL << 30), "RLIMIT_DATA"));
  }
  return {};
}

Result<void> lock_down(const ShellSetup& setup, const wire::Request& request) {
  if (!without(setup.weaken, wire::weaken_limits)) {
    TRY(set_limits(setup, request));
  }
  if (!without(setup.weaken, wire::weaken_capabilities)) {
    TRY(drop_capabilities());
  }
  // Nobody of the same uid may read or trace init.
  const bool dumpable = without(setup.weaken, wire::weaken_init);
  TRY(checked(::prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0), "dumpable"));
  if (!without(setup.weaken, wire::weaken_no_new_privileges)) {
    TRY(checked(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs"));
    if (!without(setup.weaken, wire::weaken_landlock)) {
      TRY(restrict_by_landlock(setup.host->landlock_abi, {{"/"}, {"/tmp", "/dev/shm"}}));
    }
  }
  if (without(setup.weaken, wire::weaken_seccomp)) return {};
  return install_filter(setup.host->filter);
}

}  // namespace wolke::sandbox
