// Frames over the control socket: see frame.h. One reader, one writer, one invocation at a time.

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <utility>

#include "wolke/runtime/frame.h"
#include "wolke/runtime/session.h"
#include "wolke/shape/json.h"

namespace wolke::runtime {
namespace {

using async::Task;
using async::Wake;

constexpr std::size_t read_piece_bytes = 64 * 1024;

std::string invoke_meta(const Invocation& invocation) {
  std::string meta = "{\"request_id\":";
  shape::append_json_string(meta, invocation.request_id);
  meta += ",\"arn\":";
  shape::append_json_string(meta, invocation.invoked_arn);
  meta += fmt::format(",\"deadline_ms\":{}", to_millis(invocation.deadline));
  if (!invocation.trace.empty()) {
    meta += ",\"trace\":";
    shape::append_json_string(meta, invocation.trace);
  }
  // The caller's text: only what is JSON may go between our braces.
  if (!invocation.client_context.empty()) {
    if (auto client = shape::parse_json(invocation.client_context)) {
      meta += ",\"client_context\":" + client->text();
    }
  }
  meta += '}';
  return meta;
}

std::string little_endian(std::uint32_t value) {
  std::string out;
  for (int shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<char>((value >> shift) & 0xff));
  return out;
}

class FrameSession final : public Session {
 public:
  FrameSession(async::Loop& loop, int control) : loop_(loop), control_(control) {}

  Task<Outcome> initialise(Monotonic deadline) override {
    Outcome outcome = co_await receive(0, deadline);
    if (outcome.kind == Outcome::Kind::ready) {
      if (auto answer = shape::parse_json(outcome.payload)) {
        outcome.version = answer->string_at("version").value_or("");
      }
    } else if (outcome.kind == Outcome::Kind::result || outcome.kind == Outcome::Kind::error) {
      outcome = {.kind = Outcome::Kind::malformed, .payload = "an answer before an invocation"};
    }
    co_return outcome;
  }

  Task<Outcome> invoke(Invocation invocation, Monotonic deadline) override {
    // Bytes that came without a question would be taken for this question's answer.
    if (!parser_.empty()) {
      co_return Outcome{.kind = Outcome::Kind::malformed,
                        .payload = "bytes between two invocations"};
    }
    ++id_;
    std::string meta = invoke_meta(invocation);
    std::string head =
        frame_header(FrameType::invoke, id_, 4 + meta.size() + invocation.payload.size());
    head += little_endian(static_cast<std::uint32_t>(meta.size()));
    head += meta;
    Outcome sent = co_await send(std::move(head), std::move(invocation.payload), deadline);
    if (sent.kind != Outcome::Kind::ready) co_return sent;
    Outcome outcome = co_await receive(id_, deadline);
    if (outcome.kind == Outcome::Kind::ready || outcome.kind == Outcome::Kind::init_error) {
      outcome = {.kind = Outcome::Kind::malformed, .payload = "no answer to the invocation"};
    }
    if (outcome.kind == Outcome::Kind::result && outcome.payload.size() > response_bytes_max) {
      outcome = {.kind = Outcome::Kind::error, .payload = response_too_large_json()};
    }
    co_return outcome;
  }

  /// The pending read sees the end of the stream; the descriptor stays its owner's.
  void close() override { ::shutdown(control_, SHUT_RDWR); }

  Task<void> shut_down() override {
    loop_.forget(control_);
    co_return;
  }

 private:
  /// Outcome::ready when all is sent.
  Task<Outcome> send(std::string head, std::string payload, Monotonic deadline) {
    std::array<iovec, 2> parts{iovec{head.data(), head.size()},
                               iovec{payload.data(), payload.size()}};
    msghdr message{};
    std::size_t first = 0;
    bool taken_any = false;
    while (first < parts.size()) {
      message.msg_iov = parts.data() + first;
      message.msg_iovlen = parts.size() - first;
      ssize_t n = ::sendmsg(control_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno != EAGAIN) {
        if (taken_any) co_return Outcome{.kind = Outcome::Kind::ended};
        co_return Outcome{.kind = Outcome::Kind::unheard, .payload = std::move(payload)};
      }
      if (n < 0) {
        Wake wake = co_await loop_.writable(control_, deadline);
        if (wake != Wake::ready) co_return not_ready(wake);
        continue;
      }
      taken_any = true;
      for (auto left = static_cast<std::size_t>(n); first < parts.size();) {
        std::size_t taken = std::min(left, parts[first].iov_len);
        parts[first].iov_base = static_cast<char*>(parts[first].iov_base) + taken;
        parts[first].iov_len -= taken;
        left -= taken;
        if (parts[first].iov_len > 0) break;
        ++first;
      }
    }
    co_return Outcome{.kind = Outcome::Kind::ready};
  }

  Task<Outcome> receive(std::uint32_t id, Monotonic deadline) {
    if (piece_.empty()) piece_.resize(read_piece_bytes);
    for (;;) {
      auto frame = parser_.next();
      if (!frame) {
        co_return Outcome{.kind = Outcome::Kind::malformed, .payload = frame.error().message};
      }
      if (*frame) co_return outcome_of(std::move(**frame), id);
      ssize_t n = ::recv(control_, piece_.data(), piece_.size(), MSG_DONTWAIT);
      if (n > 0) {
        parser_.feed({piece_.data(), static_cast<std::size_t>(n)});
        continue;
      }
      if (n < 0 && errno == EINTR) continue;
      if (n == 0 || errno != EAGAIN) co_return Outcome{.kind = Outcome::Kind::ended};
      Wake wake = co_await loop_.readable(control_, deadline);
      if (wake != Wake::ready) co_return not_ready(wake);
    }
  }

  static Outcome not_ready(Wake wake) {
    return {.kind = wake == Wake::timed_out ? Outcome::Kind::timed_out : Outcome::Kind::ended};
  }

  static Outcome outcome_of(Frame frame, std::uint32_t id) {
    if (frame.id != id) return {.kind = Outcome::Kind::malformed, .payload = "wrong invocation id"};
    Outcome outcome{.payload = std::move(frame.payload)};
    switch (frame.type) {
      case FrameType::ready:
        outcome.kind = Outcome::Kind::ready;
        break;
      case FrameType::init_error:
        outcome.kind = Outcome::Kind::init_error;
        break;
      case FrameType::result:
        outcome.kind = Outcome::Kind::result;
        break;
      case FrameType::error:
        outcome.kind = Outcome::Kind::error;
        break;
      case FrameType::fatal:
        outcome.kind = Outcome::Kind::fatal;
        break;
      case FrameType::invoke:
        outcome.kind = Outcome::Kind::malformed;
        break;
    }
    return outcome;
  }

  async::Loop& loop_;
  int control_;
  std::uint32_t id_ = 0;
  FrameParser parser_;
  std::string piece_;
};

}  // namespace

std::unique_ptr<Session> make_frame_session(async::Loop& loop, int control) {
  return std::make_unique<FrameSession>(loop, control);
}

std::string service_error_json(std::string_view type, std::string_view message) {
  std::string out = "{\"errorType\":";
  shape::append_json_string(out, type);
  out += ",\"errorMessage\":";
  shape::append_json_string(out, message);
  out += '}';
  return out;
}

std::string error_type_of(const std::string& error_json) {
  auto error = shape::parse_json(error_json);
  return error ? error->string_at("errorType").value_or("") : "";
}

std::string response_too_large_json() {
  return service_error_json(
      "Function.ResponseSizeTooLarge",
      fmt::format("Response payload size exceeded maximum allowed payload size "
                  "({} bytes).",
                  response_bytes_max));
}

}  // namespace wolke::runtime
