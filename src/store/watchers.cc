#include "wolke/store/watchers.h"

#include <algorithm>

namespace wolke::store {

std::uint64_t Watchers::add(std::string prefix, std::function<void()> hint) {
  auto watcher = std::make_shared<Watcher>();
  watcher->prefix = std::move(prefix);
  watcher->hint = std::move(hint);
  auto state = state_.lock();
  const std::uint64_t token = state->next_token++;
  state->by_prefix[watcher->prefix].emplace(token, watcher);
  state->by_token.emplace(token, std::move(watcher));
  return token;
}

void Watchers::remove(std::uint64_t token) {
  Shared watcher;
  {
    auto state = state_.lock();
    auto found = state->by_token.find(token);
    if (found == state->by_token.end()) return;
    watcher = std::move(found->second);
    state->by_token.erase(found);
    auto same_prefix = state->by_prefix.find(watcher->prefix);
    same_prefix->second.erase(token);
    if (same_prefix->second.empty()) state->by_prefix.erase(same_prefix);
  }
  std::lock_guard running(watcher->running);
  watcher->removed = true;
}

void Watchers::touch_key(const State& state, std::string_view key, Touched& touched) {
  // The greatest watched prefix that is ≤ key either begins key, or shares with it a shorter
  // beginning that bounds every other candidate.
  std::string_view candidate_max = key;
  while (true) {
    auto after = state.by_prefix.upper_bound(candidate_max);
    if (after == state.by_prefix.begin()) return;
    const auto& [prefix, watchers] = *std::prev(after);
    const auto [differ, unused] = std::ranges::mismatch(prefix, candidate_max);
    const auto common = static_cast<std::size_t>(differ - prefix.begin());
    if (common < prefix.size()) {
      candidate_max = candidate_max.substr(0, common);
      continue;
    }
    for (const auto& [token, watcher] : watchers) touched.watchers_.emplace(token, watcher);
    if (prefix.empty()) return;
    candidate_max = candidate_max.substr(0, prefix.size() - 1);
  }
}

void Watchers::touch(const Batch& batch, Touched& touched) {
  auto state = state_.lock();
  if (state->by_prefix.empty()) return;
  for (const Put& put : batch.puts) touch_key(*state, put.key.bytes, touched);
  for (const Key& key : batch.deletes) touch_key(*state, key.bytes, touched);
  for (const Add& add : batch.adds) touch_key(*state, add.key.bytes, touched);
  for (const Append& append : batch.appends) touch_key(*state, append.prefix, touched);
}

void Watchers::call(Touched& touched) {
  for (auto& [token, watcher] : touched.watchers_) {
    std::lock_guard running(watcher->running);
    if (!watcher->removed) watcher->hint();
  }
  touched.watchers_.clear();
}

}  // namespace wolke::store
