#include "wolke/sandbox/pack.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "wolke/base/text.h"
#include "wolke/sandbox/sealed.h"
#include "wolke/sandbox/step.h"

namespace wolke::sandbox {
namespace {

Error unacceptable(std::string_view what) {
  return Error{"SandboxFailed", 500, fmt::format("sandbox request: {}", what)};
}

Result<void> append_string(std::string& out, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return fail(unacceptable("NUL in a string"));
  out.append(text);
  out.push_back('\0');
  return {};
}

/// A name for /etc/hosts: nothing that could begin another line or name.
bool is_hosts_word(std::string_view text) {
  for (char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == ':' || c == '_';
    if (!plain) return false;
  }
  return !text.empty();
}

/// Opens what is to be shown. Below a root that was opened beforehand we need no right on its
/// parents.
Result<Fd> open_mount(const std::string& path, const std::vector<Root>& roots) {
  for (const Root& root : roots) {
    if (!root.fd.valid() || !path.starts_with(root.path)) continue;
    std::string rest = path.substr(root.path.size());
    if (!rest.empty() && rest[0] != '/' && !root.path.ends_with('/')) continue;
    while (!rest.empty() && rest[0] == '/') rest.erase(0, 1);
    if (rest.empty()) rest = ".";
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    Fd fd(static_cast<int>(::syscall(SYS_openat2, root.fd.get(), rest.c_str(), &how, sizeof how)));
    if (fd.valid()) return fd;
  }
  Fd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd.valid()) return fail(step_failed("open " + path, errno));
  return fd;
}

Result<void> make_output(Fd& ours, std::vector<Fd>& theirs) {
  int ends[2] = {-1, -1};
  TRY(checked(::pipe2(ends, O_CLOEXEC), "pipe"));
  ours = Fd(ends[0]);
  theirs.emplace_back(ends[1]);
  return checked(::fcntl(ours.get(), F_SETFL, O_NONBLOCK), "pipe");
}

Result<void> make_control(Packed& packed) {
  int ends[2] = {-1, -1};
  TRY(checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair"));
  packed.control = Fd(ends[0]);
  packed.descriptors.emplace_back(ends[1]);
  // Newer kernels can refuse descriptors outright; on older ones nobody receives them (they die in
  // the kernel).
  constexpr int so_passrights = 83;
  const int off = 0;
  (void)::setsockopt(packed.control.get(), SOL_SOCKET, so_passrights, &off, sizeof off);
  return checked(::fcntl(packed.control.get(), F_SETFL, O_NONBLOCK), "socketpair");
}

}  // namespace

Result<wire::ListenAddress> parse_listen(std::string_view text) {
  wire::ListenAddress address{};
  std::string_view rest = text;
  if (rest == "outward") {
    address.kind = wire::ListenKind::outward;
    return address;
  }
  if (rest.starts_with("udp:")) {
    address.kind = wire::ListenKind::datagram;
    rest.remove_prefix(4);
  }
  const std::size_t colon = rest.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : parse_u64(rest.substr(colon + 1));
  in_addr ip{};
  if (!port || *port == 0 || *port > 65535 ||
      ::inet_pton(AF_INET, std::string(rest.substr(0, colon)).c_str(), &ip) != 1) {
    return fail(unacceptable(fmt::format("listen address {}", text)));
  }
  address.address = ip.s_addr;
  address.port = static_cast<std::uint16_t>(*port);
  return address;
}

Result<std::string> pack_program(const Spec& spec) {
  if (spec.argv.empty() || !spec.argv[0].starts_with('/')) {
    return fail(unacceptable("argv[0] is no absolute path"));
  }
  wire::ProgramHead head{};
  std::string strings;
  TRY(append_string(strings, spec.working_directory));
  for (const std::string& argument : spec.argv) {
    TRY(append_string(strings, argument));
  }
  for (const std::string& variable : spec.environment) {
    TRY(append_string(strings, variable));
  }
  std::string hosts;
  for (const auto& [name, address] : spec.hosts) {
    if (!is_hosts_word(name) || !is_hosts_word(address)) return fail(unacceptable("hosts entry"));
    hosts += fmt::format("{} {}\n", address, name);
  }
  head.argument_count = static_cast<std::uint32_t>(spec.argv.size());
  head.environment_count = static_cast<std::uint32_t>(spec.environment.size());
  head.strings_bytes = static_cast<std::uint32_t>(strings.size());
  head.hosts_bytes = static_cast<std::uint32_t>(hosts.size());
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  bytes += strings;
  bytes += hosts;
  if (bytes.size() > wire::program_bytes_max) return fail(unacceptable("arguments too long"));
  return bytes;
}

Result<Packed> pack(const Spec& spec, const std::vector<Root>& roots) {
  Packed packed;
  wire::Request& request = packed.request;
  if (spec.mounts.size() > wire::mounts_max || spec.listen.size() > wire::listen_max) {
    return fail(unacceptable("too many mounts or listeners"));
  }
  request.version = wire::version;
  request.kind = wire::RequestKind::start;
  request.memory_bytes = spec.memory_bytes;
  request.tmp_bytes = spec.tmp_bytes;
  request.pids_max = spec.pids_max;
  request.files_max = spec.files_max;
  wire::copy_text(request.id, spec.id);
  wire::copy_text(request.hostname, spec.hostname);

  TRY(make_output(packed.stdout_read, packed.descriptors));
  TRY(make_output(packed.stderr_read, packed.descriptors));
  TRY(make_control(packed));
  TRY(const std::string program, pack_program(spec));
  TRY(Fd memfd, sealed_memfd("program", program, false));
  packed.descriptors.push_back(std::move(memfd));
  for (const ReadOnlyMount& mount : spec.mounts) {
    if (!wire::is_inside_path(mount.inside_path)) {
      return fail(unacceptable(fmt::format("mount at {}", mount.inside_path)));
    }
    TRY(Fd fd, open_mount(mount.host_path, roots));
    packed.descriptors.push_back(std::move(fd));
    wire::copy_text(request.inside[request.mount_count++], mount.inside_path);
  }
  for (const std::string& text : spec.listen) {
    TRY(request.listen[request.listen_count++], parse_listen(text));
  }
  // The spawner asks the same; asking here gives the caller the reason without a round trip.
  const std::string_view wrong =
      request.weaken == 0 ? wire::why_unacceptable(request, packed.descriptors.size()) : "";
  if (!wrong.empty()) return fail(unacceptable(wrong));
  return packed;
}

}  // namespace wolke::sandbox
