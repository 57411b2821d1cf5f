#include "wolke/services/s3/lock.h"

namespace wolke::s3 {

bool is_lock_mode(const std::string& mode) {
  return mode == "GOVERNANCE" || mode == "COMPLIANCE";
}

Result<void> check_retain_until(Timestamp until, Timestamp now) {
  constexpr Timestamp end_of_time =
      std::chrono::sys_days(std::chrono::year(9999) / std::chrono::December / std::chrono::day(31));
  if (until > end_of_time) {
    return fail(invalid_argument("The retain until date is too far in the future"));
  }
  if (until > now) return {};
  return fail(invalid_argument("The retain until date must be in the future!", "RetainUntilDate",
                               format_iso8601(until)));
}

bool is_retained(const std::optional<Lock>& lock, Timestamp now) {
  return lock && !lock->mode.empty() && lock->retain_until > now;
}

Result<void> check_unlocked(const std::optional<Lock>& lock, Timestamp now, Bypass bypass) {
  if (!lock) return {};
  if (lock->legal_hold) return fail(protected_by_lock());
  if (!is_retained(lock, now)) return {};
  if (lock->mode == "GOVERNANCE" && bypass == Bypass::yes) return {};
  return fail(protected_by_lock());
}

Result<void> check_retention_change(const std::optional<Lock>& lock, const std::string& mode,
                                    Timestamp retain_until, Timestamp now, Bypass bypass) {
  if (!is_retained(lock, now)) return {};
  if (lock->mode == mode && retain_until >= lock->retain_until) return {};
  if (lock->mode == "GOVERNANCE" && bypass == Bypass::yes) return {};
  return fail(protected_by_lock());
}

Result<LockSettings> require_lock(const Bucket& bucket) {
  if (!bucket.lock) return fail(invalid_request("Bucket is missing Object Lock Configuration"));
  return *bucket.lock;
}

Result<std::optional<Lock>> lock_of_new(const Bucket& bucket, const AskedLock& asked,
                                        Timestamp now) {
  bool any = asked.mode || asked.retain_until || asked.legal_hold;
  if (!any && (!bucket.lock || bucket.lock->mode.empty())) return std::nullopt;
  TRY(LockSettings settings, require_lock(bucket));
  if (asked.mode.has_value() != asked.retain_until.has_value()) {
    return fail(invalid_argument(
        "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"));
  }
  Lock lock;
  if (asked.mode) {
    if (!is_lock_mode(*asked.mode)) {
      return fail(
          invalid_argument("Unknown wormMode directive.", "x-amz-object-lock-mode", *asked.mode));
    }
    TRY(check_retain_until(*asked.retain_until, now));
    lock.mode = *asked.mode;
    lock.retain_until = *asked.retain_until;
  } else if (!settings.mode.empty()) {
    lock.mode = settings.mode;
    lock.retain_until = now + std::chrono::days(settings.days + 365 * settings.years);
  }
  if (asked.legal_hold) {
    if (*asked.legal_hold != "ON" && *asked.legal_hold != "OFF") {
      return fail(invalid_argument("Legal Hold must be either of 'ON' or 'OFF'",
                                   "x-amz-object-lock-legal-hold", *asked.legal_hold));
    }
    lock.legal_hold = *asked.legal_hold == "ON";
  }
  return lock;
}

}  // namespace wolke::s3
