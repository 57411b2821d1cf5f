#pragma once
// NameServer: answers DNS queries (dns.h) on sockets that were made inside one sandbox, over UDP
// and TCP (RFC 7766). It asks nobody and remembers nothing.
//
// A function may send what it likes as fast as it likes: all its queries together have a rate,
// beyond which they wait in the kernel and are dropped there; messages, connections and their
// silence have limits. Threads: the loop's. stop() ends its tasks and must have been awaited before
// destruction.

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/async/event.h"
#include "wolke/async/gate.h"
#include "wolke/async/loop.h"
#include "wolke/async/task.h"
#include "wolke/base/fd.h"

namespace wolke::runtime {

/// More than programs look up, and about a hundredth of a processor.
inline constexpr std::uint32_t dns_answers_per_window_max = 200;
inline constexpr auto dns_window = std::chrono::milliseconds(100);
inline constexpr std::size_t dns_connections_max = 8;
inline constexpr auto dns_idle_timeout = std::chrono::seconds(5);

class NameServer {
 public:
  /// `domains` is borrowed.
  NameServer(async::Loop& loop, const std::vector<std::string>& domains);
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  /// Both non-blocking; call each at most once.
  void serve_datagrams(Fd bound);
  void serve_streams(Fd listening);
  async::Task<void> stop();

 private:
  async::Task<void> answer_datagrams();
  async::Task<void> accept_streams();
  async::Task<void> answer_stream(Fd connection);
  /// Whole, or false: closed, silent for too long, or stopped.
  async::Task<bool> read_exactly(int fd, char* to, std::size_t bytes);
  async::Task<bool> write_all(int fd, std::string_view bytes);
  /// False when none waits.
  bool answer_one_datagram();
  /// Waits for the next window where this one is used up; false when stopped.
  async::Task<bool> within_rate();

  async::Loop& loop_;
  const std::vector<std::string>& domains_;
  Fd datagrams_, listening_;
  std::set<int> connections_;
  Monotonic window_ends_{};
  std::uint32_t answered_ = 0;  // in this window: messages, and connections accepted
  bool stopped_ = false;
  async::Event stopping_;
  async::Gate gate_;
};

}  // namespace wolke::runtime
