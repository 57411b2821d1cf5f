#pragma once
// Transport: a connected byte stream that never blocks, plain or TLS. Callers try first and wait
// only for what the transport asks for, so a request that is already there costs no trip through
// epoll.
//
// Threads: one loop. Lifetime: owns its descriptor; the loop must forget it before the transport is
// destroyed.

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "wolke/async/loop.h"
#include "wolke/base/fd.h"

namespace wolke::net {

struct Io {
  enum class Status : std::uint8_t { done, end, want_read, want_write, failed };
  Status status;
  std::size_t bytes = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual int fd() const = 0;
  virtual Io try_read(std::span<char> out) = 0;
  /// Takes as many bytes as it can; never raises SIGPIPE. After want_* the same bytes must be
  /// offered again.
  virtual Io try_write(std::span<const iovec> pieces) = 0;
  /// After a read that returned fewer bytes than asked, the next one would find nothing: wait
  /// first.
  virtual bool short_read_means_drained() const = 0;
  /// Tells the peer that nothing more will be written.
  virtual void end_writing() = 0;
};

std::unique_ptr<Transport> plain_transport(Fd connected);

/// Waits for what `io` asked for.
async::Loop::FdAwaiter wait_for(async::Loop& loop, const Transport& transport, Io io,
                                Monotonic deadline);

/// Writes from the front of `pieces` and shortens them. Status done: all is written; want_*: wait,
/// then call again.
Io write_pieces(Transport& transport, std::array<std::string_view, 3>& pieces);

}  // namespace wolke::net
