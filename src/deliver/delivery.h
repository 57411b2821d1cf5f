#pragma once
// Deliveries: every asynchronous event's life, one automaton. A service enqueues an event in the
// very transaction that causes it; the automaton brings it to its target: attempts, retries (2 for
// function errors: after 1 and 2 minutes with jitter), throttles and server errors retried with
// back-off 1 s … 5 min until the maximum age (6 h), then exactly one terminal state is recorded:
// succeeded, destination, dead_lettered, discarded, or cancelled by somebody (cancel.h).
//
// Sources: Lambda developer guide, "Asynchronous invocation"; durability.md's promises.

#include <optional>
#include <string>
#include <vector>

#include "wolke/base/body.h"
#include "wolke/base/result.h"
#include "wolke/store/tx.h"

namespace wolke::deliver {

struct Event {
  std::string id;       // uuid; the invocation's request id
  std::string account;  // that owns the target
  std::string target;   // function ARN, possibly qualified
  std::string payload;  // JSON, ≤ limits::invoke_async_payload_bytes_max
  std::string source;   // "lambda" (Invoke with Event), "s3.amazonaws.com"
  std::string
      source_arn;  // of the bucket, for the target's resource policy; empty for direct invokes
  std::string source_account;
  std::string trace;        // X-Amzn-Trace-Id; carries the recursion lineage
  std::string origin = {};  // the ended event that this one repeats (replay.h); empty: none
};

/// Adds the event to its target's inbox, durable with the transaction.
void enqueue(store::Tx& tx, const Event& event, Timestamp now);

enum class Terminal { pending, succeeded, destination, dead_lettered, discarded, cancelled };

/// What `wolke events` shows.
struct EventStatus {
  Event event;  // payload left out in lists
  Terminal terminal = Terminal::pending;
  std::string reason;  // of the last failure or of the discard
  int attempts = 0;
  Timestamp enqueued{};
  Timestamp finished{};
  Timestamp next_attempt{};
  std::string replayed_as = {};  // the event that repeats this one; of several the last
};

}  // namespace wolke::deliver
