#include "wolke/sandbox/init_image.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "wolke/sandbox/step.h"
#include "wolke/sandbox/wire.h"

// The bytes of the executable; WOLKE_INIT_PROGRAM is the path that the build gave it.
asm(".pushsection .rodata.wolke_init, \"a\", @progbits\n"
    ".balign 16\n"
    ".globl wolke_init_begin\n"
    "wolke_init_begin:\n"
    ".incbin \"" WOLKE_INIT_PROGRAM
    "\"\n"
    ".globl wolke_init_end\n"
    "wolke_init_end:\n"
    ".popsection\n");
extern "C" const char wolke_init_begin[];
extern "C" const char wolke_init_end[];

namespace wolke::sandbox {
namespace {

/// An exec drops the capabilities of a user that is not root, ambient ones excepted.
void make_capabilities_ambient() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct have[2] = {};
  if (::syscall(SYS_capget, &head, have) < 0) return;
  for (auto& part : have) part.inheritable = part.permitted;
  if (::syscall(SYS_capset, &head, have) < 0) return;
  for (unsigned capability = 0; capability < 64; ++capability) {
    if ((have[capability / 32].permitted & 1U << capability % 32) == 0) continue;
    (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
  }
}

}  // namespace

std::string_view init_program() {
  return {wolke_init_begin, static_cast<std::size_t>(wolke_init_end - wolke_init_begin)};
}

void exec_init(int image, int socket, bool keep_capabilities) {
  // First both out of the way of the number that the socket gets.
  const int from = ::fcntl(socket, F_DUPFD_CLOEXEC, 16);
  const int program = ::fcntl(image, F_DUPFD_CLOEXEC, 16);
  if (from < 0 || program < 0 || ::dup2(from, init_socket) < 0) ::_exit(125);
  if (keep_capabilities) make_capabilities_ambient();
  (void)::close_range(0, init_socket - 1, 0);
  (void)::close_range(init_socket + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  char name[] = "wolke-init";
  char* const arguments[] = {name, nullptr};
  char* const environment[] = {nullptr};
  // SAFETY: bytes of our own, which nobody can change since they were sealed.
  (void)::syscall(SYS_execveat, program, "", arguments, environment, AT_EMPTY_PATH);
  wire::ShellReport report{};
  report.kind = wire::ReportKind::failed;
  wire::copy_text(report.what, "exec of init: ");
  wire::copy_text(std::span(report.what).subspan(14), ::strerrorname_np(errno));
  (void)wire::send(init_socket, report);
  ::_exit(125);
}

}  // namespace wolke::sandbox
