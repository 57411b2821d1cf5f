#pragma once
// Lifecycle rules as pure decisions: which rules a bucket may have, and what is due for a version
// at a time. Source: S3 user guide, "Managing the lifecycle of objects" and "Lifecycle
// configuration elements". A day is over at the midnight (UTC) after it, as in S3.

#include <optional>
#include <string>
#include <vector>

#include "wolke/base/env.h"
#include "wolke/base/result.h"
#include "wolke/model/s3/types.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

inline constexpr std::size_t lifecycle_rules_max = 1000;
inline constexpr std::int32_t newer_versions_max = 100;

/// Gives rules without an id one (`random` decides), as S3 does.
Result<void> check_lifecycle(model::s3::BucketLifecycleConfiguration& configuration,
                             Random& random);

using LifecycleRules = std::vector<model::s3::LifecycleRule>;

/// When the current version is to expire, and by which rule: x-amz-expiration of the answers.
struct Expiration {
  Timestamp at{};
  std::string rule_id;
};
std::optional<Expiration> expiration_of(const LifecycleRules& rules, const std::string& key,
                                        const Object& object);
/// expiry-date="Fri, 21 Dec 2012 00:00:00 GMT", rule-id="a"
std::string expiration_header(const Expiration& expiration);

/// The current version is to be deleted (a marker, where versions are kept).
bool is_expired(const LifecycleRules& rules, const std::string& key, const Object& object,
                Timestamp now);
/// A delete marker that hides nothing is to be taken away.
bool is_marker_expired(const LifecycleRules& rules, const std::string& key, const Object& marker,
                       Timestamp now);
/// An older version is to be taken away. `since`: when it became one; `newer`: how many older
/// versions are newer than it.
bool is_older_expired(const LifecycleRules& rules, const std::string& key, const Object& object,
                      Timestamp since, std::size_t newer, Timestamp now);
/// The storage class that a version has come to; nullopt: none but its own.
std::optional<std::string> due_storage_class(const LifecycleRules& rules, const std::string& key,
                                             const Object& object, Timestamp now);
bool is_upload_expired(const LifecycleRules& rules, const std::string& key, Timestamp initiated,
                       Timestamp now);

}  // namespace wolke::s3
