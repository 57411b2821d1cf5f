// Subscription filters: which events of a group go to which function.
#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/services/logs/errors.h"
#include "wolke/services/logs/filter_pattern.h"
#include "wolke/services/logs/ops.h"
#include "wolke/services/logs/subscription.h"

namespace wolke::logs {
namespace {

constexpr std::int32_t page_max = 50;

/// The function's name in the ARN of a destination that is served.
Result<std::string> function_of(const op::PutSubscriptionFilter::Input& input,
                                const GroupName& group) {
  const std::string destination = input.destination_arn.value_or("");
  const auto parts = split(destination, ':');
  const bool arn = parts.size() >= 6 && parts[0] == "arn";
  if (!arn) return fail(invalid_parameter("destinationArn is not a valid ARN."));
  if (parts[2] != "lambda") {
    return fail(not_served("A subscription filter's destination in " + std::string(parts[2])));
  }
  if (parts.size() < 7 || parts[5] != "function") {
    return fail(invalid_parameter("destinationArn is not the ARN of a function."));
  }
  if (input.role_arn) {
    return fail(invalid_parameter("destinationArn for vendor lambda cannot be used with roleArn"));
  }
  if (parts[3] != group.region || parts[4] != group.account) {
    return fail(invalid_parameter(
        "The function has to be in the account and the region of the log group."));
  }
  return std::string(parts[6]);
}

/// The principal by which the function's policy admits this group's events: the service's, or the
/// region's.
Result<std::string> principal_for(const Logs& logs, Tx& tx, const GroupName& group,
                                  const std::string& function_arn) {
  const std::string regional = "logs." + group.region + ".amazonaws.com";
  for (const std::string& service : {std::string("logs.amazonaws.com"), regional}) {
    if (logs.functions == nullptr) break;
    TRY(const bool may,
        logs.functions->may_invoke(tx, function_arn, service, group.arn() + ":*", group.account));
    if (may) return service;
  }
  return fail(
      invalid_parameter("Could not execute the lambda function. Make sure you have given "
                        "CloudWatch Logs permission to execute your function."));
}

}  // namespace

Result<op::PutSubscriptionFilter::Output> put_subscription_filter(
    Logs& logs, Tx& tx, const Context& context, const op::PutSubscriptionFilter::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  if (input.apply_on_transformed_logs.value_or(false)) {
    return fail(not_served("applyOnTransformedLogs"));
  }
  if (input.field_selection_criteria || input.emit_system_fields) {
    return fail(not_served("fieldSelectionCriteria and emitSystemFields"));
  }
  TRY(const FilterPattern pattern, parse_filter_pattern(input.filter_pattern.value_or("")));
  // Whoever writes a batch of lines waits for it.
  if (pattern.regex_instructions() > subscription_regex_instructions_max) {
    return fail(invalid_parameter("The regular expressions of the filter pattern are too large."));
  }
  TRY(Group group, get_group(tx, name));
  TRY(const std::string function, function_of(input, name));
  if (name.name == "/aws/lambda/" + function) {
    return fail(invalid_parameter(
        "The log group provided is reserved for the function log of the destination function."));
  }
  Subscription subscription;
  subscription.name = input.filter_name.value_or("");
  subscription.pattern = input.filter_pattern.value_or("");
  subscription.destination = input.destination_arn.value_or("");
  TRY(subscription.source, principal_for(logs, tx, name, subscription.destination));
  subscription.distribution = input.distribution.value_or("ByLogStream");
  subscription.created = context.now;
  const auto known =
      std::find_if(group.subscriptions.begin(), group.subscriptions.end(),
                   [&](const Subscription& each) { return each.name == subscription.name; });
  if (known != group.subscriptions.end()) {
    subscription.created = known->created;
    *known = std::move(subscription);
  } else if (group.subscriptions.size() >= subscriptions_max) {
    return fail(limit_exceeded());
  } else {
    group.subscriptions.push_back(std::move(subscription));
  }
  tx.put(group_key(name), group);
  return op::PutSubscriptionFilter::Output{};
}

Result<op::DescribeSubscriptionFilters::Output> describe_subscription_filters(
    Logs&, Tx& tx, const Context& context, const op::DescribeSubscriptionFilters::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  TRY(Group group, get_group(tx, name));
  const auto after = from_base64(input.next_token.value_or(""));
  if (!after) return fail(invalid_parameter("The specified nextToken is invalid."));
  std::sort(group.subscriptions.begin(), group.subscriptions.end(),
            [](const Subscription& a, const Subscription& b) { return a.name < b.name; });
  const auto max =
      static_cast<std::size_t>(std::clamp(input.limit.value_or(page_max), 1, page_max));
  op::DescribeSubscriptionFilters::Output out;
  out.subscription_filters.emplace();
  for (const Subscription& subscription : group.subscriptions) {
    if (!subscription.name.starts_with(input.filter_name_prefix.value_or(""))) continue;
    if (!after->empty() && subscription.name <= *after) continue;
    if (out.subscription_filters->size() == max) {
      out.next_token = to_base64(*out.subscription_filters->back().filter_name);
      break;
    }
    model::logs::SubscriptionFilter item;
    item.filter_name = subscription.name;
    item.log_group_name = name.name;
    item.filter_pattern = subscription.pattern;
    item.destination_arn = subscription.destination;
    item.distribution = subscription.distribution;
    item.creation_time = to_millis(subscription.created);
    out.subscription_filters->push_back(std::move(item));
  }
  return out;
}

Result<op::DeleteSubscriptionFilter::Output> delete_subscription_filter(
    Logs&, Tx& tx, const Context& context, const op::DeleteSubscriptionFilter::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  TRY(Group group, get_group(tx, name));
  const auto removed = std::erase_if(group.subscriptions, [&](const Subscription& each) {
    return each.name == input.filter_name.value_or("");
  });
  if (removed == 0) return fail(no_such("subscription filter"));
  tx.put(group_key(name), group);
  return op::DeleteSubscriptionFilter::Output{};
}

Result<op::DescribeDestinations::Output> describe_destinations(
    Logs&, Tx&, const Context&, const op::DescribeDestinations::Input&) {
  // None can be made, so the list is truly empty.
  op::DescribeDestinations::Output out;
  out.destinations.emplace();
  return out;
}

}  // namespace wolke::logs
