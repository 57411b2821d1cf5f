#include "wolke/sandbox/sealed.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

// Names of kernel 6.3: a host may refuse memfds that can be executed unless they ask for it.
constexpr unsigned memfd_exec = 0x10;

Result<Fd> make_memfd(const char* name, bool executable) {
  constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  Fd fd(::memfd_create(name, executable ? flags | memfd_exec : flags));
  if (!fd.valid() && errno == EINVAL) fd = Fd(::memfd_create(name, flags));  // an older kernel
  if (!fd.valid()) return fail(step_failed("memfd (see vm.memfd_noexec)", errno));
  return fd;
}

}  // namespace

int all_seals() {
  return F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
}

Result<Fd> sealed_memfd(const char* name, std::string_view bytes, bool executable, bool sealed) {
  TRY(Fd fd, make_memfd(name, executable));
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd.get(), rest.data(), rest.size());
    if (written < 0) return fail(step_failed("memfd", errno));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (!sealed) return fd;
  TRY(checked(::fcntl(fd.get(), F_ADD_SEALS, all_seals()), "memfd seals"));
  return fd;
}

}  // namespace wolke::sandbox
