#pragma once
// Subscriptions: matching events of a group become events for a function, in the very transaction
// that stores them, so that neither can be without the other. Source: CloudWatch Logs user guide,
// "Subscription filters with AWS Lambda".

#include <span>
#include <string>
#include <vector>

#include "wolke/services/logs/state.h"

namespace wolke::logs {

/// A batch has 1 MiB at most, so this bounds what a regular expression may cost its writer.
inline constexpr std::size_t subscription_regex_instructions_max = 64;

inline constexpr std::size_t subscriptions_max = 2;  // CloudWatch Logs: for each log group
/// Messages that go into one payload; compressed and in base64 it stays below Lambda's limit
/// whatever they are.
inline constexpr std::size_t payload_messages_bytes_max = 384 * 1024;

struct SubscribedEvent {
  std::string id;
  std::int64_t timestamp_ms = 0;
  std::string message;
  /// What a space-delimited pattern names in it.
  std::map<std::string, std::string> fields;
  std::string lineage = {};
};

/// An event that has just been put into its stream.
struct AppendedEvent {
  Position position;
  std::string message;
  std::string lineage;
};

struct SubscriptionSource {
  std::string account, group, stream, filter;
};

/// The document that is compressed.
std::string subscription_document(const SubscriptionSource& source,
                                  std::span<const SubscribedEvent> events);
/// {"awslogs":{"data":"BASE64 OF GZIP"}}
std::string subscription_payload(const std::string& document);

/// Enqueues what the group's subscriptions want of `events`, which were just put into `stream`. The
/// chain in which an event was written goes on in the payload that has it, so that functions that
/// invoke each other by their logs are stopped as every loop is; one payload has events of one
/// chain.
Result<void> publish(store::Tx& tx, const GroupName& name, const Group& group, const Stream& stream,
                     std::span<const AppendedEvent> events, Timestamp now, Random& random);

}  // namespace wolke::logs
