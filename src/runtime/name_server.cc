#include "wolke/runtime/name_server.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "wolke/runtime/dns.h"

namespace wolke::runtime {

using async::Task;
using async::Wake;

namespace {
constexpr int dns_answers_per_turn = 8;
}  // namespace

NameServer::NameServer(async::Loop& loop, const std::vector<std::string>& domains)
    : loop_(loop), domains_(domains), stopping_(loop) {}

void NameServer::serve_datagrams(Fd bound) {
  datagrams_ = std::move(bound);
  loop_.spawn(answer_datagrams());
}

void NameServer::serve_streams(Fd listening) {
  listening_ = std::move(listening);
  loop_.spawn(accept_streams());
}

Task<void> NameServer::stop() {
  stopped_ = true;
  stopping_.set();
  if (datagrams_.valid()) loop_.forget(datagrams_.get());
  if (listening_.valid()) loop_.forget(listening_.get());
  for (int fd : connections_) loop_.forget(fd);
  co_await gate_.close();
}

Task<bool> NameServer::within_rate() {
  if (loop_.now() >= window_ends_) {
    window_ends_ = loop_.now() + dns_window;
    answered_ = 0;
  }
  while (!stopped_ && answered_ >= dns_answers_per_window_max) {
    if (co_await stopping_.wait(window_ends_) != Wake::timed_out) break;
    if (loop_.now() < window_ends_) continue;  // another one began it
    window_ends_ = loop_.now() + dns_window;
    answered_ = 0;
  }
  co_return !stopped_ && !loop_.stopping();
}

// ---- datagrams

Task<void> NameServer::answer_datagrams() {
  auto inside = gate_.enter();
  while (inside && !stopped_) {
    if (co_await loop_.readable(datagrams_.get(), Monotonic::max()) != Wake::ready) co_return;
    // A few, then the loop's other tasks have their turn.
    for (int i = 0; i < dns_answers_per_turn; ++i) {
      if (!co_await within_rate()) co_return;
      if (!answer_one_datagram()) break;
    }
  }
}

bool NameServer::answer_one_datagram() {
  // One more than may be, so that what is too long is seen to be.
  std::array<char, dns_message_bytes_max + 1> bytes;
  sockaddr_in from{};
  socklen_t from_bytes = sizeof from;
  auto* address = reinterpret_cast<sockaddr*>(&from);
  const ssize_t n =
      ::recvfrom(datagrams_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT, address, &from_bytes);
  if (n < 0) return errno != EAGAIN && errno != EBADF;
  ++answered_;
  if (auto answer = answer_dns({bytes.data(), static_cast<std::size_t>(n)}, domains_)) {
    // Who has gone, or reads nothing, misses it, as with any datagram.
    (void)::sendto(datagrams_.get(), answer->data(), answer->size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                   address, from_bytes);
  }
  return true;
}

// ---- streams

Task<void> NameServer::accept_streams() {
  auto inside = gate_.enter();
  while (inside && !stopped_) {
    if (!co_await within_rate()) co_return;
    Fd connection(::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection.valid()) {
      ++answered_;
      if (connections_.size() < dns_connections_max)
        loop_.spawn(answer_stream(std::move(connection)));
      continue;
    }
    // Without descriptors left the kernel would wake us again at once.
    const bool exhausted = errno != EAGAIN && errno != ECONNABORTED && errno != EINTR;
    const Wake wake = exhausted ? co_await stopping_.wait(loop_.now() + dns_window)
                                : co_await loop_.readable(listening_.get(), Monotonic::max());
    if (wake == Wake::cancelled) co_return;
  }
}

Task<void> NameServer::answer_stream(Fd connection) {
  auto inside = gate_.enter();
  const int fd = connection.get();
  connections_.insert(fd);
  while (inside && !stopped_) {
    std::array<char, 2> length;
    std::array<char, dns_message_bytes_max> bytes;
    if (!co_await read_exactly(fd, length.data(), length.size())) break;
    const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(length[0])) << 8 |
                             static_cast<unsigned char>(length[1]);
    if (size > bytes.size() || !co_await read_exactly(fd, bytes.data(), size)) break;
    if (!co_await within_rate()) break;
    ++answered_;
    auto answer = answer_dns({bytes.data(), size}, domains_);
    if (!answer) break;
    answer->insert(
        0, {static_cast<char>(answer->size() >> 8), static_cast<char>(answer->size() & 0xff)});
    if (!co_await write_all(fd, *answer)) break;
  }
  connections_.erase(fd);
  loop_.forget(fd);
}

Task<bool> NameServer::read_exactly(int fd, char* to, std::size_t bytes) {
  const Monotonic deadline = loop_.now() + dns_idle_timeout;
  while (bytes > 0) {
    const ssize_t n = ::recv(fd, to, bytes, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) co_return false;
    if (n > 0) {
      to += n;
      bytes -= static_cast<std::size_t>(n);
    } else if (stopped_ || co_await loop_.readable(fd, deadline) != Wake::ready) {
      co_return false;
    }
  }
  co_return true;
}

Task<bool> NameServer::write_all(int fd, std::string_view bytes) {
  const Monotonic deadline = loop_.now() + dns_idle_timeout;
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) co_return false;
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (stopped_ || co_await loop_.writable(fd, deadline) != Wake::ready) {
      co_return false;
    }
  }
  co_return true;
}

}  // namespace wolke::runtime
