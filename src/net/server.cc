#include "wolke/net/server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>
#include <vector>

#include "wolke/async/event.h"
#include "wolke/base/http_limits.h"
#include "wolke/base/limits.h"
#include "wolke/net/address.h"
#include "wolke/net/connection.h"
#include "wolke/net/transport.h"

namespace wolke::net {

using async::Task;
using async::Wake;

namespace {

/// After the grace, connections are cut; their handlers get this long to see it.
constexpr auto cut_grace = std::chrono::milliseconds(250);

using MakeTransport = std::function<std::unique_ptr<Transport>(Fd)>;

/// Said at once, without waiting for the request: whether it can be read does not matter.
void refuse(int fd) {
  constexpr std::string_view answer =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  [[maybe_unused]] auto n = ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

struct Server::State {
  State(async::Loop& loop, Handler handler, const ServerOptions& options)
      : context(loop, std::move(handler), options), all_gone(loop) {}

  ConnectionContext context;
  std::vector<int> listening;
  std::unordered_set<Connection*> running;
  std::size_t open = 0;  // accepted and not closed
  async::Event all_gone;

  void close_listeners() {
    context.closing = true;
    for (int fd : listening) context.loop.forget(fd);
  }
  void cut_connections(bool only_idle) {
    for (Connection* connection : running) {
      if (!only_idle || connection->idle()) connection->cut();
    }
  }
  void accepted(const std::shared_ptr<State>& self, Fd socket, const sockaddr_storage& from,
                const MakeTransport& make_transport, bool tls);

  static void listen(const std::shared_ptr<State>& self, Fd listening, MakeTransport make_transport,
                     bool tls);
  static Task<void> accept_loop(std::shared_ptr<State> self, Fd listening,
                                MakeTransport make_transport, bool tls);
  static Task<void> serve_connection(std::shared_ptr<State> self,
                                     std::unique_ptr<Transport> transport, Peer peer);
};

Task<void> Server::State::serve_connection(std::shared_ptr<State> self,
                                           std::unique_ptr<Transport> transport, Peer peer) {
  {
    Connection connection(self->context, std::move(transport), std::move(peer));
    self->running.insert(&connection);
    co_await connection.run();
    self->running.erase(&connection);
  }
  if (--self->open == 0) self->all_gone.set();
}

void Server::State::accepted(const std::shared_ptr<State>& self, Fd socket,
                             const sockaddr_storage& from, const MakeTransport& make_transport,
                             bool tls) {
  if (open >= context.options.connections_max) return refuse(socket.get());
  int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Address address = to_address(from);
  std::unique_ptr<Transport> transport = make_transport(std::move(socket));
  if (!transport) return;
  ++open;
  all_gone.reset();
  context.loop.spawn(
      serve_connection(self, std::move(transport), {std::move(address.host), address.port, tls}));
}

Task<void> Server::State::accept_loop(std::shared_ptr<State> self, Fd listening,
                                      MakeTransport make_transport, bool tls) {
  async::Loop& loop = self->context.loop;
  while (!self->context.closing) {
    int error = 0;
    for (int i = 0; i < limits::http_accepts_per_wake && error == 0; ++i) {
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      Fd socket(::accept4(listening.get(), reinterpret_cast<sockaddr*>(&from), &size,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (socket.valid()) {
        self->accepted(self, std::move(socket), from, make_transport, tls);
      } else {
        error = errno;
      }
    }
    if (error == EBADF || error == EINVAL) break;  // shut down by its owner
    bool out_of_resources =
        error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
    Wake wake = out_of_resources ? co_await loop.sleep_for(limits::http_accept_pause)
                                 : co_await loop.readable(listening.get(), Monotonic::max());
    if (wake == Wake::cancelled) break;
  }
  std::erase(self->listening, listening.get());
  loop.forget(listening.get());
}

Server::Server(async::Loop& loop, Handler handler, ServerOptions options)
    : state_(std::make_shared<State>(loop, std::move(handler), options)) {}

Server::~Server() {
  state_->close_listeners();
  state_->cut_connections(false);
}

void Server::State::listen(const std::shared_ptr<State>& self, Fd listening,
                           MakeTransport make_transport, bool tls) {
  ::fcntl(listening.get(), F_SETFL, ::fcntl(listening.get(), F_GETFL) | O_NONBLOCK);
  self->listening.push_back(listening.get());
  self->context.loop.spawn(accept_loop(self, std::move(listening), std::move(make_transport), tls));
}

void Server::serve(Fd listening) {
  State::listen(state_, std::move(listening), plain_transport, false);
}

void Server::serve_tls(Fd listening, CertificateSource source) {
  serve_tls(std::move(listening), std::make_shared<TlsAcceptor>(std::move(source)));
}

void Server::serve_tls(Fd listening, std::shared_ptr<TlsAcceptor> acceptor) {
  auto make_transport = [acceptor](Fd connected) { return acceptor->accept(std::move(connected)); };
  State::listen(state_, std::move(listening), make_transport, true);
}

Task<void> Server::stop(std::chrono::milliseconds grace) {
  std::shared_ptr<State> state = state_;
  async::Loop& loop = state->context.loop;
  state->close_listeners();
  state->cut_connections(true);
  if (state->open == 0) co_return;
  state->all_gone.reset();
  if (co_await state->all_gone.wait(loop.now() + grace) == Wake::ready) co_return;
  state->cut_connections(false);
  co_await state->all_gone.wait(loop.now() + cut_grace);
}

std::size_t Server::connections() const {
  return state_->open;
}

}  // namespace wolke::net
