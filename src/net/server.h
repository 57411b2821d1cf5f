#pragma once
// Server: listens, accepts, speaks HTTP/1.1 (strict codec, http1.h) and calls the handler for each
// request. Bodies that a handler leaves unread are drained up to a bound, else the connection is
// closed. Limits: base/limits.h.
//
// Shutdown: stop() stops accepting, lets requests in progress finish for `grace`, then cuts them.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "wolke/async/loop.h"
#include "wolke/async/task.h"
#include "wolke/base/fd.h"
#include "wolke/base/http_limits.h"
#include "wolke/base/limits.h"
#include "wolke/base/result.h"
#include "wolke/net/http.h"
#include "wolke/net/tls.h"

namespace wolke::net {

using Handler = std::function<async::Task<void>(Exchange&)>;

struct ServerOptions {
  std::size_t connections_max = limits::http_connections_max;
  std::chrono::nanoseconds header_timeout = limits::http_header_timeout;
  std::chrono::nanoseconds idle_timeout = limits::http_idle_timeout;
  std::chrono::nanoseconds body_stall_timeout = limits::http_body_stall_timeout;
  std::uint64_t body_bytes_per_second_min = limits::http_body_bytes_per_second_min;
};

/// "127.0.0.1:4566", "[::1]:0", "0.0.0.0:4566". Errors name the address and the reason ("address in
/// use").
Result<Fd> listen_tcp(const std::string& host_port);
/// "127.0.0.1:39411": what a listening socket is bound to.
std::string local_address(int fd);

class Server {
 public:
  Server(async::Loop& loop, Handler handler, ServerOptions options = {});
  /// Cuts what is left; call stop() first where answers matter.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Serves an already listening socket (possibly of another network namespace).
  void serve(Fd listening);
  /// The same behind TLS; `source` gives the certificate for each name asked for (certificates.h
  /// has one).
  void serve_tls(Fd listening, CertificateSource source);
  /// One acceptor may be shared by the servers of a loop: making one costs more than a handshake.
  void serve_tls(Fd listening, std::shared_ptr<TlsAcceptor> acceptor);
  /// Ends when all connections have, or soon after they were cut; a handler that waits for
  /// something else than its connection may still run then and ends with the loop.
  async::Task<void> stop(std::chrono::milliseconds grace);
  std::size_t connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // owners: this and the tasks of its connections
};

}  // namespace wolke::net
