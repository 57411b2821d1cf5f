#pragma once
// FunctionLogs: functions' lines go to the logs service with the rights of the function's role, as
// on AWS: logs:CreateLogStream and logs:PutLogEvents, and logs:CreateLogGroup where the group does
// not exist yet. Without them the function runs and its lines are not kept; the server's own log
// says why, once for each function.
//
// Whether a role has the rights is asked again after rights_age_max, so that a line costs no
// evaluation: that long a change of rights may stay unnoticed. The question is answered elsewhere
// (it reads the store); lines that come meanwhile wait, in order, for the answer. Where there is
// none, because the store cannot be read or the pool is full, the last answer holds; without a last
// one the lines wait on, and the question is asked again.
//
// Threads: the loop's. Lifetime: borrows what its constructor takes; await stop() before destroying
// it. Failure: more than held_bytes_max of waiting lines are judged by the last answer; without one
// what is too much is not kept, and the server's log says so.

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "wolke/async/event.h"
#include "wolke/async/gate.h"
#include "wolke/async/loop.h"
#include "wolke/async/pool.h"
#include "wolke/base/env.h"
#include "wolke/identity/directory.h"
#include "wolke/invoke/invoke.h"
#include "wolke/services/logs/logs.h"

namespace wolke::app {

struct LogAnswer {
  enum class What { allowed, refused, unknown };
  What what = What::unknown;
  std::string why = {};  // of a refusal, or of not knowing
};

/// Whether the function's role may write there.
using LogRights = std::function<async::Task<LogAnswer>(invoke::LogStream to)>;

struct LogRightsPorts {
  identity::Directory& directory;
  store::Store& store;
  Clock& clock;
  async::Pool& pool;
  async::Loop& loop;
};
LogRights rights_to_log(LogRightsPorts ports);

class FunctionLogs final : public invoke::LogSink {
 public:
  static constexpr auto rights_age_max = std::chrono::seconds(1);
  static constexpr auto retry_after = std::chrono::milliseconds(100);
  static constexpr std::size_t functions_max = 4096;
  static constexpr std::size_t held_bytes_max = 256 * 1024;  // of one function

  using Write = std::function<void(const invoke::LogStream& to, Timestamp at, std::string line)>;
  FunctionLogs(Write write, LogRights rights, Clock& clock, async::Loop& loop)
      : write_(std::move(write)),
        rights_(std::move(rights)),
        clock_(clock),
        loop_(loop),
        closing_(loop) {}
  void append(const invoke::LogStream& to, Timestamp at, std::string line) override;
  /// Ends when every question has its answer, or was given up.
  async::Task<void> stop();

 private:
  struct Held {
    invoke::LogStream to;
    Timestamp at;
    std::string line;
  };
  struct Known {
    Monotonic asked{};
    std::optional<bool> allowed;  // the last answer
    bool asking = false;
    bool warned = false;
    bool lost = false;  // said that lines were
    std::deque<Held> held;
    std::size_t held_bytes = 0;
  };
  Known& known(const std::string& key);
  void hold(Known& known, const invoke::LogStream& to, Timestamp at, std::string line);
  void let_go(Known& known);
  void learn(Known& known, const invoke::LogStream& to, const LogAnswer& answer);
  async::Task<void> ask(std::string key, invoke::LogStream to, async::Gate::Holder holder);

  Write write_;
  LogRights rights_;
  Clock& clock_;
  async::Loop& loop_;
  async::Event closing_;
  async::Gate gate_;
  std::unordered_map<std::string, Known> known_;  // by function, role and group
};

/// Into the logs service's buffer.
FunctionLogs::Write write_to(logs::Appender& appender);

}  // namespace wolke::app
