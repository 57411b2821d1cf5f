#include "wolke/model/control/operations.h"

#include "wolke/base/text.h"
#include "wolke/deliver/events.h"
#include "wolke/deliver/replay.h"
#include "wolke/services/control/control.h"

namespace wolke::control {

namespace {

namespace op = model::control::op;
using operation::Asks;
using operation::Context;

std::string state_name(deliver::Terminal terminal) {
  switch (terminal) {
    case deliver::Terminal::pending:
      return "pending";
    case deliver::Terminal::succeeded:
      return "succeeded";
    case deliver::Terminal::destination:
      return "destination";
    case deliver::Terminal::dead_lettered:
      return "dead-lettered";
    case deliver::Terminal::discarded:
      return "discarded";
    case deliver::Terminal::cancelled:
      return "cancelled";
  }
  return "";
}

std::optional<std::string> moment(Timestamp t) {
  if (t == Timestamp{}) return std::nullopt;
  return format_iso8601(t);
}

std::optional<std::string> text(const std::string& words) {
  return words.empty() ? std::nullopt : std::optional(words);
}

/// What to look for; the members of CancelEvents and ReplayEvents are alike.
template <class In>
deliver::Search search_of(const Context& context, const In& input) {
  return {.account = context.account,
          .function_arn = deliver::unqualified(input.function_arn.value_or("")),
          .ids = {input.ids->begin(), input.ids->end()}};
}

/// Without a function, all of the account's events are meant.
template <class In>
Asks ask_of(const char* action, const In& input) {
  identity::Ask ask{.action = action, .resource = input.function_arn.value_or("*")};
  // arn:aws:lambda:REGION:ACCOUNT:function:NAME
  const auto parts = split(ask.resource, ':');
  if (parts.size() > 4) ask.resource_account = parts[4];
  return {std::move(ask)};
}

constexpr const char* unknown_event = "There is no such event.";

Result<op::ListEvents::Output> list_events(Control& control, store::Tx&, const Context& context,
                                           const op::ListEvents::Input& input) {
  TRY(std::unique_ptr<store::Snapshot> snapshot, control.store.snapshot());
  deliver::EventFilter filter{.account = context.account,
                              .function_arn = input.function_arn.value_or(""),
                              .failed_only = input.state.value_or("all") == "failed",
                              .replayable_only = input.state.value_or("all") == "replayable",
                              .limit = static_cast<std::size_t>(input.max_items.value_or(100))};
  TRY(std::vector<deliver::EventStatus> events, deliver::list_events(*snapshot, filter));
  op::ListEvents::Output out;
  out.events.emplace();
  for (const deliver::EventStatus& event : events) {
    out.events->push_back({.id = event.event.id,
                           .source = event.event.source,
                           .source_arn = event.event.source_arn,
                           .target = event.event.target,
                           .state = state_name(event.terminal),
                           .reason = event.reason,
                           .attempts = event.attempts,
                           .enqueued = moment(event.enqueued),
                           .finished = moment(event.finished),
                           .next_attempt = moment(event.next_attempt),
                           .origin = text(event.event.origin),
                           .replayed_as = text(event.replayed_as)});
  }
  return out;
}

async::Task<Result<op::CancelEvents::Output>> cancel_events(Control& control, Context context,
                                                            op::CancelEvents::Input input) {
  CO_TRY(deliver::CancelOutcomes outcomes,
         co_await control.deliverer.cancel(
             {.events = search_of(context, input), .by = context.principal().arn}));
  op::CancelEvents::Output out;
  out.results.emplace();
  using What = deliver::CancelOutcome::What;
  for (const auto& [id, outcome] : outcomes) {
    model::control::CancelResult& result = out.results->emplace_back();
    result.id = id;
    if (outcome.what == What::unknown) {
      result.code = "NoSuchEvent";
      result.message = unknown_event;
      continue;
    }
    result.state = state_name(outcome.what == What::cancelled ? deliver::Terminal::cancelled
                                                              : outcome.terminal);
    if (outcome.what == What::cancelled) {
      result.under_way = outcome.under_way;
      continue;
    }
    result.code = "EventHasEnded";
    result.message = "The event has ended: " + *result.state + ".";
  }
  co_return out;
}

void explain(deliver::ReplayOutcome::What what, model::control::ReplayResult& result) {
  using What = deliver::ReplayOutcome::What;
  switch (what) {
    case What::replayed:
      return;
    case What::pending:
      result.code = "EventIsPending";
      result.message = "The event has not ended; it is attempted again by itself.";
      return;
    case What::no_payload:
      result.code = "NoPayload";
      result.message = "The event succeeded, so its payload was not kept.";
      return;
    case What::unknown:
      result.code = "NoSuchEvent";
      result.message = unknown_event;
      return;
    case What::failed:
      result.code = "ServiceUnavailable";
      result.message = "The event could not be replayed; try again.";
      return;
  }
}

async::Task<Result<op::ReplayEvents::Output>> replay_events(Control& control, Context context,
                                                            op::ReplayEvents::Input input) {
  auto outcomes = co_await async::run_on(
      control.pool, control.loop, [&control, search = search_of(context, input)] {
        return deliver::replay(control.store, control.env, search);
      });
  if (!outcomes) {
    co_return fail({.code = "ServiceUnavailable", .status = 503, .message = "Overloaded."});
  }
  if (!*outcomes) co_return fail(outcomes->error());
  op::ReplayEvents::Output out;
  out.results.emplace();
  for (const auto& [id, outcome] : **outcomes) {
    model::control::ReplayResult& result = out.results->emplace_back();
    result.id = id;
    result.replayed_as = text(outcome.replayed_as);
    explain(outcome.what, result);
  }
  co_return out;
}

async::Task<Result<op::ListInstances::Output>> list_instances(Control& control, Context context,
                                                              op::ListInstances::Input) {
  op::ListInstances::Output out;
  out.instances.emplace();
  const std::string account = ":" + context.account + ":";
  for (const invoke::Invoker::InstanceInfo& instance : control.invoker.instances()) {
    if (instance.function_arn.find(account) == std::string::npos) continue;
    out.instances->push_back({.sandbox_id = instance.sandbox_id,
                              .function_arn = instance.function_arn,
                              .version = instance.version,
                              .state = instance.state,
                              .invocations = static_cast<std::int64_t>(instance.invocations),
                              .started = moment(instance.started)});
  }
  co_return out;
}

Result<Asks> asks_list_events(Control&, const Context&, const op::ListEvents::Input&) {
  return Asks{{.action = "wolke:ListEvents", .resource = "*"}};
}

Result<Asks> asks_cancel_events(Control&, const Context&, const op::CancelEvents::Input& input) {
  return ask_of("wolke:CancelEvents", input);
}

Result<Asks> asks_replay_events(Control&, const Context&, const op::ReplayEvents::Input& input) {
  return ask_of("wolke:ReplayEvents", input);
}

Result<Asks> asks_list_instances(Control&, const Context&, const op::ListInstances::Input&) {
  return Asks{{.action = "wolke:ListInstances", .resource = "*"}};
}

}  // namespace

operation::ServiceTable control_table(Control* control) {
  return {
      .model = &model::control::service(),
      .service = control,
      .rows = {
          operation::task_row<Control, op::CancelEvents, cancel_events, asks_cancel_events>(),
          operation::task_row<Control, op::ReplayEvents, replay_events, asks_replay_events>(),
          operation::row<Control, op::ListEvents, list_events, asks_list_events>(),
          operation::task_row<Control, op::ListInstances, list_instances, asks_list_instances>()}};
}

}  // namespace wolke::control
