#include "wolke/sandbox/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "wolke/base/fd.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

// The kernel's interface beyond what the oldest headers name (landlock(7), "Defining and
// enforcing").
constexpr std::uint64_t fs_truncate = 1ULL << 14;         // ABI 3
constexpr std::uint64_t fs_ioctl_dev = 1ULL << 15;        // ABI 5
constexpr std::uint64_t scope_abstract_unix = 1ULL << 0;  // ABI 6
constexpr std::uint64_t scope_signal = 1ULL << 1;         // ABI 6

struct RulesetAttributes {
  std::uint64_t handled_fs;
  std::uint64_t handled_net;  // ABI 4
  std::uint64_t scoped;       // ABI 6
};

constexpr std::uint64_t read_rights =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

std::uint64_t handled_rights(int abi) {
  std::uint64_t rights = (1ULL << 13) - 1;  // ABI 1
  if (abi >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
  if (abi >= 3) rights |= fs_truncate;
  if (abi >= 5) rights |= fs_ioctl_dev;
  return rights;
}

Result<void> allow_below(int ruleset, const char* path, std::uint64_t rights) {
  Fd fd(::open(path, O_PATH | O_CLOEXEC));
  if (!fd.valid()) return fail(step_failed("landlock path", errno));
  landlock_path_beneath_attr beneath{rights, fd.get()};
  return checked(::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0),
                 "landlock rule");
}

}  // namespace

int landlock_abi() {
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return abi > 0 ? static_cast<int>(abi) : 0;
}

Result<void> restrict_by_landlock(int abi, const LandlockPaths& paths) {
  if (abi <= 0) return {};  // a kernel without it: the level's facts say so
  const std::uint64_t handled = handled_rights(abi);
  RulesetAttributes attributes{handled, 0, abi >= 6 ? scope_abstract_unix | scope_signal : 0};
  const std::size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
  Fd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  if (!ruleset.valid()) return fail(step_failed("landlock ruleset", errno));

  for (const std::string& path : paths.read) {
    if (::access(path.c_str(), F_OK) < 0) continue;
    TRY(allow_below(ruleset.get(), path.c_str(), read_rights));
  }
  for (const std::string& path : paths.write) {
    TRY(allow_below(ruleset.get(), path.c_str(), handled & ~fs_ioctl_dev));
  }
  for (const char* device :
       {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}) {
    std::uint64_t rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    if (abi >= 3) rights |= fs_truncate;  // open(…, O_TRUNC) of a shell's "> /dev/null"
    TRY(allow_below(ruleset.get(), device, rights));
  }
  // SAFETY: only narrows; needs no_new_privs, which lock_down() has set.
  return checked(::syscall(SYS_landlock_restrict_self, ruleset.get(), 0), "landlock");
}

}  // namespace wolke::sandbox
