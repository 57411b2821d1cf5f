#pragma once
// Event notifications as pure rules: which configurations a bucket may have, which of them a change
// of an object matches, and the JSON that the destination gets. Sources: S3 user guide,
// "Configuring event notifications using object key name filtering" and "Event message structure";
// answers recorded from S3.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

inline constexpr std::size_t notifications_max = 100;
inline constexpr std::size_t filter_value_bytes_max = 1024;

/// Event names without "s3:", as events carry them.
inline constexpr std::string_view event_put = "ObjectCreated:Put";
inline constexpr std::string_view event_post = "ObjectCreated:Post";
inline constexpr std::string_view event_copy = "ObjectCreated:Copy";
inline constexpr std::string_view event_complete = "ObjectCreated:CompleteMultipartUpload";
inline constexpr std::string_view event_delete = "ObjectRemoved:Delete";
inline constexpr std::string_view event_marker = "ObjectRemoved:DeleteMarkerCreated";
inline constexpr std::string_view event_tagging_put = "ObjectTagging:Put";
inline constexpr std::string_view event_tagging_delete = "ObjectTagging:Delete";

/// Events, rules and overlaps of a bucket's whole configuration ("InvalidArgument" as S3 says it).
/// Destinations are not judged here. Writes the rules' names the way S3 gives them back ("Prefix").
Result<void> check_notifications(std::vector<FunctionNotification>& configurations);

/// `event` without "s3:".
bool matches(const FunctionNotification& configuration, std::string_view event,
             std::string_view key);

/// Everything an event tells.
struct ObjectEvent {
  std::string_view name;  // "ObjectCreated:Put"
  Timestamp time{};
  std::string region;
  std::string principal_id;  // "AWS:AIDA…"
  std::string source_ip;
  std::string request_id;
  std::string configuration_id;
  std::string bucket;
  std::string owner_principal_id;
  std::string key;
  std::optional<std::uint64_t> size;  // not for removals
  std::optional<std::string> etag;    // not for removals
  std::optional<std::string> version_id;
  std::string sequencer;
};
/// {"Records":[{…}]}
std::string event_json(const ObjectEvent& event);

/// "a b/ü" -> "a+b/%C3%BC"
std::string event_key(std::string_view key);
/// Hexadecimal; of two changes of one key the later has the greater text.
std::string sequencer(Timestamp bucket_created, std::uint64_t count);

}  // namespace wolke::s3
