#include "wolke/services/s3/notification.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/names.h"
#include "wolke/shape/json.h"

namespace wolke::s3 {
namespace {

constexpr std::array<std::string_view, 11> served_events = {
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete"};

/// What S3 knows and what never happens here.
constexpr std::array<std::string_view, 7> foreign_events = {
    "s3:ReducedRedundancyLostObject", "s3:ObjectRestore:",      "s3:Replication:",
    "s3:LifecycleExpiration:",        "s3:LifecycleTransition", "s3:ObjectAcl:",
    "s3:IntelligentTiering"};

Result<void> check_event(std::string_view event) {
  if (std::ranges::find(served_events, event) != served_events.end()) return {};
  bool foreign = std::ranges::any_of(
      foreign_events, [&](std::string_view known) { return event.starts_with(known); });
  if (foreign) return fail(not_implemented(fmt::format("notifications of {}", event)));
  return fail(invalid_argument("The event is not supported for notifications", "Event", event));
}

Result<void> check_rules(FunctionNotification& configuration) {
  bool seen_prefix = false;
  bool seen_suffix = false;
  for (FilterRule& rule : configuration.rules) {
    bool prefix = iequals(rule.name, "prefix");
    if (!prefix && !iequals(rule.name, "suffix")) {
      return fail(invalid_argument("filter rule name must be either prefix or suffix",
                                   "FilterRule.Name", rule.name));
    }
    bool& seen = prefix ? seen_prefix : seen_suffix;
    if (seen) {
      return fail(invalid_argument(fmt::format("Cannot specify more than one {} rule in a filter.",
                                               prefix ? "prefix" : "suffix"),
                                   "FilterRule.Name", rule.name));
    }
    seen = true;
    if (rule.value.size() > filter_value_bytes_max) {
      return fail(invalid_argument(
          "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation",
          "FilterRule.Value", rule.value));
    }
    rule.name = prefix ? "Prefix" : "Suffix";
  }
  return {};
}

std::string_view rule_value(const FunctionNotification& configuration, std::string_view name) {
  for (const FilterRule& rule : configuration.rules) {
    if (iequals(rule.name, name)) return rule.value;
  }
  return {};
}

/// "s3:ObjectCreated:*" covers "s3:ObjectCreated:Put".
bool share_an_event(std::string_view a, std::string_view b) {
  if (a == b) return true;
  if (a.ends_with('*')) return b.starts_with(a.substr(0, a.size() - 1));
  if (b.ends_with('*')) return a.starts_with(b.substr(0, b.size() - 1));
  return false;
}

Result<void> check_overlap(const FunctionNotification& a, const FunctionNotification& b) {
  std::string_view a_prefix = rule_value(a, "prefix"), b_prefix = rule_value(b, "prefix");
  std::string_view a_suffix = rule_value(a, "suffix"), b_suffix = rule_value(b, "suffix");
  if (!a_prefix.starts_with(b_prefix) && !b_prefix.starts_with(a_prefix)) return {};
  if (!a_suffix.ends_with(b_suffix) && !b_suffix.ends_with(a_suffix)) return {};
  for (const std::string& one : a.events) {
    for (const std::string& other : b.events) {
      if (!share_an_event(one, other)) continue;
      if (a.rules.empty() && b.rules.empty()) {
        return fail(
            invalid_argument("Configurations overlap. Configurations on the same bucket cannot "
                             "share a common event type.",
                             "Event", fmt::format("{}, {}", one, other)));
      }
      return fail(
          invalid_argument("Configuration is ambiguously defined. Cannot have overlapping suffixes "
                           "in two rules if the prefixes are "
                           "overlapping for the same event type."));
    }
  }
  return {};
}

}  // namespace

Result<void> check_notifications(std::vector<FunctionNotification>& configurations) {
  if (configurations.size() > notifications_max) {
    return fail(
        Error{"TooManyConfigurations", 400,
              "You are attempting to create a new configuration but have already reached the 100-"
              "configuration limit."});
  }
  for (std::size_t i = 0; i < configurations.size(); ++i) {
    FunctionNotification& configuration = configurations[i];
    if (configuration.events.empty()) return fail(malformed_xml());
    for (const std::string& event : configuration.events) {
      TRY(check_event(event));
    }
    TRY(check_rules(configuration));
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      if (configurations[earlier].id == configuration.id) {
        return fail(invalid_argument("Same ID used for multiple configurations. IDs must be unique",
                                     "id", configuration.id));
      }
      TRY(check_overlap(configurations[earlier], configuration));
    }
  }
  return {};
}

bool matches(const FunctionNotification& configuration, std::string_view event,
             std::string_view key) {
  std::string full = fmt::format("s3:{}", event);
  return std::ranges::any_of(configuration.events,
                             [&](const std::string& one) { return share_an_event(one, full); }) &&
         key.starts_with(rule_value(configuration, "prefix")) &&
         key.ends_with(rule_value(configuration, "suffix"));
}

std::string event_json(const ObjectEvent& event) {
  using shape::Json;
  Json object;
  object.set("key", event_key(event.key));
  if (event.size) object.set("size", *event.size);
  if (event.etag) object.set("eTag", *event.etag);
  if (event.version_id) object.set("versionId", *event.version_id);
  object.set("sequencer", event.sequencer);

  Json owner;
  owner.set("principalId", event.owner_principal_id);
  Json bucket;
  bucket.set("name", event.bucket);
  bucket.set("ownerIdentity", std::move(owner));
  bucket.set("arn", bucket_arn(event.bucket));

  Json s3;
  s3.set("s3SchemaVersion", "1.0");
  s3.set("configurationId", event.configuration_id);
  s3.set("bucket", std::move(bucket));
  s3.set("object", std::move(object));

  Json user;
  user.set("principalId", event.principal_id);
  Json parameters;
  parameters.set("sourceIPAddress", event.source_ip);
  Json elements;
  elements.set("x-amz-request-id", event.request_id);
  elements.set("x-amz-id-2", to_base64(sha256(event.request_id)));

  Json record;
  record.set("eventVersion", "2.1");
  record.set("eventSource", "aws:s3");
  record.set("awsRegion", event.region);
  record.set("eventTime", format_iso8601(event.time));
  record.set("eventName", event.name);
  record.set("userIdentity", std::move(user));
  record.set("requestParameters", std::move(parameters));
  record.set("responseElements", std::move(elements));
  record.set("s3", std::move(s3));

  Json root;
  root.set("Records", Json::Array{std::move(record)});
  return root.text();
}

std::string event_key(std::string_view key) {
  std::string out;
  for (char c : key) {
    auto byte = static_cast<unsigned char>(c);
    bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                 (byte >= 'A' && byte <= 'Z') ||
                 std::string_view("/-_.*").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

std::string sequencer(Timestamp bucket_created, std::uint64_t count) {
  return fmt::format("00{:016X}",
                     (static_cast<std::uint64_t>(to_millis(bucket_created)) << 16) + count);
}

}  // namespace wolke::s3
