#pragma once
// Server: listens, accepts, speaks HTTP/1.1 (strict codec, http1.h) and calls the handler for each request. Bodies that
// a handler leaves unread are drained up to a bound, else the connection is closed. Limits: base/limits.h.
//
// Shutdown: stop() stops accepting, lets requests in progress finish for `grace`, then cuts them.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "wolke/async/loop.h"
#include "wolke/async/task.h"
#include "wolke/base/fd.h"
#include "wolke/base/result.h"
#include "wolke/net/http.h"

namespace wolke::net {

using Handler = std::function<async::Task<void>(Exchange&)>;

/// "127.0.0.1:4566", "[::1]:0", "0.0.0.0:4566". Errors name the address and the reason ("address in use").
Result<Fd> listen_tcp(const std::string& host_port);
/// "127.0.0.1:39411": what a listening socket is bound to.
std::string local_address(int fd);

class Server {
 public:
  Server(async::Loop& loop, Handler handler);
  ~Server();
  /// Serves an already listening socket (possibly of another network namespace).
  void serve(Fd listening);
  async::Task<void> stop(std::chrono::milliseconds grace);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wolke::net
