#pragma once
// The program that is pid 1 of every sandbox: a small static executable of its own (init_main.cc
// and the shell's sources), carried in ours as bytes and executed from a sealed memfd. So nothing
// of the spawner's or the server's memory is in a sandbox, and pid 1's /proc/1/exe is no file of
// the host and can be written by nobody, root included.
//
// Threads: the spawner's. Failure: a failed exec is reported on the shell's socket.

#include <string_view>

namespace wolke::sandbox {

/// Where init finds its socket to the spawner.
inline constexpr int init_socket = 3;

std::string_view init_program();

/// In the forked child: becomes init. Descriptors other than `socket` are gone, and so is the
/// environment. `keep_capabilities`: those of the sandbox's own user namespace survive the exec,
/// which init gives up in lock_down(). Safe after a fork: it allocates nothing.
[[noreturn]] void exec_init(int image, int socket, bool keep_capabilities);

}  // namespace wolke::sandbox
