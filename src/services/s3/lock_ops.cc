#include "wolke/services/s3/asks.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/lock.h"
#include "wolke/services/s3/objects.h"
#include "wolke/services/s3/ops.h"

namespace wolke::s3 {
namespace {

Result<LockSettings> settings_of(const model::s3::ObjectLockConfiguration& asked) {
  LockSettings settings;
  if (asked.object_lock_enabled != "Enabled") return fail(malformed_xml());
  if (!asked.rule) return settings;
  const auto& rule = asked.rule->default_retention;
  if (!rule || !rule->mode || !is_lock_mode(*rule->mode)) return fail(malformed_xml());
  if (rule->days.has_value() == rule->years.has_value()) return fail(malformed_xml());
  std::int32_t period = rule->days ? *rule->days : *rule->years;
  auto bad = [&](const char* message) {
    Error error = invalid_argument(message);
    error.fields.emplace_back("ArgumentName", rule->days ? "Days" : "Years");
    return fail(std::move(error));
  };
  if (period <= 0) return bad("Default retention period must be a positive integer value.");
  if (period > (rule->days ? retention_days_max : retention_years_max)) {
    return bad("Default retention period too large.");
  }
  settings.mode = *rule->mode;
  (rule->days ? settings.days : settings.years) = period;
  return settings;
}

/// What a lock operation is about: a version in a bucket that has object lock.
struct Lockable {
  Bucket bucket;
  Version version;
};

template <class In>
Result<Lockable> lockable(Tx& tx, const Context& context, const In& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  TRY(require_lock(bucket));
  TRY(Version version, find_object(tx, context, bucket, *in.key, in.version_id));
  return Lockable{std::move(bucket), std::move(version)};
}

Error no_lock() {
  return Error{"NoSuchObjectLockConfiguration", 404,
               "The specified object does not have a ObjectLock configuration"};
}

}  // namespace

Answer<op::GetObjectLockConfiguration> get_object_lock_configuration(
    S3&, Tx& tx, const Context&, const In<op::GetObjectLockConfiguration>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  if (!bucket.lock) {
    return fail(not_configured("ObjectLockConfigurationNotFoundError",
                               "Object Lock configuration does not exist for this bucket",
                               bucket.name));
  }
  op::GetObjectLockConfiguration::Output out;
  auto& told = out.object_lock_configuration.emplace();
  told.object_lock_enabled = "Enabled";
  if (!bucket.lock->mode.empty()) {
    auto& rule = told.rule.emplace().default_retention.emplace();
    rule.mode = bucket.lock->mode;
    if (bucket.lock->days > 0) rule.days = bucket.lock->days;
    if (bucket.lock->years > 0) rule.years = bucket.lock->years;
  }
  return out;
}

Answer<op::PutObjectLockConfiguration> put_object_lock_configuration(
    S3&, Tx& tx, const Context&, const In<op::PutObjectLockConfiguration>& in) {
  TRY(Bucket bucket, require_bucket(tx, *in.bucket, in.expected_bucket_owner));
  if (!in.object_lock_configuration) return fail(malformed_xml());
  TRY(LockSettings settings, settings_of(*in.object_lock_configuration));
  if (bucket.versioning != "Enabled") {
    return fail(
        invalid_bucket_state("Versioning must be 'Enabled' on the bucket to apply a Object Lock "
                             "configuration"));
  }
  bucket.lock = std::move(settings);
  tx.put(bucket_key(bucket.name), bucket);
  return op::PutObjectLockConfiguration::Output{};
}

Answer<op::GetObjectRetention> get_object_retention(S3&, Tx& tx, const Context& context,
                                                    const In<op::GetObjectRetention>& in) {
  TRY(Lockable found, lockable(tx, context, in));
  Version& version = found.version;
  const std::optional<Lock>& lock = version.object.lock;
  if (!lock || lock->mode.empty()) return fail(no_lock());
  op::GetObjectRetention::Output out;
  out.retention.emplace().mode = lock->mode;
  out.retention->retain_until_date = lock->retain_until;
  return out;
}

Answer<op::PutObjectRetention> put_object_retention(S3&, Tx& tx, const Context& context,
                                                    const In<op::PutObjectRetention>& in) {
  TRY(Lockable found, lockable(tx, context, in));
  Version& version = found.version;
  if (!in.retention) return fail(malformed_xml());
  const auto& asked = *in.retention;
  if (asked.mode.has_value() != asked.retain_until_date.has_value() ||
      (asked.mode && !is_lock_mode(*asked.mode))) {
    return fail(malformed_xml());
  }
  if (asked.mode) {
    TRY(check_retain_until(*asked.retain_until_date, context.now));
  }
  Lock lock = version.object.lock.value_or(Lock{});
  TRY(check_retention_change(
      version.object.lock, asked.mode.value_or(""), asked.retain_until_date.value_or(Timestamp{}),
      context.now, bypass_of(context, found.bucket, *in.key, in.bypass_governance_retention)));
  lock.mode = asked.mode.value_or("");
  lock.retain_until = asked.retain_until_date.value_or(Timestamp{});
  version.object.lock = std::move(lock);
  tx.put(version.place, version.object);
  return op::PutObjectRetention::Output{};
}

Answer<op::GetObjectLegalHold> get_object_legal_hold(S3&, Tx& tx, const Context& context,
                                                     const In<op::GetObjectLegalHold>& in) {
  TRY(Lockable found, lockable(tx, context, in));
  Version& version = found.version;
  if (!version.object.lock) return fail(no_lock());
  op::GetObjectLegalHold::Output out;
  out.legal_hold.emplace().status = version.object.lock->legal_hold ? "ON" : "OFF";
  return out;
}

Answer<op::PutObjectLegalHold> put_object_legal_hold(S3&, Tx& tx, const Context& context,
                                                     const In<op::PutObjectLegalHold>& in) {
  TRY(Lockable found, lockable(tx, context, in));
  Version& version = found.version;
  if (!in.legal_hold || (in.legal_hold->status != "ON" && in.legal_hold->status != "OFF")) {
    return fail(malformed_xml());
  }
  Lock lock = version.object.lock.value_or(Lock{});
  lock.legal_hold = in.legal_hold->status == "ON";
  version.object.lock = std::move(lock);
  tx.put(version.place, version.object);
  return op::PutObjectLegalHold::Output{};
}

}  // namespace wolke::s3
