// Logs Insights: queries are records; GetQueryResults reads and answers (query_execution.h).
#include <fmt/core.h>

#include <algorithm>

#include "wolke/base/text.h"
#include "wolke/services/logs/errors.h"
#include "wolke/services/logs/ops.h"
#include "wolke/services/logs/query_execution.h"

namespace wolke::logs {
namespace {

constexpr std::size_t running_max = 30;    // CloudWatch Logs: concurrent queries of an account
constexpr std::size_t groups_max = 50;     // of one query
constexpr std::size_t history_max = 1000;  // what DescribeQueries knows
constexpr auto history_age_max = std::chrono::days(7);
constexpr auto running_age_max = std::chrono::minutes(60);

GroupName here(const Context& context) {
  return {context.account, context.region, ""};
}

const char* status_name(const Query& query, Timestamp now) {
  switch (query.status) {
    case QueryStatus::running:
      return now - query.created > running_age_max ? "Timeout" : "Running";
    case QueryStatus::complete:
      return "Complete";
    case QueryStatus::failed:
      return "Failed";
    case QueryStatus::cancelled:
      break;
  }
  return "Cancelled";
}

Result<Query> get_query(Tx& tx, const Context& context, const std::string& id) {
  TRY(auto query, tx.get<Query>(query_key(here(context), id)));
  if (!query) return fail(no_such("query"));
  return *std::move(query);
}

/// Reads the next portion of a query that is under way, and keeps how it ended.
Result<QueryStatus> go_on(Tx& tx, const Context& context, Query& query, QueryExecution& execution) {
  TRY(execution.advance(tx, context.now));
  const QueryStatus status = execution.status();
  if (status != query.status && status != QueryStatus::running) {
    query.status = status;
    tx.put(query_key(here(context), query.id), query);
  }
  return status;
}

/// Seconds, or, as some clients give them, milliseconds.
std::int64_t millis_of(std::int64_t given) {
  constexpr std::int64_t seconds_max = 100'000'000'000;
  constexpr std::int64_t millis_max = 1LL << 53;
  return given < seconds_max ? std::max<std::int64_t>(given, 0) * 1000
                             : std::min(given, millis_max);
}

/// Makes room for one more: what is old goes.
Result<void> admit(Tx& tx, const Context& context) {
  TRY(auto queries, list_queries(tx, here(context)));
  const auto running = std::count_if(queries.begin(), queries.end(), [&](const Query& query) {
    return std::string_view(status_name(query, context.now)) == "Running";
  });
  if (static_cast<std::size_t>(running) >= running_max) {
    Error error = limit_exceeded();
    error.message = "Account maximum query concurrency limit of [30] reached.";
    return fail(std::move(error));
  }
  std::sort(queries.begin(), queries.end(),
            [](const Query& a, const Query& b) { return a.created > b.created; });
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const bool old = context.now - queries[i].created > history_age_max;
    if (old || i + 1 >= history_max) tx.erase(query_key(here(context), queries[i].id));
  }
  return {};
}

}  // namespace

Result<std::vector<GroupName>> groups_of_query(const Context& context,
                                               const op::StartQuery::Input& input) {
  const int given = (input.log_group_name ? 1 : 0) + (input.log_group_names ? 1 : 0) +
                    (input.log_group_identifiers ? 1 : 0);
  if (given != 1) {
    return fail(invalid_parameter(
        "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers is required."));
  }
  std::vector<std::string> names;
  if (input.log_group_name) names = {*input.log_group_name};
  if (input.log_group_names) names = *input.log_group_names;
  if (input.log_group_identifiers) names = *input.log_group_identifiers;
  if (names.empty() || names.size() > groups_max) {
    return fail(invalid_parameter("A query is about 1 to 50 log groups."));
  }
  std::vector<GroupName> out;
  for (const std::string& name : names) {
    TRY(GroupName group, group_of(context, name));
    if (group.account != context.account) {
      return fail(not_served("A query about another account's log group"));
    }
    out.push_back(std::move(group));
  }
  return out;
}

Result<op::StartQuery::Output> start_query(Logs&, Tx& tx, const Context& context,
                                           const op::StartQuery::Input& input) {
  if (input.query_language.value_or("CWLI") != "CWLI") {
    return fail(not_served("The query language " + *input.query_language));
  }
  TRY(const auto groups, groups_of_query(context, input));
  TRY(const auto commands, parse_query(input.query_string.value_or(""), context.now));
  Query query;
  for (const GroupName& group : groups) {
    TRY(const auto known, find_group(tx, group));
    if (!known) {
      Error missing = no_such_group();
      missing.message = fmt::format("Log group '{}' does not exist for account ID '{}'", group.name,
                                    group.account);
      return fail(std::move(missing));
    }
    query.groups.push_back(group.name);
  }
  TRY(admit(tx, context));
  query.id = context.random->uuid();
  query.text = input.query_string.value_or("");
  query.start_ms = millis_of(input.start_time.value_or(0));
  query.end_ms = millis_of(input.end_time.value_or(0));
  // A second is included with all of its milliseconds.
  if (query.end_ms % 1000 == 0) query.end_ms += 999;
  if (query.end_ms < query.start_ms) {
    return fail(invalid_parameter("The end of a query's time is before its start."));
  }
  query.limit = static_cast<std::uint64_t>(std::clamp<std::int32_t>(
      input.limit.value_or(query_rows_max), 1, static_cast<std::int32_t>(query_rows_max)));
  query.created = context.now;
  tx.put(query_key(here(context), query.id), query);
  op::StartQuery::Output out;
  out.query_id = query.id;
  return out;
}

Result<op::GetQueryResults::Output> get_query_results(Logs& logs, Tx& tx, const Context& context,
                                                      const op::GetQueryResults::Input& input) {
  TRY(Query query, get_query(tx, context, input.query_id.value_or("")));
  op::GetQueryResults::Output out;
  out.query_language = "CWLI";
  out.results.emplace();
  out.statistics.emplace();
  if (query.status == QueryStatus::cancelled) {
    out.status = status_name(query, context.now);
    return out;
  }
  const QueryExecutions::Shared shared = logs.queries->find_or_make(here(context), query);
  auto execution = shared->lock();
  TRY(const QueryStatus status, go_on(tx, context, query, **execution));
  out.status = status == QueryStatus::running ? "Running" : status_name(query, context.now);
  out.statistics->records_matched = static_cast<double>((*execution)->matched());
  out.statistics->records_scanned = static_cast<double>((*execution)->scanned());
  out.statistics->bytes_scanned = static_cast<double>((*execution)->scanned_bytes());
  out.statistics->log_groups_scanned = static_cast<double>(query.groups.size());
  if (status == QueryStatus::failed) return out;
  for (const ResultRow& row : (*execution)->results()) {
    auto& fields = out.results->emplace_back();
    for (const auto& [name, value] : row) {
      auto& field = fields.emplace_back();
      field.field = name;
      field.value = value;
    }
  }
  return out;
}

Result<op::StopQuery::Output> stop_query(Logs& logs, Tx& tx, const Context& context,
                                         const op::StopQuery::Input& input) {
  TRY(Query query, get_query(tx, context, input.query_id.value_or("")));
  if (query.status != QueryStatus::running) {
    return fail(invalid_parameter(
        fmt::format("Query is already ended with status [{}]", status_name(query, context.now))));
  }
  query.status = QueryStatus::cancelled;
  tx.put(query_key(here(context), query.id), query);
  logs.queries->forget(query.id);
  op::StopQuery::Output out;
  out.success = true;
  return out;
}

Result<EventPointer> pointer_of(const op::GetLogRecord::Input& input) {
  auto pointer = parse_pointer(input.log_record_pointer.value_or(""));
  if (!pointer) return fail(invalid_parameter("The log record pointer is not valid."));
  return *std::move(pointer);
}

Result<op::GetLogRecord::Output> get_log_record(Logs&, Tx& tx, const Context& context,
                                                const op::GetLogRecord::Input& input) {
  TRY(EventPointer pointer, pointer_of(input));
  TRY(const Group group, get_group(tx, {context.account, context.region, pointer.group}));
  TRY(const Stream stream, get_stream(tx, group, pointer.stream));
  const Position position{pointer.timestamp_ms, pointer.sequence};
  TRY(auto event, tx.peek<Event>(event_key(group.id, stream.id, position)));
  if (!event || position.timestamp_ms < oldest_readable_ms(group, context.now)) {
    return fail(no_such("log record"));
  }
  op::GetLogRecord::Output out;
  out.log_record = all_fields({std::move(event->message), position.timestamp_ms, event->ingested_ms,
                               position.sequence,
                               std::make_shared<const EventSource>(
                                   EventSource{context.account, pointer.group, pointer.stream})});
  return out;
}

namespace {

/// A query has no thread of its own: who looks whether it has ended moves it on.
Result<void> move_newest_on(Logs& logs, Tx& tx, const Context& context,
                            std::vector<Query>& queries) {
  Query* newest = nullptr;
  for (Query& query : queries) {
    if (std::string_view(status_name(query, context.now)) != "Running") continue;
    if (newest == nullptr || query.created > newest->created) newest = &query;
  }
  if (newest == nullptr) return {};
  const QueryExecutions::Shared shared = logs.queries->find_or_make(here(context), *newest);
  auto execution = shared->lock();
  TRY(const QueryStatus status, go_on(tx, context, *newest, **execution));
  static_cast<void>(status);
  return {};
}

}  // namespace

Result<op::DescribeQueries::Output> describe_queries(Logs& logs, Tx& tx, const Context& context,
                                                     const op::DescribeQueries::Input& input) {
  TRY(auto queries, list_queries(tx, here(context)));
  TRY(move_newest_on(logs, tx, context, queries));
  std::sort(queries.begin(), queries.end(), [](const Query& a, const Query& b) {
    return a.created != b.created ? a.created > b.created : a.id < b.id;
  });
  std::erase_if(queries, [&](const Query& query) {
    if (input.status && *input.status != status_name(query, context.now)) return true;
    return input.log_group_name && std::find(query.groups.begin(), query.groups.end(),
                                             *input.log_group_name) == query.groups.end();
  });
  const auto begin = parse_u64(input.next_token.value_or("0"));
  if (!begin) return fail(invalid_parameter("The specified nextToken is invalid."));
  const auto max = static_cast<std::size_t>(
      std::clamp<std::int32_t>(input.max_results.value_or(history_max), 1, history_max));
  op::DescribeQueries::Output out;
  out.queries.emplace();
  for (std::size_t i = *begin; i < queries.size(); ++i) {
    if (out.queries->size() == max) {
      out.next_token = std::to_string(i);
      break;
    }
    auto& item = out.queries->emplace_back();
    item.query_language = "CWLI";
    item.query_id = queries[i].id;
    item.query_string = queries[i].text;
    item.status = status_name(queries[i], context.now);
    item.create_time = to_millis(queries[i].created);
    item.log_group_name = queries[i].groups.front();
  }
  return out;
}

}  // namespace wolke::logs
