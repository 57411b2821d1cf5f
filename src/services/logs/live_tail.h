#pragma once
// Live tails: a session sends what was written to some groups within the last second, once a
// second, for as long as its client listens. It reads what the streams got since its last look, so
// nothing is kept for it and a slow client costs nothing: what is more than an update may carry is
// sampled.
//
// Threads: a session is its sender's, one call at a time; LiveTails belongs to all threads.
// Lifetime: sessions may outlive the answer's operation, not LiveTails nor the store.
// Source: CloudWatch Logs API reference, StartLiveTail.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "wolke/base/body.h"
#include "wolke/base/shares.h"
#include "wolke/services/logs/filter_pattern.h"
#include "wolke/services/logs/state.h"

namespace wolke::logs {

inline constexpr std::size_t tails_of_account_max = 15;
inline constexpr std::size_t tail_groups_max = 10;
inline constexpr std::size_t tail_update_events_max = 500;
inline constexpr auto tail_session_max = std::chrono::hours(3);
/// What one look reads at most; events beyond it are not sent, and the update says so.
inline constexpr std::size_t tail_read_events_max = 20'000;
inline constexpr std::size_t tail_read_bytes_max = 16 * 1024 * 1024;
/// Steps of regular expressions in one look: about a tenth of a second of one processor.
inline constexpr std::size_t tail_regex_steps_max = 3'200'000;

/// The sessions of all accounts.
class LiveTails {
 public:
  /// nullptr: the account has as many as it may.
  std::unique_ptr<Shares::Seat> sit_down(const std::string& account) { return open_.take(account); }
  /// From now on sessions end at their next update.
  void close() { closed_ = true; }
  bool closed() const { return closed_; }

 private:
  Shares open_{tails_of_account_max};
  std::atomic<bool> closed_ = false;
};

struct TailRequest {
  std::string request_id, session_id;
  std::vector<std::string> identifiers;  // of the groups, as they were given
  std::vector<GroupName> groups;
  std::vector<std::string> streams, stream_prefixes;  // both empty: every stream
  std::string pattern_text;
  FilterPattern pattern;
  Timestamp began{};
};

class LiveTail final : public LiveBody {
 public:
  LiveTail(store::Store& store, const LiveTails& tails, std::unique_ptr<Shares::Seat> seat,
           TailRequest request);
  ~LiveTail() override;
  LiveTail(const LiveTail&) = delete;
  LiveTail& operator=(const LiveTail&) = delete;

  /// What is there now is not sent.
  Result<void> skip_what_is_there(store::Tx& tx);

  Result<std::optional<std::string>> next(Timestamp now) override;
  std::chrono::milliseconds pause() const override { return std::chrono::seconds(1); }

 private:
  struct Found {
    std::string group, stream;
    StoredEvent stored;
  };
  struct Look {
    std::vector<Found> found;
    bool sampled = false;
    std::size_t events_left = tail_read_events_max;
    std::size_t bytes_left = tail_read_bytes_max;
    std::size_t steps_left = tail_regex_steps_max;
  };
  bool wants(const Stream& stream) const;
  Result<Look> look(Timestamp now);
  Result<void> look_into(store::Tx& tx, const GroupName& name, const Group& group,
                         const Stream& stream, Timestamp now, Look& out);
  bool matches(const std::string& message, Look& look) const;
  std::string start_message() const;
  static std::string update_message(Look look);

  store::Store& store_;
  const LiveTails& tails_;
  std::unique_ptr<Shares::Seat> seat_;
  TailRequest request_;
  std::unordered_map<std::uint64_t, std::uint64_t> seen_;  // stream -> its next sequence then
  std::atomic<bool> written_ = true;  // since the last look, perhaps; by the store's writer, too
  std::uint64_t watch_ = 0;
  bool started_ = false, ended_ = false;
};

}  // namespace wolke::logs
