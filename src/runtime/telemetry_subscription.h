#pragma once
// What an extension asks of the Telemetry API, or of the older Logs API, and what it has to be sent
// of what happens: pure rules. Sources:
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html and
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-logs-api.html

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/base/time.h"

namespace wolke::runtime {

enum class TelemetryApi { telemetry, logs };
enum class TelemetryKind { platform, function, extension };

/// "Platform", as the log's line says it; "platform" in documents.
std::string_view title_of(TelemetryKind kind);
std::string_view name_of(TelemetryKind kind);

struct TelemetrySubscription {
  TelemetryApi api = TelemetryApi::telemetry;
  std::vector<TelemetryKind> kinds;
  std::uint16_t port = 0;
  std::string path = "/";
  std::size_t items_max = 1000, bytes_max = 262'144;
  std::chrono::milliseconds timeout{1000};
  bool runtime_done = true;  // platform.runtimeDone, which the first schema of the Logs API lacks

  bool wants(TelemetryKind kind, std::string_view type) const;
};

/// A second subscription of the same extension changes nothing.
enum class TelemetryState { subscribed, already_subscribed };
std::string_view name_of(TelemetryState state);

/// The body of a request. Error code "ValidationError" ("Logs.ValidationError"), status 400, with
/// everything that is wrong with it.
Result<TelemetrySubscription> parse_subscription(TelemetryApi api, std::string_view body);

/// What waits to be sent to one subscriber: cut into batches by number, size and age. What does not
/// fit is dropped and counted.
class TelemetryBuffer {
 public:
  explicit TelemetryBuffer(const TelemetrySubscription& subscription);

  /// `room`: false where nothing more may be held for this environment.
  void add(std::string item, Monotonic now, bool room);
  /// When the next batch is to be sent; Monotonic::max(): nothing waits.
  Monotonic due() const;
  /// Everything is due, until the buffer is empty.
  void flush() { flushing_ = true; }
  /// The next batch, a JSON array. It stays until sent().
  std::string batch(Timestamp now);
  void sent();

  std::size_t bytes() const { return bytes_; }

 private:
  struct Item {
    std::string text;
    Monotonic at;
  };
  std::size_t items_max_, bytes_max_;
  std::chrono::milliseconds timeout_;
  std::deque<Item> items_;
  std::size_t bytes_ = 0;
  std::size_t in_batch_ = 0;
  std::uint64_t dropped_items_ = 0, dropped_bytes_ = 0;
  std::uint64_t told_items_ = 0, told_bytes_ = 0;  // of these, in the batch
  bool flushing_ = false;
};

}  // namespace wolke::runtime
