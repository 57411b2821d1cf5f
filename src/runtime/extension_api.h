#pragma once
// ExtensionApi: Lambda's Extensions API over HTTP, in front of an ExtensionBook, and what the
// environment's life cycle waits for of it, with the way to the Telemetry API. Served at
// AWS_LAMBDA_RUNTIME_API, beside the Runtime API.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
//
// Threads: the loop's. close() ends every wait; the requests in progress belong to the server that
// handed them in, which is stopped before this is destroyed.

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/async/event.h"
#include "wolke/async/loop.h"
#include "wolke/base/env.h"
#include "wolke/net/http.h"
#include "wolke/runtime/extension_book.h"
#include "wolke/runtime/session.h"
#include "wolke/runtime/telemetry.h"

namespace wolke::runtime {

/// What an extension is told when it registers, and who is expected to.
struct ExtensionSetup {
  std::vector<std::string> external;
  std::string function_name, function_version, handler, account;
};

/// Lambda's limits of the Shutdown phase: what the runtime gets of it, alone and with an internal
/// extension, and the whole where there are external ones.
inline constexpr auto shutdown_runtime_max = std::chrono::milliseconds(300);
inline constexpr auto shutdown_internal_max = std::chrono::milliseconds(500);
inline constexpr auto shutdown_external_max = std::chrono::milliseconds(2000);

enum class ShutdownReason { spindown, timeout, failure };

class ExtensionApi {
 public:
  enum class Settled { done, fault, timed_out, ended };

  /// `on_fault` is called once, when the first of them has failed. `telemetry` is borrowed: they
  /// may subscribe to it.
  ExtensionApi(async::Loop& loop, Random& random, ExtensionSetup setup, Telemetry& telemetry,
               std::function<void()> on_fault);
  ExtensionApi(const ExtensionApi&) = delete;
  ExtensionApi& operator=(const ExtensionApi&) = delete;

  static bool serves(std::string_view target);
  /// Whatever it does not serve is not found.
  async::Task<void> handle(net::Exchange& exchange);

  const ExtensionBook& book() const { return book_; }
  void launch_failed(std::size_t index, const std::string& why);
  void process_ended(std::size_t index, const std::string& how);
  void close_registration() { book_.close_registration(); }
  void begin_invoke(const Invocation& invocation);
  void begin_shutdown(ShutdownReason reason, Timestamp deadline);

  /// All external extensions have registered.
  async::Task<Settled> registered(Monotonic deadline);
  /// All extensions wait for their next event.
  async::Task<Settled> ready(Monotonic deadline);
  /// Everybody who was told of the shutdown is done.
  async::Task<Settled> farewell(Monotonic deadline);
  void close();

 private:
  async::Task<void> enroll(net::Exchange& exchange);
  async::Task<void> next(net::Exchange& exchange);
  async::Task<void> subscribe(net::Exchange& exchange);
  async::Task<void> report_error(net::Exchange& exchange, bool at_init);
  async::Task<Settled> wait(bool (ExtensionBook::*condition)() const, Monotonic deadline);
  void changed();

  Random& random_;
  Telemetry& telemetry_;
  ExtensionSetup setup_;
  std::function<void()> on_fault_;
  ExtensionBook book_;
  async::Event changed_;
  bool fault_told_ = false;
  bool closed_ = false;
};

}  // namespace wolke::runtime
