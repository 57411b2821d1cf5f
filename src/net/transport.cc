#include "wolke/net/transport.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace wolke::net {
namespace {

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(Fd connected) : fd_(std::move(connected)) {}
  int fd() const override { return fd_.get(); }

  Io try_read(std::span<char> out) override {
    for (;;) {
      ssize_t n = ::recv(fd_.get(), out.data(), out.size(), 0);
      if (n > 0) return {Io::Status::done, static_cast<std::size_t>(n)};
      if (n == 0) return {Io::Status::end};
      if (errno == EAGAIN || errno == EWOULDBLOCK) return {Io::Status::want_read};
      if (errno != EINTR) return {Io::Status::failed};
    }
  }

  Io try_write(std::span<const iovec> pieces) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg only reads it
    message.msg_iovlen = pieces.size();
    for (;;) {
      ssize_t n = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
      if (n >= 0) return {Io::Status::done, static_cast<std::size_t>(n)};
      if (errno == EAGAIN || errno == EWOULDBLOCK) return {Io::Status::want_write};
      if (errno != EINTR) return {Io::Status::failed};
    }
  }

  bool short_read_means_drained() const override { return true; }
  void end_writing() override { ::shutdown(fd_.get(), SHUT_WR); }

 private:
  Fd fd_;
};

}  // namespace

std::unique_ptr<Transport> plain_transport(Fd connected) {
  return std::make_unique<PlainTransport>(std::move(connected));
}

async::Loop::FdAwaiter wait_for(async::Loop& loop, const Transport& transport, Io io,
                                Monotonic deadline) {
  return io.status == Io::Status::want_write ? loop.writable(transport.fd(), deadline)
                                             : loop.readable(transport.fd(), deadline);
}

Io write_pieces(Transport& transport, std::array<std::string_view, 3>& pieces) {
  for (;;) {
    std::array<iovec, 3> vectors;
    std::size_t count = 0;
    for (std::string_view piece : pieces) {
      if (!piece.empty()) vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    if (count == 0) return {Io::Status::done};
    Io io = transport.try_write({vectors.data(), count});
    if (io.status != Io::Status::done) return io;
    for (std::string_view& piece : pieces) {
      std::size_t written = std::min(io.bytes, piece.size());
      piece.remove_prefix(written);
      io.bytes -= written;
    }
  }
}

}  // namespace wolke::net
