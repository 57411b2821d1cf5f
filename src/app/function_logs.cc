#include "wolke/app/function_logs.h"

#include <utility>

#include "wolke/app/role_rights.h"
#include "wolke/observe/log.h"

namespace wolke::app {
namespace {

Result<std::optional<std::string>> missing_right(identity::Directory& directory,
                                                 store::Store& store, const invoke::LogStream& to,
                                                 Timestamp now) {
  TRY(identity::Principal principal,
      principal_of_role(directory, to.role_arn, to.function_name, now));
  const identity::RequestFacts facts{.region = to.region, .secure_transport = true, .now = now};
  TRY(const auto authorizer, directory.make_authorizer(std::move(principal), facts));
  const logs::GroupName group{to.account, to.region, to.group};
  auto denied = [&](std::string action, std::string resource) -> std::optional<std::string> {
    identity::Decision decision =
        authorizer->decide({.action = std::move(action), .resource = std::move(resource)});
    if (decision.allowed) return std::nullopt;
    return std::move(decision.why);
  };
  if (auto why = denied("logs:PutLogEvents", group.stream_arn(to.stream))) return why;
  if (auto why = denied("logs:CreateLogStream", group.stream_arn(to.stream))) return why;
  auto why = denied("logs:CreateLogGroup", group.stream_arn(""));
  if (!why) return why;
  TRY(const bool exists, logs::group_exists(store, group));
  if (exists) why.reset();
  return why;
}

}  // namespace

LogRights rights_to_log(identity::Directory& directory, store::Store& store, Clock& clock) {
  return [&directory, &store, &clock](const invoke::LogStream& to) -> std::optional<std::string> {
    auto missing = missing_right(directory, store, to, clock.wall());
    if (!missing) return missing.error().message;
    return *std::move(missing);
  };
}

void FunctionLogs::append(const invoke::LogStream& to, Timestamp at, std::string line) {
  if (may_write(to)) write_(to, at, std::move(line));
}

bool FunctionLogs::may_write(const invoke::LogStream& to) {
  std::string key = to.function_arn + '\n' + to.role_arn + '\n' + to.group;
  auto found = known_.find(key);
  const Monotonic now = clock_.monotonic();
  if (found != known_.end() && now - found->second.asked < rights_age_max) {
    return found->second.allowed;
  }
  if (found == known_.end()) {
    if (known_.size() >= functions_max) known_.clear();
    found = known_.emplace(std::move(key), Known{}).first;
  }
  Known& known = found->second;
  const std::optional<std::string> missing = rights_(to);
  known.asked = now;
  known.allowed = !missing;
  if (missing && !std::exchange(known.warned, true)) {
    observe::log(observe::Level::warning, "logs",
                 "the function's log is not kept: its role may not write it",
                 {{"function", to.function_arn},
                  {"role", to.role_arn},
                  {"group", to.group},
                  {"why", *missing}});
  }
  return known.allowed;
}

FunctionLogs::Write write_to(logs::Appender& appender) {
  return [&appender](const invoke::LogStream& to, Timestamp at, std::string line) {
    appender.append(to.account, to.region, to.group, to.stream, at, std::move(line));
  };
}

}  // namespace wolke::app
