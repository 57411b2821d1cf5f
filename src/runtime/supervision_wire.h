#pragma once
// What the supervisor of a sandbox with extensions (supervise_main.cc) and the server say to each
// other over one TCP connection inside the sandbox.
//
// To the supervisor: orders of one byte. From it: messages of 6 bytes (the payload's length, u32
// little-endian; the word; the index of the extension, or supervised_runtime), then the payload:
// bytes of output, else an int32: how a process ended (as waitpid(2) says it), or the errno of one
// that could not be started.

#include <cstddef>

namespace wolke::runtime {

/// Lambda: extensions of one function.
inline constexpr int supervised_extensions_max = 10;
inline constexpr int supervised_runtime = 100;  // in the place of an index
inline constexpr std::size_t supervision_head_bytes = 6;
inline constexpr std::size_t supervision_payload_max = 16 * 1024;

enum class SupervisionOrder : char { start = 's', terminate = 't', kill = 'k' };
enum class SupervisionWord : char { output = 'o', ended = 'x', failed = 'f' };

}  // namespace wolke::runtime
