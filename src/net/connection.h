#pragma once
// Connection: one accepted HTTP/1.1 connection; reads requests one after the other, hands each to
// the handler as an Exchange, settles what the handler left (no answer, unread body), and closes so
// that the peer can still read the last answer. A pipelined request waits in the buffer until the
// one before is answered.
//
// Threads: the server's loop. Lifetime: lives in the frame of its task; cut() ends its waits from
// outside. Memory: an idle connection holds only its small buffers; reads go through the server's
// scratch buffer.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "wolke/async/loop.h"
#include "wolke/async/task.h"
#include "wolke/net/http.h"
#include "wolke/net/http1.h"
#include "wolke/net/server.h"
#include "wolke/net/transport.h"

namespace wolke::net {

/// What the connections of one server share. Loop thread only.
struct ConnectionContext {
  ConnectionContext(async::Loop& server_loop, Handler serve, const ServerOptions& server_options)
      : loop(server_loop), handler(std::move(serve)), options(server_options) {}

  async::Loop& loop;
  Handler handler;
  ServerOptions options;
  bool closing = false;  // connections close after the exchange that runs

  /// "Mon, 23 Nov 2026 09:51:13 GMT", rendered once a second.
  std::string_view date();

 private:
  std::string date_;
  std::int64_t date_second_ = -1;
};

struct Peer {
  std::string address;
  std::uint16_t port = 0;
  bool tls = false;
};

class Connection final : public Exchange {
 public:
  Connection(ConnectionContext& context, std::unique_ptr<Transport> transport, Peer peer);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Serves until the connection ends.
  async::Task<void> run();
  /// No exchange is running: waiting for a request, or for the peer to close.
  bool idle() const { return idle_; }
  /// Reads and writes fail from now on.
  void cut();

  const RequestHead& head() const override { return head_; }
  std::optional<std::uint64_t> body_length() const override;
  async::Task<Result<std::string>> read(std::size_t bytes_max) override;
  async::Task<Result<void>> respond(ResponseHead head, std::string body) override;
  async::Task<Result<void>> start(ResponseHead head, std::optional<std::uint64_t> length) override;
  async::Task<Result<void>> write(std::string_view piece) override;
  async::Task<Result<void>> finish() override;
  bool started() const override { return started_; }
  void close_after() override { request_.keep_alive = false; }

 private:
  async::Task<bool> next_request();
  http1::Parsed<bool> parse_buffered();
  async::Task<void> reject(http1::Failure failure);
  async::Task<void> settle();
  bool settled() const { return finished_ && !broken_ && body_ended(); }
  async::Task<void> linger();
  async::Task<Result<void>> send(std::array<std::string_view, 3> pieces);
  Result<void> prepare_head(const ResponseHead& head, http1::BodyKind body, std::uint64_t length);

  std::string_view unread() const { return std::string_view(in_).substr(in_at_); }
  void consume(std::size_t bytes);
  bool body_ended() const;
  Result<void> take_body(std::string& out, std::size_t bytes_max);
  Io read_body(std::string& out, std::size_t bytes_max);
  Io read_raw();
  Io discard();
  Io note_read(Io io, std::size_t asked);
  bool nothing_to_read() const { return drained_ && transport_->short_read_means_drained(); }
  std::chrono::nanoseconds patience() const;
  std::unexpected<Error> lose_input(const char* code, const char* message);
  std::unexpected<Error> lose(const char* code, const char* message);

  ConnectionContext& context_;
  std::unique_ptr<Transport> transport_;
  RequestHead head_;
  http1::HeadScanner scanner_;
  std::string in_;  // received and not consumed, from in_at_ on
  std::size_t in_at_ = 0;
  std::string out_;  // head of the answer
  bool idle_ = true;
  bool first_ = true;
  bool drained_ = false;  // the last read emptied the socket
  bool keep_ = false;     // serve another request after this one

  // The request that is being served.
  http1::Framing request_;
  http1::ChunkedDecoder chunks_;
  std::uint64_t length_left_ = 0;
  bool continue_owed_ = false;
  std::uint64_t body_received_ = 0;
  std::chrono::nanoseconds body_waited_{};

  // Its answer.
  bool started_ = false;
  bool finished_ = false;
  bool bodyless_ = false;  // HEAD, 204, 304
  bool input_lost_ =
      false;             // the body cannot be read on; an answer may still be given, the last one
  bool broken_ = false;  // nothing more can be read or said
  http1::BodyKind answer_ = http1::BodyKind::none;
  std::uint64_t answer_left_ = 0;
};

}  // namespace wolke::net
