#include "wolke/services/s3/lifecycle.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "wolke/base/env.h"
#include "wolke/base/uri.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/metadata.h"

namespace wolke::s3 {
namespace {

using model::s3::LifecycleRule;
using std::chrono::days;

/// What a rule's filter asks for, from all its forms.
struct Filter {
  std::string prefix;
  std::vector<model::s3::Tag> tags;
  std::optional<std::int64_t> greater, less;
};

Filter filter_of(const LifecycleRule& rule) {
  Filter filter;
  if (rule.prefix) filter.prefix = *rule.prefix;
  if (!rule.filter) return filter;
  const auto& asked = *rule.filter;
  if (asked.prefix) filter.prefix = *asked.prefix;
  if (asked.tag) filter.tags.push_back(*asked.tag);
  filter.greater = asked.object_size_greater_than;
  filter.less = asked.object_size_less_than;
  if (!asked.and_) return filter;
  if (asked.and_->prefix) filter.prefix = *asked.and_->prefix;
  if (asked.and_->tags) filter.tags = *asked.and_->tags;
  if (asked.and_->object_size_greater_than) filter.greater = asked.and_->object_size_greater_than;
  if (asked.and_->object_size_less_than) filter.less = asked.and_->object_size_less_than;
  return filter;
}

bool is_for(const LifecycleRule& rule, const std::string& key, const Object& object) {
  if (rule.status != "Enabled") return false;
  Filter filter = filter_of(rule);
  if (!key.starts_with(filter.prefix)) return false;
  auto size = static_cast<std::int64_t>(object.size);
  if (filter.greater && size <= *filter.greater) return false;
  if (filter.less && size >= *filter.less) return false;
  return std::ranges::all_of(filter.tags, [&](const model::s3::Tag& tag) {
    auto found = object.tags.find(tag.key.value_or(""));
    return found != object.tags.end() && found->second == tag.value.value_or("");
  });
}

// What dates of the wire can say: the years to 9999.
constexpr std::int32_t days_max = 2'900'000;
constexpr Timestamp end_of_time =
    std::chrono::sys_days(std::chrono::year(9999) / std::chrono::December / std::chrono::day(31));

/// The midnight after `count` days from `t`.
Timestamp after_days(Timestamp t, std::int32_t count) {
  if (count > days_max) return end_of_time;
  Timestamp exact = t + days(count);
  Timestamp midnight = std::chrono::floor<days>(exact);
  return midnight == exact ? midnight : midnight + days(1);
}

std::optional<Timestamp> expires_at(const LifecycleRule& rule, const Object& object) {
  if (!rule.expiration) return std::nullopt;
  if (rule.expiration->date) return *rule.expiration->date;
  if (rule.expiration->days) return after_days(object.modified, *rule.expiration->days);
  return std::nullopt;
}

Result<void> check_days(const std::optional<std::int32_t>& count, std::string_view action) {
  if (!count || *count > 0) return {};
  return fail(
      invalid_argument(fmt::format("'Days' for {} action must be a positive integer", action),
                       "Days", std::to_string(*count)));
}

Result<void> check_date(const std::optional<Timestamp>& date) {
  if (!date || (std::chrono::floor<days>(*date) == *date && *date <= end_of_time)) return {};
  return fail(invalid_argument("'Date' must be at midnight GMT", "Date", format_iso8601(*date)));
}

Result<void> check_expiration(const LifecycleRule& rule) {
  if (!rule.expiration) return {};
  const auto& asked = *rule.expiration;
  if (asked.days.has_value() + asked.date.has_value() +
          asked.expired_object_delete_marker.has_value() !=
      1) {
    return fail(malformed_xml());
  }
  TRY(check_days(asked.days, "Expiration"));
  return check_date(asked.date);
}

/// The classes of infrequent access take objects that are a month old.
Result<void> check_age(std::int32_t count, std::string_view name, std::string_view action,
                       const std::string& storage_class) {
  constexpr std::int32_t infrequent_days_min = 30;
  bool infrequent = storage_class == "STANDARD_IA" || storage_class == "ONEZONE_IA";
  if (!infrequent || count >= infrequent_days_min) return {};
  return fail(invalid_argument(
      fmt::format("'{}' in {} action must be greater than or equal to {} for storageClass '{}'",
                  name, action, infrequent_days_min, storage_class),
      name, std::to_string(count)));
}

/// Older objects do not come back: a rule expires after it transitions, and tells both alike.
Result<void> check_order(const LifecycleRule& rule) {
  if (!rule.expiration || !rule.transitions) return {};
  const auto& end = *rule.expiration;
  const std::string filter = fmt::format("filter '(prefix={})'", filter_of(rule).prefix);
  for (const auto& one : *rule.transitions) {
    if ((end.days && one.date) || (end.date && one.days)) {
      return fail(invalid_request(fmt::format(
          "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle "
          "rule for {}",
          filter)));
    }
    bool by_date = end.date && *end.date <= *one.date;
    if (!by_date && !(end.days && *end.days <= *one.days)) continue;
    const char* name = by_date ? "Date" : "Days";
    return fail(invalid_argument(
        fmt::format("'{0}' in the Expiration action for {1} must be {2} than '{0}' in the "
                    "Transition action",
                    name, filter, by_date ? "later" : "greater")));
  }
  return {};
}

/// Uploads and delete markers have no tags and no size.
Result<void> check_filter(const LifecycleRule& rule) {
  const Filter filter = filter_of(rule);
  const char* by = !filter.tags.empty() ? "Tags" : "Object Size";
  if (filter.tags.empty() && !filter.greater && !filter.less) return {};
  if (rule.expiration && rule.expiration->expired_object_delete_marker) {
    return fail(
        invalid_request(fmt::format("ExpiredObjectDeleteMarker cannot be specified with {}.", by)));
  }
  if (rule.abort_incomplete_multipart_upload) {
    return fail(invalid_request(
        fmt::format("AbortIncompleteMultipartUpload cannot be specified with {}.", by)));
  }
  return {};
}

Result<void> check_transitions(const LifecycleRule& rule) {
  if (rule.transitions) {
    for (const auto& one : *rule.transitions) {
      if (one.days.has_value() == one.date.has_value() || !one.storage_class) {
        return fail(malformed_xml());
      }
      if (one.days && *one.days < 0) {
        return fail(
            invalid_argument("'Days' for Transition action must be nonnegative", "Days", ""));
      }
      TRY(check_date(one.date));
      TRY(choose_storage_class(one.storage_class));
      if (one.days) {
        TRY(check_age(*one.days, "Days", "Transition", *one.storage_class));
      }
    }
  }
  if (rule.noncurrent_version_transitions) {
    for (const auto& one : *rule.noncurrent_version_transitions) {
      if (!one.noncurrent_days || *one.noncurrent_days < 0 || !one.storage_class) {
        return fail(malformed_xml());
      }
      TRY(choose_storage_class(one.storage_class));
      TRY(check_age(*one.noncurrent_days, "NoncurrentDays", "NoncurrentVersionTransition",
                    *one.storage_class));
    }
  }
  return {};
}

Result<void> check_rule(const LifecycleRule& rule) {
  if (rule.status != "Enabled" && rule.status != "Disabled") return fail(malformed_xml());
  if (rule.prefix && rule.filter) return fail(malformed_xml());
  if (!rule.prefix && !rule.filter) return fail(malformed_xml());
  if (rule.filter && rule.filter->prefix.has_value() + rule.filter->tag.has_value() +
                             rule.filter->object_size_greater_than.has_value() +
                             rule.filter->object_size_less_than.has_value() +
                             rule.filter->and_.has_value() >
                         1) {
    return fail(malformed_xml());
  }
  if (!rule.expiration && !rule.transitions && !rule.noncurrent_version_transitions &&
      !rule.noncurrent_version_expiration && !rule.abort_incomplete_multipart_upload) {
    return fail(invalid_request("At least one action needs to be specified in a rule."));
  }
  TRY(check_expiration(rule));
  TRY(check_transitions(rule));
  TRY(check_order(rule));
  TRY(check_filter(rule));
  if (rule.noncurrent_version_expiration) {
    const auto& asked = *rule.noncurrent_version_expiration;
    if (!asked.noncurrent_days) return fail(malformed_xml());
    TRY(check_days(asked.noncurrent_days, "NoncurrentVersionExpiration"));
    std::int32_t kept = asked.newer_noncurrent_versions.value_or(1);
    if (kept < 1 || kept > newer_versions_max) {
      return fail(invalid_argument("'NewerNoncurrentVersions' must be between 1 and 100",
                                   "NewerNoncurrentVersions", std::to_string(kept)));
    }
  }
  if (rule.abort_incomplete_multipart_upload) {
    if (!rule.abort_incomplete_multipart_upload->days_after_initiation) {
      return fail(malformed_xml());
    }
    TRY(check_days(rule.abort_incomplete_multipart_upload->days_after_initiation,
                   "AbortIncompleteMultipartUpload"));
  }
  return {};
}

}  // namespace

Result<void> check_lifecycle(model::s3::BucketLifecycleConfiguration& configuration,
                             Random& random) {
  constexpr std::size_t id_chars_max = 255;
  if (!configuration.rules || configuration.rules->empty() ||
      configuration.rules->size() > lifecycle_rules_max) {
    return fail(malformed_xml());
  }
  std::set<std::string> ids;
  for (LifecycleRule& rule : *configuration.rules) {
    if (!rule.id || rule.id->empty()) rule.id = random.uuid();
    if (rule.id->size() > id_chars_max) {
      return fail(invalid_argument("ID length should not exceed allowed limit of 255", "ID", ""));
    }
    if (!ids.insert(*rule.id).second) {
      return fail(invalid_argument("Rule ID must be unique. Found same ID for more than one rule",
                                   "ID", *rule.id));
    }
    TRY(check_rule(rule));
  }
  return {};
}

std::optional<Expiration> expiration_of(const LifecycleRules& rules, const std::string& key,
                                        const Object& object) {
  std::optional<Expiration> earliest;
  for (const LifecycleRule& rule : rules) {
    if (!is_for(rule, key, object)) continue;
    std::optional<Timestamp> at = expires_at(rule, object);
    if (at && (!earliest || *at < earliest->at)) earliest = {*at, rule.id.value_or("")};
  }
  return earliest;
}

std::string expiration_header(const Expiration& expiration) {
  return fmt::format("expiry-date=\"{}\", rule-id=\"{}\"", format_rfc1123(expiration.at),
                     percent_encode(expiration.rule_id));
}

bool is_expired(const LifecycleRules& rules, const std::string& key, const Object& object,
                Timestamp now) {
  std::optional<Expiration> expiration = expiration_of(rules, key, object);
  return expiration && expiration->at <= now;
}

bool is_marker_expired(const LifecycleRules& rules, const std::string& key, const Object& marker,
                       Timestamp now) {
  return std::ranges::any_of(rules, [&](const LifecycleRule& rule) {
    if (!is_for(rule, key, marker) || !rule.expiration) return false;
    if (rule.expiration->expired_object_delete_marker.value_or(false)) return true;
    std::optional<Timestamp> at = expires_at(rule, marker);
    return at && *at <= now;
  });
}

bool is_older_expired(const LifecycleRules& rules, const std::string& key, const Object& object,
                      Timestamp since, std::size_t newer, Timestamp now) {
  return std::ranges::any_of(rules, [&](const LifecycleRule& rule) {
    if (!is_for(rule, key, object) || !rule.noncurrent_version_expiration) return false;
    const auto& asked = *rule.noncurrent_version_expiration;
    if (newer < static_cast<std::size_t>(asked.newer_noncurrent_versions.value_or(0))) return false;
    return after_days(since, *asked.noncurrent_days) <= now;
  });
}

std::optional<std::string> due_storage_class(const LifecycleRules& rules, const std::string& key,
                                             const Object& object, Timestamp now) {
  std::optional<std::string> due;
  Timestamp latest{};
  for (const LifecycleRule& rule : rules) {
    if (!rule.transitions || !is_for(rule, key, object)) continue;
    for (const auto& one : *rule.transitions) {
      Timestamp at = one.date ? *one.date : after_days(object.modified, *one.days);
      if (at > now || at < latest) continue;
      latest = at;
      due = one.storage_class;
    }
  }
  if (due == object.storage_class) return std::nullopt;
  return due;
}

bool is_upload_expired(const LifecycleRules& rules, const std::string& key, Timestamp initiated,
                       Timestamp now) {
  return std::ranges::any_of(rules, [&](const LifecycleRule& rule) {
    const auto& abort = rule.abort_incomplete_multipart_upload;
    return rule.status == "Enabled" && abort && abort->days_after_initiation &&
           key.starts_with(filter_of(rule).prefix) &&
           after_days(initiated, *abort->days_after_initiation) <= now;
  });
}

}  // namespace wolke::s3
