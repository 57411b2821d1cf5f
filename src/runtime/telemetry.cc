#include "wolke/runtime/telemetry.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "wolke/runtime/api_answer.h"
#include "wolke/shape/json.h"

namespace wolke::runtime {
namespace {

using async::Task;
using async::Wake;

constexpr std::string_view telemetry_path = "/2022-07-01/telemetry";
constexpr std::string_view logs_path = "/2020-08-15/logs";
constexpr std::size_t request_bytes_max = 64 * 1024;
constexpr std::size_t answer_bytes_max = 64 * 1024;
constexpr std::size_t past_bytes_max = 256 * 1024;
constexpr auto backoff_min = std::chrono::milliseconds(50);
constexpr auto backoff_max = std::chrono::milliseconds(2000);

bool is_path(std::string_view target, std::string_view path) {
  return target == path || (target.starts_with(path) && target.substr(path.size()) == "/");
}

std::string item_of(Timestamp at, const std::string& type, const std::string& record) {
  return fmt::format("{{\"time\":\"{}\",\"type\":\"{}\",\"record\":{}}}", format_iso8601(at), type,
                     record);
}

}  // namespace

Telemetry::Telemetry(async::Loop& loop, Env env, Fd outward, Subscribed on_subscribed)
    : loop_(loop),
      env_(env),
      outward_(std::move(outward)),
      on_subscribed_(std::move(on_subscribed)),
      open_(outward_.valid()),
      changed_(loop) {}

bool Telemetry::serves(std::string_view target) {
  return is_path(target, telemetry_path) || is_path(target, logs_path);
}

Task<void> Telemetry::subscribe(net::Exchange& exchange, std::string extension) {
  const bool logs = is_path(exchange.head().target, logs_path);
  const std::string name = logs ? "Logs" : "Telemetry";
  if (exchange.head().method != "PUT") {
    co_return co_await answer(exchange, 405, refusal("MethodNotAllowed", "Use PUT"));
  }
  if (!outward_.valid()) {
    co_return co_await answer(exchange, 202,
                              refusal(name + ".NotSupported", name + " API is not supported"));
  }
  const auto body = co_await read_body(exchange, request_bytes_max);
  if (!open_) {
    co_return co_await answer(
        exchange, 403,
        refusal(name + ".SubscriptionClosed", name + " API subscription is closed already"));
  }
  auto asked =
      parse_subscription(logs ? TelemetryApi::logs : TelemetryApi::telemetry, body.value_or(""));
  if (asked) {
    for (const auto& known : subscribers_) {
      if (known->extension != extension || known->subscription.api == asked->api) continue;
      asked = fail({.code = logs ? "Logs.ValidationError" : "ValidationError",
                    .status = 400,
                    .message = "the extension has subscribed to the other API"});
      break;
    }
  }
  if (!asked) {
    co_return co_await answer(exchange, asked.error().status,
                              refusal(asked.error().code, asked.error().message));
  }
  accept(std::move(extension), *std::move(asked));
  co_await answer(exchange, 200, "\"OK\"");
}

void Telemetry::accept(std::string extension, TelemetrySubscription subscription) {
  const auto known = std::ranges::find_if(
      subscribers_, [&](const auto& one) { return one->extension == extension; });
  if (known != subscribers_.end()) {
    return on_subscribed_(extension, (*known)->subscription, TelemetryState::already_subscribed);
  }
  TelemetryBuffer buffer(subscription);
  subscribers_.push_back(std::make_unique<Subscriber>(
      Subscriber{std::move(extension), std::move(subscription), std::move(buffer)}));
  Subscriber& added = *subscribers_.back();
  for (const Past& one : past_) put(added, one.kind, one.type, one.item);
  if (subscribers_.size() == 1) loop_.spawn(deliver());
  on_subscribed_(added.extension, added.subscription, TelemetryState::subscribed);
}

void Telemetry::close_subscriptions() {
  open_ = false;
  past_.clear();
  past_.shrink_to_fit();
}

// ---- what happens

std::size_t Telemetry::held() const {
  std::size_t bytes = 0;
  for (const auto& one : subscribers_) bytes += one->buffer.bytes();
  return bytes;
}

void Telemetry::put(Subscriber& subscriber, TelemetryKind kind, const std::string& type,
                    const std::string& item) {
  if (!subscriber.subscription.wants(kind, type)) return;
  const bool room = held() + item.size() <= telemetry_bytes_max;
  subscriber.buffer.add(item, loop_.now(), room);
}

void Telemetry::add(TelemetryKind kind, const std::string& type, const std::string& record) {
  if (!listens()) return;
  std::string item = item_of(env_.clock.wall(), type, record);
  for (const auto& one : subscribers_) put(*one, kind, type, item);
  if (open_ && past_bytes_ + item.size() <= past_bytes_max) {
    past_bytes_ += item.size();
    past_.push_back({kind, type, std::move(item)});
  }
  changed_.set();
}

void Telemetry::pause() {
  paused_ = true;
}

void Telemetry::resume() {
  paused_ = false;
  changed_.set();
}

void Telemetry::flush() {
  for (const auto& one : subscribers_) {
    one->buffer.flush();
    one->retry_at = {};
  }
  resume();
}

Task<void> Telemetry::stop() {
  stopped_ = true;
  changed_.set();
  // Whoever waits for an answer, or for the connection, waits no more.
  if (outward_.valid()) {
    (void)::shutdown(outward_.get(), SHUT_RDWR);
    loop_.forget(outward_.get());
  }
  co_await gate_.close();
  connection_.reset();
}

// ---- deliveries

Task<void> Telemetry::deliver() {
  auto inside = gate_.enter();
  std::size_t turn = 0;
  while (inside && !stopped_) {
    Monotonic next = Monotonic::max();
    Subscriber* due = nullptr;
    for (std::size_t i = 0; i < subscribers_.size() && !paused_ && !due; ++i) {
      Subscriber& one = *subscribers_[(turn + i) % subscribers_.size()];
      const Monotonic at = std::max(one.buffer.due(), one.retry_at);
      if (at <= loop_.now()) {
        due = &one;
        turn += i + 1;
      }
      next = std::min(next, at);
    }
    if (due) {
      co_await deliver_to(*due);
      continue;
    }
    changed_.reset();
    if (co_await changed_.wait(next) == Wake::cancelled) co_return;
  }
}

Task<void> Telemetry::deliver_to(Subscriber& subscriber) {
  std::string body = subscriber.buffer.batch(env_.clock.wall());
  const bool sent =
      co_await post(subscriber.subscription.port, subscriber.subscription.path, std::move(body));
  if (sent) {
    subscriber.buffer.sent();
    subscriber.backoff = {};
    co_return;
  }
  subscriber.backoff = std::clamp(subscriber.backoff * 2, std::chrono::milliseconds(backoff_min),
                                  std::chrono::milliseconds(backoff_max));
  subscriber.retry_at = loop_.now() + subscriber.backoff;
}

Task<bool> Telemetry::post(std::uint16_t port, std::string path, std::string body) {
  const Monotonic deadline = loop_.now() + telemetry_delivery_max;
  const bool known = connection_ && connection_->reusable() && connected_to_ == port;
  if (!known && !co_await connect(port, deadline)) co_return false;
  if (stopped_) co_return false;
  auto response = co_await connection_->send({.method = "POST",
                                              .target = std::move(path),
                                              .headers = {{"content-type", "application/json"}},
                                              .body = std::move(body)},
                                             answer_bytes_max, deadline);
  co_return response && response->status >= 200 && response->status < 300;
}

/// There is one socket, and it cannot be made anew from here: it is taken back from where it led.
Task<bool> Telemetry::connect(std::uint16_t port, Monotonic deadline) {
  connection_.reset();
  sockaddr_in name{};
  name.sin_family = AF_UNSPEC;
  (void)::connect(outward_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name);
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  (void)::setsockopt(outward_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int error = 0;
  if (::connect(outward_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) < 0) error = errno;
  if (error == EINPROGRESS) {
    const Wake wake = co_await loop_.writable(outward_.get(), deadline);
    loop_.forget(outward_.get());
    if (wake != Wake::ready) co_return false;
    socklen_t size = sizeof error;
    (void)::getsockopt(outward_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error != 0 || stopped_) co_return false;
  Fd copy(::fcntl(outward_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) co_return false;
  connection_ = std::make_unique<net::ClientConnection>(
      loop_, std::move(copy), fmt::format("sandbox.localdomain:{}", port));
  connected_to_ = port;
  co_return true;
}

}  // namespace wolke::runtime
