#pragma once
// Server access logs: requests to buckets with logging are noted in memory and written as objects
// into their target buckets, every half minute and when the server stops. Best effort, as with
// Amazon: kill -9 loses what was noted since the last delivery; what a target refuses is dropped,
// and said in the server's log; past `bytes_max` lines are dropped and counted. Deliveries do not
// pass the gate, so they are never logged themselves.
//
// The target must belong to the source's account and region, and its policy, or its access control
// list, must let logging.s3.amazonaws.com put the object. Source: S3 user guide, "Permissions for
// log delivery".
//
// Threads: start() and stop() on the loop; watch(), watches() and note() from any. Lifetime: what
// the constructor takes outlives it.

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/async/event.h"
#include "wolke/async/gate.h"
#include "wolke/base/env.h"
#include "wolke/base/guarded.h"
#include "wolke/services/s3/access_log.h"
#include "wolke/services/s3/s3.h"

namespace wolke::s3 {

/// Who delivers, as a caller: logging.s3.amazonaws.com, on behalf of the bucket with this ARN and
/// its account.
using LogDeliveryAuthorizer = std::function<std::unique_ptr<identity::Authorizer>(
    const std::string& source_arn, const std::string& source_account, Timestamp now)>;

struct AccessLogsOptions {
  std::chrono::milliseconds interval = std::chrono::seconds(30);
  std::size_t bytes_max = 8U * 1024 * 1024;
};

class AccessLogs {
 public:
  AccessLogs(Env env, S3& s3, LogDeliveryAuthorizer authorizer, AccessLogsOptions options = {});
  AccessLogs(const AccessLogs&) = delete;
  AccessLogs& operator=(const AccessLogs&) = delete;

  void start();
  /// Delivers what was noted, then ends.
  async::Task<void> stop();

  /// The bucket may have logging from now on; PutBucketLogging says so before it commits, so that
  /// no request after it is missed. What a bucket without logging has noted is dropped.
  void watch(const std::string& bucket);
  /// Cheap: asked with every request.
  bool watches_any() const { return any_.load(std::memory_order_relaxed); }
  bool watches(std::string_view bucket);
  void note(const AccessRecord& record);
  std::uint64_t lost() { return state_.lock()->lost; }

  /// Reads which buckets have logging. Blocks.
  Result<void> refresh();
  /// Delivers everything that is noted. Blocks; for pool threads.
  void deliver();

 private:
  struct Line {
    Timestamp at{};
    std::string middle;
    bool delivered = false;
  };
  using Lines = std::deque<Line>;
  struct State {
    std::map<std::string, int, std::less<>> watched;  // how many refreshes it outlives unlisted
    std::map<std::string, Lines> noted;
    std::size_t bytes = 0;
    std::uint64_t lost = 0;
  };

  async::Task<void> run(async::Gate::Holder holder);
  /// Marks the lines that it has delivered, which may be some of them.
  Result<void> deliver_bucket(const std::string& bucket, Lines& lines);
  struct Delivery;
  Result<void> deliver_object(const Delivery& delivery, std::string text, Timestamp day);

  Env env_;
  S3& s3_;
  LogDeliveryAuthorizer authorizer_;
  AccessLogsOptions options_;
  async::Event closing_;
  async::Gate gate_;
  std::atomic<bool> any_ = false;
  Guarded<State> state_;
};

}  // namespace wolke::s3
