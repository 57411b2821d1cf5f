#pragma once
// ClientConnection: one HTTP/1.1 connection that sends a request and receives the whole answer, up
// to a bound. For our own tests, tools and internal calls; not a general client (numeric addresses,
// no TLS, no redirects, no pool).
//
// Threads: the loop's. Lifetime: one send() at a time; must outlive it. Failure: "ConnectFailed",
// "ConnectionLost", "RequestTimeout", "InvalidResponse", "ResponseTooLarge"; after any of them the
// connection is not reusable.

#include <cstddef>
#include <memory>
#include <string>

#include "wolke/async/loop.h"
#include "wolke/async/task.h"
#include "wolke/base/fd.h"
#include "wolke/base/result.h"
#include "wolke/net/http.h"
#include "wolke/net/http1.h"
#include "wolke/net/transport.h"

namespace wolke::net {

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";
  HeaderList headers;  // Host and Content-Length are added
  std::string body;
};

struct ClientResponse {
  int status = 0;
  HeaderList headers;
  std::string body;
};

class ClientConnection {
 public:
  /// "127.0.0.1:9001", "[::1]:80", "localhost:4566".
  static async::Task<Result<std::unique_ptr<ClientConnection>>> connect(async::Loop& loop,
                                                                        std::string host_port,
                                                                        Monotonic deadline);
  /// Over a connected, non-blocking socket; `host` is the Host header's value.
  ClientConnection(async::Loop& loop, Fd connected, std::string host);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  async::Task<Result<ClientResponse>> send(ClientRequest request, std::size_t body_bytes_max,
                                           Monotonic deadline);
  bool reusable() const { return reusable_; }

 private:
  async::Task<Result<void>> send_all(std::string_view head, std::string_view body,
                                     Monotonic deadline);
  async::Task<Result<void>> receive_head(std::string_view method, Monotonic deadline);
  async::Task<Result<std::string>> receive_body(std::size_t bytes_max, Monotonic deadline);
  /// Appends to in_; false at the end of the stream.
  async::Task<Result<bool>> receive_more(Monotonic deadline);
  Io read_some();

  async::Loop& loop_;
  std::unique_ptr<Transport> transport_;
  std::string host_;
  std::string in_;
  http1::ResponseMessageHead head_;
  http1::Framing framing_;
  bool reusable_ = true;
};

}  // namespace wolke::net
