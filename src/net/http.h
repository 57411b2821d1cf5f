#pragma once
// HTTP messages as values, and what a handler sees of one request on a connection.
//
// Threads: an Exchange belongs to its connection's loop. Lifetime: valid until the handler's task
// ends. Back-pressure: read() reads from the socket only when asked; write() returns when the
// kernel took the bytes.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wolke/async/task.h"
#include "wolke/base/result.h"

namespace wolke::net {

/// Names lower case, values trimmed, in the order sent; duplicates kept.
using HeaderList = std::vector<std::pair<std::string, std::string>>;
/// First value of the name (lower case), or nullptr.
const std::string* find_header(const HeaderList& headers, std::string_view name);

struct RequestHead {
  std::string method;  // as sent
  std::string target;  // as sent: origin form "/path?query"; absolute form is reduced to it
  int minor_version = 1;
  HeaderList headers;
  std::string peer;  // "127.0.0.1"
  std::uint16_t peer_port = 0;
  bool tls = false;
};

struct ResponseHead {
  int status = 200;
  HeaderList headers;  // without content-length, transfer-encoding, connection, date
};

class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const RequestHead& head() const = 0;
  /// Declared length; nullopt when chunked; 0 when there is no body.
  virtual std::optional<std::uint64_t> body_length() const = 0;
  /// The next piece of the body, at most bytes_max; empty at the end. Sends "100 Continue" first
  /// when the client waits for it. Errors: "RequestTimeout" (stalled), "IncompleteBody" (closed
  /// early), "InvalidChunk".
  virtual async::Task<Result<std::string>> read(std::size_t bytes_max) = 0;

  /// Whole response. HEAD sends the length without the body.
  virtual async::Task<Result<void>> respond(ResponseHead head, std::string body) = 0;
  /// Head first, then pieces, then finish(). length nullopt: chunked. For HEAD only the head is
  /// sent.
  virtual async::Task<Result<void>> start(ResponseHead head,
                                          std::optional<std::uint64_t> length) = 0;
  virtual async::Task<Result<void>> write(std::string_view piece) = 0;
  virtual async::Task<Result<void>> finish() = 0;
  virtual bool started() const = 0;
  /// The connection closes after this exchange.
  virtual void close_after() = 0;
};

}  // namespace wolke::net
