#pragma once
// Telemetry: Lambda's Telemetry API and Logs API for one sandbox: its extensions subscribe, and
// what happens is posted to listeners inside the sandbox.
//
// The way in is a socket that was made inside the sandbox's own network (wire.h, "outward"):
// whoever connects it reaches that network's loopback and nothing else, whatever address is asked
// for. One delivery at a time; a subscriber that fails is tried again later, so records may come
// twice, and waits for the others no longer than delivery_max. Where there is no such socket the
// APIs answer 202 "not supported", as Lambda does in local testing.
//
// Threads: the loop's. stop() ends its task and must have been awaited before destruction.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/async/event.h"
#include "wolke/async/gate.h"
#include "wolke/async/loop.h"
#include "wolke/base/env.h"
#include "wolke/base/fd.h"
#include "wolke/net/client.h"
#include "wolke/net/http.h"
#include "wolke/runtime/telemetry_subscription.h"

namespace wolke::runtime {

/// All that is held for the subscribers of one sandbox.
inline constexpr std::size_t telemetry_bytes_max = 2 * 1024 * 1024;
inline constexpr auto telemetry_delivery_max = std::chrono::seconds(1);

class Telemetry {
 public:
  using Subscribed =
      std::function<void(const std::string& extension, const TelemetrySubscription& subscription,
                         TelemetryState state)>;

  Telemetry(async::Loop& loop, Env env, Fd outward, Subscribed on_subscribed);
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;

  static bool serves(std::string_view target);
  async::Task<void> subscribe(net::Exchange& exchange, std::string extension);
  /// The Init phase is over, of extensions too: later subscriptions are refused, and what came
  /// before the first is forgotten.
  void close_subscriptions();

  /// Whether anybody may be told of anything.
  bool listens() const { return open_ || !subscribers_.empty(); }
  /// `record` is a JSON text.
  void add(TelemetryKind kind, const std::string& type, const std::string& record);
  /// While the sandbox is frozen nobody in it can answer.
  void pause();
  void resume();
  /// Whatever waits is due.
  void flush();
  async::Task<void> stop();

 private:
  struct Subscriber {
    std::string extension;
    TelemetrySubscription subscription;
    TelemetryBuffer buffer;
    Monotonic retry_at{};
    std::chrono::milliseconds backoff{0};
  };
  struct Past {
    TelemetryKind kind;
    std::string type, item;
  };

  std::size_t held() const;
  void put(Subscriber& subscriber, TelemetryKind kind, const std::string& type,
           const std::string& item);
  void accept(std::string extension, TelemetrySubscription subscription);
  async::Task<void> deliver();
  async::Task<void> deliver_to(Subscriber& subscriber);
  async::Task<bool> post(std::uint16_t port, std::string path, std::string body);
  async::Task<bool> connect(std::uint16_t port, Monotonic deadline);

  async::Loop& loop_;
  Env env_;
  Fd outward_;
  Subscribed on_subscribed_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::vector<Past> past_;  // of the Init phase, for who subscribes later in it
  std::size_t past_bytes_ = 0;
  bool open_;
  bool paused_ = false;
  bool stopped_ = false;
  std::unique_ptr<net::ClientConnection> connection_;
  std::uint16_t connected_to_ = 0;
  async::Event changed_;
  async::Gate gate_;
};

}  // namespace wolke::runtime
