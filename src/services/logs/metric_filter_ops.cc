// Metric filters, as configuration, and the trial of a pattern.
#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/services/logs/errors.h"
#include "wolke/services/logs/filter_pattern.h"
#include "wolke/services/logs/ops.h"

namespace wolke::logs {
namespace {

constexpr std::int32_t page_max = 50;
constexpr std::size_t filters_of_group_max = 100;  // CloudWatch Logs quota
constexpr std::size_t dimensions_max = 3;

Result<Transformation> transformation_of(const model::logs::MetricTransformation& given) {
  Transformation out;
  out.metric = given.metric_name.value_or("");
  out.metric_namespace = given.metric_namespace.value_or("");
  out.value = given.metric_value.value_or("");
  out.unit = given.unit.value_or("");
  out.default_value = given.default_value;
  if (given.dimensions) out.dimensions = *given.dimensions;
  if (out.default_value && !out.dimensions.empty()) {
    return fail(
        invalid_parameter("Invalid metric transformation: dimensions and default value are "
                          "mutually exclusive properties."));
  }
  if (out.dimensions.size() > dimensions_max) {
    return fail(invalid_parameter("A metric transformation has at most 3 dimensions."));
  }
  return out;
}

model::logs::MetricFilter describe(const MetricFilter& filter) {
  model::logs::MetricFilter out;
  out.filter_name = filter.name;
  out.filter_pattern = filter.pattern;
  out.log_group_name = filter.group;
  out.creation_time = to_millis(filter.created);
  out.metric_transformations.emplace();
  for (const Transformation& from : filter.transformations) {
    auto& to = out.metric_transformations->emplace_back();
    to.metric_name = from.metric;
    to.metric_namespace = from.metric_namespace;
    to.metric_value = from.value;
    to.default_value = from.default_value;
    if (!from.dimensions.empty()) to.dimensions = from.dimensions;
    if (!from.unit.empty()) to.unit = from.unit;
  }
  return out;
}

bool asked_for(const MetricFilter& filter, const op::DescribeMetricFilters::Input& input) {
  if (!filter.name.starts_with(input.filter_name_prefix.value_or(""))) return false;
  if (!input.metric_name) return true;
  return std::any_of(filter.transformations.begin(), filter.transformations.end(),
                     [&](const Transformation& each) {
                       return each.metric == *input.metric_name &&
                              each.metric_namespace == input.metric_namespace.value_or("");
                     });
}

std::string token_of(const MetricFilter& filter) {
  return filter.name + '\0' + filter.group;
}

}  // namespace

Result<op::PutMetricFilter::Output> put_metric_filter(Logs&, Tx& tx, const Context& context,
                                                      const op::PutMetricFilter::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  if (input.apply_on_transformed_logs.value_or(false)) {
    return fail(not_served("applyOnTransformedLogs"));
  }
  TRY(const FilterPattern pattern, parse_filter_pattern(input.filter_pattern.value_or("")));
  TRY(const Group group, get_group(tx, name));
  MetricFilter filter;
  filter.group = name.name;
  filter.name = input.filter_name.value_or("");
  filter.pattern = input.filter_pattern.value_or("");
  filter.created = context.now;
  for (const auto& given : input.metric_transformations.value()) {
    TRY(Transformation transformation, transformation_of(given));
    filter.transformations.push_back(std::move(transformation));
  }
  const store::Key key = metric_filter_key(name, filter.name);
  TRY(const auto known, tx.get<MetricFilter>(key));
  if (known) filter.created = known->created;
  if (!known) {
    TRY(const auto others, list_metric_filters(tx, name));
    if (others.size() >= filters_of_group_max) return fail(limit_exceeded());
  }
  tx.put(key, filter);
  return op::PutMetricFilter::Output{};
}

Result<op::DescribeMetricFilters::Output> describe_metric_filters(
    Logs&, Tx& tx, const Context& context, const op::DescribeMetricFilters::Input& input) {
  if (input.metric_name.has_value() != input.metric_namespace.has_value()) {
    const bool has_name = input.metric_name.has_value();
    return fail(invalid_parameter(std::string("If you include the ") +
                                  (has_name ? "metricName" : "metricNamespace") +
                                  " parameter in your request, you must also include the " +
                                  (has_name ? "metricNamespace" : "metricName") + " parameter."));
  }
  const auto after = from_base64(input.next_token.value_or(""));
  if (!after) return fail(invalid_parameter("The specified nextToken is invalid."));
  GroupName name{context.account, context.region, ""};
  if (input.log_group_name) {
    TRY(name, group_of(context, input.log_group_name));
    TRY(const Group group, get_group(tx, name));
  }
  TRY(auto filters, list_metric_filters(tx, name));
  std::sort(filters.begin(), filters.end(),
            [](const MetricFilter& a, const MetricFilter& b) { return token_of(a) < token_of(b); });
  const auto max =
      static_cast<std::size_t>(std::clamp(input.limit.value_or(page_max), 1, page_max));
  op::DescribeMetricFilters::Output out;
  out.metric_filters.emplace();
  std::string last;
  for (const MetricFilter& filter : filters) {
    if (!asked_for(filter, input)) continue;
    if (!after->empty() && token_of(filter) <= *after) continue;
    if (out.metric_filters->size() == max) {
      out.next_token = to_base64(last);
      break;
    }
    out.metric_filters->push_back(describe(filter));
    last = token_of(filter);
  }
  return out;
}

Result<op::DeleteMetricFilter::Output> delete_metric_filter(
    Logs&, Tx& tx, const Context& context, const op::DeleteMetricFilter::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  TRY(const Group group, get_group(tx, name));
  const store::Key key = metric_filter_key(name, input.filter_name.value_or(""));
  TRY(const auto known, tx.get<MetricFilter>(key));
  if (!known) return fail(no_such("metric filter"));
  tx.erase(key);
  return op::DeleteMetricFilter::Output{};
}

Result<op::TestMetricFilter::Output> test_metric_filter(Logs&, Tx&, const Context&,
                                                        const op::TestMetricFilter::Input& input) {
  TRY(const FilterPattern pattern, parse_filter_pattern(input.filter_pattern.value_or("")));
  op::TestMetricFilter::Output out;
  out.matches.emplace();
  std::int64_t number = 0;
  for (const std::string& message : input.log_event_messages.value()) {
    ++number;
    if (!pattern.matches(message)) continue;
    auto& match = out.matches->emplace_back();
    match.event_number = number;
    match.event_message = message;
    match.extracted_values = pattern.extract(message);
  }
  return out;
}

}  // namespace wolke::logs
