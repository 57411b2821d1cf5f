#include "wolke/net/client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "wolke/net/address.h"

namespace wolke::net {

using async::Task;
using async::Wake;
using http1::BodyKind;

namespace {

std::unexpected<Error> lost(const char* code, std::string message) {
  return fail({code, 502, std::move(message)});
}

std::unexpected<Error> woken_by(Wake wake) {
  if (wake == Wake::timed_out) return lost("RequestTimeout", "the server did not answer in time");
  return lost("ConnectionLost", "the loop is stopping");
}

}  // namespace

Task<Result<std::unique_ptr<ClientConnection>>> ClientConnection::connect(async::Loop& loop,
                                                                          std::string host_port,
                                                                          Monotonic deadline) {
  CO_TRY(SocketAddress address, parse_address(host_port));
  Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) co_return lost("ConnectFailed", std::strerror(errno));
  int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int error = 0;
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0) {
    error = errno;
  }
  if (error == EINPROGRESS) {
    Wake wake = co_await loop.writable(fd.get(), deadline);
    loop.forget(fd.get());
    if (wake != Wake::ready) co_return woken_by(wake);
    socklen_t size = sizeof error;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error != 0) co_return lost("ConnectFailed", host_port + ": " + std::strerror(error));
  co_return std::make_unique<ClientConnection>(loop, std::move(fd), std::move(host_port));
}

ClientConnection::ClientConnection(async::Loop& loop, Fd connected, std::string host)
    : loop_(loop), transport_(plain_transport(std::move(connected))), host_(std::move(host)) {}

ClientConnection::~ClientConnection() {
  loop_.forget(transport_->fd());
}

Task<Result<ClientResponse>> ClientConnection::send(ClientRequest request,
                                                    std::size_t body_bytes_max,
                                                    Monotonic deadline) {
  if (!std::exchange(reusable_, false))
    co_return lost("ConnectionLost", "the connection was closed");
  if (!find_header(request.headers, "host")) {
    request.headers.insert(request.headers.begin(), {"host", host_});
  }
  std::string head;
  if (!http1::append_request_head(head, request.method, request.target, request.headers,
                                  request.body.size())) {
    co_return fail(internal_error("a request has an invalid method, target or header"));
  }
  CO_TRY(co_await send_all(head, request.body, deadline));
  do {
    CO_TRY(co_await receive_head(request.method, deadline));
  } while (head_.status < 200);
  CO_TRY(std::string body, co_await receive_body(body_bytes_max, deadline));
  // Bytes behind the answer belong to no request of ours.
  reusable_ = framing_.keep_alive && in_.empty();
  co_return ClientResponse{head_.status, std::move(head_.headers), std::move(body)};
}

Task<Result<void>> ClientConnection::send_all(std::string_view head, std::string_view body,
                                              Monotonic deadline) {
  std::array<std::string_view, 3> pieces{head, body, {}};
  for (;;) {
    Io io = write_pieces(*transport_, pieces);
    if (io.status == Io::Status::done) co_return Result<void>();
    // A server may answer and close without reading the whole body: its answer is looked for
    // anyway.
    if (io.status == Io::Status::failed) co_return Result<void>();
    Wake wake = co_await wait_for(loop_, *transport_, io, deadline);
    if (wake != Wake::ready) co_return woken_by(wake);
  }
}

Io ClientConnection::read_some() {
  [[clang::uninitialized]] std::array<char, 16 * 1024> buffer;
  Io io = transport_->try_read(buffer);
  if (io.status == Io::Status::done) in_.append(buffer.data(), io.bytes);
  return io;
}

Task<Result<bool>> ClientConnection::receive_more(Monotonic deadline) {
  for (;;) {
    Io io = read_some();
    if (io.status == Io::Status::done) co_return true;
    if (io.status == Io::Status::end) co_return false;
    if (io.status == Io::Status::failed) co_return lost("ConnectionLost", "the server went away");
    Wake wake = co_await wait_for(loop_, *transport_, io, deadline);
    if (wake != Wake::ready) co_return woken_by(wake);
  }
}

Task<Result<void>> ClientConnection::receive_head(std::string_view method, Monotonic deadline) {
  http1::HeadScanner scanner;
  for (;;) {
    http1::Parsed<std::size_t> size = scanner.scan(in_);
    if (!size) co_return lost("InvalidResponse", size.error().reason);
    if (*size > 0) {
      auto framing =
          http1::parse_response_head(std::string_view(in_).substr(0, *size), method, head_);
      if (!framing) co_return lost("InvalidResponse", framing.error().reason);
      framing_ = *framing;
      in_.erase(0, *size);
      if (head_.status == 101)
        co_return lost("InvalidResponse", "nobody asked to switch protocols");
      co_return Result<void>();
    }
    CO_TRY(bool more, co_await receive_more(deadline));
    if (!more) co_return lost("ConnectionLost", "the server closed the connection");
  }
}

Task<Result<std::string>> ClientConnection::receive_body(std::size_t bytes_max,
                                                         Monotonic deadline) {
  std::string body;
  http1::ChunkedDecoder chunks;
  if (framing_.body == BodyKind::none) co_return body;
  if (framing_.body == BodyKind::length && framing_.length > bytes_max) {
    co_return lost("ResponseTooLarge", "the answer is larger than expected");
  }
  for (;;) {
    if (framing_.body == BodyKind::chunked) {
      while (!in_.empty() && !chunks.done()) {
        auto step = chunks.step(in_, in_.size());
        if (!step) co_return lost("InvalidResponse", step.error().reason);
        body += step->data;
        in_.erase(0, step->consumed);
      }
      if (chunks.done()) co_return body;
    } else {
      std::size_t bytes = in_.size();
      if (framing_.body == BodyKind::length) {
        bytes = std::min(bytes, static_cast<std::size_t>(framing_.length) - body.size());
      }
      body.append(in_, 0, bytes);
      in_.erase(0, bytes);
      if (framing_.body == BodyKind::length && body.size() == framing_.length) co_return body;
    }
    if (body.size() > bytes_max)
      co_return lost("ResponseTooLarge", "the answer is larger than expected");
    CO_TRY(bool more, co_await receive_more(deadline));
    if (more) continue;
    if (framing_.body == BodyKind::until_close) co_return body;
    co_return lost("ConnectionLost", "the server closed the connection within its answer");
  }
}

}  // namespace wolke::net
