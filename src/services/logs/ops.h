#pragma once
// The operations' declarations; the table is in operations.cc.

#include "wolke/model/logs/operations.h"
#include "wolke/services/logs/logs.h"
#include "wolke/services/logs/query_row.h"

namespace wolke::logs {

namespace op = model::logs::op;
using operation::Asks;
using operation::Context;
using store::Tx;

// group_ops.cc
Result<op::CreateLogGroup::Output> create_group(Logs&, Tx&, const Context&,
                                                const op::CreateLogGroup::Input&);
Result<op::DeleteLogGroup::Output> delete_group(Logs&, Tx&, const Context&,
                                                const op::DeleteLogGroup::Input&);
Result<op::DescribeLogGroups::Output> describe_groups(Logs&, Tx&, const Context&,
                                                      const op::DescribeLogGroups::Input&);
Result<op::ListLogGroups::Output> list_log_groups(Logs&, Tx&, const Context&,
                                                  const op::ListLogGroups::Input&);
Result<op::PutRetentionPolicy::Output> put_retention(Logs&, Tx&, const Context&,
                                                     const op::PutRetentionPolicy::Input&);
Result<op::DeleteRetentionPolicy::Output> delete_retention(Logs&, Tx&, const Context&,
                                                           const op::DeleteRetentionPolicy::Input&);
Result<op::AssociateKmsKey::Output> associate_key(Logs&, Tx&, const Context&,
                                                  const op::AssociateKmsKey::Input&);
Result<op::DisassociateKmsKey::Output> disassociate_key(Logs&, Tx&, const Context&,
                                                        const op::DisassociateKmsKey::Input&);
/// The group that a key is for.
Result<GroupName> group_of_key(const Context& context, const std::optional<std::string>& name,
                               const std::optional<std::string>& identifier);
Result<op::TagLogGroup::Output> tag_group(Logs&, Tx&, const Context&,
                                          const op::TagLogGroup::Input&);
Result<op::UntagLogGroup::Output> untag_group(Logs&, Tx&, const Context&,
                                              const op::UntagLogGroup::Input&);
Result<op::ListTagsLogGroup::Output> list_group_tags(Logs&, Tx&, const Context&,
                                                     const op::ListTagsLogGroup::Input&);
Result<op::TagResource::Output> tag_resource(Logs&, Tx&, const Context&,
                                             const op::TagResource::Input&);
Result<op::UntagResource::Output> untag_resource(Logs&, Tx&, const Context&,
                                                 const op::UntagResource::Input&);
Result<op::ListTagsForResource::Output> list_tags(Logs&, Tx&, const Context&,
                                                  const op::ListTagsForResource::Input&);

// stream_ops.cc
Result<op::CreateLogStream::Output> create_stream(Logs&, Tx&, const Context&,
                                                  const op::CreateLogStream::Input&);
Result<op::DeleteLogStream::Output> delete_stream(Logs&, Tx&, const Context&,
                                                  const op::DeleteLogStream::Input&);
Result<op::DescribeLogStreams::Output> describe_streams(Logs&, Tx&, const Context&,
                                                        const op::DescribeLogStreams::Input&);

// event_ops.cc
Result<op::PutLogEvents::Output> put_events(Logs&, Tx&, const Context&,
                                            const op::PutLogEvents::Input&);
Result<op::GetLogEvents::Output> get_events(Logs&, Tx&, const Context&,
                                            const op::GetLogEvents::Input&);
// filter_ops.cc
Result<op::FilterLogEvents::Output> filter_events(Logs&, Tx&, const Context&,
                                                  const op::FilterLogEvents::Input&);

// subscription_ops.cc
Result<op::PutSubscriptionFilter::Output> put_subscription_filter(
    Logs&, Tx&, const Context&, const op::PutSubscriptionFilter::Input&);
Result<op::DescribeSubscriptionFilters::Output> describe_subscription_filters(
    Logs&, Tx&, const Context&, const op::DescribeSubscriptionFilters::Input&);
Result<op::DeleteSubscriptionFilter::Output> delete_subscription_filter(
    Logs&, Tx&, const Context&, const op::DeleteSubscriptionFilter::Input&);

Result<op::DescribeDestinations::Output> describe_destinations(
    Logs&, Tx&, const Context&, const op::DescribeDestinations::Input&);

// metric_filter_ops.cc
Result<op::PutMetricFilter::Output> put_metric_filter(Logs&, Tx&, const Context&,
                                                      const op::PutMetricFilter::Input&);
Result<op::DescribeMetricFilters::Output> describe_metric_filters(
    Logs&, Tx&, const Context&, const op::DescribeMetricFilters::Input&);
Result<op::DeleteMetricFilter::Output> delete_metric_filter(Logs&, Tx&, const Context&,
                                                            const op::DeleteMetricFilter::Input&);
Result<op::TestMetricFilter::Output> test_metric_filter(Logs&, Tx&, const Context&,
                                                        const op::TestMetricFilter::Input&);

// policy_ops.cc
Result<op::PutResourcePolicy::Output> put_resource_policy(Logs&, Tx&, const Context&,
                                                          const op::PutResourcePolicy::Input&);
Result<op::DescribeResourcePolicies::Output> describe_resource_policies(
    Logs&, Tx&, const Context&, const op::DescribeResourcePolicies::Input&);
Result<op::DeleteResourcePolicy::Output> delete_resource_policy(
    Logs&, Tx&, const Context&, const op::DeleteResourcePolicy::Input&);

// query_ops.cc
Result<op::StartQuery::Output> start_query(Logs&, Tx&, const Context&,
                                           const op::StartQuery::Input&);
Result<op::StopQuery::Output> stop_query(Logs&, Tx&, const Context&, const op::StopQuery::Input&);
Result<op::GetQueryResults::Output> get_query_results(Logs&, Tx&, const Context&,
                                                      const op::GetQueryResults::Input&);
/// Which event is asked for.
Result<EventPointer> pointer_of(const op::GetLogRecord::Input&);
Result<op::GetLogRecord::Output> get_log_record(Logs&, Tx&, const Context&,
                                                const op::GetLogRecord::Input&);
Result<op::DescribeQueries::Output> describe_queries(Logs&, Tx&, const Context&,
                                                     const op::DescribeQueries::Input&);
// field_ops.cc
Result<op::GetLogGroupFields::Output> get_group_fields(Logs&, Tx&, const Context&,
                                                       const op::GetLogGroupFields::Input&);
// live_tail_ops.cc
Result<op::StartLiveTail::Output> start_live_tail(Logs&, Tx&, const Context&,
                                                  const op::StartLiveTail::Input&);
/// The groups that a live tail is about.
Result<std::vector<GroupName>> groups_of_tail(const Context& context,
                                              const op::StartLiveTail::Input& input);

// query_definition_ops.cc
Result<op::PutQueryDefinition::Output> put_query_definition(Logs&, Tx&, const Context&,
                                                            const op::PutQueryDefinition::Input&);
Result<op::DescribeQueryDefinitions::Output> describe_query_definitions(
    Logs&, Tx&, const Context&, const op::DescribeQueryDefinitions::Input&);
Result<op::DeleteQueryDefinition::Output> delete_query_definition(
    Logs&, Tx&, const Context&, const op::DeleteQueryDefinition::Input&);

/// The groups that a query is about.
Result<std::vector<GroupName>> groups_of_query(const Context& context,
                                               const op::StartQuery::Input& input);

/// The group that a request names, by name or by ARN (with or without ":*").
Result<GroupName> group_of(const Context& context, const std::optional<std::string>& name,
                           const std::optional<std::string>& identifier = std::nullopt);
Result<GroupName> group_of_arn(const Context& context, const std::string& arn);
/// The oldest timestamp that may still be read.
std::int64_t oldest_readable_ms(const Group& group, Timestamp now);

}  // namespace wolke::logs
