#pragma once
// What crosses the process boundaries of the sandbox: fixed-size structs over SOCK_SEQPACKET socket
// pairs, descriptors beside them (SCM_RIGHTS). There is no parser on the privileged side: a message
// has the right size, kind and bounds or it is dropped. Strings that only the sandbox itself needs
// (arguments, environment, hosts file) travel in a sealed memfd that the spawner hands through
// unread.
//
//   server  -> spawner : Request {start, kill, release, terminate}   spawner -> server : Reply
//   {started, failed, exited} spawner -> shell   : ShellOrder {begin, start}        shell   ->
//   spawner : ShellReport {ready, started, …}
//
// Threads: none; every function here is called by the one that owns the descriptor. Failure:
// Result, or `false`.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "wolke/base/fd.h"
#include "wolke/base/result.h"

namespace wolke::sandbox::wire {

inline constexpr std::size_t mounts_max = 16;
inline constexpr std::size_t listen_max = 8;
inline constexpr std::size_t descriptors_max = 24;
inline constexpr std::size_t inside_path_max = 64;
inline constexpr std::size_t program_bytes_max = 1024 * 1024;
inline constexpr std::uint32_t version = 1;

enum class RequestKind : std::uint32_t { start = 1, kill = 2, release = 3, terminate = 4 };
enum class ReplyKind : std::uint32_t { started = 1, failed = 2, exited = 3 };
enum class OrderKind : std::uint32_t { begin = 1, start = 2 };
/// What an Error's code tells of a failed start.
enum class Cause : std::uint32_t {
  other = 0,
  refused = 1,         // a self-check failed
  not_executable = 2,  // the program's file is there, the kernel cannot run it
};
enum class ReportKind : std::uint32_t {
  ready = 1,
  started = 2,
  failed = 3,
  exited = 4,
  tmp = 5,  // with /tmp's descriptor, before `started`
};

/// Layers that a test build can leave out, to show that the same attack then succeeds (the positive
/// control). A product build refuses any request that names one.
enum Weaken : std::uint32_t {
  weaken_seccomp = 1u << 0,
  weaken_landlock = 1u << 1,
  weaken_capabilities = 1u << 2,  // keeps the capabilities of the sandbox's user namespace
  weaken_read_only = 1u << 3,     // root and mounts stay writable
  weaken_masks = 1u << 4,         // plain /proc, writable
  weaken_network = 1u << 5,       // the host's network namespace
  weaken_cgroup = 1u << 6,        // no limits
  weaken_pid = 1u << 7,           // the host's PID namespace and /proc
  weaken_no_new_privileges = 1u << 8,
  weaken_user = 1u << 9,          // no user namespace: the program is root of the host's
  weaken_descriptors = 1u << 10,  // descriptor 7 is the host's root directory
  weaken_init = 1u << 11,         // init is dumpable
  weaken_ipc = 1u << 12,          // the host's IPC namespace
  weaken_keyring = 1u << 13,      // the spawner's session keyring
  weaken_limits = 1u << 14,       // no resource limits
  weaken_devices = 1u << 15,      // the host's /dev
  weaken_nosuid = 1u << 16,       // mounts honour set-user-id
  weaken_working_directory = 1u << 17,
  weaken_seals = 1u << 18,       // init's executable can be written
  weaken_self_check = 1u << 19,  // none of the others is noticed
  weaken_uid_map = 1u << 20,     // the sandbox's user is root of the host
};

enum class ListenKind : std::uint16_t {
  stream = 0,    // a listening TCP socket
  datagram = 1,  // a bound UDP socket
  /// A TCP socket that is neither bound nor connected: who connects it later, from wherever,
  /// reaches the sandbox's own loopback only. It has no address.
  outward = 2,
};

struct ListenAddress {
  std::uint32_t address;  // network byte order
  std::uint16_t port;     // host byte order
  ListenKind kind;
};

/// Descriptors with `start`, in this order: stdout, stderr, control, program, then one for each
/// mount.
inline constexpr std::size_t start_descriptors = 4;

struct Request {
  std::uint32_t version;
  RequestKind kind;
  std::uint64_t handle;  // chosen by the server, unique for the life of the connection
  std::uint64_t memory_bytes;
  std::uint64_t tmp_bytes;
  std::uint32_t pids_max;
  std::uint32_t files_max;
  std::uint32_t mount_count;
  std::uint32_t listen_count;
  std::uint32_t weaken;
  std::uint32_t reserved;
  std::array<char, 72> id;
  std::array<char, 72> hostname;
  std::array<std::array<char, inside_path_max>, mounts_max> inside;
  std::array<ListenAddress, listen_max> listen;
};

/// Bits of Reply::present: which descriptors follow a `started`, in this order, then the listeners.
enum Present : std::uint32_t {
  present_pidfd = 1u << 0,
  present_kill = 1u << 1,         // cgroup.kill: write "1"
  present_freeze = 1u << 2,       // cgroup.freeze: write "1" or "0"
  present_freezer_v1 = 1u << 3,   // freezer.state: write "FROZEN" or "THAWED"
  present_memory_peak = 1u << 4,  // memory.peak or memory.max_usage_in_bytes
  present_memory_stat = 1u << 5,
  present_cpu_v2 = 1u << 6,        // cpu.stat
  present_cpu_v1 = 1u << 7,        // cpuacct.usage
  present_oom = 1u << 8,           // memory.events or memory.oom_control
  present_memory_usage = 1u << 9,  // memory.current or memory.usage_in_bytes
  present_quota = 1u << 10,        // cpu.max or cpu.cfs_quota_us, when it is to be set
  present_tmp = 1u << 11,  // the directory /tmp, where it is a file system of the sandbox's own
};
inline constexpr std::size_t present_kinds = 12;

struct Reply {
  ReplyKind kind;
  std::uint32_t present;
  std::uint64_t handle;
  std::uint32_t listener_count;
  std::int32_t exit_code;
  std::int32_t exit_signal;
  std::uint32_t out_of_memory;
  std::uint64_t memory_peak_bytes;
  std::uint64_t cpu_microseconds;
  Cause cause;  // of failed
  std::uint32_t host_uid;
  std::array<char, 160> what;
};

/// The first order, to a shell that was just made; the HostView goes with it as a descriptor.
struct ShellBegin {
  OrderKind kind;
  std::uint32_t level;
  std::uint32_t privileged;
  std::uint32_t host_uid;
  std::uint32_t limits_by_rlimit;
  std::uint32_t weaken;
};

struct ShellOrder {
  OrderKind kind;
  std::uint32_t unused;
  Request request;
};

struct ShellReport {
  ReportKind kind;
  std::int32_t exit_code;
  std::int32_t exit_signal;
  Cause cause;  // of failed
  std::array<char, 160> what;
};

/// The head of the program memfd. After it: working directory, arguments, environment, each ended
/// by NUL; then the bytes of /etc/hosts.
struct ProgramHead {
  std::uint32_t argument_count;
  std::uint32_t environment_count;
  std::uint32_t strings_bytes;
  std::uint32_t hosts_bytes;
};

static_assert(std::is_trivially_copyable_v<Request> && std::is_trivially_copyable_v<Reply>);
static_assert(std::is_trivially_copyable_v<ShellBegin> &&
              std::is_trivially_copyable_v<ShellOrder> &&
              std::is_trivially_copyable_v<ShellReport>);

/// Cuts to fit; always ends with NUL.
void copy_text(std::span<char> to, std::string_view text);
/// The text of a field, or nothing when no NUL ends it.
std::string_view text_of(std::span<const char> field);

enum class Transfer { done, would_block, closed, malformed };

/// Sends one message and at most descriptors_max descriptors.
Transfer send_message(int socket, std::span<const std::byte> message,
                      std::span<const int> descriptors);
/// Receives exactly message.size() bytes; anything else is `malformed` and its descriptors are
/// closed.
Transfer receive_message(int socket, std::span<std::byte> message, std::vector<Fd>& descriptors);

template <class T>
Transfer send(int socket, const T& message, std::span<const int> descriptors = {}) {
  return send_message(socket, std::as_bytes(std::span(&message, 1)), descriptors);
}
template <class T>
Transfer receive(int socket, T& message, std::vector<Fd>& descriptors) {
  return receive_message(socket, std::as_writable_bytes(std::span(&message, 1)), descriptors);
}

/// What a request may say, checked by the privileged side before it does anything: lengths, counts,
/// the characters of names, absolute inside paths without "." and "..". Returns what is wrong, or
/// nothing.
std::string_view why_unacceptable(const Request& request, std::size_t descriptor_count);
/// [a-z0-9-]{1,64}
bool is_name(std::string_view text);
/// "/var/task": absolute, plain characters, no "." or "..", at most four parts, and not one of our
/// own directories.
bool is_inside_path(std::string_view path);

}  // namespace wolke::sandbox::wire
