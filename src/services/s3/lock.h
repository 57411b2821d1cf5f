#pragma once
// Object lock as pure rules: what a retention may be, how it may change, what it keeps from being
// deleted. Source: S3 user guide, "Locking objects with Object Lock"; API reference of
// PutObjectRetention, PutObjectLegalHold and PutObjectLockConfiguration.

#include <cstdint>
#include <optional>
#include <string>

#include "wolke/base/result.h"
#include "wolke/base/time.h"
#include "wolke/services/s3/errors.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

inline constexpr std::int32_t retention_days_max = 36'500;
inline constexpr std::int32_t retention_years_max = 100;

/// Whether the caller asked to go past a governance retention and may.
enum class Bypass { no, yes };

bool is_lock_mode(const std::string& mode);
/// In the future, and a date that the wire can say.
Result<void> check_retain_until(Timestamp until, Timestamp now);
bool is_retained(const std::optional<Lock>& lock, Timestamp now);
/// AccessDenied while a legal hold or a retention protects the version.
Result<void> check_unlocked(const std::optional<Lock>& lock, Timestamp now, Bypass bypass);
/// A retention that runs may be made longer; less only past governance.
Result<void> check_retention_change(const std::optional<Lock>& lock, const std::string& mode,
                                    Timestamp retain_until, Timestamp now, Bypass bypass);
/// InvalidRequest when the bucket has no object lock.
Result<LockSettings> require_lock(const Bucket& bucket);

/// What a writer asks for in headers.
struct AskedLock {
  std::optional<std::string> mode;
  std::optional<Timestamp> retain_until;
  std::optional<std::string> legal_hold;
};
/// The lock of a new object: as asked, else the bucket's default; none when neither is.
Result<std::optional<Lock>> lock_of_new(const Bucket& bucket, const AskedLock& asked,
                                        Timestamp now);

template <class In>
AskedLock asked_lock(const In& in) {
  return {in.object_lock_mode, in.object_lock_retain_until_date, in.object_lock_legal_hold_status};
}

/// The members of GetObject's and HeadObject's answers.
template <class Out>
void tell_lock(const std::optional<Lock>& lock, Out& out) {
  if (!lock) return;
  if (!lock->mode.empty()) {
    out.object_lock_mode = lock->mode;
    out.object_lock_retain_until_date = lock->retain_until;
  }
  if (lock->legal_hold) out.object_lock_legal_hold_status = "ON";
}

}  // namespace wolke::s3
