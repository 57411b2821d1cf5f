#pragma once
// The CloudWatch Logs service: groups, streams, events. app/ makes one Logs and one Appender; the
// Appender takes the functions' own lines and commits them in batches.
//
// Threads: operations run on pool threads; Appender::append from any. Lifetime: what the
// constructors take outlives them.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "wolke/async/event.h"
#include "wolke/async/gate.h"
#include "wolke/base/env.h"
#include "wolke/base/guarded.h"
#include "wolke/base/limits.h"
#include "wolke/operation/operation.h"
#include "wolke/operation/runner.h"
#include "wolke/services/logs/append.h"
#include "wolke/services/logs/ports.h"

namespace wolke::logs {

class LiveTails;
class QueryExecutions;

class Logs {
 public:
  explicit Logs(Limits account_limits, const FunctionDirectory* function_directory = nullptr,
                store::Store* store_of_tails = nullptr);
  ~Logs();
  Logs(const Logs&) = delete;
  Logs& operator=(const Logs&) = delete;

  Limits limits;
  const FunctionDirectory* functions;  // nullptr: no function may be subscribed
  store::Store* store;                 // nullptr: there are no live tails
  std::unique_ptr<QueryExecutions> queries;
  std::unique_ptr<LiveTails> tails;

  /// Live tails end soon, and none begins.
  void close_tails();
};

/// `service` may be nullptr when only the catalogue of operations is wanted.
operation::ServiceTable logs_table(Logs* service);

/// Removes a bounded number of events that nobody can read any more: of deleted groups and streams,
/// and past their group's retention. Blocks; pool threads. Returns how many; 0: nothing is left to
/// do.
Result<std::size_t> sweep_events(store::Store& store, Timestamp now);

struct AppenderOptions {
  std::size_t buffered_bytes_max = 16 * 1024 * 1024;
  /// Lines wait this long for company.
  std::chrono::milliseconds linger{5};
};

/// Buffers lines and commits them in batches. Never blocks: past buffered_bytes_max lines are
/// dropped, counted, and the stream gets a line that says how many. Lines of one stream keep their
/// order.
class Appender {
 public:
  Appender(Env env, operation::Runner runner, AppenderOptions options = {});
  ~Appender();
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  /// On the loop's thread.
  void start();
  /// Commits what is buffered, then ends.
  async::Task<void> stop();

  void append(const std::string& account, const std::string& region, const std::string& group,
              const std::string& stream, Timestamp at, std::string line, std::string lineage = {});
  std::uint64_t lost() const;

 private:
  struct Buffer;
  struct Portion;
  async::Task<void> run(async::Gate::Holder holder);
  async::Task<bool> flush();

  Env env_;
  operation::Runner runner_;
  AppenderOptions options_;
  async::Event wake_;
  async::Event closing_;
  async::Gate gate_;
  std::unique_ptr<Guarded<Buffer>> buffer_;
};

}  // namespace wolke::logs
