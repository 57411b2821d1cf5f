#include "wolke/identity/use.h"

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/store/keys.h"

namespace wolke::identity {
namespace {

constexpr std::size_t noted_max = 65'536;
constexpr std::size_t pending_max = 65'536;
constexpr std::int64_t hour_milliseconds = 3'600'000;

store::Shard shard(std::string_view account) {
  return store::shard_of("iam/" + std::string(account));
}

}  // namespace

namespace keys {

store::Key key_use(std::string_view account, std::string_view access_key_id) {
  return {shard(account), store::KeyBuilder("use.key").text(account).text(access_key_id).build()};
}
store::Key entity_use(std::string_view account, std::string_view entity_id) {
  return {shard(account), store::KeyBuilder("use.entity").text(account).text(entity_id).build()};
}

store::Key credential_report(std::string_view account) {
  return {shard(account), store::KeyBuilder("use.report").text(account).build()};
}

store::Key access_job(std::string_view account, std::string_view id) {
  return {shard(account), store::KeyBuilder("use.job").text(account).text(id).build()};
}

}  // namespace keys

std::string EntityUseRecord::last_service() const {
  const auto last = std::ranges::max_element(
      services, {}, [](const std::pair<const std::string, Timestamp>& one) { return one.second; });
  return last == services.end() ? "" : last->first;
}

void UseLog::note(const Principal& principal, std::string_view service, std::string_view region,
                  Timestamp now) {
  const bool kept = principal.kind == PrincipalKind::root ||
                    principal.kind == PrincipalKind::user ||
                    principal.kind == PrincipalKind::assumed_role;
  if (!kept || service.empty()) return;
  const bool session = principal.access_key_id.starts_with("ASIA");
  const std::string_view id =
      std::string_view(principal.unique_id).substr(0, principal.unique_id.find(':'));
  const std::string_view who = session ? id : std::string_view(principal.access_key_id);
  // Two that have the same hash would hide one another for an hour: one in 2^64.
  const std::uint64_t name = fnv1a64(who) * 31 + fnv1a64(service);
  const std::int64_t hour = to_millis(now) / hour_milliseconds;
  if (const auto it = noted_.find(name); it != noted_.end() && it->second == hour) return;
  if (pending_.size() >= pending_max) return;
  if (noted_.size() >= noted_max) noted_.clear();
  noted_[name] = hour;
  pending_.push_back({.account = principal.account,
                      .access_key_id = session ? "" : principal.access_key_id,
                      .entity_id = std::string(id),
                      .service = std::string(service),
                      .region = std::string(region),
                      .at = now});
}

std::map<std::string, std::vector<Use>> UseLog::take() {
  std::map<std::string, std::vector<Use>> out;
  for (Use& use : pending_) {
    std::vector<Use>& uses = out[use.account];
    uses.push_back(std::move(use));
  }
  pending_.clear();
  return out;
}

Result<void> record_uses(store::Tx& tx, const std::vector<Use>& uses) {
  for (const Use& use : uses) {
    const store::Key entity_key = keys::entity_use(use.account, use.entity_id);
    TRY(auto entity, tx.get<EntityUseRecord>(entity_key));
    if (!entity) entity.emplace();
    Timestamp& last = entity->services[use.service];
    if (last <= use.at) {
      last = use.at;
      entity->regions[use.service] = use.region;
      tx.put(entity_key, *entity);
    }
    if (use.access_key_id.empty()) continue;
    const store::Key key = keys::key_use(use.account, use.access_key_id);
    TRY(const auto known, tx.get<KeyUseRecord>(key));
    if (known && known->at > use.at) continue;
    KeyUseRecord record;
    record.service = use.service;
    record.region = use.region;
    record.at = use.at;
    tx.put(key, record);
  }
  return {};
}

Result<void> add_access_job(store::Tx& tx, std::string_view account, std::string_view id,
                            const AccessJobRecord& job) {
  store::Scan scan;
  scan.shard = shard(account);
  scan.begin = store::KeyBuilder("use.job").text(account).build();
  scan.end = store::prefix_end(scan.begin);
  std::vector<std::pair<Timestamp, std::string>> kept;
  for (bool more = true; more;) {
    TRY(const store::Page page, tx.scan(scan));
    for (const store::Record& record : page.records) {
      TRY(const auto known, store::decode<AccessJobRecord>(record.value, record.key));
      if (known.created + access_job_lifetime <= job.created) {
        tx.erase({scan.shard, record.key});
      } else {
        kept.emplace_back(known.created, record.key);
      }
      scan.begin = record.key + '\0';
    }
    more = page.more;
  }
  std::ranges::sort(kept);
  for (std::size_t i = 0; i + access_jobs_max <= kept.size(); ++i) {
    tx.erase({scan.shard, kept[i].second});
  }
  tx.put(keys::access_job(account, id), job);
  return {};
}

Result<std::optional<AccessJobRecord>> find_access_job(store::Tx& tx, std::string_view account,
                                                       std::string_view id, Timestamp now) {
  TRY(auto job, tx.peek<AccessJobRecord>(keys::access_job(account, id)));
  if (job && job->created + access_job_lifetime <= now) job.reset();
  return job;
}

}  // namespace wolke::identity
