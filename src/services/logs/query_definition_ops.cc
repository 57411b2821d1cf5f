// Query definitions: queries that were given a name, to be found and run again. They are kept as
// they are; StartQuery alone says whether a text is a query.
#include <algorithm>
#include <tuple>

#include "wolke/base/hash.h"
#include "wolke/services/logs/errors.h"
#include "wolke/services/logs/ops.h"

namespace wolke::logs {
namespace {

constexpr std::size_t definitions_max = 1000;  // CloudWatch Logs: of an account in a region
constexpr std::int32_t page_max = 1000;

GroupName here(const Context& context) {
  return {context.account, context.region, ""};
}

Error no_such_definition() {
  return no_such("query definition");
}

/// Whose id a request without one gets: that of the same request before, or a new one's.
Result<std::string> id_of_new(Tx& tx, const Context& context, const std::string& token) {
  TRY(const auto known, list_query_definitions(tx, here(context)));
  const auto same = std::ranges::find_if(known, [&](const QueryDefinition& one) {
    return !token.empty() && one.client_token == token;
  });
  if (same != known.end()) return same->id;
  if (known.size() >= definitions_max) return fail(limit_exceeded());
  return context.random->uuid();
}

model::logs::QueryDefinition describe(const QueryDefinition& definition) {
  model::logs::QueryDefinition out;
  out.query_language = "CWLI";
  out.query_definition_id = definition.id;
  out.name = definition.name;
  out.query_string = definition.text;
  out.last_modified = to_millis(definition.modified);
  out.log_group_names = definition.groups;
  return out;
}

}  // namespace

Result<op::PutQueryDefinition::Output> put_query_definition(
    Logs&, Tx& tx, const Context& context, const op::PutQueryDefinition::Input& input) {
  if (input.query_language.value_or("CWLI") != "CWLI")
    return fail(not_served("The query language " + *input.query_language));
  if (input.parameters && !input.parameters->empty())
    return fail(not_served("A query definition with parameters"));
  QueryDefinition definition;
  if (input.query_definition_id) {
    TRY(auto known,
        tx.get<QueryDefinition>(query_definition_key(here(context), *input.query_definition_id)));
    if (!known) return fail(no_such_definition());
    definition = *std::move(known);
  } else {
    TRY(definition.id, id_of_new(tx, context, input.client_token.value_or("")));
    definition.client_token = input.client_token.value_or("");
  }
  definition.name = input.name.value_or("");
  definition.text = input.query_string.value_or("");
  definition.groups = input.log_group_names.value_or(std::vector<std::string>{});
  definition.modified = context.now;
  tx.put(query_definition_key(here(context), definition.id), definition);
  op::PutQueryDefinition::Output out;
  out.query_definition_id = definition.id;
  return out;
}

Result<op::DescribeQueryDefinitions::Output> describe_query_definitions(
    Logs&, Tx& tx, const Context& context, const op::DescribeQueryDefinitions::Input& input) {
  TRY(auto all, list_query_definitions(tx, here(context)));
  if (input.query_language.value_or("CWLI") != "CWLI") all.clear();
  const auto order = [](const QueryDefinition& one) { return std::tie(one.name, one.id); };
  std::ranges::sort(all, {}, order);
  const auto after = from_base64(input.next_token.value_or(""));
  if (!after) return fail(invalid_parameter("The specified nextToken is invalid."));
  const auto max =
      static_cast<std::size_t>(std::clamp(input.max_results.value_or(page_max), 1, page_max));
  op::DescribeQueryDefinitions::Output out;
  out.query_definitions.emplace();
  std::string last;
  for (const QueryDefinition& definition : all) {
    const std::string place = definition.name + '\0' + definition.id;
    if (!after->empty() && place <= *after) continue;
    if (!definition.name.starts_with(input.query_definition_name_prefix.value_or(""))) continue;
    if (out.query_definitions->size() == max) {
      out.next_token = to_base64(last);
      break;
    }
    last = place;
    out.query_definitions->push_back(describe(definition));
  }
  return out;
}

Result<op::DeleteQueryDefinition::Output> delete_query_definition(
    Logs&, Tx& tx, const Context& context, const op::DeleteQueryDefinition::Input& input) {
  const store::Key key =
      query_definition_key(here(context), input.query_definition_id.value_or(""));
  TRY(const auto known, tx.get<QueryDefinition>(key));
  if (!known) return fail(no_such_definition());
  tx.erase(key);
  op::DeleteQueryDefinition::Output out;
  out.success = true;
  return out;
}

}  // namespace wolke::logs
