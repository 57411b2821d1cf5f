// What a shell must know of the host: read once by the spawner, sealed into a memfd, read by every
// init.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "wolke/base/text.h"
#include "wolke/sandbox/landlock.h"
#include "wolke/sandbox/sealed.h"
#include "wolke/sandbox/seccomp.h"
#include "wolke/sandbox/shell.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

constexpr std::size_t cpuinfo_max = 256 * 1024;

/// The head of the memfd; the filter and then the cpuinfo follow.
struct PackedHead {
  std::uint64_t boot_time_seconds;
  std::array<std::uint64_t, namespace_names.size()> namespaces;
  std::uint32_t cpus;
  std::int32_t landlock_abi;
  std::uint32_t instructions;
  std::uint32_t cpuinfo_bytes;
};

}  // namespace

HostView look_at_host() {
  HostView host;
  host.cpuinfo = read_small_file("/proc/cpuinfo", cpuinfo_max);
  const long cpus = ::sysconf(_SC_NPROCESSORS_ONLN);
  host.cpus = cpus > 0 ? static_cast<unsigned>(cpus) : 1;
  const std::string stat_text = read_small_file("/proc/stat", 1024 * 1024);
  for (std::string_view line : split(stat_text, '\n')) {
    if (line.starts_with("btime ")) host.boot_time_seconds = parse_u64(line.substr(6)).value_or(0);
  }
  for (std::size_t i = 0; i < namespace_names.size(); ++i) {
    struct stat status{};
    const std::string path = fmt::format("/proc/self/ns/{}", namespace_names[i]);
    if (::stat(path.c_str(), &status) == 0) host.namespaces[i] = status.st_ino;
  }
  host.filter = compile_filter(seccomp_rules());
  host.landlock_abi = landlock_abi();
  return host;
}

Result<Fd> pack_host(const HostView& host) {
  PackedHead head{};
  head.boot_time_seconds = host.boot_time_seconds;
  head.namespaces = host.namespaces;
  head.cpus = host.cpus;
  head.landlock_abi = host.landlock_abi;
  head.instructions = static_cast<std::uint32_t>(host.filter.size());
  head.cpuinfo_bytes = static_cast<std::uint32_t>(host.cpuinfo.size());
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  bytes.append(reinterpret_cast<const char*>(host.filter.data()),
               host.filter.size() * sizeof(sock_filter));
  bytes += host.cpuinfo;
  return sealed_memfd("host", bytes, false);
}

Result<HostView> unpack_host(int fd) {
  const std::string bytes =
      read_small_fd(fd, sizeof(PackedHead) + BPF_MAXINSNS * sizeof(sock_filter) + cpuinfo_max);
  PackedHead head{};
  if (bytes.size() < sizeof head) return fail(step_failed("host view", EBADMSG));
  std::memcpy(&head, bytes.data(), sizeof head);
  const std::size_t filter_bytes = head.instructions * sizeof(sock_filter);
  if (bytes.size() != sizeof head + filter_bytes + head.cpuinfo_bytes) {
    return fail(step_failed("host view", EBADMSG));
  }
  HostView host;
  host.boot_time_seconds = head.boot_time_seconds;
  host.namespaces = head.namespaces;
  host.cpus = head.cpus;
  host.landlock_abi = head.landlock_abi;
  host.filter.resize(head.instructions);
  std::memcpy(host.filter.data(), bytes.data() + sizeof head, filter_bytes);
  host.cpuinfo = bytes.substr(sizeof head + filter_bytes);
  return host;
}

}  // namespace wolke::sandbox
