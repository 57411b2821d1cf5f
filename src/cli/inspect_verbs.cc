#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "wolke/base/env.h"
#include "wolke/base/text.h"
#include "wolke/cli/client.h"
#include "wolke/cli/deploy.h"
#include "wolke/cli/output.h"
#include "wolke/cli/verbs.h"

namespace wolke::cli {

namespace {

using shape::Json;

constexpr auto follow_pause = std::chrono::milliseconds(500);

Result<Json> control(Client& client, const std::string& path, QueryPairs query = {}) {
  return client.call_json({.service = "wolke", .path = path, .query = std::move(query)});
}

std::string text_at(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  if (!value) return "";
  if (value->string()) return *value->string();
  if (value->number()) return value->number()->text;
  return value->text();
}

/// The array at `key`; empty when there is none.
const Json::Array& list_at(const Json& object, std::string_view key) {
  static const Json::Array none;
  const Json* list = object.find(key);
  return list && list->array() ? *list->array() : none;
}

/// A list of objects as columns; empty text where a member is missing.
void print_rows(const Json::Array& list, const std::vector<std::string>& heading,
                const std::vector<std::string>& members) {
  std::vector<std::vector<std::string>> rows = {heading};
  for (const Json& object : list) {
    std::vector<std::string>& row = rows.emplace_back();
    for (const std::string& member : members) row.push_back(text_at(object, member));
  }
  print_table(rows);
}

Error no_such_function(const std::string& name) {
  return {.code = "NotFound",
          .status = 404,
          .message = fmt::format("there is no function {}; `wolke aws lambda list-functions` lists "
                                 "those that there are",
                                 name)};
}

/// The ARN of a function by its name; an ARN is its own. A function that is gone still has one.
struct Found {
  std::string arn;
  bool exists = true;
};
Result<Found> find_function(Client& client, const std::string& name) {
  if (name.starts_with("arn:")) return Found{.arn = name};
  TRY(check_function_name(name));
  Result<Json> function = client.call_json(
      {.service = "lambda", .path = "/2015-03-31/functions/" + name + "/configuration"});
  if (function) return Found{.arn = function->string_at("FunctionArn").value_or("")};
  if (function.error().status != 404) return fail(std::move(function).error());
  TRY(std::string caller, client.call_query("sts", {{"Action", "GetCallerIdentity"}}));
  return Found{.arn = fmt::format("arn:aws:lambda:{}:{}:function:{}", client.region(),
                                  xml_text(caller, "Account"), name),
               .exists = false};
}

/// "10m" as a moment that long ago, in milliseconds since 1970; 0 for all there is.
Result<std::int64_t> start_of(const LogsOptions& logs) {
  const std::string text = logs.since.empty() && logs.follow ? "10m" : logs.since;
  if (text.empty()) return 0;
  constexpr std::string_view units = "smhd";
  constexpr std::int64_t seconds[] = {1, 60, 3600, 86400};
  const std::string number = text.substr(0, text.size() - 1);
  const std::size_t unit = units.find(text.back());
  if (unit == std::string_view::npos || number.empty() || number.size() > 6 ||
      number.find_first_not_of("0123456789") != std::string::npos) {
    return fail({.code = "Usage",
                 .status = 400,
                 .message = fmt::format("--since {}: a number and s, m, h or d, as in 10m", text)});
  }
  const std::int64_t back = std::stoll(number) * seconds[unit] * 1000;
  return std::max<std::int64_t>(0, to_millis(system_env().clock.wall()) - back);
}

/// Pages of a log, each event once: a later call takes up where the last one ended.
class LogReader {
 public:
  LogReader(Client& client, const LogsOptions& logs, std::int64_t since_ms)
      : client_(client),
        group_(logs.function.starts_with('/') ? logs.function : "/aws/lambda/" + logs.function),
        filter_(logs.filter),
        since_(since_ms) {}

  template <class Each>
  Result<void> read(Each each) {
    std::optional<std::string> token;
    do {
      Json input;
      input.set("logGroupName", group_);
      input.set("startTime", since_);
      if (!filter_.empty()) input.set("filterPattern", filter_);
      if (token) input.set("nextToken", *token);
      TRY(Json page, client_.call_target("logs", "Logs_20140328.FilterLogEvents", input));
      for (const Json& event : list_at(page, "events")) {
        if (is_new(event)) each(event);
      }
      token = page.string_at("nextToken");
    } while (token);
    return {};
  }

 private:
  bool is_new(const Json& event) {
    const std::string id = event.string_at("eventId").value_or("");
    if (std::find(seen_.begin(), seen_.end(), id) != seen_.end()) return false;
    const std::int64_t at = event.integer_at("timestamp").value_or(0);
    if (at > since_) {
      since_ = at;
      seen_.clear();
    }
    seen_.push_back(id);
    return true;
  }

  Client& client_;
  std::string group_, filter_;
  std::int64_t since_;             // milliseconds since 1970
  std::vector<std::string> seen_;  // ids of the newest millisecond
};

/// A group that is not there: of a function that was never called, or of none at all.
Result<void> explain_missing_log(Client& client, const std::string& name) {
  if (name.starts_with('/')) {
    return fail({.code = "NotFound",
                 .status = 404,
                 .message = fmt::format("there is no log group {}; `wolke aws logs "
                                        "describe-log-groups` lists those that there are",
                                        name)});
  }
  TRY(Found found, find_function(client, name));
  if (!found.exists) return fail(no_such_function(name));
  return {};
}

}  // namespace

int logs_verb(const ClientOptions& options, const LogsOptions& logs) {
  Result<std::int64_t> since = start_of(logs);
  if (!since) return report(since.error());
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  LogReader reader(**client, logs, *since);
  auto show = [&options](const Json& event) {
    if (options.json) return print(event.text());
    const std::int64_t at = event.integer_at("timestamp").value_or(0);
    print(log_line(from_millis(at), event.string_at("message").value_or("")));
  };
  for (bool told = false;;) {
    Result<void> read = reader.read(show);
    const bool missing = !read && read.error().code == "ResourceNotFoundException";
    if (!read && !missing) return report(read.error());
    if (missing && !told) {
      if (auto why = explain_missing_log(**client, logs.function); !why) return report(why.error());
      tell(fmt::format("{} has no log yet: it was not called", logs.function));
      told = true;
    }
    if (!logs.follow) return exit_ok;
    std::this_thread::sleep_for(follow_pause);
  }
}

int ps_verb(const ClientOptions& options) {
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  Result<Json> answer = control(**client, "/_wolke/instances");
  if (!answer) return report(answer.error());
  if (options.json) {
    print_json(*answer);
    return exit_ok;
  }
  print_rows(list_at(*answer, "Instances"),
             {"SANDBOX", "FUNCTION", "VERSION", "STATE", "INVOCATIONS", "STARTED"},
             {"SandboxId", "FunctionArn", "Version", "State", "Invocations", "Started"});
  return exit_ok;
}

int events_verb(const ClientOptions& options, const EventsOptions& events) {
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  QueryPairs query;
  Found found;
  if (!events.function.empty()) {
    Result<Found> function = find_function(**client, events.function);
    if (!function) return report(function.error());
    found = *std::move(function);
    query.emplace_back("FunctionArn", found.arn);
  }
  query.emplace_back("MaxItems", "1000");
  if (events.failed) query.emplace_back("State", "failed");
  Result<Json> answer = control(**client, "/_wolke/events", query);
  if (!answer) return report(answer.error());
  const Json::Array& list = list_at(*answer, "Events");
  if (list.empty() && !found.exists) return report(no_such_function(events.function));
  if (options.json) {
    print_json(*answer);
    return exit_ok;
  }
  print_rows(list, {"EVENT", "SOURCE", "TARGET", "STATE", "ATTEMPTS", "ENQUEUED", "REASON"},
             {"Id", "Source", "Target", "State", "Attempts", "Enqueued", "Reason"});
  return exit_ok;
}

namespace {

constexpr std::size_t ids_per_call = 100;  // the API's
constexpr std::size_t events_listed = 1000;

/// "cancel" or "replay" of some ids: the API's results, appended to `results`.
Result<void> change_events(Client& client, const std::string& verb,
                           const std::vector<std::string>& ids, const std::string& function_arn,
                           Json::Array& results) {
  for (std::size_t at = 0; at < ids.size(); at += ids_per_call) {
    Json::Array some;
    for (std::size_t i = at; i < std::min(ids.size(), at + ids_per_call); ++i) {
      some.emplace_back(ids[i]);
    }
    Json input;
    input.set("Ids", std::move(some));
    if (!function_arn.empty()) input.set("FunctionArn", function_arn);
    TRY(Json answer, client.call_json({.service = "wolke",
                                       .method = "POST",
                                       .path = "/_wolke/events/" + verb,
                                       .headers = {{"content-type", "application/json"}},
                                       .body = input.text()}));
    for (const Json& one : list_at(answer, "Results")) results.push_back(one);
  }
  return {};
}

/// Prints the results; those with a code failed. 3 where one is not there, else 1 where one failed.
int tell_results(const Json::Array& results, bool json, std::string (*line)(const Json&)) {
  int code = exit_ok;
  for (const Json& one : results) {
    const std::string failed = text_at(one, "Code");
    if (failed.empty()) {
      if (!json) print(printable(line(one)));
      continue;
    }
    tell(printable(
        fmt::format("wolke: {}: {}: {}", text_at(one, "Id"), failed, text_at(one, "Message"))));
    if (code != exit_not_found) code = failed == "NoSuchEvent" ? exit_not_found : exit_failure;
  }
  if (json) {
    Json out;
    out.set("Results", results);
    print_json(out);
  }
  return code;
}

std::string cancelled_line(const Json& one) {
  const Json* under_way = one.find("UnderWay");
  const bool runs = under_way && under_way->boolean() && *under_way->boolean();
  return text_at(one, "Id") + "  cancelled" +
         (runs ? "; an attempt is under way, and its outcome will not be recorded" : "");
}

std::string replayed_line(const Json& one) {
  return text_at(one, "Id") + "  replayed as " + text_at(one, "ReplayedAs");
}

/// All failed events of a function, page by page: what was replayed is no longer listed.
Result<Json::Array> replay_failed(Client& client, const Found& function, const std::string& name) {
  Json::Array results;
  while (true) {
    TRY(Json page, control(client, "/_wolke/events",
                           {{"FunctionArn", function.arn},
                            {"MaxItems", std::to_string(events_listed)},
                            {"State", "replayable"}}));
    const Json::Array& list = list_at(page, "Events");
    if (list.empty() && results.empty() && !function.exists) return fail(no_such_function(name));
    std::vector<std::string> ids;
    for (const Json& event : list) ids.push_back(text_at(event, "Id"));
    const std::size_t before = results.size();
    TRY(change_events(client, "replay", ids, function.arn, results));
    const auto failed = [](const Json& one) { return one.find("Code") != nullptr; };
    const bool all =
        std::none_of(results.begin() + static_cast<std::ptrdiff_t>(before), results.end(), failed);
    if (list.size() < events_listed || !all) return results;
  }
}

/// Of these ids, or of what `replay --failed` means.
Result<Json::Array> change(Client& client, const std::string& verb, const EventsOptions& events) {
  Found function;
  if (!events.function.empty()) {
    TRY(function, find_function(client, events.function));
  }
  if (events.failed) return replay_failed(client, function, events.function);
  Json::Array results;
  TRY(change_events(client, verb, events.ids, function.arn, results));
  return results;
}

}  // namespace

int events_cancel_verb(const ClientOptions& options, const EventsOptions& events) {
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  Result<Json::Array> results = change(**client, "cancel", events);
  if (!results) return report(results.error());
  return tell_results(*results, options.json, cancelled_line);
}

int events_replay_verb(const ClientOptions& options, const EventsOptions& events) {
  if (events.ids.empty() && !events.failed) {
    tell("wolke: replay what? Name events, or --failed and --function NAME");
    return exit_usage;
  }
  Result<std::unique_ptr<Client>> client = connect(options);
  if (!client) return report(client.error());
  Result<Json::Array> results = change(**client, "replay", events);
  if (!results) return report(results.error());
  if (results->empty()) tell("no event of " + printable(events.function) + " waits to be replayed");
  return tell_results(*results, options.json, replayed_line);
}

}  // namespace wolke::cli
