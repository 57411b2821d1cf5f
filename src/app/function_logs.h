#pragma once
// FunctionLogs: functions' lines go to the logs service with the rights of the function's role, as
// on AWS: logs:CreateLogStream and logs:PutLogEvents, and logs:CreateLogGroup where the group does
// not exist yet. Without them the function runs and its lines are not kept; the server's own log
// says why, once for each function.
//
// Whether a role has the rights is asked again after rights_age_max, so that a line costs no
// evaluation: that long a change of rights may stay unnoticed. Threads: the loop's. Lifetime:
// borrows what its constructor takes.

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "wolke/base/env.h"
#include "wolke/identity/directory.h"
#include "wolke/invoke/invoke.h"
#include "wolke/services/logs/logs.h"

namespace wolke::app {

/// What a role lacks to write there; nullopt: nothing.
using LogRights = std::function<std::optional<std::string>(const invoke::LogStream& to)>;
LogRights rights_to_log(identity::Directory& directory, store::Store& store, Clock& clock);

class FunctionLogs final : public invoke::LogSink {
 public:
  static constexpr auto rights_age_max = std::chrono::seconds(1);
  static constexpr std::size_t functions_max = 4096;

  using Write = std::function<void(const invoke::LogStream& to, Timestamp at, std::string line)>;
  FunctionLogs(Write write, LogRights rights, Clock& clock)
      : write_(std::move(write)), rights_(std::move(rights)), clock_(clock) {}
  void append(const invoke::LogStream& to, Timestamp at, std::string line) override;

 private:
  struct Known {
    Monotonic asked{};
    bool allowed = false;
    bool warned = false;
  };
  bool may_write(const invoke::LogStream& to);

  Write write_;
  LogRights rights_;
  Clock& clock_;
  std::unordered_map<std::string, Known> known_;  // by function, role and group
};

/// Into the logs service's buffer.
FunctionLogs::Write write_to(logs::Appender& appender);

}  // namespace wolke::app
