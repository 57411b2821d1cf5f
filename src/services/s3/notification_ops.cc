#include <fmt/format.h>

#include "wolke/base/text.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/notification.h"
#include "wolke/services/s3/ops.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {
namespace {

/// arn:aws:lambda:region:account:function:name[:qualifier], in the bucket's region.
Result<void> check_function_arn(const std::string& arn, const Bucket& bucket) {
  std::vector<std::string_view> parts = split(arn, ':');
  bool good = (parts.size() == 7 || parts.size() == 8) && parts[0] == "arn" && parts[1] == "aws" &&
              parts[2] == "lambda" && !parts[4].empty() && parts[5] == "function" &&
              !parts[6].empty();
  if (!good) return fail(invalid_argument("The ARN could not be parsed", "CloudFunction", arn));
  if (parts[3] != bucket.region) {
    return fail(
        invalid_argument("The notification destination service region is not valid for the bucket "
                         "location constraint",
                         "Region", parts[3]));
  }
  return {};
}

Error unable_to_validate(const std::string& arn, std::string reason) {
  return invalid_argument("Unable to validate the following destination configurations", arn,
                          std::move(reason));
}

Result<void> check_destination(S3& s3, Tx& tx, const Bucket& bucket, const std::string& arn) {
  TRY(check_function_arn(arn, bucket));
  DestinationState state = DestinationState::missing;
  if (s3.functions != nullptr) {
    TRY(state, s3.functions->destination_state(tx, arn, bucket_arn(bucket.name), bucket.account));
  }
  switch (state) {
    case DestinationState::ready:
      return {};
    case DestinationState::missing:
      return fail(unable_to_validate(arn, "The destination Lambda does not exist"));
    case DestinationState::not_permitted:
      return fail(
          unable_to_validate(arn, fmt::format("Not authorized to invoke function [{}]", arn)));
  }
  return {};
}

FunctionNotification configuration_of(const model::s3::LambdaFunctionConfiguration& asked,
                                      const Context& context) {
  FunctionNotification configuration;
  configuration.id = asked.id && !asked.id->empty() ? *asked.id : context.random->uuid();
  configuration.function_arn = *asked.lambda_function_arn;
  configuration.events = *asked.events;
  if (asked.filter && asked.filter->key && asked.filter->key->filter_rules) {
    for (const auto& rule : *asked.filter->key->filter_rules) {
      FilterRule& kept = configuration.rules.emplace_back();
      kept.name = rule.name.value_or("");
      kept.value = rule.value.value_or("");
    }
  }
  return configuration;
}

/// Destinations that exist nowhere on this server.
Result<void> refuse_others(const model::s3::NotificationConfiguration& asked) {
  if (asked.topic_configurations && !asked.topic_configurations->empty()) {
    return fail(unable_to_validate(asked.topic_configurations->front().topic_arn.value_or(""),
                                   "The destination topic does not exist"));
  }
  if (asked.queue_configurations && !asked.queue_configurations->empty()) {
    return fail(unable_to_validate(asked.queue_configurations->front().queue_arn.value_or(""),
                                   "The destination queue does not exist"));
  }
  if (asked.event_bridge_configuration) {
    return fail(not_implemented("notifications to EventBridge"));
  }
  return {};
}

}  // namespace

Answer<op::PutBucketNotificationConfiguration> put_bucket_notification(
    S3& s3, Tx& tx, const Context& context, const In<op::PutBucketNotificationConfiguration>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  const auto& asked = *in.notification_configuration;
  std::vector<FunctionNotification> configurations;
  if (asked.lambda_function_configurations) {
    for (const auto& one : *asked.lambda_function_configurations) {
      configurations.push_back(configuration_of(one, context));
    }
  }
  TRY(check_notifications(configurations));
  TRY(refuse_others(asked));
  if (!in.skip_destination_validation.value_or(false)) {
    for (const FunctionNotification& one : configurations) {
      TRY(check_destination(s3, tx, bucket, one.function_arn));
    }
  }
  bucket.notifications = std::move(configurations);
  tx.put(bucket_key(bucket.name), bucket);
  return op::PutBucketNotificationConfiguration::Output{};
}

Answer<op::GetBucketNotificationConfiguration> get_bucket_notification(
    S3&, Tx& tx, const Context&, const In<op::GetBucketNotificationConfiguration>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  op::GetBucketNotificationConfiguration::Output out;
  if (bucket.notifications.empty()) return out;
  auto& told = out.lambda_function_configurations.emplace();
  for (const FunctionNotification& configuration : bucket.notifications) {
    auto& one = told.emplace_back();
    one.id = configuration.id;
    one.lambda_function_arn = configuration.function_arn;
    one.events = configuration.events;
    if (configuration.rules.empty()) continue;
    auto& rules = one.filter.emplace().key.emplace().filter_rules.emplace();
    for (const FilterRule& rule : configuration.rules) {
      auto& told_rule = rules.emplace_back();
      told_rule.name = rule.name;
      told_rule.value = rule.value;
    }
  }
  return out;
}

}  // namespace wolke::s3
