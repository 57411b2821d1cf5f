#include "wolke/deliver/replay.h"

#include <utility>

namespace wolke::deliver {
namespace {

constexpr int tries_max = 8;

/// Adds the new event of one that has ended, and the link to it.
Result<ReplayOutcome> add_replay(store::Snapshot& snapshot, Located found, Env env,
                                 store::Batch& batch) {
  using What = ReplayOutcome::What;
  if (!found.ended) return ReplayOutcome{.what = What::pending};
  if (static_cast<Terminal>(found.ended->terminal) == Terminal::succeeded) {
    return ReplayOutcome{.what = What::no_payload};
  }
  TRY(load_payload(snapshot, found.delivery));
  Event event = event_of(found.delivery.record);
  event.origin = std::exchange(event.id, env.random.uuid());
  enqueue(batch, event, env.clock.wall());
  found.ended->replayed_as = event.id;
  const Delivery& delivery = found.delivery;
  batch.checks.push_back({delivery.place.key, delivery.place.version});
  batch.puts.push_back(
      {delivery.place.key,
       store::encode(*found.ended, done_prefix(delivery.lane, delivery.function))});
  return ReplayOutcome{.what = What::replayed, .replayed_as = event.id};
}

/// One event, one commit: payloads may be large, and one that fails keeps no other from its new
/// life.
Result<ReplayOutcome> replay_one(store::Store& store, Env env, const Search& one,
                                 store::Snapshot& first, std::optional<Located> found) {
  std::unique_ptr<store::Snapshot> newer;
  for (int tries = 0; tries < tries_max; ++tries) {
    if (tries > 0) {
      TRY(newer, store.snapshot());
      TRY(auto again, find_events(*newer, one));
      found.reset();
      if (!again.empty()) found = std::move(again.begin()->second);
    }
    if (!found) return ReplayOutcome{};
    store::Batch batch;
    TRY(ReplayOutcome outcome, add_replay(newer ? *newer : first, *std::move(found), env, batch));
    if (batch.writes_nothing()) return outcome;
    const store::CommitResult result = store::commit_and_wait(store, std::move(batch));
    if (result.status == store::CommitStatus::committed) return outcome;
    if (result.status == store::CommitStatus::failed) return fail(result.error);
  }
  return ReplayOutcome{.what = ReplayOutcome::What::failed};
}

}  // namespace

Result<ReplayOutcomes> replay(store::Store& store, Env env, const Search& search) {
  TRY(auto snapshot, store.snapshot());
  TRY(auto found, find_events(*snapshot, search));
  ReplayOutcomes out;
  for (const std::string& id : search.ids) {
    const auto located = found.find(id);
    auto outcome = replay_one(
        store, env, {.account = search.account, .function_arn = search.function_arn, .ids = {id}},
        *snapshot,
        located == found.end() ? std::nullopt : std::optional(std::move(located->second)));
    // What was replayed so far is told, whatever becomes of the rest.
    if (!outcome && out.empty()) return fail(outcome.error());
    out[id] = outcome ? *outcome : ReplayOutcome{.what = ReplayOutcome::What::failed};
  }
  return out;
}

}  // namespace wolke::deliver
