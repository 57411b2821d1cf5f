#pragma once
// Use: when keys, users and roles were last used, by service. The gate notes every request whose
// caller is known; what was noted within the hour costs one look-up and no write, so a key's record
// changes at most once an hour for each service. flush() makes durable what is new.
//
// Records lie beside IAM's in the account's shard, under keys of their own, so that a write does
// not make the Directory forget what it knows. Threads: UseLog is the loop's; what take() gave is
// written on any thread. Failure: what could not be written is lost, and noted again in an hour.
// Source: IAM User Guide, "Refine permissions using last accessed information".

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/base/time.h"
#include "wolke/identity/principal.h"
#include "wolke/store/record.h"
#include "wolke/store/tx.h"

namespace wolke::identity {

struct Use {
  std::string account;
  std::string access_key_id;  // empty: a session
  std::string entity_id;      // AIDA…, AROA…, or the account for its root
  std::string service;        // the signing name: "s3"
  std::string region;
  Timestamp at{};
};

/// The last use of a long-term key.
struct KeyUseRecord : store::Fields {
  std::string service;
  std::string region;
  Timestamp at;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, service);
    v(2, region);
    v(3, at);
  }
};

/// When the credential report was asked for.
struct CredentialReportRecord : store::Fields {
  Timestamp generated;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, generated);
  }
};

/// What a report of last accessed services was asked about.
struct AccessJobRecord : store::Fields {
  std::string arn;  // of a user, group, role or policy
  std::string granularity;
  Timestamp created;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, arn);
    v(2, granularity);
    v(3, created);
  }
};

/// The last use of each service by a user, role or root.
struct EntityUseRecord : store::Fields {
  std::map<std::string, Timestamp> services;
  std::map<std::string, std::string> regions;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, services);
    v(2, regions);
  }
  /// The service that was used last; empty: none was.
  std::string last_service() const;
};

namespace keys {
store::Key key_use(std::string_view account, std::string_view access_key_id);
store::Key entity_use(std::string_view account, std::string_view entity_id);
store::Key credential_report(std::string_view account);
store::Key access_job(std::string_view account, std::string_view id);
}  // namespace keys

class UseLog {
 public:
  /// Users, roots and roles; others have no records.
  void note(const Principal& principal, std::string_view service, std::string_view region,
            Timestamp now);
  bool empty() const { return pending_.empty(); }
  /// What was noted since, by account.
  std::map<std::string, std::vector<Use>> take();

 private:
  /// Hash of whom and what -> the hour in which it was noted.
  std::unordered_map<std::uint64_t, std::int64_t> noted_;
  std::vector<Use> pending_;
};

/// Of one account. A later use than this one's stays.
Result<void> record_uses(store::Tx& tx, const std::vector<Use>& uses);

inline constexpr auto access_job_lifetime = std::chrono::hours(24);
inline constexpr std::size_t access_jobs_max = 1000;  // of an account

/// Adds a job of the account and forgets those that are past their lifetime, and the oldest beyond
/// access_jobs_max.
Result<void> add_access_job(store::Tx& tx, std::string_view account, std::string_view id,
                            const AccessJobRecord& job);
/// nullopt: none of the account, or older than `access_job_lifetime`.
Result<std::optional<AccessJobRecord>> find_access_job(store::Tx& tx, std::string_view account,
                                                       std::string_view id, Timestamp now);

}  // namespace wolke::identity
