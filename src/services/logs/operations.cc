// The operations that are served, and what each needs to be allowed.
#include "wolke/services/logs/ops.h"

namespace wolke::logs {
namespace {

/// IAM names a group's resource with an empty stream: policies end in ":*".
Result<Asks> ask_group(const Context& context, std::string_view action,
                       const std::optional<std::string>& name,
                       const std::optional<std::string>& identifier, const std::string& stream) {
  TRY(const GroupName group, group_of(context, name, identifier));
  return Asks{{.action = "logs:" + std::string(action),
               .resource = group.stream_arn(stream),
               .resource_account = group.account}};
}

template <class Op>
Result<Asks> on_group(Logs&, const Context& context, const typename Op::Input& input) {
  std::optional<std::string> identifier;
  if constexpr (requires { input.log_group_identifier; }) identifier = input.log_group_identifier;
  return ask_group(context, Op::operation().name, input.log_group_name, identifier, "");
}

template <class Op>
Result<Asks> on_stream(Logs&, const Context& context, const typename Op::Input& input) {
  std::optional<std::string> identifier;
  if constexpr (requires { input.log_group_identifier; }) identifier = input.log_group_identifier;
  return ask_group(context, Op::operation().name, input.log_group_name, identifier,
                   input.log_stream_name.value_or(""));
}

template <class Op>
Result<Asks> on_arn(Logs&, const Context& context, const typename Op::Input& input) {
  TRY(const GroupName group, group_of_arn(context, input.resource_arn.value_or("")));
  return Asks{{.action = "logs:" + std::string(Op::operation().name),
               .resource = group.arn(),
               .resource_account = group.account}};
}

template <class Op>
Result<Asks> on_all_groups(Logs&, const Context& context, const typename Op::Input&) {
  const GroupName none{context.account, context.region, ""};
  return Asks{
      {.action = "logs:" + std::string(Op::operation().name), .resource = none.stream_arn("")}};
}

/// What belongs to no group, or to any.
template <class Op>
Result<Asks> on_everything(Logs&, const Context&, const typename Op::Input&) {
  return Asks{{.action = "logs:" + std::string(Op::operation().name), .resource = "*"}};
}

template <class Op>
Result<Asks> on_key(Logs&, const Context& context, const typename Op::Input& input) {
  TRY(const GroupName group,
      group_of_key(context, input.log_group_name, input.resource_identifier));
  return ask_group(context, Op::operation().name, std::nullopt, group.arn(), "");
}

Asks ask_groups(std::string_view action, const std::vector<GroupName>& groups) {
  Asks out;
  for (const GroupName& group : groups) {
    out.push_back({.action = "logs:" + std::string(action),
                   .resource = group.stream_arn(""),
                   .resource_account = group.account});
  }
  return out;
}

Result<Asks> on_queried(Logs&, const Context& context, const op::StartQuery::Input& input) {
  TRY(const auto groups, groups_of_query(context, input));
  return ask_groups("StartQuery", groups);
}

Result<Asks> on_tailed(Logs&, const Context& context, const op::StartLiveTail::Input& input) {
  TRY(const auto groups, groups_of_tail(context, input));
  return ask_groups("StartLiveTail", groups);
}

/// Of one group, or of all when none is named.
Result<Asks> on_metric_filters(Logs&, const Context& context,
                               const op::DescribeMetricFilters::Input& input) {
  return ask_group(context, "DescribeMetricFilters", input.log_group_name.value_or("*"),
                   std::nullopt, "");
}

Result<Asks> on_record(Logs&, const Context& context, const op::GetLogRecord::Input& input) {
  TRY(const EventPointer pointer, pointer_of(input));
  return ask_group(context, "GetLogRecord", pointer.group, std::nullopt, "");
}

template <class Op, auto Run, auto AsksOf>
constexpr operation::Row serve() {
  return operation::row<Logs, Op, Run, AsksOf>();
}

}  // namespace

operation::ServiceTable logs_table(Logs* service) {
  static constexpr operation::Row rows[] = {
      serve<op::CreateLogGroup, create_group, on_group<op::CreateLogGroup>>(),
      serve<op::DeleteLogGroup, delete_group, on_group<op::DeleteLogGroup>>(),
      serve<op::DescribeLogGroups, describe_groups, on_all_groups<op::DescribeLogGroups>>(),
      serve<op::ListLogGroups, list_log_groups, on_all_groups<op::ListLogGroups>>(),
      serve<op::PutRetentionPolicy, put_retention, on_group<op::PutRetentionPolicy>>(),
      serve<op::DeleteRetentionPolicy, delete_retention, on_group<op::DeleteRetentionPolicy>>(),
      serve<op::AssociateKmsKey, associate_key, on_key<op::AssociateKmsKey>>(),
      serve<op::DisassociateKmsKey, disassociate_key, on_key<op::DisassociateKmsKey>>(),

      serve<op::CreateLogStream, create_stream, on_group<op::CreateLogStream>>(),
      serve<op::DeleteLogStream, delete_stream, on_stream<op::DeleteLogStream>>(),
      serve<op::DescribeLogStreams, describe_streams, on_group<op::DescribeLogStreams>>(),

      serve<op::PutLogEvents, put_events, on_stream<op::PutLogEvents>>(),
      serve<op::GetLogEvents, get_events, on_stream<op::GetLogEvents>>(),
      serve<op::FilterLogEvents, filter_events, on_group<op::FilterLogEvents>>(),

      serve<op::PutSubscriptionFilter, put_subscription_filter,
            on_group<op::PutSubscriptionFilter>>(),
      serve<op::DescribeSubscriptionFilters, describe_subscription_filters,
            on_group<op::DescribeSubscriptionFilters>>(),
      serve<op::DeleteSubscriptionFilter, delete_subscription_filter,
            on_group<op::DeleteSubscriptionFilter>>(),
      serve<op::DescribeDestinations, describe_destinations,
            on_everything<op::DescribeDestinations>>(),

      serve<op::PutMetricFilter, put_metric_filter, on_group<op::PutMetricFilter>>(),
      serve<op::DescribeMetricFilters, describe_metric_filters, on_metric_filters>(),
      serve<op::DeleteMetricFilter, delete_metric_filter, on_group<op::DeleteMetricFilter>>(),
      serve<op::TestMetricFilter, test_metric_filter, on_everything<op::TestMetricFilter>>(),

      serve<op::StartQuery, start_query, on_queried>(),
      serve<op::GetQueryResults, get_query_results, on_everything<op::GetQueryResults>>(),
      serve<op::StopQuery, stop_query, on_everything<op::StopQuery>>(),
      serve<op::DescribeQueries, describe_queries, on_everything<op::DescribeQueries>>(),
      serve<op::GetLogRecord, get_log_record, on_record>(),

      serve<op::GetLogGroupFields, get_group_fields, on_group<op::GetLogGroupFields>>(),

      serve<op::StartLiveTail, start_live_tail, on_tailed>(),

      serve<op::PutQueryDefinition, put_query_definition, on_everything<op::PutQueryDefinition>>(),
      serve<op::DescribeQueryDefinitions, describe_query_definitions,
            on_everything<op::DescribeQueryDefinitions>>(),
      serve<op::DeleteQueryDefinition, delete_query_definition,
            on_everything<op::DeleteQueryDefinition>>(),

      serve<op::PutResourcePolicy, put_resource_policy, on_everything<op::PutResourcePolicy>>(),
      serve<op::DescribeResourcePolicies, describe_resource_policies,
            on_everything<op::DescribeResourcePolicies>>(),
      serve<op::DeleteResourcePolicy, delete_resource_policy,
            on_everything<op::DeleteResourcePolicy>>(),

      serve<op::TagLogGroup, tag_group, on_group<op::TagLogGroup>>(),
      serve<op::UntagLogGroup, untag_group, on_group<op::UntagLogGroup>>(),
      serve<op::ListTagsLogGroup, list_group_tags, on_group<op::ListTagsLogGroup>>(),
      serve<op::TagResource, tag_resource, on_arn<op::TagResource>>(),
      serve<op::UntagResource, untag_resource, on_arn<op::UntagResource>>(),
      serve<op::ListTagsForResource, list_tags, on_arn<op::ListTagsForResource>>(),
  };
  return {&model::logs::service(), service, {std::begin(rows), std::end(rows)}};
}

}  // namespace wolke::logs
