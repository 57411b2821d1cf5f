#pragma once
// Appending events to a stream: PutLogEvents and the functions' own logs come through here.

#include <cstdint>
#include <span>
#include <string>

#include "wolke/services/logs/state.h"

namespace wolke::logs {

/// CloudWatch Logs quotas: an event 256 KB, a batch 1 MB and 10,000 events, each event counted with
/// 26 bytes more.
inline constexpr std::size_t event_bytes_max = 256 * 1024;
inline constexpr std::size_t batch_bytes_max = 1'048'576;
inline constexpr std::size_t event_overhead_bytes = 26;

struct NewEvent {
  std::int64_t timestamp_ms = 0;
  std::string message;
  /// The chain of events in which it was written (deliver::lineage_of), which goes on in what a
  /// subscription makes of it; empty: none.
  std::string lineage = {};
};

/// Writes the events and the stream's totals, and enqueues what the group's subscriptions want.
Result<void> append_to_stream(store::Tx& tx, const GroupName& name, const Group& group,
                              Stream& stream, std::span<const NewEvent> events, Timestamp now,
                              Random& random);

struct StreamName {
  GroupName group;
  std::string stream;
};
/// Whether there is such a group.
Result<bool> group_exists(store::Store& store, const GroupName& name);
/// For logs of functions: group and stream are made when they are missing.
Result<void> append_events(store::Tx& tx, const StreamName& name, std::span<const NewEvent> events,
                           Timestamp now, Random& random);

/// Invalid UTF-8 becomes U+FFFD, so that every answer stays JSON.
std::string valid_text(std::string_view text);

}  // namespace wolke::logs
