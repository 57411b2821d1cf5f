#include "wolke/services/s3/publish.h"

#include "wolke/base/text.h"
#include "wolke/deliver/delivery.h"
#include "wolke/services/s3/names.h"
#include "wolke/services/s3/notification.h"

namespace wolke::s3 {
namespace {

std::string caller_principal_id(const identity::Principal& principal) {
  if (principal.kind == identity::PrincipalKind::anonymous) return "Anonymous";
  return "AWS:" + (principal.unique_id.empty() ? principal.account : principal.unique_id);
}

/// The account in arn:aws:lambda:region:account:function:name.
std::string account_of(std::string_view arn) {
  std::vector<std::string_view> parts = split(arn, ':');
  return parts.size() > 4 ? std::string(parts[4]) : std::string();
}

/// The caller's own trace goes on with the event, so that a function that feeds itself is noticed.
std::string trace_of(const operation::Context& context) {
  if (context.headers == nullptr) return {};
  for (const auto& [name, value] : *context.headers) {
    if (name == "x-amzn-trace-id") return value;
  }
  return {};
}

}  // namespace

Result<void> publish(store::Tx& tx, const operation::Context& context, const Bucket& bucket,
                     const ObjectChange& change) {
  ObjectEvent event;
  for (const FunctionNotification& configuration : bucket.notifications) {
    if (!matches(configuration, change.event, change.key)) continue;
    if (event.sequencer.empty()) {
      // Two changes of one key conflict over its record, so the later one reads the earlier one's
      // count.
      store::Key counter = sequence_key(bucket.name);
      TRY(std::int64_t count, tx.counter(counter));
      tx.add(counter, 1);
      event = ObjectEvent{
          .name = change.event,
          .time = context.now,
          .region = bucket.region,
          .principal_id = caller_principal_id(context.principal()),
          .source_ip = context.source_ip,
          .request_id = context.request_id,
          .configuration_id = {},
          .bucket = bucket.name,
          .owner_principal_id = principal_id(bucket.account),
          .key = change.key,
          .size = change.size,
          .etag = change.etag,
          .version_id = change.version_id,
          .sequencer = sequencer(bucket.created, static_cast<std::uint64_t>(count) + 1)};
    }
    event.configuration_id = configuration.id;
    deliver::enqueue(tx,
                     deliver::Event{.id = context.random->uuid(),
                                    .account = account_of(configuration.function_arn),
                                    .target = configuration.function_arn,
                                    .payload = event_json(event),
                                    .source = "s3.amazonaws.com",
                                    .source_arn = bucket_arn(bucket.name),
                                    .source_account = bucket.account,
                                    .trace = trace_of(context)},
                     context.now);
  }
  return {};
}

}  // namespace wolke::s3
