// StartLiveTail. The operation checks and opens; the session (live_tail.h) is its answer's body.

#include "wolke/services/logs/errors.h"
#include "wolke/services/logs/filter_pattern.h"
#include "wolke/services/logs/live_tail.h"
#include "wolke/services/logs/ops.h"

namespace wolke::logs {

Result<std::vector<GroupName>> groups_of_tail(const Context& context,
                                              const op::StartLiveTail::Input& input) {
  const auto& identifiers = *input.log_group_identifiers;
  if (identifiers.empty() || identifiers.size() > tail_groups_max) {
    return fail(invalid_parameter("A live tail is about 1 to 10 log groups."));
  }
  std::vector<GroupName> out;
  for (const std::string& identifier : identifiers) {
    if (identifier.ends_with('*')) {
      return fail(invalid_parameter("The ARN of a log group must not end with an asterisk here."));
    }
    TRY(out.emplace_back(), group_of(context, identifier));
  }
  return out;
}

Result<op::StartLiveTail::Output> start_live_tail(Logs& service, Tx& tx, const Context& context,
                                                  const op::StartLiveTail::Input& input) {
  TailRequest request;
  request.request_id = context.request_id;
  request.session_id = context.random->uuid();
  request.identifiers = *input.log_group_identifiers;
  TRY(request.groups, groups_of_tail(context, input));
  request.streams = input.log_stream_names.value_or(std::vector<std::string>{});
  request.stream_prefixes = input.log_stream_name_prefixes.value_or(std::vector<std::string>{});
  const bool by_stream = !request.streams.empty() || !request.stream_prefixes.empty();
  if (!request.streams.empty() && !request.stream_prefixes.empty()) {
    return fail(invalid_parameter("logStreamNames and logStreamNamePrefixes exclude one another."));
  }
  if (by_stream && request.groups.size() != 1) {
    return fail(invalid_parameter("Streams can be chosen of one log group only."));
  }
  request.pattern_text = input.log_event_filter_pattern.value_or("");
  TRY(request.pattern, parse_filter_pattern(request.pattern_text));
  request.began = context.now;
  for (const GroupName& name : request.groups) {
    TRY(const Group group, get_group(tx, name));
    for (const std::string& stream : request.streams) {
      TRY(get_stream(tx, group, stream));
    }
  }
  ASSERT(service.store != nullptr);
  auto seat = service.tails->sit_down(context.account);
  if (!seat) {
    Error error = limit_exceeded();
    error.message = "The account has 15 live tail sessions, which is the limit.";
    return fail(std::move(error));
  }
  auto tail = std::make_shared<LiveTail>(*service.store, *service.tails, std::move(seat),
                                         std::move(request));
  TRY(tail->skip_what_is_there(tx));
  op::StartLiveTail::Output out;
  out.response_stream.emplace();
  out.response_stream->live = std::move(tail);
  return out;
}

}  // namespace wolke::logs
