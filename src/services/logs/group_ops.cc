// Log groups, their retention and tags.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/services/logs/errors.h"
#include "wolke/services/logs/ops.h"

namespace wolke::logs {
namespace {

constexpr std::int32_t groups_page_max = 50;
constexpr std::int32_t list_max = 1000;  // of ListLogGroups
constexpr std::size_t tags_max = 50;

/// CloudWatch Logs API reference, PutRetentionPolicy.
constexpr auto retention_days_known =
    std::to_array<std::int32_t>({1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653});

Result<void> add_tags(Group& group, const std::map<std::string, std::string>& tags) {
  for (const auto& [key, value] : tags) group.tags[key] = value;
  if (group.tags.size() > tags_max) {
    return fail(Error{.code = "TooManyTagsException",
                      .status = 400,
                      .message = "A log group has at most 50 tags."});
  }
  return {};
}

}  // namespace

Result<GroupName> group_of_arn(const Context& context, const std::string& arn) {
  // arn:aws:logs:region:account:log-group:NAME[:*]
  const auto parts = split(arn, ':');
  const bool good = parts.size() >= 7 && parts[0] == "arn" && parts[2] == "logs" &&
                    parts[5] == "log-group" &&
                    (parts.size() == 7 || (parts.size() == 8 && parts[7] == "*"));
  if (!good) return fail(no_such_resource());
  if (parts[3] != context.region) return fail(no_such_resource());
  return GroupName{std::string(parts[4]), std::string(parts[3]), std::string(parts[6])};
}

Result<GroupName> group_of(const Context& context, const std::optional<std::string>& name,
                           const std::optional<std::string>& identifier) {
  if (name && identifier) {
    return fail(validation("LogGroup name and LogGroup ARN are mutually exclusive parameters."));
  }
  const std::string given = name ? *name : identifier.value_or("");
  if (given.empty())
    return fail(invalid_parameter("One of logGroupName and logGroupIdentifier is required."));
  if (given.starts_with("arn:")) return group_of_arn(context, given);
  return GroupName{context.account, context.region, given};
}

std::int64_t oldest_readable_ms(const Group& group, Timestamp now) {
  if (!group.retention_days) return 0;
  return std::max<std::int64_t>(0, to_millis(now - std::chrono::days(*group.retention_days)));
}

Result<op::CreateLogGroup::Output> create_group(Logs&, Tx& tx, const Context& context,
                                                const op::CreateLogGroup::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  TRY(const auto existing, find_group(tx, name));
  if (existing) return fail(group_exists());
  if (input.deletion_protection_enabled.value_or(false))
    return fail(not_served("deletionProtectionEnabled"));
  Group group;
  group.name = name.name;
  group.id = new_id(*context.random);
  group.created = context.now;
  group.kms_key = input.kms_key_id.value_or("");
  group.log_class = input.log_group_class.value_or("");
  if (input.tags) {
    TRY(add_tags(group, *input.tags));
  }
  tx.put(group_key(name), group);
  return op::CreateLogGroup::Output{};
}

Result<op::DeleteLogGroup::Output> delete_group(Logs&, Tx& tx, const Context& context,
                                                const op::DeleteLogGroup::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  TRY(const Group group, get_group(tx, name));
  TRY(const auto filters, list_metric_filters(tx, name));
  for (const MetricFilter& filter : filters) tx.erase(metric_filter_key(name, filter.name));
  tx.erase(group_key(name));
  // Its streams and events can no longer be reached; the sweeper removes them.
  tx.put_bytes(garbage_key(group.id, 0), {});
  return op::DeleteLogGroup::Output{};
}

Result<op::DescribeLogGroups::Output> describe_groups(Logs&, Tx& tx, const Context& context,
                                                      const op::DescribeLogGroups::Input& input) {
  if (input.log_group_name_prefix && input.log_group_name_pattern) {
    return fail(invalid_parameter(
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
  }
  const auto after = from_base64(input.next_token.value_or(""));
  if (!after) return fail(invalid_parameter("The specified nextToken is invalid."));
  const auto max = static_cast<std::size_t>(
      std::clamp(input.limit.value_or(groups_page_max), 1, groups_page_max));
  const std::string pattern = to_lower(input.log_group_name_pattern.value_or(""));
  const GroupName prefix{context.account, context.region, input.log_group_name_prefix.value_or("")};
  op::DescribeLogGroups::Output out;
  out.log_groups.emplace();
  std::string last = *after;
  while (true) {
    TRY(const Groups page, list_groups(tx, prefix, last, max));
    for (const Group& group : page.items) {
      last = group.name;
      if (to_lower(group.name).find(pattern) == std::string::npos) continue;
      const GroupName name{context.account, context.region, group.name};
      model::logs::LogGroup item;
      item.log_group_name = group.name;
      item.creation_time = to_millis(group.created);
      item.retention_in_days = group.retention_days;
      TRY(const auto filters, list_metric_filters(tx, name));
      item.metric_filter_count = static_cast<std::int32_t>(filters.size());
      item.arn = name.arn() + ":*";
      item.log_group_arn = name.arn();
      item.log_group_class = group.log_class.empty() ? "STANDARD" : group.log_class;
      if (!group.kms_key.empty()) item.kms_key_id = group.kms_key;
      TRY(item.stored_bytes, tx.counter(bytes_key(group.id)));
      out.log_groups->push_back(std::move(item));
      if (out.log_groups->size() == max) break;
    }
    const bool full = out.log_groups->size() == max;
    const bool rest = page.more || (full && !page.items.empty() && last != page.items.back().name);
    if (full && rest) out.next_token = to_base64(last);
    if (full || !page.more) return out;
  }
}

namespace {

/// One of several texts that a name begins with (after "^") or contains.
bool matches_pattern(const std::string& name, const std::string& pattern) {
  if (pattern.empty()) return true;
  const auto alternatives = split(pattern, '|');
  return std::ranges::any_of(alternatives, [&](std::string_view one) {
    if (one.starts_with('^')) return name.starts_with(one.substr(1));
    return name.find(one) != std::string::npos;
  });
}

Result<void> check_list_served(const op::ListLogGroups::Input& input) {
  if (input.data_sources) return fail(not_served("dataSources"));
  if (input.field_index_names) return fail(not_served("fieldIndexNames"));
  if (input.log_group_tags) return fail(not_served("logGroupTags"));
  return {};
}

}  // namespace

Result<op::ListLogGroups::Output> list_log_groups(Logs&, Tx& tx, const Context& context,
                                                  const op::ListLogGroups::Input& input) {
  TRY(check_list_served(input));
  const auto after = from_base64(input.next_token.value_or(""));
  if (!after) return fail(invalid_parameter("The specified nextToken is invalid."));
  const auto max =
      static_cast<std::size_t>(std::clamp(input.limit.value_or(groups_page_max), 1, list_max));
  const std::string pattern = input.log_group_name_pattern.value_or("");
  op::ListLogGroups::Output out;
  out.log_groups.emplace();
  std::string last = *after;
  for (bool more = true; more;) {
    TRY(const Groups page, list_groups(tx, {context.account, context.region, ""}, last, list_max));
    for (const Group& group : page.items) {
      const std::string log_class = group.log_class.empty() ? "STANDARD" : group.log_class;
      const bool wanted = matches_pattern(group.name, pattern) &&
                          (!input.log_group_class || log_class == *input.log_group_class);
      if (wanted && out.log_groups->size() == max) {
        out.next_token = to_base64(last);
        return out;
      }
      last = group.name;
      if (!wanted) continue;
      auto& item = out.log_groups->emplace_back();
      item.log_group_name = group.name;
      item.log_group_arn = GroupName{context.account, context.region, group.name}.arn();
      item.log_group_class = log_class;
    }
    more = page.more;
  }
  return out;
}

Result<op::PutRetentionPolicy::Output> put_retention(Logs&, Tx& tx, const Context& context,
                                                     const op::PutRetentionPolicy::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  const std::int32_t days = input.retention_in_days.value_or(0);
  if (std::find(retention_days_known.begin(), retention_days_known.end(), days) ==
      retention_days_known.end()) {
    return fail(
        invalid_parameter(fmt::format("1 validation error detected: Value '{}' at "
                                      "'retentionInDays' failed to satisfy constraint: Member "
                                      "must satisfy enum value set: [{}]",
                                      days, fmt::join(retention_days_known, ", "))));
  }
  TRY(Group group, get_group(tx, name));
  group.retention_days = days;
  tx.put(group_key(name), group);
  return op::PutRetentionPolicy::Output{};
}

Result<op::DeleteRetentionPolicy::Output> delete_retention(
    Logs&, Tx& tx, const Context& context, const op::DeleteRetentionPolicy::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  TRY(Group group, get_group(tx, name));
  group.retention_days.reset();
  tx.put(group_key(name), group);
  return op::DeleteRetentionPolicy::Output{};
}

// ---- keys: recorded, not used ----

Result<op::AssociateKmsKey::Output> associate_key(Logs&, Tx& tx, const Context& context,
                                                  const op::AssociateKmsKey::Input& input) {
  TRY(const GroupName name, group_of_key(context, input.log_group_name, input.resource_identifier));
  TRY(Group group, get_group(tx, name));
  group.kms_key = *input.kms_key_id;
  tx.put(group_key(name), group);
  return op::AssociateKmsKey::Output{};
}

Result<op::DisassociateKmsKey::Output> disassociate_key(
    Logs&, Tx& tx, const Context& context, const op::DisassociateKmsKey::Input& input) {
  TRY(const GroupName name, group_of_key(context, input.log_group_name, input.resource_identifier));
  TRY(Group group, get_group(tx, name));
  group.kms_key.clear();
  tx.put(group_key(name), group);
  return op::DisassociateKmsKey::Output{};
}

Result<GroupName> group_of_key(const Context& context, const std::optional<std::string>& name,
                               const std::optional<std::string>& identifier) {
  if (name.has_value() == identifier.has_value()) {
    return fail(
        invalid_parameter("Exactly one of logGroupName and resourceIdentifier is required."));
  }
  if (!identifier) return group_of(context, name);
  if (identifier->ends_with(":query-result:*")) {
    return fail(not_served("A key for the results of queries"));
  }
  return group_of_arn(context, *identifier);
}

// ---- tags, in the older and the newer form ----

namespace {

Result<void> tag(Tx& tx, const GroupName& name,
                 const std::optional<std::map<std::string, std::string>>& tags) {
  TRY(Group group, get_group(tx, name));
  if (tags) {
    TRY(add_tags(group, *tags));
  }
  tx.put(group_key(name), group);
  return {};
}

Result<void> untag(Tx& tx, const GroupName& name,
                   const std::optional<std::vector<std::string>>& keys) {
  TRY(Group group, get_group(tx, name));
  for (const std::string& key : keys.value_or(std::vector<std::string>{})) group.tags.erase(key);
  tx.put(group_key(name), group);
  return {};
}

}  // namespace

Result<op::TagLogGroup::Output> tag_group(Logs&, Tx& tx, const Context& context,
                                          const op::TagLogGroup::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  TRY(tag(tx, name, input.tags));
  return op::TagLogGroup::Output{};
}
Result<op::UntagLogGroup::Output> untag_group(Logs&, Tx& tx, const Context& context,
                                              const op::UntagLogGroup::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  TRY(untag(tx, name, input.tags));
  return op::UntagLogGroup::Output{};
}
Result<op::ListTagsLogGroup::Output> list_group_tags(Logs&, Tx& tx, const Context& context,
                                                     const op::ListTagsLogGroup::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  TRY(const Group group, get_group(tx, name));
  op::ListTagsLogGroup::Output out;
  out.tags = group.tags;
  return out;
}
Result<op::TagResource::Output> tag_resource(Logs&, Tx& tx, const Context& context,
                                             const op::TagResource::Input& input) {
  TRY(const GroupName name, group_of_arn(context, input.resource_arn.value_or("")));
  TRY(tag(tx, name, input.tags));
  return op::TagResource::Output{};
}
Result<op::UntagResource::Output> untag_resource(Logs&, Tx& tx, const Context& context,
                                                 const op::UntagResource::Input& input) {
  TRY(const GroupName name, group_of_arn(context, input.resource_arn.value_or("")));
  TRY(untag(tx, name, input.tag_keys));
  return op::UntagResource::Output{};
}
Result<op::ListTagsForResource::Output> list_tags(Logs&, Tx& tx, const Context& context,
                                                  const op::ListTagsForResource::Input& input) {
  TRY(const GroupName name, group_of_arn(context, input.resource_arn.value_or("")));
  TRY(const Group group, get_group(tx, name));
  op::ListTagsForResource::Output out;
  out.tags = group.tags;
  return out;
}

}  // namespace wolke::logs
