#include "wolke/app/function_logs.h"

#include <utility>

#include "wolke/app/role_rights.h"
#include "wolke/deliver/lineage.h"
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

async::Task<LogAnswer> answer_on_pool(LogRightsPorts ports, invoke::LogStream to) {
  using What = LogAnswer::What;
  auto missing = co_await async::run_on(ports.pool, ports.loop, [&ports, &to] {
    return missing_right(ports.directory, ports.store, to, ports.clock.wall());
  });
  if (!missing) co_return LogAnswer{What::unknown, "the pool is full"};
  if (*missing) {
    if (!**missing) co_return LogAnswer{What::allowed};
    co_return LogAnswer{What::refused, ***missing};
  }
  // A role that is gone or does not trust Lambda refuses; a store that cannot be read says nothing.
  const Error& error = missing->error();
  co_return LogAnswer{error.is_server_fault() ? What::unknown : What::refused, error.message};
}

void warn(std::string_view what, const invoke::LogStream& to, const std::string& why) {
  observe::log(
      observe::Level::warning, "logs", what,
      {{"function", to.function_arn}, {"role", to.role_arn}, {"group", to.group}, {"why", why}});
}

}  // namespace

LogRights rights_to_log(LogRightsPorts ports) {
  return [ports](invoke::LogStream to) { return answer_on_pool(ports, std::move(to)); };
}

void FunctionLogs::append(const invoke::LogStream& to, Timestamp at, std::string line) {
  const std::string key = to.function_arn + '\n' + to.role_arn + '\n' + to.group;
  Known& about = known(key);
  const bool fresh = about.allowed && clock_.monotonic() - about.asked < rights_age_max;
  if (fresh && !about.asking) {
    if (*about.allowed) write_(to, at, std::move(line));
    return;
  }
  hold(about, to, at, std::move(line));
  if (about.asking) return;
  async::Gate::Holder holder = gate_.enter();
  if (!holder) return let_go(about);
  about.asking = true;
  loop_.spawn(ask(key, to, std::move(holder)));
}

FunctionLogs::Known& FunctionLogs::known(const std::string& key) {
  auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  if (known_.size() >= functions_max) {
    std::erase_if(known_, [](const auto& one) { return !one.second.asking; });
  }
  return known_[key];
}

void FunctionLogs::hold(Known& known, const invoke::LogStream& to, Timestamp at, std::string line) {
  if (known.held_bytes + line.size() > held_bytes_max) {
    if (known.allowed) {
      let_go(known);
    } else {
      if (!std::exchange(known.lost, true)) {
        warn("lines of the function are not kept: its rights are not known yet", to, "");
      }
      return;
    }
  }
  known.held_bytes += line.size();
  known.held.push_back({to, at, std::move(line)});
}

/// Judges what waits by the last answer; without one it is not kept.
void FunctionLogs::let_go(Known& known) {
  known.held_bytes = 0;
  for (Held& one : std::exchange(known.held, {})) {
    if (known.allowed.value_or(false)) write_(one.to, one.at, std::move(one.line));
  }
}

void FunctionLogs::learn(Known& known, const invoke::LogStream& to, const LogAnswer& answer) {
  if (answer.what == LogAnswer::What::unknown) return;
  known.allowed = answer.what == LogAnswer::What::allowed;
  if (!*known.allowed && !std::exchange(known.warned, true)) {
    warn("the function's log is not kept: its role may not write it", to, answer.why);
  }
}

async::Task<void> FunctionLogs::ask(std::string key, invoke::LogStream to,
                                    async::Gate::Holder holder) {
  if (!holder) co_return;
  while (true) {
    const Monotonic asked = clock_.monotonic();
    const LogAnswer answer = co_await rights_(to);
    Known& about = known_.at(key);  // kept while it is being asked
    learn(about, to, answer);
    about.asked = asked;
    const bool again = !about.allowed && !closing_.is_set();
    if (!again) {
      about.asking = false;
      let_go(about);
      co_return;
    }
    co_await closing_.wait(loop_.now() + retry_after);
  }
}

async::Task<void> FunctionLogs::stop() {
  closing_.set();
  co_await gate_.close();
}

FunctionLogs::Write write_to(logs::Appender& appender) {
  return [&appender](const invoke::LogStream& to, Timestamp at, std::string line) {
    appender.append(to.account, to.region, to.group, to.stream, at, std::move(line),
                    deliver::lineage_of(to.trace));
  };
}

}  // namespace wolke::app
