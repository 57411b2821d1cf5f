#include "wolke/net/connection.h"

#include <sys/socket.h>

#include <algorithm>

#include "wolke/base/http_limits.h"
#include "wolke/base/limits.h"
#include "wolke/base/time.h"

namespace wolke::net {

using async::Task;
using async::Wake;
using http1::BodyKind;

namespace {

constexpr std::size_t idle_buffer_bytes_max = 4096;
/// One read of heads and chunk framing; body data is read straight into the caller's string.
using ReadBuffer = std::array<char, 16 * 1024>;

void give_back(std::string& buffer) {
  if (buffer.capacity() > idle_buffer_bytes_max) buffer = std::string();
}

}  // namespace

std::string_view ConnectionContext::date() {
  auto now = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  std::int64_t second = to_millis(now) / 1000;
  if (second != date_second_) {
    date_second_ = second;
    date_ = format_rfc1123(now);
  }
  return date_;
}

Connection::Connection(ConnectionContext& context, std::unique_ptr<Transport> transport, Peer peer)
    : context_(context), transport_(std::move(transport)) {
  head_.peer = std::move(peer.address);
  head_.peer_port = peer.port;
  head_.tls = peer.tls;
}

Connection::~Connection() {
  context_.loop.forget(transport_->fd());
}

void Connection::cut() {
  ::shutdown(transport_->fd(), SHUT_RDWR);
}

Task<void> Connection::run() {
  while (co_await next_request()) {
    co_await context_.handler(*this);
    if (!settled()) co_await settle();
    if (!keep_) break;
    first_ = false;
  }
  if (started_ && !finished_) {
    // Half an answer must not look like a whole one: the peer sees a reset.
    ::linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(transport_->fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  } else if (finished_ && !broken_) {
    co_await linger();
  }
}

// ---- requests

/// False when the connection is over (closed, timed out, or answered with an error).
Task<bool> Connection::next_request() {
  idle_ = unread().empty();
  scanner_.reset();
  Monotonic deadline = Monotonic::max();
  for (;;) {
    if (!unread().empty()) {
      http1::Parsed<bool> complete = parse_buffered();
      if (!complete) {
        co_await reject(complete.error());
        co_return false;
      }
      if (*complete) co_return true;
      if (std::exchange(idle_, false)) deadline = Monotonic::max();
    }
    if (idle_ && context_.closing) co_return false;
    Io io = read_raw();
    if (io.status == Io::Status::done) continue;
    if (io.status == Io::Status::end || io.status == Io::Status::failed) co_return false;
    if (idle_) {
      give_back(in_);
      give_back(out_);
    }
    if (deadline == Monotonic::max()) {
      bool patient = idle_ && !first_;
      deadline = context_.loop.now() +
                 (patient ? context_.options.idle_timeout : context_.options.header_timeout);
    }
    Wake wake = co_await wait_for(context_.loop, *transport_, io, deadline);
    drained_ = false;
    if (wake == Wake::timed_out && !idle_) co_await reject({408, "the request took too long"});
    if (wake != Wake::ready) co_return false;
  }
}

http1::Parsed<bool> Connection::parse_buffered() {
  http1::Parsed<std::size_t> size = scanner_.scan(unread());
  if (!size) return std::unexpected(size.error());
  if (*size == 0) return false;
  http1::Parsed<http1::Framing> framing =
      http1::parse_request_head(unread().substr(0, *size), head_);
  if (!framing) return std::unexpected(framing.error());
  consume(*size);
  idle_ = false;
  request_ = *framing;
  length_left_ = request_.length;
  body_received_ = 0;
  body_waited_ = {};
  if (request_.body == BodyKind::chunked) chunks_ = {};
  continue_owed_ = request_.expect_continue && request_.body != BodyKind::none;
  started_ = finished_ = bodyless_ = input_lost_ = broken_ = keep_ = false;
  return true;
}

void Connection::consume(std::size_t bytes) {
  in_at_ += bytes;
  if (in_at_ == in_.size()) {
    in_.clear();
    in_at_ = 0;
  }
}

/// Answers what could not be parsed; where the next request would begin is unknown, so the
/// connection ends.
Task<void> Connection::reject(http1::Failure failure) {
  idle_ = false;
  request_ = {.keep_alive = false};
  head_.method.clear();
  started_ = finished_ = bodyless_ = input_lost_ = broken_ = keep_ = false;
  ResponseHead head{failure.status, {{"Content-Type", "text/plain"}}};
  [[maybe_unused]] auto sent =
      co_await respond(std::move(head), std::string(failure.reason) + "\n");
}

/// What the handler left undone.
Task<void> Connection::settle() {
  if (!started_ && !broken_) {
    [[maybe_unused]] auto sent = co_await respond({input_lost_ ? 400 : 500, {}}, {});
  }
  if (!finished_ || broken_) {
    keep_ = false;
    co_return;
  }
  std::uint64_t drained = 0;
  Monotonic until = context_.loop.now() + context_.options.header_timeout;
  while (keep_ && !body_ended()) {
    Result<std::string> piece = co_await read(limits::body_piece_bytes);
    drained += piece ? piece->size() : 0;
    bool enough = drained > limits::http_drain_bytes_max || context_.loop.now() > until;
    if (!piece || enough) keep_ = false;
  }
}

/// Closing with unread bytes would reset the connection and could destroy our answer on its way
/// (RFC 9112 9.6).
Task<void> Connection::linger() {
  idle_ = true;
  transport_->end_writing();
  Monotonic deadline = context_.loop.now() + limits::http_linger_timeout;
  while (context_.loop.now() < deadline) {
    Io io = discard();
    if (io.status == Io::Status::done) continue;
    if (io.status == Io::Status::end || io.status == Io::Status::failed) co_return;
    if (co_await wait_for(context_.loop, *transport_, io, deadline) != Wake::ready) co_return;
  }
}

// ---- reading

Io Connection::note_read(Io io, std::size_t asked) {
  drained_ = io.status != Io::Status::done || io.bytes < asked;
  return io;
}

/// Appends what the socket has to the buffer.
Io Connection::read_raw() {
  if (nothing_to_read()) return {Io::Status::want_read};
  [[clang::uninitialized]] ReadBuffer buffer;
  Io io = note_read(transport_->try_read(buffer), buffer.size());
  if (io.status == Io::Status::done) {
    if (in_at_ > 0) in_.erase(0, std::exchange(in_at_, 0));
    in_.append(buffer.data(), io.bytes);
  }
  return io;
}

Io Connection::discard() {
  [[clang::uninitialized]] ReadBuffer buffer;
  return transport_->try_read(buffer);
}

bool Connection::body_ended() const {
  switch (request_.body) {
    case BodyKind::length:
      return length_left_ == 0;
    case BodyKind::chunked:
      return chunks_.done();
    default:
      return true;
  }
}

std::optional<std::uint64_t> Connection::body_length() const {
  if (request_.body == BodyKind::chunked) return std::nullopt;
  return request_.length;
}

std::unexpected<Error> Connection::lose_input(const char* code, const char* message) {
  input_lost_ = true;
  keep_ = false;
  return fail({code, 400, message});
}

std::unexpected<Error> Connection::lose(const char* code, const char* message) {
  broken_ = true;
  return lose_input(code, message);
}

/// Moves buffered body bytes to `out`.
Result<void> Connection::take_body(std::string& out, std::size_t bytes_max) {
  while (!unread().empty() && out.size() < bytes_max && !body_ended()) {
    std::size_t room = bytes_max - out.size();
    if (request_.body == BodyKind::length) {
      std::size_t bytes = std::min(unread().size(), room);
      if (bytes > length_left_) bytes = static_cast<std::size_t>(length_left_);
      out.append(unread().substr(0, bytes));
      length_left_ -= bytes;
      consume(bytes);
      continue;
    }
    http1::Parsed<http1::ChunkedDecoder::Step> step = chunks_.step(unread(), room);
    if (!step) return lose_input("InvalidChunk", step.error().reason);
    out.append(step->data);
    consume(step->consumed);
  }
  return {};
}

/// Reads the body straight into `out` where the framing allows it, else into the buffer.
Io Connection::read_body(std::string& out, std::size_t bytes_max) {
  std::uint64_t direct = request_.body == BodyKind::length ? length_left_ : chunks_.data_left();
  if (direct == 0) return read_raw();
  if (nothing_to_read()) return {Io::Status::want_read};
  std::size_t before = out.size();
  std::size_t room = static_cast<std::size_t>(std::min<std::uint64_t>(direct, bytes_max - before));
  Io io{Io::Status::failed};
  out.resize_and_overwrite(before + room, [&](char* data, std::size_t) {
    io = note_read(transport_->try_read({data + before, room}), room);
    return before + (io.status == Io::Status::done ? io.bytes : 0);
  });
  if (io.status == Io::Status::done) {
    if (request_.body == BodyKind::length) {
      length_left_ -= io.bytes;
    } else {
      chunks_.skip_data(io.bytes);
    }
  }
  return io;
}

/// How long the body may let us wait once more: none may stall, and none may drip for ever.
std::chrono::nanoseconds Connection::patience() const {
  const std::chrono::nanoseconds stall = context_.options.body_stall_timeout;
  const std::chrono::seconds earned(body_received_ / context_.options.body_bytes_per_second_min);
  return std::min(stall, stall + earned - body_waited_);
}

Task<Result<std::string>> Connection::read(std::size_t bytes_max) {
  ASSERT(bytes_max > 0);
  std::string out;
  for (;;) {
    if (broken_ || input_lost_) co_return lose_input("IncompleteBody", "the connection was lost");
    CO_TRY(take_body(out, bytes_max));
    if (out.size() == bytes_max || body_ended()) break;
    Io io = read_body(out, bytes_max);
    if (io.status == Io::Status::done) continue;
    if (io.status == Io::Status::end || io.status == Io::Status::failed) {
      co_return lose_input("IncompleteBody",
                           "the connection was closed before the whole body was sent");
    }
    if (!out.empty()) break;
    if (std::exchange(continue_owed_, false)) {
      CO_TRY(co_await send({"HTTP/1.1 100 Continue\r\n\r\n", {}, {}}));
    }
    const Monotonic before = context_.loop.now();
    Wake wake = co_await wait_for(context_.loop, *transport_, io, before + patience());
    body_waited_ += context_.loop.now() - before;
    drained_ = false;
    if (wake == Wake::timed_out) {
      co_return lose_input("RequestTimeout", "the client did not send its body in time");
    }
    if (wake == Wake::cancelled) co_return lose_input("IncompleteBody", "the server is stopping");
  }
  if (!out.empty()) continue_owed_ = false;
  body_received_ += out.size();
  co_return out;
}

// ---- answering

Result<void> Connection::prepare_head(const ResponseHead& head, BodyKind body,
                                      std::uint64_t length) {
  ASSERT(!started_);
  if (broken_) return lose("ConnectionLost", "the connection was lost");
  // An unread body that the client still holds back (100-continue) or that is long ends the
  // connection.
  bool drainable =
      body_ended() || (!continue_owed_ && length_left_ <= limits::http_drain_bytes_max);
  keep_ = request_.keep_alive && !input_lost_ && !context_.closing && drainable &&
          body != BodyKind::until_close;
  http1::Framing framing{.body = body, .length = length, .keep_alive = keep_};
  out_.clear();
  // A client that asked for "100 Continue" and has nothing to send gets it all the same: botocore
  // takes a final answer without it for the provisional one, and then waits for ever on the
  // connection's next answer.
  if (request_.expect_continue && request_.body == BodyKind::none) {
    out_ = "HTTP/1.1 100 Continue\r\n\r\n";
  }
  if (!http1::append_response_head(out_, head, framing, head_.minor_version, context_.date())) {
    return fail(internal_error("a response header has an invalid name or value"));
  }
  started_ = true;
  bodyless_ = head_.method == "HEAD" || !http1::status_has_body(head.status);
  answer_ = body;
  answer_left_ = length;
  return {};
}

Task<Result<void>> Connection::send(std::array<std::string_view, 3> pieces) {
  Io io = write_pieces(*transport_, pieces);
  while (io.status == Io::Status::want_read || io.status == Io::Status::want_write) {
    Monotonic deadline = context_.loop.now() + context_.options.body_stall_timeout;
    Wake wake = co_await wait_for(context_.loop, *transport_, io, deadline);
    if (wake == Wake::timed_out) co_return lose("RequestTimeout", "the client reads too slowly");
    if (wake == Wake::cancelled) co_return lose("ConnectionLost", "the server is stopping");
    io = write_pieces(*transport_, pieces);
  }
  if (io.status != Io::Status::done) co_return lose("ConnectionLost", "the client went away");
  co_return Result<void>();
}

Task<Result<void>> Connection::respond(ResponseHead head, std::string body) {
  CO_TRY(prepare_head(head, BodyKind::length, body.size()));
  CO_TRY(co_await send({out_, bodyless_ ? std::string_view() : body, {}}));
  finished_ = true;
  co_return Result<void>();
}

Task<Result<void>> Connection::start(ResponseHead head, std::optional<std::uint64_t> length) {
  BodyKind body = length                     ? BodyKind::length
                  : head_.minor_version == 1 ? BodyKind::chunked
                                             : BodyKind::until_close;
  CO_TRY(prepare_head(head, body, length.value_or(0)));
  co_return co_await send({out_, {}, {}});
}

Task<Result<void>> Connection::write(std::string_view piece) {
  ASSERT(started_ && !finished_);
  if (broken_) co_return lose("ConnectionLost", "the connection was lost");
  if (bodyless_ || piece.empty()) co_return Result<void>();
  if (answer_ == BodyKind::chunked) {
    out_.clear();
    http1::append_chunk_size(out_, piece.size());
    co_return co_await send({out_, piece, "\r\n"});
  }
  if (answer_ == BodyKind::length) {
    ASSERT(piece.size() <= answer_left_);
    answer_left_ -= piece.size();
  }
  co_return co_await send({piece, {}, {}});
}

Task<Result<void>> Connection::finish() {
  ASSERT(started_ && !finished_);
  if (broken_) co_return lose("ConnectionLost", "the connection was lost");
  if (!bodyless_ && answer_ == BodyKind::chunked) {
    CO_TRY(co_await send({"0\r\n\r\n", {}, {}}));
  }
  if (!bodyless_ && answer_ == BodyKind::length && answer_left_ > 0) {
    broken_ = true;
    co_return fail(internal_error("a response ended before its declared length"));
  }
  finished_ = true;
  co_return Result<void>();
}

}  // namespace wolke::net
